/*
 * arrival.c -- which peer sent this?
 */
#include "config.h"

#include <string.h>

#include "route/peer.h"

enum place { NOT_ITS_ADDRESS, ELSEWHERE, IN_PLACE, CERTIFIED };

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

static bool
is_certified(const struct peer *p, const struct arrival *a)
{
	return a->certificate != NULL && a->transport == TRANSPORT_TLS &&
	    bears_its_name(p, a->certificate) &&
	    a->certificate->is_vouched(a->certificate->arg, p);
}

static enum place
fit_any(const struct peer *p, const struct arrival *a)
{
	if ((p->proofs & PEER_BY_CERTIFICATE) && is_certified(p, a))
		return CERTIFIED;
	return p->proofs & PEER_BY_ADDRESS ? place_of(p, a) :
	    NOT_ITS_ADDRESS;
}

/* Its certificate is good wherever one of its addresses shows it. */
static enum place
fit_all(const struct peer *p, const struct arrival *a)
{
	enum place place = CERTIFIED;

	if (p->proofs & PEER_BY_ADDRESS)
		place = place_of(p, a);
	if (place != NOT_ITS_ADDRESS && (p->proofs & PEER_BY_CERTIFICATE))
		place = is_certified(p, a) ? CERTIFIED : NOT_ITS_ADDRESS;
	return place;
}

/* Digest comes later. */
static enum place
fit(const struct peer *p, const struct arrival *a)
{
	if ((p->proofs & (PEER_BY_ADDRESS | PEER_BY_CERTIFICATE)) == 0)
		return NOT_ITS_ADDRESS;
	return p->any ? fit_any(p, a) : fit_all(p, a);
}

/* A source address is easily forged over UDP only. */
static bool
is_good(enum place place, const struct arrival *a)
{
	return place > ELSEWHERE ||
	    (place == ELSEWHERE && a->transport != TRANSPORT_UDP);
}

/* Of two that are in the same place one that has domains. */
static bool
is_better(const struct peer *p, enum place place, const struct peer *than,
    enum place its)
{
	return place > its || (place == its && place != NOT_ITS_ADDRESS &&
	    p->ndomains > 0 && than->ndomains == 0);
}

bool
peer_may_send(const struct peer *p, const struct arrival *a)
{
	return is_good(fit(p, a), a);
}

/* Wherever it is. */
static const struct peer *
best_of(const struct peers *ps, const struct arrival *a, enum place *its)
{
	const struct peer *best = NULL;

	*its = NOT_ITS_ADDRESS;
	for (size_t i = 0; i < peers_count(ps); i++) {
		const struct peer *p = peers_at(ps, i);
		enum place place = peer_fits_domain(p, a->domain) ?
		    fit(p, a) : NOT_ITS_ADDRESS;

		if (is_better(p, place, best, *its)) {
			*its = place;
			best = p;
		}
	}
	return best;
}

enum arrival_verdict
peers_classify(const struct peers *ps, const struct arrival *a,
    const struct peer **out)
{
	enum place place;

	*out = best_of(ps, a, &place);
	if (is_good(place, a))
		return ARRIVAL_PEER;
	*out = NULL;
	return place == ELSEWHERE ? ARRIVAL_MISPLACED : ARRIVAL_STRANGER;
}

const struct peer *
peers_misplaced(const struct peers *ps, const struct arrival *a)
{
	enum place place;

	return best_of(ps, a, &place);
}
