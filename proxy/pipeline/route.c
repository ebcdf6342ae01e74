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

/* "" if it does not say. */
static void
transport_of(const url_t *u, char out[16])
{
	*out = '\0';
	if (u->url_type == url_sips)
		strcpy(out, "tls");
	else
		url_param(u->url_params, "transport", out, 16);
}

/* What the URI says; a Contact that says nothing means what the peer's own
 * URI says. */
static void
transport_wanted(struct request *req, const url_t *u, const struct peer *peer,
    char out[16])
{
	const url_t *own = peer->nuris == 0 ? NULL :
	    url_make(msg_home(req->msg), peer->uri[0]);

	transport_of(u, out);
	if (*out == '\0' && own != NULL)
		transport_of(own, out);
	if (*out == '\0')
		strcpy(out, "udp");
}

/* Whose certificate an address of the peer has to show: that of the name by
 * which we call the peer over TLS. */
static const char *
name_of(struct request *req, const struct peer *peer, const char *uri)
{
	char transport[16];
	const url_t *own;

	for (size_t i = 0; i < peer->nuris; i++) {
		own = url_make(msg_home(req->msg), peer->uri[i]);
		if (own == NULL)
			continue;
		transport_of(own, transport);
		if (strcasecmp(transport, "tls") == 0)
			return targets_host(&req->leg, peer->uri[i]);
	}
	return peer->ncertificates > 0 ? peer->certificate[0] :
	    targets_host(&req->leg, uri);
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
	char transport[16], *text;

	if (u->url_host == NULL ||
	    !addr_parse_host(&a, str_of(u->url_host)) ||
	    !peer_has_addr(peer, &a) ||
	    !peer_has_port(peer, (uint16_t)url_port_number(u)))
		return;
	transport_wanted(req, u, peer, transport);
	text = su_sprintf(msg_home(req->msg), "sip:%s%s%s;transport=%s",
	    u->url_host, u->url_port == NULL ? "" : ":",
	    u->url_port == NULL ? "" : u->url_port, transport);
	if (text == NULL ||
	    dns_resolve(req->p->env.dns, text, TARGETS_TIMEOUT_MS,
	    t, &n, NULL, NULL, &none) != DNS_OK || none != NULL)
		return;
	targets_take(&req->leg, t, n, name_of(req, peer, text));
}

static enum reason
to_peer(struct request *req, const struct peer *peer)
{
	if (peer == NULL)
		return REASON_NO_ROUTE;
	req->leg.peer = peer;
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
	req->leg.next_hop = url_text(req, u);
	return req->leg.next_hop == NULL ? REASON_NO_MEMORY : REASON_COUNT;
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
		req->leg.target[0] = (struct target){ s->addr, s->transport,
			targets_host(&req->leg,
			url_text(req, next_hop(req->sip))) };
		req->leg.ntargets = 1;
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
	struct route_choice choice;

	if (q.uri.p == NULL)
		return REASON_NO_MEMORY;
	choice = routes_choose(req->policy->routes, &q);
	switch (choice.verdict) {
	case ROUTE_PEER:
		req->leg.peer = choice.peer;
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
	return req->leg.ntargets > 0 &&
	    !targets_may_use(req, req->leg.target[0].transport) ?
	    REASON_NO_SECURE_WAY : REASON_COUNT;
}

static void
on_first_targets(struct leg *leg)
{
	switch (targets_more(leg, on_first_targets)) {
	case TARGETS_FOUND:
		request_resume(leg->req);
		break;
	case TARGETS_WAIT:
		break;
	case TARGETS_EXHAUSTED:
		request_refuse(leg->req, leg->dns_reason);
		break;
	}
}

enum step_verdict
step_route(struct request *req)
{
	enum reason r;

	req->secure = req->sip->sip_request->rq_url->url_type == url_sips;
	r = choose(req);
	if (r == REASON_COUNT)
		r = check_secure(req);
	if (r != REASON_COUNT)
		return refuse(req, r);
	req->leg.dns_reason = REASON_NO_SUCH_NAME;
	switch (targets_more(&req->leg, on_first_targets)) {
	case TARGETS_FOUND:
		return STEP_NEXT;
	case TARGETS_WAIT:
		if (request_hold(req))
			return STEP_WAIT;
		return refuse(req, req->reason);
	case TARGETS_EXHAUSTED:
		break;
	}
	return refuse(req, req->leg.dns_reason);
}
