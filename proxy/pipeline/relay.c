/*
 * relay.c -- one target after the other, several legs side by side, and the
 * best answer back.
 *
 * RFC 3261 16.7: provisional and 2xx responses go back at once; of the
 * others the best is kept until no target is left anywhere.  A 503, a timeout
 * or a transport failure moves a leg on to its next target.
 */
#include "config.h"

#include "pipeline/branch.h"
#include "pipeline/call_course.h"
#include "pipeline/flow.h"
#include "pipeline/media.h"
#include "pipeline/message.h"
#include "pipeline/reply.h"
#include "pipeline/respell.h"
#include "pipeline/targets.h"
#include "pipeline/trust.h"

enum { CHALLENGES_MAX = 8192 };		/* bytes of others' challenges kept */

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

static bool
is_challenge(int status)
{
	return status == 401 || status == 407;
}

static void
put_all(struct writer *w, const sip_t *sip, const char *name)
{
	sip_unknown_t *un = NULL;

	while ((un = message_other(sip, name, un)) != NULL)
		if (un->un_common->h_data != NULL)
			put_mem(w, un->un_common->h_data,
			    un->un_common->h_len);
}

/* RFC 3261 16.7 item 7: if a challenge is the best there is, it carries those
 * of all others. */
static void
keep_challenges(struct request *req, msg_t *msg)
{
	struct writer w = writer_on(req->p->scratch, CHALLENGES_MAX);
	const sip_t *sip = sip_object(msg);

	if (req->challenges != NULL)
		put_text(&w, req->challenges);
	put_all(&w, sip, "WWW-Authenticate");
	put_all(&w, sip, "Proxy-Authenticate");
	req->challenges = su_strndup(msg_home(req->msg), w.p, w.len);
}

/* What loses is gone, but for its challenges. */
static void
drop_response(struct request *req, msg_t *msg, int status)
{
	if (is_challenge(status))
		keep_challenges(req, msg);
	msg_destroy(msg);
}

static void
keep_if_best(struct leg *leg, msg_t *msg, int status)
{
	struct request *req = leg->req;

	if (req->best != NULL && rank(req->best_status) <= rank(status)) {
		drop_response(req, msg, status);
		return;
	}
	if (req->best != NULL)
		drop_response(req, req->best, req->best_status);
	req->best = msg;
	req->best_leg = leg;
	req->best_status = status;
}

/* Pass a response back to whoever asked; takes over msg. */
static void
forward(const struct leg *leg, msg_t *msg, const char *on_top)
{
	struct request *req = leg->req;
	sip_t *sip = sip_object(msg);
	int status = sip->sip_status->st_status;
	struct writer w = writer_on(req->p->scratch, SCRATCH_SIZE);

	media_response(leg, sip);
	message_drop_via(msg, sip);
	trust_response(leg, msg, sip);
	respell_response(leg, sip);
	flow_bind(req->p, msg, sip);
	if (req->method == sip_method_register && leg->peer != NULL &&
	    leg->peer->path == PATH_CONTACT)
		flow_registered(req, msg, sip);
	if (!reply_is_too_late(req, status) &&
	    message_write(&w, msg, on_top))
		server_respond(req->server, status, w.p, w.len);
	msg_destroy(msg);
}

/* No target is left. */
static void
finish(struct request *req)
{
	msg_t *msg = req->best;
	const char *others = req->challenges != NULL &&
	    is_challenge(req->best_status) ? req->challenges : "";

	if (msg != NULL && req->best_status != 503) {
		req->best = NULL;
		forward(req->best_leg, msg, others);
		request_end(req, REASON_RELAYED, req->best_status);
	} else if (req->cancelled) {
		request_reply(req, REASON_CANCELLED);
	} else if (req->reason == REASON_FILTERED ||
	    req->reason == REASON_UPLINK_REFUSED) {
		request_reply(req, req->reason);
	} else if (req->best != NULL || req->internal_status == 503) {
		request_reply(req, REASON_TARGET_FAILED);
	} else if (req->internal_status == 408) {
		request_reply(req, REASON_TARGET_TIMEOUT);
	} else {
		request_reply(req, req->reason);
	}
}

