/*
 * authorize.c -- may this user use this identity, and go there?
 */
#include "config.h"

#include <string.h>

#include "pipeline/message.h"
#include "pipeline/request.h"

static bool
domain_is_ours(const struct request *req)
{
	const url_t *u = req->sip->sip_request->rq_url;

	if (u->url_type == url_tel)
		return true;
	return domains_has(req->policy->domains, str_of(u->url_host)) ||
	    ways_are(req->p->env.ways, str_of(u->url_host),
	    url_port_number(u));
}

/*
 * The caller's From is what it was when he was let in; a dialog that the far
 * side does not know must not carry another.  To hang up, any will do.
 */
static bool
identity_stands(const struct request *req)
{
	return req->token_state != TOKEN_GOOD || !req->from_caller ||
	    req->proof != PROOF_DIGEST || req->identity_ok ||
	    req->method == sip_method_bye;
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
		req->moved = same && req->proof == PROOF_DIGEST;
		req->token_state = req->moved ? TOKEN_GOOD : NO_TOKEN;
	}
	if (!req->moved && req->token_state == TOKEN_GOOD &&
	    req->proof == PROOF_DIGEST && !same)
		return REASON_WRONG_USER;
	if (!identity_stands(req))
		return REASON_WRONG_IDENTITY;
	return REASON_COUNT;
}

static enum reason
judge_stranger(const struct request *req)
{
	if (!req->identity_ok)
		return REASON_WRONG_IDENTITY;
	if (req->peer != NULL)
		return REASON_COUNT;
	if (!domain_is_ours(req))
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
	return judge_stranger(req);
}

enum step_verdict
step_authorize(struct request *req)
{
	enum reason r = judge(req);

	return r == REASON_COUNT ? STEP_NEXT : refuse(req, r);
}
