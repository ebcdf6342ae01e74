/*
 * call_course.c -- what becomes of a call that is counted, here or by all.
 */
#include "config.h"

#include "pipeline/call_course.h"

#include <string.h>

#include "base/clock.h"
#include "guard/calls.h"
#include "guard/classes.h"
#include "pipeline/calls.h"
#include "pipeline/message.h"

enum {
	SESSION_LEAST_S = 90,		/* RFC 4028 4 */
	SESSION_GRACE_S = 60,
	RING_GRACE_MS = 60000,		/* for DNS, and RING_TOLD_MS */
	RING_TOLD_MS = 10000
};

static struct calls *
own(const struct request *req)
{
	return call_watch_own(req->p->calls);
}

void
call_id(const uint8_t number[TOKEN_CALL_BYTES], uint8_t out[CALL_ID_BYTES])
{
	memset(out, 0, CALL_ID_BYTES);
	memcpy(out, number, TOKEN_CALL_BYTES);
}

int64_t
call_ring_ms(const struct request *req)
{
	const struct pipeline_env *env = &req->p->env;

	return env->timer_c_ms + 64 * env->t1_ms + RING_GRACE_MS;
}

/* RFC 4028 4: the compact form is x. */
static int64_t
session_expires(const sip_t *sip)
{
	int64_t s = message_seconds(sip, "Session-Expires");

	return s >= 0 ? s : message_seconds(sip, "x");
}

/* Whose call it is must not shorten it alone: what he answers counts if who was
 * called asked for a session timer, and so obeys it. */
void
call_heard(struct request *req, const sip_t *sip)
{
	int64_t s = session_expires(sip);

	if (s < SESSION_LEAST_S || (!req->from_caller &&
	    req->token_state == TOKEN_GOOD && session_expires(req->sip) < 0))
		s = 0;
	req->session_s = s;
}

static int64_t
lasts_ms(const struct request *req, int64_t forgotten_ms)
{
	int64_t session_ms = (req->session_s + SESSION_GRACE_S) * 1000;

	return req->session_s > 0 && session_ms < forgotten_ms ? session_ms :
	    forgotten_ms;
}

/* What is counted here is not counted by all: they hear nothing of it, or it
 * would take the place of what they have to. */
static void
rings(struct request *req, const uint8_t call[CALL_ID_BYTES], int64_t ms)
{
	struct shared *s = req->p->env.shared;

	if (!calls_rings(own(req), call, ms, clock_mono_ms()) && s != NULL)
		s->ops->calls_rings(s, call, ms);
}

static void
touch(struct request *req, const uint8_t call[CALL_ID_BYTES], int64_t ms)
{
	struct shared *s = req->p->env.shared;

	if (!calls_touch(own(req), call, ms, clock_mono_ms()) && s != NULL)
		s->ops->calls_touch(s, call, ms);
}

static void
answered(struct request *req, const uint8_t call[CALL_ID_BYTES], int64_t ms)
{
	struct shared *s = req->p->env.shared;

	if (!calls_answered(own(req), call, ms, clock_mono_ms()) && s != NULL)
		s->ops->calls_answered(s, call, ms);
}

static void
end(struct request *req, const uint8_t call[CALL_ID_BYTES],
    enum calls_end how)
{
	struct shared *s = req->p->env.shared;

	if (!calls_end(own(req), call, how) && s != NULL)
		s->ops->calls_end(s, call, how);
}

static void
went_on(struct request *req, const uint8_t number[TOKEN_CALL_BYTES])
{
	uint8_t call[CALL_ID_BYTES];

	call_id(number, call);
	if (req->method == sip_method_bye)
		end(req, call, CALLS_BYE);
	else
		touch(req, call, lasts_ms(req,
		    classes_forgotten_ms(req->policy->classes)));
}

/* Between two dialogs of ours that are one stands a peer, which called in the
 * second.  That another dialog of the call ended, or goes on, says nothing. */
static void
dialog_went_on(struct request *req)
{
	if (req->token_is_loose)
		return;
	if (req->token.flags & TOKEN_COUNTED)
		went_on(req, req->token.call);
	for (unsigned i = 0; i < req->njoined; i++)
		if (req->joined[i].flags & TOKEN_COUNTED)
			went_on(req, req->joined[i].call);
}

/* Who was called hangs up whether the caller hears it or not (RFC 3261
 * 15.1.1); that the caller hung up, who was called has to confirm. */
static bool
is_heard(const struct request *req, int status)
{
	switch (req->method) {
	case sip_method_bye:
		return status / 100 == 2 || !req->from_caller;
	case sip_method_invite:
	case sip_method_update:
		return status / 100 == 2;
	default:
		return false;
	}
}

void
call_rings(struct request *req)
{
	int64_t now_ms;

	if (!req->counted)
		return;
	now_ms = clock_mono_ms();
	if (now_ms - req->rang_ms < RING_TOLD_MS)
		return;
	req->rang_ms = now_ms;
	rings(req, req->ask->call, call_ring_ms(req));
}

void
call_ended(struct request *req, int status)
{
	if (req->counted && status / 100 == 2)
		answered(req, req->ask->call, lasts_ms(req, req->lasts_ms));
	else if (req->counted)
		end(req, req->ask->call, CALLS_OVER);
	else if (req->token_state == TOKEN_GOOD && is_heard(req, status))
		dialog_went_on(req);
}
