/*
 * ack.c -- an ACK, which is neither challenged nor answered.
 *
 * To an answer of ours: it ends here.  To a 2xx: it goes where the dialog
 * token says, or, from a peer, where any request would; else it is dropped.
 */
#include "config.h"

#include "pipeline/acked.h"
#include "pipeline/branch.h"
#include "pipeline/media.h"
#include "pipeline/message.h"
#include "pipeline/moved.h"
#include "pipeline/reply.h"

enum step_verdict
step_ack_ours(struct request *req)
{
	return reply_is_acked(req) || acked_has(req) ?
	    refuse(req, REASON_ACK_OURS) : STEP_NEXT;
}

static bool
may_pass(struct request *req)
{
	if (req->token_state == TOKEN_BY_USER && moved_has(req))
		req->token_state = TOKEN_GOOD;
	return req->token_state == TOKEN_GOOD || (req->peer != NULL &&
	    req->proof == PROOF_NONE && req->sip->sip_to->a_tag != NULL);
}

enum step_verdict
step_ack_may_pass(struct request *req)
{
	if (!may_pass(req))
		return refuse(req, REASON_ACK_STRAY);
	transport_vouch(req->p->env.transports, req->connection);
	return STEP_NEXT;
}

enum step_verdict
step_ack_relay(struct request *req)
{
	const struct target *t = &req->leg.target[0];

	if (!media_may_leave(&req->leg, t->transport) ||
	    !branch_pass(&req->leg, t))
		return refuse(req, REASON_ACK_BAD);
	request_end(req, REASON_ACK_RELAYED, 0);
	return STEP_DONE;
}
