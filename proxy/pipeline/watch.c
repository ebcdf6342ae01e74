/*
 * watch.c -- who comes too often, fails too often, or is banned.
 */
#include "config.h"

#include "pipeline/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

enum {
	BUCKETS = 1 << 17,		/* of 16 bytes each */
	FAILURES = 1 << 17,		/* the same; three proofs of each
					 * phone */
	PEER_KNOWN_S = 24 * 3600	/* after it was last there */
};

static int
add_metrics(struct watch *w, struct metrics *m)
{
	static const struct metric over = { "guard_over_rate_total",
		"Requests beyond a rate, by whose rate it is.",
		METRIC_COUNTER, "of", watch_over_words, OVER_KINDS };
	static const struct metric failures = {
		.name = "guard_failures_total",
		.help = "Failures that count against a source." };
	static const struct metric slowed = { .name = "guard_slowed_total",
		.help = "Sources that were slowed instead of banned." };

	w->over_total = metrics_add(m, &over);
	w->failures_total = metrics_add(m, &failures);
	w->slowed_total = metrics_add(m, &slowed);
	return w->over_total == NULL || w->failures_total == NULL ||
	    w->slowed_total == NULL ? -1 : 0;
}

struct watch *
watch_new(struct pipeline *p)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	random_bytes(w->key, sizeof w->key);
	w->peers = grey_new();
	w->rates = rates_new(BUCKETS);
	w->failures = failures_new(FAILURES, w->key);
	if (w->peers == NULL || w->rates == NULL || w->failures == NULL ||
	    add_metrics(w, p->env.metrics) < 0 || watch_bans_open(w, p) < 0) {
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
	watch_bans_close(w);
	failures_free(w->failures);
	rates_free(w->rates);
	grey_free(w->peers);
	free(w);
}

bool
watch_admits(const struct watch *w, const struct addr *source)
{
	return !bans_has(w->bans, source);
}

struct knock
knock_of(const struct request *req)
{
	return (struct knock){ .watch = req->p->watch,
		.limits = req->policy->limits, .source = &req->source,
		.method = req->method_name, .now_us = req->start_us };
}

bool
watch_take_knock(const struct knock *k, enum mark_kind bucket,
    uint64_t whose, const struct conf_rate *rate)
{
	struct watch *w = k->watch;

	return rate->count == 0 || rates_take(w->rates,
	    mark_join(w->key, bucket, whose, 0), rate, k->now_us);
}

bool
watch_would(const struct knock *k, enum mark_kind bucket, uint64_t whose,
    const struct conf_rate *rate)
{
	const struct watch *w = k->watch;

	return rate->count == 0 || rates_would(w->rates,
	    mark_join(w->key, bucket, whose, 0), rate, k->now_us);
}

bool
watch_take(struct request *req, enum mark_kind bucket, uint64_t whose,
    const struct conf_rate *rate)
{
	struct knock k = knock_of(req);

	return watch_take_knock(&k, bucket, whose, rate);
}

/* One that is known by a password alone is no better than a user. */
bool
watch_peer(struct request *req)
{
	if (req->transport != TRANSPORT_UDP && !req->by_digest)
		watch_know_peer(req->p->watch, &req->source,
		    req->start_us / 1000);
	return watch_take(req, MARK_RATE_PEER, req->peer->id,
	    &req->peer->requests);
}

/* ---- failures */

static uint64_t
mark_flow(const struct request *req)
{
	const struct addr *a = &req->source;
	uint8_t flow[sizeof a->ip + sizeof a->port];

	memcpy(flow, a->ip, sizeof a->ip);
	memcpy(flow + sizeof a->ip, &a->port, sizeof a->port);
	return mark_of(req->p->watch->key, MARK_FLOW, flow, sizeof flow);
}

static struct failures_who
who_of(const struct request *req)
{
	uint8_t source[SOURCE_BYTES];

	bans_source(&req->source, source);
	return (struct failures_who){ .user = req->claimed,
		.source = mark_of(req->p->watch->key, MARK_SOURCE, source,
		    sizeof source), .flow = mark_flow(req) };
}

/* From where is this answer? */
enum standing {
	STANDS_BY_FLOW,			/* the user was right by this flow */
	STANDS_THERE,			/* ... from this source */
	STANDS_NOT,
	STANDS_FORGED			/* it may be */
};

