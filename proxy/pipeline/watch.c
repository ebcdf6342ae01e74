/*
 * watch.c -- who comes too often, fails too often, or is banned.
 */
#include "config.h"

#include "pipeline/watch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/secret.h"
#include "io/loop.h"

enum {
	BUCKETS = 1 << 17,		/* of 16 bytes each */
	FAILURES = 1 << 16,		/* the same */
	LOOK_AT_LEAST_MS = 3600 * 1000
};

static const char *const over_words[OVER_KINDS] = {
	[OVER_SOURCE] = "source", [OVER_METHOD] = "method",
	[OVER_PEER] = "peer", [OVER_USER] = "user",
	[OVER_ANSWERS] = "answers"
};

static int
add_metrics(struct watch *w, struct metrics *m)
{
	static const struct metric over = { "guard_over_rate_total",
		"Requests beyond a rate, by whose rate it is.",
		METRIC_COUNTER, "of", over_words, OVER_KINDS };
	static const struct metric bans = { "guard_bans_total",
		"Bans, by their reason.", METRIC_COUNTER, "reason",
		ban_reason_words, BAN_REASON_COUNT };
	static const struct metric failures = {
		.name = "guard_failures_total",
		.help = "Failures that count against a source." };
	static const struct metric banned = { .name = "guard_banned",
		.help = "Sources that are banned.", .kind = METRIC_GAUGE };

	w->over_total = metrics_add(m, &over);
	w->bans_total = metrics_add(m, &bans);
	w->failures_total = metrics_add(m, &failures);
	w->bans_gauge = metrics_add(m, &banned);
	return w->over_total == NULL || w->bans_total == NULL ||
	    w->failures_total == NULL || w->bans_gauge == NULL ? -1 : 0;
}

static void
plan_next_end(struct watch *w)
{
	int64_t next_ms = bans_next_end_ms(w->bans);
	int64_t wait_ms = next_ms - clock_mono_ms();

	if (next_ms < 0) {
		loop_timer_stop(w->ends);
		return;
	}
	if (wait_ms > LOOK_AT_LEAST_MS)
		wait_ms = LOOK_AT_LEAST_MS;
	loop_timer_start(w->ends, wait_ms < 1 ? 1 : wait_ms);
}

static void
on_end(void *arg)
{
	struct watch *w = arg;

	bans_end(w->bans, clock_mono_ms());
	plan_next_end(w);
}

static const char *
why_it_ended(enum ban_change change)
{
	switch (change) {
	case BAN_ENDS:
		return "over";
	case BAN_MAKES_ROOM:
		return "bans_max";
	case BAN_BEGINS:
	case BAN_TAKEN_BACK:
		break;
	}
	return "taken back";
}

static void
on_change(void *arg, const struct ban *ban, enum ban_change change)
{
	struct watch *w = arg;
	char source[ADDR_TEXT_MAX];

	bans_source_text(ban->source, source);
	w->bans_gauge[0] = bans_count(w->bans);
	if (change == BAN_BEGINS) {
		w->bans_total[ban->reason]++;
		log_event(EV_GUARD_BAN, kv_str("source", source),
		    kv_str("reason", ban_reason_words[ban->reason]),
		    kv_int("seconds", (ban->until_ms - clock_mono_ms() + 500)
		    / 1000));
	} else {
		log_event(EV_GUARD_UNBAN, kv_str("source", source),
		    kv_str("reason", why_it_ended(change)));
	}
	plan_next_end(w);
}

struct watch *
watch_new(struct pipeline *p)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	random_bytes(w->key, sizeof w->key);
	w->rates = rates_new(BUCKETS);
	w->failures = failures_new(FAILURES, w->key);
	w->bans = bans_new(w->key);
	w->ends = loop_timer_new(p->env.loop, on_end, w);
	if (w->rates == NULL || w->failures == NULL || w->bans == NULL ||
	    w->ends == NULL || add_metrics(w, p->env.metrics) < 0 ||
	    !bans_listen(w->bans, on_change, w)) {
		watch_free(w);
		return NULL;
	}
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	loop_timer_free(w->ends);
	bans_free(w->bans);
	failures_free(w->failures);
	rates_free(w->rates);
	free(w);
}

bool
watch_admits(const struct watch *w, const struct addr *source)
{
	return !bans_has(w->bans, source);
}

bool
watch_take(struct request *req, enum mark_kind bucket, uint64_t whose,
    const struct conf_rate *rate)
{
	struct watch *w = req->p->watch;

	return rate->count == 0 || rates_take(w->rates,
	    mark_join(w->key, bucket, whose, 0), rate, req->start_us);
}

bool
watch_peer(struct request *req)
{
	return watch_take(req, MARK_RATE_PEER, req->peer->id,
	    &req->peer->requests);
}

