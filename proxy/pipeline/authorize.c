/*
 * authorize.c -- may this user use this identity, and go there?
 */
#include "config.h"

#include <string.h>

#include "pipeline/intake.h"
#include "pipeline/message.h"
#include "pipeline/methods.h"
#include "pipeline/request.h"
#include "pipeline/watch.h"

static bool
domain_is_ours(const struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;

	if (u->url_type == url_tel || url_is_service(u))
		return true;
	return domains_has(req->policy->domains, str_of(u->url_host)) ||
	    ways_are(req->p->env.ways, str_of(u->url_host),
	    url_port_number(u));
}

/* What a trusted peer says of its callers is its own business. */
static bool
may_be_anybody(const struct request *req)
{
	return req->identity_ok || (req->peer != NULL && req->peer->trusted);
}

/*
 * Who proved to be a user of a peer that is known by that is this peer; who
 * is none of those that its address or certificate need as well is a
 * stranger.
 */
static enum reason
settle_peer(struct request *req)
{
	struct str domain = { NULL, 0 };

	if (req->proof == PROOF_NONE)
		return REASON_COUNT;
	if (req->peer != NULL && req->peer->nusers > 0 &&
	    !peer_has_user(req->peer, req->user)) {
		if (req->realm != req->policy->realm)
			return REASON_WRONG_USER;
		req->peer = NULL;
		intake_end(req);
	}
	if (req->token_state == NO_TOKEN)
		domain = url_domain(req->sip->sip_request->rq_url);
	if (req->peer == NULL) {
		req->peer = peers_by_user(req->policy->peers, req->user,
		    domain);
		req->by_digest = req->peer != NULL;
	}
	/* not sooner: his address alone must not use up his rate */
	if (req->peer != NULL && !watch_peer(req)) {
		watch_over(req, OVER_PEER);
		return REASON_OVER_RATE_TOLD;
	}
	if (intake_is_full(req))
		return REASON_OVERLOAD;
	if (!intake_begin(req))
		return REASON_NO_MEMORY;
	if (!methods_allow(req))
		return REASON_METHOD_NOT_ALLOWED;
	return req->path != NULL && (req->peer == NULL ||
	    req->path->registrar != req->peer->id) ? REASON_FOREIGN_TOKEN :
	    REASON_COUNT;
}

/*
 * The caller's From is what it was when he was let in; a dialog that the far
 * side does not know must not carry another.  To hang up, any will do.
 */
static bool
identity_stands(const struct request *req)
{
	return req->token_state != TOKEN_GOOD || !req->from_caller ||
	    req->proof != PROOF_DIGEST || may_be_anybody(req) ||
	    req->method == sip_method_bye;
}

/* In the dialog of a subscription or the like a call may begin beside it
 * (RFC 5057): past the routes, the classes and the count. */
static bool
begins_beside(const struct request *req)
{
	return req->method == sip_method_invite && !req->handed &&
	    req->token_state == TOKEN_GOOD && !(req->token.flags & TOKEN_CALL);
}

/*
 * In a dialog the token's user counts, whatever From and To say.  Who is
 * known by the token's user alone, and is another, is in no dialog.
 */
static enum reason
judge_token(struct request *req)
{
	bool same = strcmp(req->user, token_user(req)) == 0;

	if (req->token_state == TOKEN_BY_USER) {
		/* in another realm he is another */
		req->moved = same && req->proof == PROOF_DIGEST &&
		    req->realm == req->policy->realm;
		req->token_state = req->moved ? TOKEN_GOOD : NO_TOKEN;
	}
	if (!req->moved && req->token_state == TOKEN_GOOD &&
	    req->proof == PROOF_DIGEST && !same)
		return REASON_WRONG_USER;
	if (!identity_stands(req))
		return REASON_WRONG_IDENTITY;
	return begins_beside(req) ? REASON_NOT_A_CALL : REASON_COUNT;
}

static enum reason
judge_stranger(struct request *req)
{
	if (!may_be_anybody(req))
		return REASON_WRONG_IDENTITY;
	if (req->peer != NULL)
		return REASON_COUNT;
	req->foreign = !domain_is_ours(req);
	if (req->foreign && !routes_let_out(req->policy->routes))
		return REASON_FOREIGN_DOMAIN;
	return req->sip->sip_route != NULL ? REASON_FOREIGN_ROUTE :
	    REASON_COUNT;
}

static enum reason
judge(struct request *req)
{
	enum reason r = judge_token(req);

	if (r != REASON_COUNT || req->token_state == TOKEN_GOOD ||
	    req->proof == PROOF_NONE)
		return r;
	r = judge_stranger(req);
	return r == REASON_COUNT && !req->number_ok &&
	    !intake_is_emergency(req) ? REASON_WRONG_NUMBER : r;
}

enum step_verdict
step_authorize(struct request *req)
{
	enum reason r = settle_peer(req);

	if (r == REASON_COUNT)
		r = judge(req);
	return r == REASON_COUNT ? STEP_NEXT : refuse(req, r);
}
