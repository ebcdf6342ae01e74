/*
 * secret.c -- what would be right?  From memory on the spot, or asked of the
 * credential store, with a server transaction meanwhile.
 */
#include "config.h"

#include <string.h>

#include "pipeline/request.h"

static void
fill_query(const struct request *req, struct cred_query *q)
{
	const struct credentials *c = req->cred;
	const sip_payload_t *pl = req->sip->sip_payload;

	*q = (struct cred_query){
		.user = c->username, .userhash = c->userhash,
		.realm = str_of(req->realm),
		.timeout_ms = (int)req->policy->auth->lookup_timeout_ms,
		.digest = {
			.alg = c->alg, .sess = c->sess, .qop = c->qop,
			.nonce = c->nonce, .nc = c->nc_text,
			.cnonce = c->cnonce, .uri = c->uri,
			.response = c->response, .method = req->method_name,
		},
	};
	if (pl != NULL)
		q->digest.body = (struct str){ pl->pl_data, pl->pl_len };
}

static void
on_answer(void *arg, const struct cred_answer *answer)
{
	struct request *req = arg;

	req->lookup = NULL;
	req->answer = *answer;
	request_run(req);
}

static enum step_verdict
ask(struct request *req, const struct cred_query *q)
{
	struct cred_store *users = req->p->env.users;

	if (!request_hold(req))
		return refuse(req, req->reason);
	if (users->ops->start(users, q, on_answer, req, &req->lookup) < 0)
		return refuse(req, REASON_USERS_AWAY);
	return STEP_WAIT;
}

enum step_verdict
step_secret(struct request *req)
{
	struct cred_store *users = req->p->env.users;
	struct cred_query q;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	req->answer = (struct cred_answer){ .result = CRED_UNKNOWN };
	if (users == NULL)
		return STEP_NEXT;
	fill_query(req, &q);
	users->ops->look(users, &q, &req->answer);
	return req->answer.result == CRED_ASK ? ask(req, &q) : STEP_NEXT;
}
