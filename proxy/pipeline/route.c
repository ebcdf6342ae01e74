/*
 * route.c -- where does it go?  RFC 3261 16.5 and 16.6 items 6 and 7.
 *
 * A dialog token leads to the other side that it names, a Path or Contact
 * token to its flow, whatever Request-URI and further Routes say; all else
 * goes by the table of routes.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/route_query.h"
#include "pipeline/targets.h"

enum {
	MAX_BREADTH = 60,	/* where a request says nothing (RFC 5393) */
	REDIRECT_MAX = 2048	/* bytes of a Contact */
};

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
 * URI says.  TRANSPORTS: neither says it.  false: it is not spoken. */
static bool
transport_wanted(const url_t *u, const struct peer_place *own, int *out)
{
	char text[16];

	transport_of(u, text);
	*out = *text == '\0' ? own->transport : transport_named(str_of(text));
	return *text == '\0' || *out != TRANSPORTS;
}

/* false: it has none. */
static bool
port_wanted(const url_t *u, enum transport t, uint16_t *out)
{
	uint64_t port = t == TRANSPORT_TLS ? SIPS_PORT : SIP_PORT;
	bool sound = u->url_port == NULL || parse_uint(str_of(u->url_port),
	    UINT16_MAX, &port);

	*out = (uint16_t)port;
	return sound && port > 0;
}

/*
 * In a dialog towards a peer: the address that Route or Request-URI name,
 * if it is the peer's, on a port where the peer takes SIP (the sender says
 * these, and is let into no other service there); else the peer's targets.
 * Its certificate is for the name by which we call it.
 *
 * Who holds the dialog is asked even if he is down: nobody else knows it, and
 * what is down fails soon enough.
 */
static void
prefer_member(struct request *req, const struct peer *peer)
{
	const url_t *u = next_hop(req->sip);
	struct dns_target t;
	int own, transport;

	if (!url_names_host(u))
		return;
	if (!addr_parse_host(&t.addr, str_of(u->url_host))) {
		targets_prefer_name(&req->leg, str_of(u->url_host),
		    (uint16_t)url_port_number(u));
		return;
	}
	if (!peer_has_addr(peer, &t.addr))
		return;
	own = peer_target_of_port(peer, (uint16_t)url_port_number(u));
	if (own < 0 || !transport_wanted(u, &peer->place[own], &transport))
		return;
	req->leg.next_open = transport == TRANSPORTS;
	t.transport = transport == TRANSPORTS ? TRANSPORT_UDP :
	    (enum transport)transport;
	if (!port_wanted(u, t.transport, &t.addr.port))
		return;
	targets_take(&req->leg, &t, 1, targets_host(&req->leg,
	    peer->uri[own]));
	targets_know(&req->leg);
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

	if (!url_names_host(u) ||
	    ways_are(req->p->env.ways, str_of(u->url_host),
	    url_port_number(u)) ||
	    domains_has(req->policy->domains, str_of(u->url_host)))
		return REASON_NO_ROUTE;
	req->leg.next_hop = url_text(req, u);
	return req->leg.next_hop == NULL ? REASON_NO_MEMORY : REASON_COUNT;
}

static bool
says_transport(const url_t *u)
{
	char transport[16];

	transport_of(u, transport);
	return *transport != '\0';
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
		if (req->peer != NULL && req->proof == PROOF_NONE) {
			req->egress = egress_default();
			req->known = s->addr;
			return to_next_hop(req);
		}
		req->leg.target[0] = (struct target){
			.addr = s->addr, .transport = s->transport,
			.name = targets_host(&req->leg,
			url_text(req, next_hop(req->sip))),
			.open = !says_transport(next_hop(req->sip))
		};
		req->leg.ntargets = 1;
		return REASON_COUNT;
	case SIDE_NONE:
		break;
	}
	return REASON_NO_ROUTE;
}

/* RFC 5393 section 5.3.3: what a request may still fork into. */
static uint64_t
breadth_of(const struct request *req)
{
	const sip_unknown_t *un = message_other(req->sip, "Max-Breadth",
	    NULL);
	uint64_t n;

	return un != NULL && parse_uint(str_trim(str_of(un->un_value)),
	    UINT32_MAX, &n) ? n : MAX_BREADTH;
}

static int
set_breadth(struct leg *leg, uint64_t n)
{
	char text[48];

	snprintf(text, sizeof text, "Max-Breadth: %" PRIu64, n);
	message_drop_other(leg->msg, leg->sip, "Max-Breadth");
	return message_add_other(leg->msg, leg->sip, text);
}

