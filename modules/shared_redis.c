/*
 * shared_redis.c -- what instances know together, by the Redis that counts
 * the uses of their nonces.
 *
 * On a link of its own, so that trouble with one does not end the other.  It
 * is up only when all scripts were tried; whatever goes wrong ends the link,
 * and it begins again.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/metrics.h"
#include "guard/shared.h"
#include "io/loop.h"
#include "modules/kinds.h"
#include "modules/redis_conf.h"
#include "modules/shared_bans.h"
#include "modules/shared_calls.h"
#include "modules/shared_link.h"

enum {
	SAY_AGAIN_MS = 60000,		/* another reason for being away */
	STEADY_MS = 10000,		/* up for so long: it is */
	MOMENTS_MAX = 3			/* that it was up shorter, in a row */
};

struct store {
	struct shared	 base;
	struct shared_link link;
	struct shared_hooks hooks;
	struct shared_bans bans;
	struct shared_calls calls;
	bool		 up, closing;
	const char	*reason;	/* why away, as said; NULL: it is not */
	int64_t		 said_ms, up_ms;
	unsigned	 moments;	/* that it was up, and no longer */
	struct loop_timer *say_up;
	uint64_t	*nup;
};

static const char *const verdict_names[] = {
	[CALLS_WITHIN] = "within", [CALLS_TOO_MANY] = "too-many",
	[CALLS_TOO_FAST] = "too-fast", [CALLS_TWICE] = "twice",
	[CALLS_UNAVAILABLE] = "unavailable"
};

/* Once a change, and after a while when the reason is another then. */
static void
say_down(struct store *s, const char *reason)
{
	int64_t now_ms = clock_mono_ms();

	if (s->reason != NULL && (strcmp(s->reason, reason) == 0 ||
	    now_ms < s->said_ms + SAY_AGAIN_MS))
		return;
	s->said_ms = now_ms;
	s->reason = reason;
	log_event(EV_SHARED_DOWN, kv_str("reason", reason),
	    kv_str("server", redis_link_where(s->link.space.link)));
}

static void
go_down(struct store *s, const char *reason)
{
	if (s->closing)
		return;
	if (s->up)
		s->moments = clock_mono_ms() - s->up_ms < STEADY_MS ?
		    s->moments + 1 : 0;
	say_down(s, reason);
	s->up = false;
	*s->nup = 0;
	loop_timer_stop(s->say_up);
	shared_link_end(&s->link);
	shared_bans_stop(&s->bans);
	shared_calls_stop(&s->calls);
}

static void
say_up(void *arg)
{
	struct store *s = arg;

	s->reason = NULL;
	log_event(EV_SHARED_UP, kv_str("server",
	    redis_link_where(s->link.space.link)));
}

/* Where each start ends at once, for what the trial does not find, that would
 * be said each second or two. */
static void
plan_say_up(struct store *s)
{
	s->up_ms = clock_mono_ms();
	if (s->moments >= MOMENTS_MAX)
		loop_timer_start(s->say_up, STEADY_MS);
	else
		say_up(s);
}

/* Scripts may become ready again on a link that is up; what happened meanwhile
 * waits. */
static void
ready(void *arg)
{
	struct store *s = arg;

	if (s->up) {
		shared_calls_start(&s->calls);
		return;
	}
	s->up = true;
	*s->nup = 1;
	plan_say_up(s);
	shared_calls_start(&s->calls);
	shared_bans_start(&s->bans);
}

static void
failed(void *arg, const char *reason)
{
	struct store *s = arg;

	go_down(s, reason);
	redis_link_drop(s->link.space.link, reason);
}

static void
connected(void *arg)
{
	struct store *s = arg;

	shared_link_greet(&s->link);
}

static void
disconnected(void *arg, const char *reason)
{
	go_down(arg, reason);
}

/* ---- the interface */

static void
redis_listen(struct shared *base, const struct shared_hooks *hooks)
{
	struct store *s = (struct store *)base;

	s->hooks = *hooks;
}

static void
redis_ban(struct shared *base, const struct shared_ban *ban, size_t max)
{
	shared_bans_tell(&((struct store *)base)->bans, ban, max);
}