/* One that held the request lets go of it; the last one ends it. */
static void
let_go(struct request *req)
{
	if (--req->running == 0)
		finish(req);
}

static void
leg_over(struct leg *leg)
{
	branch_free(leg->branch);
	if (leg->dns != NULL)
		dns_cancel(leg->req->p->env.dns, leg->dns);
	leg->dns = NULL;
	leg->done = true;
	let_go(leg->req);
}

/* What is said if nobody does better: behind a flow there is one phone, and
 * who asked may know another way to it (RFC 5626 5.3). */
static void
note_internal(struct leg *leg, int status)
{
	struct request *req = leg->req;

	if (leg->away != NULL) {
		req->reason = REASON_FLOW_GONE;
		status = reason_status(REASON_FLOW_GONE);
	}
	if (req->internal_status != 503)
		req->internal_status = status;
}

static bool
start(struct leg *leg, const struct target *t)
{
	struct request *req = leg->req;

	switch (branch_start(leg, t)) {
	case BRANCH_STARTED:
		return true;
	case BRANCH_BUSY:
		req->reason = REASON_TARGET_BUSY;
		break;
	case BRANCH_NO_WAY:
		req->reason = REASON_NO_WAY_OUT;
		break;
	case BRANCH_FAILED:
		targets_note(leg, TARGET_UNREACHABLE, 0);
		note_internal(leg, 503);
		break;
	}
	return false;
}

/* Start the next target that can be started.  false: none is left. */
static bool
try_targets(struct leg *leg)
{
	while (leg->next_target < leg->ntargets) {
		const struct target *t = &leg->target[leg->next_target++];

		if (!media_may_leave(leg, t->transport)) {
			leg->dns_reason = REASON_MEDIA_UNSAFE;
			continue;
		}
		leg->tries++;
		leg->answers = (struct uplink_tries){ 0 };
		if (start(leg, t))
			return true;
	}
	return false;
}

/* Why it had no target, if nobody has more to say. */
static void
note_none(struct leg *leg)
{
	if (leg->tries == 0 || leg->filtered)
		leg->req->reason = leg->dns_reason;
}

static void
try_next(struct leg *leg)
{
	if (leg->req->cancelled || leg->unfit) {
		leg_over(leg);
		return;
	}
	for (;;) {
		if (try_targets(leg))
			return;
		switch (targets_more(leg, try_next)) {
		case TARGETS_FOUND:
			break;
		case TARGETS_WAIT:
			return;
		case TARGETS_EXHAUSTED:
			note_none(leg);
			leg_over(leg);
			return;
		}
	}
}

static void
move_on(struct leg *leg)
{
	branch_free(leg->branch);
	try_next(leg);
}

static void
log_failure(const struct leg *leg, const char *why, int status)
{
	char target[ADDR_TEXT_MAX];

	log_event(EV_TARGET_FAIL,
	    kv_str("target", addr_text(&leg->tried, target)),
	    kv_str("reason", why), kv_int("status", status),
	    kv_str("call_id", leg->req->sip->sip_call_id->i_id));
}

/* Once more to the same target: with an answer, or by another transport. */
static void
send_again(struct leg *leg)
{
	branch_free(leg->branch);
	if (leg->req->cancelled)
		leg_over(leg);
	else if (!start(leg, &leg->target[leg->next_target - 1]))
		try_next(leg);
}

/* No TCP there: at once over UDP, after all. */
static bool
falls_back(struct leg *leg)
{
	if (leg->req->cancelled || !leg->streaming)
		return false;
	log_failure(leg, "no-tcp", 503);
	targets_no_stream(leg);
	send_again(leg);
	return true;
}