void
watch_over(struct request *req, enum over over)
{
	struct watch *w = req->p->watch;
	int64_t now_ms = req->start_us / 1000;
	char source[ADDR_TEXT_MAX];
	struct str user = req->cred == NULL ? str_of(req->user) :
	    req->cred->username;

	w->over_total[over]++;
	if (w->quiet[over].said_ms != 0 &&
	    now_ms - w->quiet[over].said_ms < 1000) {
		w->quiet[over].unsaid++;
		return;
	}
	log_event(over == OVER_ANSWERS ? EV_GUARD_SLOWED : EV_GUARD_OVER_RATE,
	    kv_str("of", over_words[over]),
	    kv_str("source", addr_text(&req->source, source)),
	    kv_mem("method", req->method_name.p, req->method_name.len),
	    kv_str("peer", req->peer == NULL ? NULL : req->peer->name),
	    kv_mem("user", user.len == 0 ? NULL : user.p, user.len),
	    kv_uint("unsaid", w->quiet[over].unsaid));
	w->quiet[over].said_ms = now_ms;
	w->quiet[over].unsaid = 0;
}

/* ---- failures */

static struct failures_who
who_of(const struct request *req)
{
	uint8_t source[SOURCE_BYTES];

	bans_source(&req->source, source);
	return (struct failures_who){ .user = req->claimed,
		.source = mark_of(req->p->watch->key, MARK_SOURCE, source,
		    sizeof source) };
}

/* A user's wrong answers from where he was never right.  Those that could be
 * forged have a bucket of their own, so that forging slows no others. */
static enum mark_kind
bucket_of(const struct request *req)
{
	return source_has_nonce(req) ? MARK_RATE_WRONG :
	    MARK_RATE_WRONG_FOREIGN;
}

static bool
is_known_there(const struct request *req)
{
	struct failures_who who = who_of(req);

	return source_has_nonce(req) && failures_proved(
	    req->p->watch->failures, &who, req->start_us / 1000000);
}

static uint64_t
mark_user(const struct request *req)
{
	struct str user = req->answer.user.p != NULL ? req->answer.user :
	    req->cred->username;

	return mark_of(req->p->watch->key, MARK_USER, user.p, user.len);
}

/*
 * Too many wrong answers for this user?  Then his next is not even looked at:
 * who guesses learns nothing, whether he guessed right or not.
 */
enum step_verdict
step_slow(struct request *req)
{
	struct watch *w = req->p->watch;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	req->claimed = mark_user(req);
	if (rates_would(w->rates, mark_join(w->key, bucket_of(req),
	    req->claimed, 0), &req->policy->limits->failures_per_user,
	    req->start_us) || is_known_there(req))
		return STEP_NEXT;
	watch_over(req, OVER_ANSWERS);
	return refuse(req, REASON_USER_SLOWED);
}

void
watch_success(struct request *req)
{
	struct failures_who who = who_of(req);

	if (req->peer == NULL && source_has_nonce(req))
		failures_forgive(req->p->watch->failures, req->policy->limits,
		    &who, req->start_us / 1000000);
}

/* Nobody can get a peer banned, not even himself; nor who lives beside it,
 * where a /64 is banned as a whole. */
static bool
is_peers(const struct request *req)
{
	const struct peers *ps = req->policy->peers;
	struct net banned;

	bans_source_net(&req->source, &banned);
	for (size_t i = 0; i < peers_count(ps); i++)
		if (peer_meets_net(peers_at(ps, i), &banned))
			return true;
	return false;
}

static void
count_failure(struct request *req, enum ban_reason reason)
{
	const struct limits_conf *limits = req->policy->limits;
	struct watch *w = req->p->watch;
	struct failures_who who = who_of(req);
	struct ban ban = { .reason = reason };
	char source[ADDR_TEXT_MAX];
	int64_t lasts_s;

	w->failures_total[0]++;
	lasts_s = failures_add(w->failures, limits, &who,
	    req->start_us / 1000000);
	if (lasts_s == 0 || is_peers(req))
		return;
	bans_source(&req->source, ban.source);
	ban.until_ms = clock_mono_ms() + lasts_s * 1000;
	if (bans_add(w->bans, &ban, (size_t)limits->bans_max) < 0)
		log_event(EV_GUARD_NO_BAN, kv_str("source",
		    bans_source_text(ban.source, source)));
}

static void
count_wrong_answer(struct request *req)
{
	if (!is_known_there(req))
		watch_take(req, bucket_of(req), req->claimed,
		    &req->policy->limits->failures_per_user);
	if (req->peer == NULL && source_has_nonce(req))
		count_failure(req, BAN_FAILURES);
}

void
watch_end(struct request *req, enum reason r)
{
	switch (r) {
	case REASON_WRONG_PASSWORD:
	case REASON_WRONG_PASSWORD_FORBIDDEN:
		count_wrong_answer(req);
		break;
	case REASON_REPLAY:
		if (req->peer == NULL && source_has_nonce(req))
			count_failure(req, BAN_FAILURES);
		break;
	case REASON_SCANNER:
		if (source_is_proved(req))
			count_failure(req, BAN_SCANNER);
		break;
	default:
		break;
	}
}
