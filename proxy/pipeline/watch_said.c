/*
 * watch_said.c -- what is said of who comes too often or gets no answer: of
 * each kind a line a second.
 */
#include "config.h"

#include "pipeline/watch.h"

const char *const watch_over_words[OVER_KINDS] = {
	[OVER_SOURCE] = "source", [OVER_METHOD] = "method",
	[OVER_PEER] = "peer", [OVER_USER] = "user",
	[OVER_ANSWERS] = "answers"
};

/* Otherwise it is counted, and said with the next. */
static bool
may_say(struct quiet *q, int64_t now_ms)
{
	if (q->said_ms == 0 || now_ms - q->said_ms >= 1000)
		return true;
	q->unsaid++;
	return false;
}

static void
has_said(struct quiet *q, int64_t now_ms)
{
	*q = (struct quiet){ .said_ms = now_ms };
}

static struct kv
kv_if_any(const char *key, struct str s)
{
	return kv_mem(key, s.len == 0 ? NULL : s.p, s.len);
}

void
watch_over_knock(const struct knock *k, enum over over, const char *peer,
    struct str user)
{
	struct watch *w = k->watch;
	struct quiet *q = &w->quiet[over];
	int64_t now_ms = k->now_us / 1000;
	char source[ADDR_TEXT_MAX];

	w->over_total[over]++;
	if (!may_say(q, now_ms))
		return;
	log_event(over == OVER_ANSWERS ? EV_GUARD_SLOWED : EV_GUARD_OVER_RATE,
	    kv_str("of", watch_over_words[over]),
	    kv_str("source", addr_text(k->source, source)),
	    kv_mem("method", k->method.p, k->method.len),
	    kv_str("peer", peer),
	    kv_if_any("user", user), kv_uint("unsaid", q->unsaid));
	has_said(q, now_ms);
}

void
watch_dropped(const struct knock *k, enum dropped what, struct str user,
    struct str agent)
{
	static const char *const words[DROPPED_KINDS] = {
		[DROPPED_SCANNER] = "scanner",
		[DROPPED_SLOWED] = "source-slowed"
	};
	struct quiet *q = &k->watch->dropped[what];
	int64_t now_ms = k->now_us / 1000;
	char source[ADDR_TEXT_MAX];

	if (!may_say(q, now_ms))
		return;
	log_event(EV_GUARD_DROPPED, kv_str("reason", words[what]),
	    kv_str("source", addr_text(k->source, source)),
	    kv_mem("method", k->method.p, k->method.len),
	    kv_if_any("claims", user), kv_if_any("user_agent", agent),
	    kv_uint("unsaid", q->unsaid));
	has_said(q, now_ms);
}

void
watch_over(struct request *req, enum over over)
{
	struct knock k = knock_of(req);

	watch_over_knock(&k, over, req->peer == NULL ? NULL : req->peer->name,
	    req->cred == NULL ? str_of(req->user) : req->cred->username);
}
