/*
 * classify.c -- who sent this, by address; is it in a dialog of ours; and
 * what must it prove?  Own Routes come off here (RFC 3261 16.4), since the
 * tokens stand in them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "guard/uri.h"
#include "io/tls.h"
#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/registration.h"

static bool
is_us(const struct request *req, const url_t *u)
{
	return url_names_host(u) && ways_are(req->p->env.ways,
	    str_of(u->url_host), url_port_number(u));
}

/* What goes into the start line from a Route is judged as what came there. */
static enum reason
judge_uri(struct request *req, const url_t *u)
{
	const char *text = url_as_string(msg_home(req->msg), u);

	if (text == NULL)
		return REASON_NO_MEMORY;
	if (u->url_fragment == NULL &&
	    uri_judge(str_of(text), URI_REQUEST) == URI_GOOD)
		return REASON_COUNT;
	req->header = "Route";
	return REASON_BAD_HEADER_URI;
}

/*
 * RFC 3261 16.4: a strict router before us put our Record-Route value into
 * the Request-URI; the last Route holds the real one.
 */
static enum reason
undo_strict_routing(struct request *req)
{
	sip_t *sip = req->sip;
	sip_route_t *last = sip->sip_route;
	const url_t *u = sip->sip_request->rq_url;
	enum reason r;

	if (last == NULL || !is_us(req, u) || u->url_params == NULL ||
	    !url_has_param(u, "lr"))
		return REASON_COUNT;
	while (last->r_next != NULL)
		last = last->r_next;
	r = judge_uri(req, last->r_url);
	if (r != REASON_COUNT)
		return r;
	if (u->url_user != NULL)
		flow_open_dialog(req, str_of(u->url_user));
	if (message_set_uri(req->msg, sip, last->r_url) < 0)
		return REASON_NO_MEMORY;
	msg_header_remove(req->msg, (msg_pub_t *)sip, (msg_header_t *)last);
	return REASON_COUNT;
}

/* The next hop is a strict router, whose own URI goes into the start line
 * (RFC 3261 16.6 item 6). */
static enum reason
judge_strict_hop(struct request *req)
{
	const url_t *hop = message_strict_hop(req->sip);

	return hop == NULL ? REASON_COUNT : judge_uri(req, hop);
}

static bool
has_name(const void *arg, const char *name)
{
	const struct request *req = arg;

	return tls_peer_has_name(req->p->arrived->peer, name);
}

static bool
is_vouched(const void *arg, const struct peer *p)
{
	const struct request *req = arg;
	const struct pipeline_env *env = &req->p->env;

	return env->vouched(env->tls_arg, req->p->arrived->peer,
	    req->way->listener, p);
}

/* But for the domain. */
static struct arrival
arrival_of(const struct request *req, const struct arrival_certificate *shown)
{
	return (struct arrival){
		.source = req->source, .transport = req->transport,
		.listener = req->way->listener, .ifindex = req->way->ifindex,
		.certificate = req->p->arrived->peer == NULL ? NULL : shown,
	};
}

/*
 * What a token names may have been made for another domain than the request
 * asks for now: the sender's peer is one that may send from there.
 */
static bool
may_be_from(const struct request *req, const struct peer *p)
{
	struct arrival_certificate shown = { has_name, is_vouched, req };
	struct arrival a = arrival_of(req, &shown);

	return p != NULL && peer_may_send(p, &a);
}

/*
 * A flow that is good for its registrar alone.  One that is known by digest
 * alone is a stranger until then: authorize.c.
 */
static enum reason
take_path(struct request *req, const struct path_token *path)
{
	const struct peer *p = peers_by_id(req->policy->peers,
	    path->registrar);

	if (req->peer != p && may_be_from(req, p))
		req->peer = p;
	if (req->peer == NULL &&
	    (p == NULL || !peer_is_known_by(p, PEER_BY_DIGEST)))
		return REASON_COUNT;
	if (req->peer != NULL && req->peer != p)
		return REASON_FOREIGN_TOKEN;
	req->path = malloc(sizeof *req->path);
	if (req->path == NULL)
		return REASON_NO_MEMORY;
	*req->path = *path;
	return REASON_COUNT;
}