static enum standing
standing_of(const struct request *req, const struct failures_who *who)
{
	const struct failures *f = req->p->watch->failures;
	int64_t now_s = req->start_us / 1000000;

	if (!source_has_nonce(req))
		return STANDS_FORGED;
	if (failures_proved_flow(f, who, now_s))
		return STANDS_BY_FLOW;
	return failures_proved(f, who, now_s) ? STANDS_THERE : STANDS_NOT;
}

static uint64_t
mark_user(const struct request *req)
{
	struct str user = req->answer.user.p != NULL ? req->answer.user :
	    req->cred->username;

	return mark_of(req->p->watch->key, MARK_USER, user.p, user.len);
}

/* Where a user's wrong answers are counted: apart from each other, so that
 * guessing from afar, guessing beside him, and forging slow no others. */
struct bucket {
	enum mark_kind	kind;
	uint64_t	whose;
	struct conf_rate rate;
};

enum { BUCKETS_EACH = 2, FROM_THERE_MOST = 4 * FAILURES_SHARE };

/* As many of one user from one source as a source may have in all; not more
 * where that is much, since it goes for each user of whom only a share counts
 * there. */
static struct conf_rate
rate_from_there(const struct limits_conf *limits)
{
	int64_t count = limits->ban_after < 0 ? 0 : limits->ban_after;

	if (count > FROM_THERE_MOST)
		count = FROM_THERE_MOST;
	return (struct conf_rate){ count, limits->ban_window_ms, count };
}

/* How many there are. */
static size_t
buckets_of(const struct request *req, const struct failures_who *who,
    enum standing standing, struct bucket out[BUCKETS_EACH])
{
	const struct limits_conf *limits = req->policy->limits;
	uint64_t there = mark_join(req->p->watch->key, MARK_RATE_WRONG_THERE,
	    who->source, who->user);

	out[0] = (struct bucket){ MARK_RATE_WRONG, who->user,
	    limits->failures_per_user };
	switch (standing) {
	case STANDS_BY_FLOW:
		return 0;
	case STANDS_THERE:
		out[0].kind = MARK_RATE_WRONG_THERE;
		out[0].whose = there;
		return 1;
	case STANDS_FORGED:
		out[0].kind = MARK_RATE_WRONG_FOREIGN;
		return 1;
	case STANDS_NOT:
		break;
	}
	if (req->peer != NULL)
		return 1;
	out[1] = (struct bucket){ MARK_RATE_WRONG_FROM, there,
	    rate_from_there(limits) };
	return 2;
}

static bool
is_guessed_at(const struct request *req, const struct failures_who *who,
    enum standing standing)
{
	struct knock k = knock_of(req);
	struct bucket b[BUCKETS_EACH];
	size_t n = buckets_of(req, who, standing, b);

	for (size_t i = 0; i < n; i++)
		if (!watch_would(&k, b[i].kind, b[i].whose, &b[i].rate))
			return true;
	return false;
}

static bool
is_never_banned(const struct policy *policy, const struct addr *a)
{
	struct net banned;

	bans_source_net(a, &banned);
	return spared_meets(policy->spared, &banned);
}

static bool
is_slowed(const struct request *req, const struct failures_who *who)
{
	return req->peer == NULL && failures_slowed(req->p->watch->failures,
	    who, req->start_us / 1000000) &&
	    !is_never_banned(req->policy, &req->source);
}

/*
 * Too many wrong answers for this user, or from this source?  Then the next is
 * not even looked at: who guesses learns nothing, whether he guessed right or
 * not.
 */
enum step_verdict
step_slow(struct request *req)
{
	struct failures_who who;
	enum standing standing;
	struct knock k;

	if (req->proof == PROOF_NONE)
		return STEP_NEXT;
	req->claimed = mark_user(req);
	who = who_of(req);
	standing = standing_of(req, &who);
	if (is_guessed_at(req, &who, standing)) {
		watch_over(req, OVER_ANSWERS);
		return refuse(req, REASON_USER_SLOWED);
	}
	if (standing != STANDS_BY_FLOW && standing != STANDS_THERE &&
	    is_slowed(req, &who)) {
		k = knock_of(req);
		watch_dropped(&k, DROPPED_SLOWED, req->cred->username,
		    str_of(""));
		return refuse(req, REASON_SOURCE_SLOWED);
	}
	return STEP_NEXT;
}

