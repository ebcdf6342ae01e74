/*
 * registrations.c -- all addresses that we register, and who calls them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "pipeline/registration_inner.h"

enum { START_MS = 200, AGAIN_MS = 1000 };	/* spread over so long */

static void
tell(void *owner, const struct metric *what, metrics_visit_f *visit,
    void *arg)
{
	const struct pipeline *p = owner;
	const struct registration *r = p->registrations->first;

	for (; r != NULL; r = r->next)
		if (!r->ending)
			visit(arg, what, r->peer, registration_stands(r,
			    clock_mono_ms()));
}

bool
registrations_open(struct pipeline *p)
{
	static const struct metric registered = {
		.name = "uplink_registered", .label = "peer",
		.kind = METRIC_GAUGE, .help = "1: our address is registered "
		"at the peer."
	};

	p->registrations = calloc(1, sizeof *p->registrations);
	return p->registrations != NULL && metrics_add_live(p->env.metrics,
	    &registered, tell, p) == 0;
}

static bool
is_as_before(const struct registration *r, const struct peer *peer)
{
	const struct register_conf *conf = peer->registration;

	return text_same(r->peer, peer->name) && text_same(r->aor, conf->aor) &&
	    text_same(r->contact, conf->contact) &&
	    r->expires_ms == conf->expires_ms &&
	    r->retry_ms == conf->retry_ms &&
	    r->retry_max_ms == conf->retry_max_ms;
}

static bool
is_target(const struct peer *peer, uint32_t uri)
{
	for (size_t i = 0; i < peer->nuris; i++)
		if (peer_id(peer->uri[i]) == uri)
			return true;
	return false;
}

/* Who is no target of the peer any more is neither asked again, nor believed
 * to be the peer. */
static bool
is_elsewhere(const struct registration *r, const struct peer *peer)
{
	bool asks = r->state == REG_LOOK || r->state == REG_ASK;

	return (asks && !is_target(peer, r->uri)) ||
	    (registration_stands(r, clock_mono_ms()) &&
	    !is_target(peer, r->at_uri));
}

static bool
is_wanted(const struct pipeline *p, const struct registration *r)
{
	const struct peer *peer = peers_by_id(p->policy->peers, r->peer_id);

	return peer != NULL && peer->registration != NULL &&
	    is_as_before(r, peer) && !is_elsewhere(r, peer);
}

static bool
has_one(const struct pipeline *p, const struct peer *peer)
{
	const struct registration *r = p->registrations->first;

	while (r != NULL && (r->ending || r->peer_id != peer->id))
		r = r->next;
	return r != NULL;
}

static bool
add(struct pipeline *p, const struct peer *peer)
{
	struct registration *r = registration_new(p, peer);

	if (r == NULL)
		return false;
	r->next = p->registrations->first;
	p->registrations->first = r;
	registration_start(r, random_upto(START_MS));
	return true;
}

bool
registrations_update(struct pipeline *p)
{
	const struct peers *peers = p->policy->peers;
	bool ok = true;

	for (struct registration *r = p->registrations->first; r != NULL;
	    r = r->next)
		if (!is_wanted(p, r))
			registration_end(r);
	for (size_t i = 0; i < peers_count(peers); i++) {
		const struct peer *peer = peers_at(peers, i);

		if (peer->registration != NULL && !has_one(p, peer))
			ok &= add(p, peer);
	}
	return ok;
}

void
registrations_stop(struct pipeline *p)
{
	for (struct registration *r = p->registrations->first; r != NULL;
	    r = r->next)
		registration_end(r);
}

bool
registrations_are_over(const struct pipeline *p)
{
	const struct registration *r = p->registrations->first;

	while (r != NULL && (!r->ending || r->state == REG_OVER))
		r = r->next;
	return r == NULL;
}

void
registrations_free(struct pipeline *p)
{
	struct registration *r;

	if (p->registrations == NULL)
		return;
	while ((r = p->registrations->first) != NULL) {
		p->registrations->first = r->next;
		registration_free(r);
	}
	free(p->registrations);
	p->registrations = NULL;
}

void
registrations_lost(struct pipeline *p, uint32_t connection)
{
	for (struct registration *r = p->registrations->first; r != NULL;
	    r = r->next)
		if (r->connection == connection && r->state == REG_WAIT &&
		    r->until_ms > 0)
			registration_start(r, AGAIN_MS + random_upto(AGAIN_MS));
}

/* Over the connection that we made; or from the address that we asked, which
 * over UDP is its port, too.  Whoever must show a certificate showed it there
 * only. */
static bool
came_from(const struct request *req, const struct registration *r)
{
	const struct peer *peer = peers_by_id(req->policy->peers, r->peer_id);

	if (peer == NULL || !registration_stands(r, clock_mono_ms()) ||
	    req->transport != r->at.transport)
		return false;
	if (req->transport == TRANSPORT_UDP)
		return peer->ncertificates == 0 &&
		    addr_same(&req->source, &r->at.addr);
	return req->connection == r->connection ||
	    (peer->ncertificates == 0 &&
	    addr_same_ip(&req->source, &r->at.addr));
}

const struct peer *
registrations_find(const struct request *req)
{
	const struct registration *r = req->p->registrations->first;
	const url_t *u = req->sip->sip_request->rq_url;

	for (; r != NULL; r = r->next)
		if (came_from(req, r) && register_is_line(r, u))
			return peers_by_id(req->policy->peers, r->peer_id);
	return NULL;
}

bool
registrations_have(const struct request *req, uint32_t peer_id)
{
	const struct registration *r = req->p->registrations->first;

	while (r != NULL && (r->peer_id != peer_id || !came_from(req, r)))
		r = r->next;
	return r != NULL;
}