/* A token in the user part of a Route of ours: of a dialog, or of a Path. */
static enum reason
read_token(struct request *req, const char *user)
{
	struct token_signer signer = flow_signer(req->p);
	struct path_token path;

	if (user == NULL)
		return REASON_COUNT;
	switch (flow_open_dialog(req, str_of(user))) {
	case TOKEN_OK:
		return REASON_COUNT;
	case TOKEN_OF_CALL:		/* an INVITE: judged as a new one */
		return REASON_COUNT;
	case TOKEN_EXPIRED:
		return REASON_DIALOG_OVER;
	case TOKEN_FOREIGN:
		break;
	}
	if (req->path != NULL || req->own_routes)
		return REASON_COUNT;
	if (path_token_open(&signer, str_of(user), &path) == TOKEN_OK)
		return take_path(req, &path);
	return req->peer == NULL ? REASON_COUNT : REASON_FOREIGN_TOKEN;
}

static enum reason
take_own_routes(struct request *req)
{
	sip_t *sip = req->sip;
	enum reason r = REASON_COUNT;

	while (r == REASON_COUNT && sip->sip_route != NULL &&
	    is_us(req, sip->sip_route->r_url)) {
		r = read_token(req, sip->sip_route->r_url->url_user);
		sip_route_remove(req->msg, sip);
	}
	return r;
}

/* A registrar without Path calls the token that it took for a Contact. */
static enum reason
take_contact_token(struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;

	if (req->peer == NULL || req->peer->path != PATH_CONTACT ||
	    req->path != NULL || u->url_user == NULL || !is_us(req, u))
		return REASON_COUNT;
	return flow_open_contact(req, str_of(u->url_user)) ==
	    CONTACT_FOREIGN ? REASON_FOREIGN_TOKEN : REASON_COUNT;
}

/* What our own Contact bears is for us; the number that was called stays. */
static void
drop_line(struct request *req)
{
	url_t *u = url_hdup(msg_home(req->msg), req->sip->sip_request->rq_url);

	if (u == NULL)
		return;
	u->url_params = url_strip_param_string((char *)(uintptr_t)
	    u->url_params, "line");
	message_set_uri(req->msg, req->sip, u);
}

/* A peer that calls an address that we registered with it may send from any
 * address of its own. */
static void
know_by_line(struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;
	const struct peer *peer;

	if (u->url_params == NULL || !url_has_param(u, "line"))
		return;
	peer = registrations_find(req);
	if (peer == NULL)
		return;
	if (req->peer == NULL)
		req->peer = peer;
	drop_line(req);
}

/* And what it sends later, in the dialog. */
static void
know_by_token(struct request *req)
{
	const struct side *s = req->from_caller ? &req->token.caller :
	    &req->token.callee;
	const struct peer *p;

	if (!req->own_routes || s->kind != SIDE_PEER ||
	    (req->peer != NULL && req->peer->id == s->peer))
		return;
	p = peers_by_id(req->policy->peers, s->peer);
	if (may_be_from(req, p) || (req->peer == NULL &&
	    registrations_have(req, s->peer)))
		req->peer = p;
}

/* What opens something new must prove itself, whatever token it brings. */
static bool
belongs_in_dialog(const struct request *req)
{
	const char *tag = req->sip->sip_to->a_tag;

	/* a tag that is no token ("", a quoted one) may be none to others */
	return tag != NULL && *tag != '\0' && *tag != '"' &&
	    req->method != sip_method_register &&
	    req->method != sip_method_publish &&
	    message_other(req->sip, "Replaces", NULL) == NULL;
}

/* Another instance did all that is asked of strangers and peers. */
static void
take_handed(struct request *req)
{
	if (!req->own_routes || !flow_is_handed(req))
		return;
	req->handed = true;
	req->peer = NULL;
	req->token_state = TOKEN_GOOD;
}

