/*
 * route.c -- where does it go?  RFC 3261 16.5 and 16.6 items 6 and 7.
 *
 * A dialog token leads to the other side that it names, a Path or Contact
 * token to its flow, whatever Request-URI and further Routes say; all else
 * goes by the table of routes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/targets.h"

/* The URI that RFC 3261 16.6 item 7 would resolve. */
static const url_t *
next_hop(const sip_t *sip)
{
	return sip->sip_route != NULL ? sip->sip_route->r_url :
	    sip->sip_request->rq_url;
}

static char *
url_text(struct request *req, const url_t *u)
{
	return url_as_string(msg_home(req->msg), u);
}

/* What the URI says; a Contact that says nothing means what the peer's own
 * URI says. */
static const char *
transport_wanted(struct request *req, const url_t *u, const struct peer *peer)
{
	su_home_t *home = msg_home(req->msg);
	const url_t *own = peer->nuris == 0 ? NULL :
	    url_make(home, peer->uri[0]);
	char *out = su_zalloc(home, 16);

	if (out != NULL && url_param(u->url_params, "transport", out,
	    16) == 0 && own != NULL)
		url_param(own->url_params, "transport", out, 16);
	return out == NULL || *out == '\0' ? "udp" : out;
}

/*
 * In a dialog towards a peer: the address that Route or Request-URI name,
 * if it is the peer's, on a port where the peer takes SIP (the sender says
 * these, and is let into no other service there); else the peer's targets.
 */
static void
prefer_member(struct request *req, const struct peer *peer)
{
	const url_t *u = next_hop(req->sip);
	struct dns_target t[DNS_TARGETS_MAX];
	struct addr a;
	size_t n = 0;
	struct dns_lookup *none = NULL;
	char *text;

	if (u->url_host == NULL ||
	    !addr_parse_host(&a, str_of(u->url_host)) ||
	    !peer_has_addr(peer, &a) ||
	    !peer_has_port(peer, (uint16_t)url_port_number(u)))
		return;
	text = su_sprintf(msg_home(req->msg), "sip:%s%s%s;transport=%s",
	    u->url_host, u->url_port == NULL ? "" : ":",
	    u->url_port == NULL ? "" : u->url_port,
	    transport_wanted(req, u, peer));
	if (text == NULL ||
	    dns_resolve(req->p->env.dns, text, TARGETS_TIMEOUT_MS,
	    t, &n, NULL, NULL, &none) != DNS_OK || none != NULL)
		return;
	targets_take(req, t, n, u->url_host);
}

static enum reason
to_peer(struct request *req, const struct peer *peer)
{
	if (peer == NULL)
		return REASON_NO_ROUTE;
	req->choice.verdict = ROUTE_PEER;
	req->choice.peer = peer;
	prefer_member(req, peer);
	return REASON_COUNT;
}

/* RFC 3263 on Route or Request-URI; never back to ourselves. */
static enum reason
to_next_hop(struct request *req)
{
	const url_t *u = next_hop(req->sip);

	if (u->url_type == url_tel || u->url_host == NULL ||
	    ways_are(req->p->env.ways, str_of(u->url_host),
	    url_port_number(u)) ||
	    domains_has(req->policy->domains, str_of(u->url_host)))
		return REASON_NO_ROUTE;
	req->next_hop = url_text(req, u);
	return req->next_hop == NULL ? REASON_NO_MEMORY : REASON_COUNT;
}

static enum reason
to_side(struct request *req, const struct side *s)
{
	switch (s->kind) {
	case SIDE_FLOW:
		return flow_to_target(req, s) ? REASON_COUNT :
		    REASON_FLOW_GONE;
	case SIDE_PEER:
		return to_peer(req, peers_by_id(req->policy->peers,
		    s->peer));
	case SIDE_ADDR:
		if (req->peer != NULL && req->proof == PROOF_NONE)
			return to_next_hop(req);
		req->target[0].addr = s->addr;
		req->target[0].transport = s->transport;
		req->ntargets = 1;
		return REASON_COUNT;
	case SIDE_NONE:
		break;
	}
	return REASON_NO_ROUTE;
}

static struct str
route_key(struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;
	su_home_t *home = msg_home(req->msg);
	const char *user = u->url_user == NULL ? "" : u->url_user;

	if (u->url_type == url_tel)
		return str_of(su_sprintf(home, "tel:%s", u->url_user != NULL ?
		    u->url_user : u->url_host));
	return str_of(su_sprintf(home, "sip:%s@%s", user, u->url_host));
}

static enum reason
by_table(struct request *req)
{
	struct route_query q = { .source = req->peer, .uri = route_key(req) };

	if (q.uri.p == NULL)
		return REASON_NO_MEMORY;
	req->choice = routes_choose(req->policy->routes, &q);
	switch (req->choice.verdict) {
	case ROUTE_PEER:
		return REASON_COUNT;
	case ROUTE_REQUEST_URI:
		return to_next_hop(req);
	case ROUTE_NONE:
		break;
	}
	return REASON_NO_ROUTE;
}

static enum reason
choose(struct request *req)
{
	if (req->token_state == TOKEN_GOOD)
		return to_side(req, req->from_caller ? &req->token.callee :
		    &req->token.caller);
	if (req->path != NULL)
		return to_side(req, &req->path->flow);
	return by_table(req);
}

/* A target that a token names. */
static enum reason
check_secure(const struct request *req)
{
	return req->ntargets > 0 &&
	    !targets_may_use(req, req->target[0].transport) ?
	    REASON_NO_SECURE_WAY : REASON_COUNT;
}

static void
on_first_targets(struct request *req)
{
	switch (targets_more(req, on_first_targets)) {
	case TARGETS_FOUND:
		request_resume(req);
		break;
	case TARGETS_WAIT:
		break;
	case TARGETS_EXHAUSTED:
		request_refuse(req, req->dns_reason);
		break;
	}
}

enum step_verdict
step_route(struct request *req)
{
	enum reason r = choose(req);

	if (r == REASON_COUNT)
		r = check_secure(req);
	if (r != REASON_COUNT)
		return refuse(req, r);
	req->dns_reason = REASON_NO_SUCH_NAME;
	switch (targets_more(req, on_first_targets)) {
	case TARGETS_FOUND:
		return STEP_NEXT;
	case TARGETS_WAIT:
		if (request_hold(req))
			return STEP_WAIT;
		return refuse(req, req->reason);
	case TARGETS_EXHAUSTED:
		break;
	}
	return refuse(req, req->dns_reason);
}