void
watch_success(struct request *req)
{
	struct failures_who who = who_of(req);

	if (source_has_nonce(req))
		failures_forgive(req->p->watch->failures, req->policy->limits,
		    &who, req->start_us / 1000000);
}

static struct failures_who
who_at(const struct watch *w, const uint8_t source[SOURCE_BYTES])
{
	return (struct failures_who){ .source = mark_of(w->key, MARK_SOURCE,
	    source, SOURCE_BYTES) };
}

bool
watch_is_proved(const struct watch *w, const uint8_t source[SOURCE_BYTES])
{
	const struct failures_who who = who_at(w, source);

	return failures_proved_any(w->failures, &who,
	    clock_mono_us() / 1000000);
}

void
watch_told(const struct watch *w, const struct limits_conf *limits,
    const uint8_t source[SOURCE_BYTES])
{
	const struct failures_who who = who_at(w, source);

	failures_told(w->failures, limits, &who, clock_mono_us() / 1000000);
}

/* As bans have it. */
static struct addr
source_at(const struct addr *a)
{
	struct addr source = { .port = 0 };

	bans_source(a, source.ip);
	return source;
}

void
watch_know_peer(struct watch *w, const struct addr *a, int64_t now_ms)
{
	struct addr source = source_at(a);

	grey_mark(w->peers, &source, TRANSPORT_UDP, PEER_KNOWN_S, now_ms);
	bans_remove(w->bans, a);
}

void
watch_forget_peers(struct watch *w)
{
	grey_clear_all(w->peers);
}

bool
watch_is_spared(const struct pipeline *p, const struct policy *policy,
    const struct addr *source)
{
	const struct peers *ps = policy->peers;
	struct addr first = source_at(source);
	struct net banned;

	if (grey_has(p->watch->peers, &first, TRANSPORT_UDP,
	    clock_mono_ms()) || is_never_banned(policy, source))
		return true;
	bans_source_net(source, &banned);
	for (size_t i = 0; i < peers_count(ps); i++)
		if (peer_meets_net(peers_at(ps, i), &banned))
			return true;
	return ways_meet_members(p->env.ways, &banned);
}

static void
ban(struct request *req, enum ban_reason reason, int64_t lasts_s)
{
	struct ban ban = { .reason = reason,
		.until_ms = clock_mono_ms() + lasts_s * 1000 };
	char source[ADDR_TEXT_MAX];

	bans_source(&req->source, ban.source);
	if (bans_add(req->p->watch->bans, &ban,
	    (size_t)req->policy->limits->bans_max) < 0)
		log_event(EV_GUARD_NO_BAN, kv_str("source",
		    bans_source_text(ban.source, source)));
}

static void
say_slowed(struct request *req, int64_t lasts_s)
{
	uint8_t source[SOURCE_BYTES];
	char text[ADDR_TEXT_MAX];

	req->p->watch->slowed_total[0]++;
	bans_source(&req->source, source);
	log_event(EV_GUARD_SOURCE_SLOWED,
	    kv_str("source", bans_source_text(source, text)),
	    kv_int("seconds", lasts_s));
}

static void
count_failure(struct request *req, enum ban_reason reason)
{
	struct watch *w = req->p->watch;
	struct failures_who who = who_of(req);
	int64_t lasts_s;

	w->failures_total[0]++;
	if (watch_is_spared(req->p, req->policy, &req->source))
		return;
	switch (failures_add(w->failures, req->policy->limits, &who,
	    req->start_us / 1000000, &lasts_s)) {
	case FAILURES_WITHIN:
		break;
	case FAILURES_BAN:
		ban(req, reason, lasts_s);
		break;
	case FAILURES_SLOW:
		say_slowed(req, lasts_s);
		break;
	}
}

static void
count_wrong_answer(struct request *req)
{
	struct failures_who who = who_of(req);
	enum standing standing = standing_of(req, &who);
	struct bucket b[BUCKETS_EACH];
	size_t n = buckets_of(req, &who, standing, b);

	for (size_t i = 0; i < n; i++)
		watch_take(req, b[i].kind, b[i].whose, &b[i].rate);
	if (req->peer == NULL && standing != STANDS_FORGED)
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