/*
 * The token is good from the sides that it names.  A user who moved (another
 * port behind his NAT, a new connection) may come from elsewhere, if he proves
 * that he is the one.
 */
static void
judge_token(struct request *req)
{
	const struct dialog_token *t = &req->token;

	if (!req->own_routes || t->flags & TOKEN_HANDED) {
		take_handed(req);
		return;
	}
	if (!belongs_in_dialog(req))
		return;
	if (flow_is_sender(req, req->from_caller ? &t->caller : &t->callee))
		req->token_state = TOKEN_GOOD;
	else if (*token_user(req) != '\0')
		req->token_state = TOKEN_BY_USER;
}

static enum proof
proof_needed(const struct request *req)
{
	const struct auth_conf *auth = req->policy->auth;

	if (req->peer != NULL && !peer_asks_digest(req->peer))
		return PROOF_NONE;
	if (req->token_state != TOKEN_GOOD)
		return PROOF_DIGEST;
	if (!req->from_caller || !(req->token.flags & TOKEN_CALLER_DIGEST) ||
	    req->method == sip_method_prack || req->method == sip_method_ack)
		return PROOF_NONE;
	return auth->in_dialog == IN_DIALOG_TOKEN ? PROOF_NONE :
	    PROOF_DIGEST;
}

/*
 * Who sent from a peer's address, and was let in as the stranger that he is
 * without its digest, is none in his dialog either.
 */
static bool
is_half_known(const struct request *req)
{
	const struct side *s = req->from_caller ? &req->token.caller :
	    &req->token.callee;

	return req->peer != NULL && req->proof == PROOF_NONE &&
	    peer_asks_digest(req->peer) &&
	    !(s->kind == SIDE_PEER && s->peer == req->peer->id);
}

/* Forged by the thousand, perhaps: one line a second says it. */
static void
note_misplaced(struct request *req, const struct arrival *a)
{
	struct pipeline *p = req->p;
	char source[ADDR_TEXT_MAX];

	p->misplaced_total[0]++;
	if (req->unix_ms / 1000 == p->misplaced_said_s)
		return;
	p->misplaced_said_s = req->unix_ms / 1000;
	log_event(EV_PEER_MISPLACED, kv_str("source",
	    addr_text(&req->source, source)),
	    kv_str("listener", req->way->listener),
	    kv_str("peer", peers_misplaced(req->policy->peers, a)->name),
	    kv_uint("so_far", p->misplaced_total[0]));
}

static void
classify_source(struct request *req)
{
	struct arrival_certificate shown = { has_name, is_vouched, req };
	struct arrival a = arrival_of(req, &shown);

	a.domain = url_domain(req->sip->sip_request->rq_url);
	if (peers_classify(req->policy->peers, &a, &req->peer) ==
	    ARRIVAL_MISPLACED)
		note_misplaced(req, &a);
}

enum step_verdict
step_arrive(struct request *req)
{
	classify_source(req);
	know_by_line(req);
	/* strangers, whether they ask for it or not */
	message_tell_source(req->msg, req->sip, &req->source,
	    req->peer == NULL || req->transport != TRANSPORT_UDP);
	return STEP_NEXT;
}

enum step_verdict
step_classify(struct request *req)
{
	enum reason r;

	r = undo_strict_routing(req);
	if (r == REASON_COUNT)
		r = take_own_routes(req);
	if (r == REASON_COUNT)
		r = judge_strict_hop(req);
	if (r == REASON_COUNT)
		r = take_contact_token(req);
	if (r != REASON_COUNT)
		return refuse(req, r);
	know_by_token(req);
	judge_token(req);
	req->proof = proof_needed(req);
	if (is_half_known(req))
		req->peer = NULL;
	req->realm = req->peer != NULL && req->peer->realm != NULL ?
	    req->peer->realm : req->policy->realm;
	req->www = req->method == sip_method_register &&
	    req->policy->auth->register_challenge == REGISTER_WWW;
	return STEP_NEXT;
}