/* Every leg gets its share. */
static bool
share_breadth(struct request *req, uint64_t all, uint64_t nlegs)
{
	uint64_t i = 0;

	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next, i++)
		if (set_breadth(leg, all / nlegs + (i < all % nlegs)) < 0)
			return false;
	return true;
}

/* An ACK to a 2xx that names no dialog of ours goes to the first alone. */
static enum reason
to_peers(struct request *req, const struct route_choice *choice)
{
	uint64_t breadth;

	req->leg.peer = choice->peer[0];
	if (choice->npeers == 1 || req->method == sip_method_ack)
		return REASON_COUNT;
	breadth = breadth_of(req);
	if (breadth < choice->npeers)
		return REASON_TOO_BROAD;
	for (size_t i = 1; i < choice->npeers; i++)
		if (request_fork(req, choice->peer[i]) == NULL)
			return REASON_NO_MEMORY;
	return share_breadth(req, breadth, choice->npeers) ? REASON_COUNT :
	    REASON_NO_MEMORY;
}

static enum reason
rejected(struct request *req, const struct route_choice *choice)
{
	const char *usual = sip_status_phrase(choice->status);

	req->told.status = choice->status;
	req->told.phrase = choice->phrase != NULL ? choice->phrase :
	    usual != NULL ? usual : "Refused";
	return REASON_REJECTED;
}

static enum reason
redirected(struct request *req, const struct route_choice *choice,
    const struct route_query *q)
{
	char uri[REDIRECT_MAX];
	struct writer w = writer_on(uri, sizeof uri);

	route_redirect(choice, q, &w);
	if (w.full)
		return REASON_ROUTE_GAVE_UP;
	req->told.contact = su_strndup(msg_home(req->msg), w.p,
	    (isize_t)w.len);
	return req->told.contact == NULL ? REASON_NO_MEMORY :
	    REASON_REDIRECTED;
}

static enum reason
obey(struct request *req, const struct route_choice *choice,
    const struct route_query *q)
{
	switch (choice->verdict) {
	case ROUTE_PEER:
		return to_peers(req, choice);
	case ROUTE_REQUEST_URI:
		return to_next_hop(req);
	case ROUTE_REJECT:
		return rejected(req, choice);
	case ROUTE_REDIRECT:
		return redirected(req, choice, q);
	case ROUTE_GAVE_UP:
		return REASON_ROUTE_GAVE_UP;
	case ROUTE_NONE:
		break;
	}
	return req->foreign ? REASON_FOREIGN_DOMAIN : REASON_NO_ROUTE;
}

/*
 * A Request-URI that goes to a strict router is no longer what is called there
 * (RFC 3261 16.6 item 6): what is rejected stays so in the Route.
 */
static bool
choose_by_table(struct request *req, struct route_query *q, struct writer *w,
    struct route_choice *out)
{
	const url_t *hop = message_strict_hop(req->sip);
	struct route_query behind = *q;
	struct route_choice choice;

	*out = routes_choose(req->policy->routes, q);
	if (out->verdict != ROUTE_REQUEST_URI || hop == NULL)
		return true;
	if (!route_query_call(w, hop, &behind))
		return false;
	choice = routes_choose(req->policy->routes, &behind);
	if (choice.verdict == ROUTE_REJECT ||
	    choice.verdict == ROUTE_GAVE_UP)
		*out = choice;
	return true;
}

static enum reason
by_table(struct request *req)
{
	struct writer w = writer_on(req->p->scratch, SCRATCH_SIZE);
	struct route_query q = {
		.source = req->peer, .foreign = req->foreign,
		.proved = *req->user != '\0', .class = req->class,
		.listener = req->way->listener,
	};
	struct route_choice choice;

	if (!route_query_fill(&w, req->sip, &q) ||
	    !choose_by_table(req, &q, &w, &choice))
		return REASON_NO_MEMORY;
	req->route_line = choice.line;
	req->egress = choice.egress;
	return obey(req, &choice, &q);
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
		request_run(leg->req);
		break;
	case TARGETS_WAIT:
		break;
	case TARGETS_EXHAUSTED:
		request_reply(leg->req, leg->dns_reason);
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
	req->leg.dns_reason = REASON_NO_SUCH_NAME;
	return r == REASON_COUNT ? STEP_NEXT : refuse(req, r);
}

enum step_verdict
step_targets(struct request *req)
{
	if (req->leg.next != NULL)	/* no leg waits for another's DNS */
		return STEP_NEXT;
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