static void
redis_lift(struct shared *base, const struct shared_ban *ban, size_t max)
{
	shared_bans_lift(&((struct store *)base)->bans, ban, max);
}

static enum calls_verdict
redis_begin(struct shared *base, struct calls_ask *ask)
{
	return shared_calls_begin(&((struct store *)base)->calls, ask);
}

static void
redis_cancel(struct shared *base, struct calls_ask *ask)
{
	(void)base;
	shared_calls_cancel(ask);
}

static void
redis_rings(struct shared *base, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms)
{
	shared_calls_rings(&((struct store *)base)->calls, call, lasts_ms);
}

static void
redis_answered(struct shared *base, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms)
{
	shared_calls_answered(&((struct store *)base)->calls, call, lasts_ms);
}

static void
redis_touch(struct shared *base, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms)
{
	shared_calls_touch(&((struct store *)base)->calls, call, lasts_ms);
}

static void
redis_end_call(struct shared *base, const uint8_t call[CALL_ID_BYTES],
    enum calls_end how)
{
	shared_calls_end(&((struct store *)base)->calls, call, how);
}

static void
redis_close(struct shared *base)
{
	struct store *s = (struct store *)base;

	s->closing = true;
	shared_calls_flush(&s->calls);
	shared_link_end(&s->link);
	shared_bans_stop(&s->bans);
	shared_calls_stop(&s->calls);
	redis_link_free(s->link.space.link);
	loop_timer_free(s->say_up);
	shared_bans_fini(&s->bans);
	shared_calls_fini(&s->calls);
	free(s);
}

/* ---- opened */

static bool
add_metrics(struct store *s, struct metrics *m)
{
	static const struct metric up = { .name = "shared_up",
		.help = "Whether bans and calls are shared through Redis.",
		.kind = METRIC_GAUGE };
	static const struct metric calls = { "shared_calls_total",
		"Calls that Redis was asked to count, by verdict; "
		"unavailable: this instance counted alone.", METRIC_COUNTER,
		"verdict", verdict_names,
		COUNT(verdict_names) };

	static const struct metric lost = { .name = "shared_lost_total",
		.help = "News of calls that Redis was never told.",
		.kind = METRIC_COUNTER };

	s->nup = metrics_add(m, &up);
	s->calls.asked = metrics_add(m, &calls);
	s->calls.lost = metrics_add(m, &lost);
	return s->nup != NULL && s->calls.asked != NULL &&
	    s->calls.lost != NULL;
}

static const struct shared_ops shared_redis_ops = {
	.listen = redis_listen,
	.ban = redis_ban,
	.lift = redis_lift,
	.calls_begin = redis_begin,
	.calls_cancel = redis_cancel,
	.calls_rings = redis_rings,
	.calls_answered = redis_answered,
	.calls_touch = redis_touch,
	.calls_end = redis_end_call,
	.close = redis_close
};

static void
wire(struct store *s, const struct redis_store_conf *c)
{
	s->base.ops = &shared_redis_ops;
	s->link.space.prefix = c->prefix;
	s->link.ready = ready;
	s->link.failed = failed;
	s->link.arg = s;
	s->bans.link = s->calls.link = &s->link;
	s->bans.hooks = &s->hooks;
	shared_link_end(&s->link);
}

int
shared_redis_open(struct shared **out, const void *conf,
    const struct shared_env *env)
{
	struct store *s = calloc(1, sizeof *s);
	const struct redis_link_hooks hooks = { connected, disconnected, s };
	const char *why = "no memory";

	if (s == NULL)
		goto fail;
	wire(s, conf);
	s->say_up = loop_timer_new(env->loop, say_up, s);
	if (s->say_up == NULL || !add_metrics(s, env->metrics) ||
	    shared_bans_init(&s->bans, env->loop) < 0 ||
	    shared_calls_init(&s->calls, env->loop) < 0)
		goto fail;
	why = redis_conf_open(conf, env->loop, env->dns, &hooks,
	    &s->link.space.link);
	if (why != NULL)
		goto fail;
	*out = &s->base;
	return 0;
fail:
	log_event(EV_DAEMON_FAIL, kv_str("part", "shared"),
	    kv_str("reason", why));
	if (s != NULL)
		redis_close(&s->base);
	return -EINVAL;
}
