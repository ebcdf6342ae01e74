/*
 * challenge.c -- did the request bring an answer to a challenge of ours?
 *
 * Several answers of ours (RFC 8760): the strongest algorithm that we offer
 * is the one that is judged.  Answers for other realms are none of our
 * business and travel on.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "pipeline/message.h"
#include "pipeline/request.h"

/* Is `a` a better one to judge than what we have? */
static bool
is_better(const struct request *req, const struct credentials *a)
{
	const struct conf_choices *offered = &req->policy->auth->algorithms;
	bool known = false;

	for (size_t i = 0; i < offered->n; i++)
		known |= offered->v[i] == (int)a->alg;
	if (req->cred == NULL)
		return true;
	return known && a->alg > req->cred->alg;
}

/* Parse one header; keep it if it is the best so far.  *why: why there is
 * none to judge.  -errno. */
static int
consider(struct request *req, const msg_auth_t *au, enum reason *why)
{
	struct credentials *c = malloc(sizeof *c);
	enum credentials_verdict v;

	if (c == NULL)
		return -ENOMEM;
	v = credentials_parse(c, message_raw_value(au->au_common),
	    str_of(req->realm));
	if (v == CREDENTIALS_BAD)
		*why = REASON_BAD_CREDENTIALS;
	else if (*why == REASON_NO_CREDENTIALS)
		*why = REASON_OTHER_REALM;
	if (v == CREDENTIALS_OK && is_better(req, c)) {
		free(req->cred);
		req->cred = c;
	} else {
		free(c);
	}
	return 0;
}

enum step_verdict
step_challenge(struct request *req)
{
	const msg_auth_t *au = req->www ? req->sip->sip_authorization :
	    req->sip->sip_proxy_authorization;
	enum reason why = REASON_NO_CREDENTIALS;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	for (; au != NULL; au = au->au_next)
		if (consider(req, au, &why) < 0)
			return refuse(req, REASON_NO_MEMORY);
	if (req->cred == NULL)
		return refuse(req, why);
	return STEP_NEXT;
}
