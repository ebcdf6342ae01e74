/*
 * arrival.c -- which peer sent this?
 */
#include "config.h"

#include <string.h>

#include "route/peer.h"

enum place { NOT_ITS_ADDRESS, ELSEWHERE, IN_PLACE };

static enum place
place_of(const struct peer *p, const struct arrival *a)
{
	enum place best = NOT_ITS_ADDRESS;

	for (size_t i = 0; i < p->nnets && best != IN_PLACE; i++) {
		if (!net_has(&p->net[i], &a->source))
			continue;
		best = ELSEWHERE;
		if (p->listener != NULL ? a->listener != NULL &&
		    strcmp(p->listener, a->listener) == 0 :
		    a->ifindex != 0 && p->net_ifindex[i] == a->ifindex)
			best = IN_PLACE;
	}
	return best;
}

static bool
bears_its_name(const struct peer *p, const struct arrival_certificate *c)
{
	for (size_t i = 0; i < p->ncertificates; i++)
		if (c->has_name(c->arg, p->certificate[i]))
			return true;
	return false;
}

/* Where it has networks as well, both must fit. */
static bool
is_proved(const struct peer *p, const struct arrival *a)
{
	return bears_its_name(p, a->certificate) &&
	    a->certificate->is_vouched(a->certificate->arg, p) &&
	    (p->nnets == 0 || place_of(p, a) != NOT_ITS_ADDRESS);
}

static const struct peer *
by_certificate(const struct peers *ps, const struct arrival *a)
{
	if (a->certificate == NULL || a->transport != TRANSPORT_TLS)
		return NULL;
	for (size_t i = 0; i < peers_count(ps); i++)
		if (is_proved(peers_at(ps, i), a))
			return peers_at(ps, i);
	return NULL;
}

/* A peer with a certificate is not known by address alone. */
static enum place
by_address(const struct peers *ps, const struct arrival *a,
    const struct peer **out)
{
	enum place place, best = NOT_ITS_ADDRESS;
	const struct peer *p;

	for (size_t i = 0; i < peers_count(ps) && best != IN_PLACE; i++) {
		p = peers_at(ps, i);
		place = p->ncertificates > 0 ? NOT_ITS_ADDRESS :
		    place_of(p, a);
		if (place > best) {
			best = place;
			*out = p;
		}
	}
	return best;
}

enum arrival_verdict
peers_classify(const struct peers *ps, const struct arrival *a,
    const struct peer **out)
{
	enum place place;

	*out = by_certificate(ps, a);
	if (*out != NULL)
		return ARRIVAL_PEER;
	place = by_address(ps, a, out);
	if (place == NOT_ITS_ADDRESS)
		return ARRIVAL_STRANGER;
	/* A source address is easily forged over UDP only. */
	if (place == ELSEWHERE && a->transport == TRANSPORT_UDP) {
		*out = NULL;
		return ARRIVAL_MISPLACED;
	}
	return ARRIVAL_PEER;
}
