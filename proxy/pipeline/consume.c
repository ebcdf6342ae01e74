/*
 * consume.c -- was this nonce count used before, anywhere?
 *
 * From the verdict on there is a server transaction: a retransmission of
 * what was consumed must find it, and not the nonce store.
 */
#include "config.h"

#include "pipeline/message.h"
#include "pipeline/request.h"

static enum reason
reason_of(enum use_verdict v)
{
	switch (v) {
	case USE_ACCEPT:
		return REASON_COUNT;
	case USE_ABSORB:
		return REASON_ABSORBED;
	case USE_FENCED:
		return REASON_FENCED;
	case USE_REPLAY:
		return REASON_REPLAY;
	case USE_UNAVAILABLE:
	case USE_PENDING:
		break;
	}
	return REASON_STORE_AWAY;
}

static void
log_refusal(const struct request *req, enum reason r)
{
	char source[ADDR_TEXT_MAX];

	if (r != REASON_REPLAY || !request_may_log(req))
		return;
	log_event(EV_AUTHN_REPLAY, kv_str("user", req->user),
	    kv_str("source", addr_text(&req->source, source)),
	    kv_uint("nc", req->use.nc),
	    kv_uint("issued_by", req->nonce.instance),
	    kv_str("call_id", req->sip->sip_call_id->i_id));
}

static void
on_verdict(struct nonce_use *use, enum use_verdict v)
{
	struct request *req = use->arg;
	enum reason r = reason_of(v);

	req->using = false;
	log_refusal(req, r);
	if (r == REASON_COUNT)
		request_run(req);
	else
		request_reply(req, r);
}

enum step_verdict
step_consume(struct request *req)
{
	enum use_verdict v;
	enum reason r;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	req->use.done = on_verdict;
	req->use.arg = req;
	v = nonce_use_start(req->p->env.nonces, &req->use);
	if (v == USE_PENDING) {
		req->using = true;	/* request_end() cancels it */
		return request_hold(req) ? STEP_WAIT :
		    refuse(req, req->reason);
	}
	r = reason_of(v);
	log_refusal(req, r);
	if (r != REASON_COUNT)
		return refuse(req, r);
	return request_hold(req) ? STEP_NEXT : refuse(req, req->reason);
}
