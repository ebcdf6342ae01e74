/*
 * relay.c -- one target after the other, and the best answer back.
 *
 * RFC 3261 16.7: provisional and 2xx responses go back at once; of the
 * others the best is kept until no target is left.  A 503, a timeout or a
 * transport failure moves on to the next target.
 */
#include "config.h"

#include "pipeline/branch.h"
#include "pipeline/edit.h"
#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/reply.h"
#include "pipeline/targets.h"

/* RFC 3261 16.7 item 6: 6xx, then the lowest class; 4xx that tell the caller
 * how to do better before others; 503 last of all. */
static int
rank(int status)
{
	if (status >= 600)
		return 0;
	if (status == 503)
		return 1000;
	switch (status) {
	case 401: case 407: case 415: case 420: case 484:
		return 400;
	default:
		return status / 100 * 100 + 50;
	}
}

static void
keep_if_best(struct request *req, msg_t *msg, int status)
{
	if (req->best != NULL && rank(req->best_status) <= rank(status)) {
		msg_destroy(msg);
		return;
	}
	if (req->best != NULL)
		msg_destroy(req->best);
	req->best = msg;
	req->best_status = status;
}

/* Pass a response back to whoever asked. */
static void
forward(struct request *req, msg_t *msg)
{
	sip_t *sip = sip_object(msg);
	struct writer w = writer_on(req->p->scratch, SCRATCH_SIZE);

	sip_via_remove(msg, sip);
	edit_response(req, msg, sip);
	if (req->method == sip_method_register && req->choice.peer != NULL &&
	    req->choice.peer->path == PATH_CONTACT)
		flow_registered(req, msg, sip);
	if (!reply_is_too_late(req, sip->sip_status->st_status) &&
	    message_write(&w, msg, ""))
		server_respond(req->server, sip->sip_status->st_status, w.p,
		    w.len);
	msg_destroy(msg);
}

/* No target is left. */
static void
finish(struct request *req)
{
	msg_t *msg = req->best;

	if (msg != NULL && req->best_status != 503) {
		req->best = NULL;
		forward(req, msg);
		request_end(req, REASON_RELAYED, req->best_status);
	} else if (req->cancelled) {
		request_reply(req, REASON_CANCELLED);
	} else if (req->best != NULL || req->internal_status == 503) {
		request_reply(req, REASON_TARGET_FAILED);
	} else if (req->internal_status == 408) {
		request_reply(req, REASON_TARGET_TIMEOUT);
	} else {
		request_reply(req, req->reason);
	}
}

/* Start the next target that can be started.  false: none is left. */
static bool
try_targets(struct request *req)
{
	while (req->next_target < req->ntargets) {
		const struct target *t = &req->target[req->next_target++];

		req->tries++;
		switch (branch_start(req, t)) {
		case BRANCH_STARTED:
			return true;
		case BRANCH_BUSY:
			req->reason = REASON_TARGET_BUSY;
			break;
		case BRANCH_NO_WAY:
			req->reason = REASON_NO_WAY_OUT;
			break;
		case BRANCH_FAILED:
			req->internal_status = 503;
			break;
		}
	}
	return false;
}

static void
try_next(struct request *req)
{
	for (;;) {
		if (try_targets(req))
			return;
		switch (targets_more(req, try_next)) {
		case TARGETS_FOUND:
			break;
		case TARGETS_WAIT:
			return;
		case TARGETS_EXHAUSTED:
			finish(req);
			return;
		}
	}
}

static void
move_on(struct request *req)
{
	branch_free(req->branch);
	if (req->cancelled)
		finish(req);
	else
		try_next(req);
}

/* The sender of anything but an INVITE gives up when we do: whoever got the
 * request then would serve nobody. */
static bool
is_too_late(const struct request *req, int status)
{
	return status == 408 && req->method != sip_method_invite;
}

void
relay_failure(struct request *req, int status)
{
	log_event(EV_TARGET_FAIL, kv_str("target", req->target_text),
	    kv_int("status", status),
	    kv_str("call_id", req->sip->sip_call_id->i_id));
	if (req->internal_status != 503)
		req->internal_status = status;
	branch_free(req->branch);
	if (is_too_late(req, status))
		finish(req);
	else
		move_on(req);
}

void
relay_response(struct request *req, msg_t *msg, int status)
{
	req->p->responses_total[0]++;
	if (status < 200) {
		forward(req, msg);
	} else if (status < 300) {
		branch_free(req->branch);
		forward(req, msg);
		request_end(req, REASON_RELAYED, status);
	} else {
		keep_if_best(req, msg, status);
		if (status == 503) {
			move_on(req);
			return;
		}
		branch_free(req->branch);
		finish(req);
	}
}

void
relay_cancel(struct request *req)
{
	req->cancelled = true;
	if (req->branch != NULL)
		branch_cancel(req->branch);
	else
		request_reply(req, REASON_CANCELLED);
}

void
relay_release(struct request *req)
{
	branch_free(req->branch);
	if (req->best != NULL)
		msg_destroy(req->best);
	req->best = NULL;
}

enum step_verdict
step_relay(struct request *req)
{
	if (!request_hold(req))
		return refuse(req, req->reason);
	if (req->method == sip_method_invite)
		reply_trying(req);
	req->reason = REASON_TARGET_FAILED;
	try_next(req);
	return STEP_DONE;
}
