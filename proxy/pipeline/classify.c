/*
 * classify.c -- who sent this, by address; is it in a dialog of ours; and
 * what must it prove?  Own Routes come off here (RFC 3261 16.4), since the
 * tokens stand in them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "io/tls.h"
#include "pipeline/flow.h"
#include "pipeline/message.h"

static bool
is_us(const struct request *req, const url_t *u)
{
	return u->url_type != url_tel && u->url_host != NULL &&
	    ways_are(req->p->env.ways, str_of(u->url_host),
	    url_port_number(u));
}

/*
 * RFC 3261 16.4: a strict router before us put our Record-Route value into
 * the Request-URI; the last Route holds the real one.
 */
static void
undo_strict_routing(struct request *req)
{
	sip_t *sip = req->sip;
	sip_route_t *last = sip->sip_route;
	const url_t *u = sip->sip_request->rq_url;

	if (last == NULL || !is_us(req, u) || u->url_params == NULL ||
	    !url_has_param(u, "lr"))
		return;
	while (last->r_next != NULL)
		last = last->r_next;
	if (u->url_user != NULL)
		flow_open_dialog(req, str_of(u->url_user));
	if (message_set_uri(req->msg, sip, last->r_url) == 0)
		msg_header_remove(req->msg, (msg_pub_t *)sip,
		    (msg_header_t *)last);
}

/* A token in the user part of a Route of ours: of a dialog, or of a Path. */
static enum reason
read_token(struct request *req, const char *user)
{
	struct token_signer signer = flow_signer(req->p);

	if (user == NULL)
		return REASON_COUNT;
	switch (flow_open_dialog(req, str_of(user))) {
	case TOKEN_OK:
		return REASON_COUNT;
	case TOKEN_EXPIRED:
		return REASON_DIALOG_OVER;
	case TOKEN_FOREIGN:
		break;
	}
	if (req->peer == NULL || req->path != NULL || req->own_routes)
		return REASON_COUNT;
	req->path = calloc(1, sizeof *req->path);
	if (req->path == NULL)
		return REASON_NO_MEMORY;
	if (path_token_open(&signer, str_of(user), req->path) != TOKEN_OK ||
	    req->path->registrar != req->peer->id)
		return REASON_FOREIGN_TOKEN;
	return REASON_COUNT;
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

/*
 * The token is good from the sides that it names.  A user who moved (another
 * port behind his NAT, a new connection) may come from elsewhere, if he proves
 * that he is the one.
 */
static void
judge_token(struct request *req)
{
	const struct dialog_token *t = &req->token;

	if (!req->own_routes || !belongs_in_dialog(req))
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

	if (req->peer != NULL && req->peer->auth == PEER_AUTH_IP)
		return PROOF_NONE;
	if (req->token_state != TOKEN_GOOD)
		return PROOF_DIGEST;
	if (!req->from_caller || !(req->token.flags & TOKEN_CALLER_DIGEST) ||
	    req->method == sip_method_prack || req->method == sip_method_ack)
		return PROOF_NONE;
	return auth->in_dialog == IN_DIALOG_TOKEN ? PROOF_NONE :
	    PROOF_DIGEST;
}

/* Forged by the thousand, perhaps: one line a second says it. */
static void
note_misplaced(struct request *req)
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
	    kv_uint("so_far", p->misplaced_total[0]));
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

static void
classify_source(struct request *req)
{
	struct arrival_certificate shown = { has_name, is_vouched, req };
	struct arrival a = {
		.source = req->source, .transport = req->transport,
		.listener = req->way->listener, .ifindex = req->way->ifindex,
		.certificate = req->p->arrived->peer == NULL ? NULL : &shown,
	};

	if (peers_classify(req->policy->peers, &a, &req->peer) ==
	    ARRIVAL_MISPLACED)
		note_misplaced(req);
}

enum step_verdict
step_arrive(struct request *req)
{
	classify_source(req);
	/* strangers, whether they ask for it or not */
	message_tell_source(req->msg, req->sip, &req->source,
	    req->peer == NULL || req->transport != TRANSPORT_UDP);
	return STEP_NEXT;
}

enum step_verdict
step_classify(struct request *req)
{
	enum reason r;

	undo_strict_routing(req);
	r = take_own_routes(req);
	if (r == REASON_COUNT)
		r = take_contact_token(req);
	if (r != REASON_COUNT)
		return refuse(req, r);
	judge_token(req);
	req->proof = proof_needed(req);
	req->www = req->method == sip_method_register &&
	    req->policy->auth->register_challenge == REGISTER_WWW;
	return STEP_NEXT;
}