void
relay_failure(struct leg *leg, int status)
{
	struct request *req = leg->req;

	if (status == 503 && falls_back(leg))
		return;
	log_failure(leg, status == 408 ? "timeout" : "transport", status);
	targets_note(leg, status == 408 ? TARGET_SILENT : TARGET_UNREACHABLE,
	    0);
	note_internal(leg, status);
	/* whoever got the request now would serve nobody */
	if (reply_is_too_late(req, status))
		leg_over(leg);
	else
		move_on(leg);
}

void
relay_silence(struct leg *leg)
{
	if (!targets_may_move_on(leg) || leg->req->cancelled ||
	    falls_back(leg))
		return;
	log_failure(leg, "silence", 408);
	targets_note(leg, TARGET_SILENT, 0);
	note_internal(leg, 408);
	move_on(leg);
}

/* What the other legs ask is of no use any more. */
static void
cancel_others(struct leg *but)
{
	struct request *req = but->req;

	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		if (leg != but && leg->branch != NULL)
			branch_cancel(leg->branch);
}

static void
refused_there(struct leg *leg)
{
	leg->req->reason = REASON_UPLINK_REFUSED;
	leg_over(leg);
}

/* Nobody else can answer what a peer asks of us, nor shall see it.  false: it
 * asks whoever sent this. */
static bool
take_challenge(struct leg *leg, msg_t *msg, int status)
{
	enum uplink_verdict v = is_challenge(status) ?
	    uplink_judge_leg(leg, sip_object(msg)) : UPLINK_NOT_OURS;

	if (v == UPLINK_NOT_OURS)
		return false;
	msg_destroy(msg);
	if (v == UPLINK_AGAIN)
		send_again(leg);
	else
		refused_there(leg);
	return true;
}

static void
on_final(struct leg *leg, msg_t *msg, int status)
{
	if (take_challenge(leg, msg, status))
		return;
	if (status == 503)
		targets_note(leg, TARGET_BUSY, message_seconds(sip_object(msg),
		    "Retry-After"));
	keep_if_best(leg, msg, status);
	if (status == 503) {
		move_on(leg);
		return;
	}
	if (status >= 600) {		/* 16.7 item 5: nobody else is asked */
		leg->req->cancelled = true;
		cancel_others(leg);
	}
	leg_over(leg);
}

void
relay_response(struct leg *leg, msg_t *msg, int status)
{
	leg->req->p->responses_total[0]++;
	if (status < 200) {
		forward(leg, msg, "");
	} else if (status < 300) {
		cancel_others(leg);
		call_heard(leg->req, sip_object(msg));
		forward(leg, msg, "");
		request_end(leg->req, REASON_RELAYED, status);
	} else {
		on_final(leg, msg, status);
	}
}

void
relay_cancel(struct request *req)
{
	if (req->running == 0) {		/* not yet relayed */
		request_reply(req, REASON_CANCELLED);
		return;
	}
	req->cancelled = true;
	req->running++;
	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next) {
		if (leg->branch != NULL)
			branch_cancel(leg->branch);
		else if (!leg->done)		/* waits for DNS */
			leg_over(leg);
	}
	let_go(req);
}

void
relay_release(struct request *req)
{
	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		branch_free(leg->branch);
	if (req->best != NULL)
		msg_destroy(req->best);
	req->best = NULL;
}

enum step_verdict
step_relay(struct request *req)
{
	if (!trust_may_leave(req))
		return refuse(req, REASON_NO_PRIVACY);
	if (!request_hold(req))
		return refuse(req, req->reason);
	if (req->method == sip_method_invite)
		reply_trying(req);
	req->reason = REASON_TARGET_FAILED;
	req->running = 1;		/* we, until all have begun */
	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		req->running++;
	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		try_next(leg);
	let_go(req);
	return STEP_DONE;
}
