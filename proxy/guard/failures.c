/*
 * failures.c -- who failed to prove himself, how often, and when is it too
 * much?
 */
#include "config.h"

#include "guard/failures.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, COUNT_MAX = UINT16_MAX };

struct entry {
	uint64_t	mark;		/* 0: none */
	uint32_t	ends_s;		/* what is past is none */
	uint16_t	count;		/* failures, or bans */
	uint16_t	forgiven;	/* MARK_SHARE: and taken back */
};

/* In sets of eight. */
struct table {
	size_t		nsets;
	struct entry	v[];
};

/* Proofs live for hours, the rest for minutes: in one table they would push
 * out who guesses. */
struct failures {
	uint8_t		key[MARK_KEY_BYTES];
	struct table	*failed, *proved;
};

static struct table *
table_new(size_t n)
{
	struct table *t = calloc(1, sizeof *t + n * sizeof t->v[0]);

	if (t != NULL)
		t->nsets = n / WAYS;
	return t;
}

struct failures *
failures_new(size_t n, const uint8_t key[MARK_KEY_BYTES])
{
	struct failures *f = calloc(1, sizeof *f);

	assert(n >= WAYS && (n & (n - 1)) == 0);
	if (f == NULL)
		return NULL;
	memcpy(f->key, key, sizeof f->key);
	f->failed = table_new(n);
	f->proved = table_new(n);
	if (f->failed != NULL && f->proved != NULL)
		return f;
	failures_free(f);
	return NULL;
}

void
failures_free(struct failures *f)
{
	if (f == NULL)
		return;
	free(f->failed);
	free(f->proved);
	free(f);
}

/* Its entry, or the one of the set that ends first. */
static const struct entry *
look(const struct table *t, uint64_t mark)
{
	const struct entry *set = &t->v[(mark & (t->nsets - 1)) * WAYS];
	const struct entry *first = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].mark == mark)
			return &set[i];
		if (set[i].ends_s < first->ends_s)
			first = &set[i];
	}
	return first;
}

static bool
is_in_force(const struct entry *e, uint64_t mark, int64_t now_s)
{
	return e->mark == mark && e->ends_s > now_s;
}

/* NULL: there is none. */
static struct entry *
find(struct table *t, uint64_t mark, int64_t now_s)
{
	const struct entry *e = look(t, mark);

	return is_in_force(e, mark, now_s) ? (struct entry *)e : NULL;
}

/* A new one lasts until ends_s. */
static struct entry *
take(struct table *t, uint64_t mark, int64_t now_s, int64_t ends_s)
{
	struct entry *e = (struct entry *)look(t, mark);

	if (!is_in_force(e, mark, now_s))
		*e = (struct entry){ .mark = mark,
		    .ends_s = (uint32_t)ends_s };
	return e;
}

static void
forget(struct table *t, uint64_t mark, int64_t now_s)
{
	struct entry *e = find(t, mark, now_s);

	if (e != NULL)
		e->ends_s = 0;
}

static void
count(struct entry *e)
{
	if (e->count < COUNT_MAX)
		e->count++;
}

static uint64_t
of_source(const struct failures *f, enum mark_kind kind,
    const struct failures_who *who)
{
	return mark_join(f->key, kind, who->source, 0);
}

static uint64_t
of_both(const struct failures *f, enum mark_kind kind,
    const struct failures_who *who)
{
	return mark_join(f->key, kind, who->source, who->user);
}

static uint64_t
of_flow(const struct failures *f, const struct failures_who *who)
{
	return mark_join(f->key, MARK_PROVED_FLOW, who->flow, who->user);
}

static bool
has(const struct table *t, uint64_t mark, int64_t now_s)
{
	return is_in_force(look(t, mark), mark, now_s);
}

bool
failures_proved_any(const struct failures *f, const struct failures_who *who,
    int64_t now_s)
{
	return has(f->proved, of_source(f, MARK_PROVED_ANY, who), now_s);
}

/* How many of the failures of a source are one user's affair. */
static int64_t
share_of(const struct limits_conf *limits)
{
	int64_t share = limits->ban_after / 4;

	if (share > FAILURES_SHARE)
		return FAILURES_SHARE;
	return share < 1 ? 1 : share;
}

/* A phone with an old password asks now and then, who guesses does not wait. */
static bool
is_slow(const struct limits_conf *limits, const struct entry *share,
    int64_t now_s)
{
	int64_t began_s = share->ends_s - limits->ban_window_ms / 1000;

	return now_s - began_s >= (share->count - 1) * FAILURES_PACE_S;
}

/* Is it the user's affair, which does not count against the source? */
static bool
is_his_own(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s)
{
	struct entry *share;

	if (who->user == 0)
		return failures_proved_any(f, who, now_s);
	share = take(f->failed, of_both(f, MARK_SHARE, who), now_s,
	    now_s + limits->ban_window_ms / 1000);
	count(share);
	return share->count > share_of(limits) &&
	    (is_slow(limits, share, now_s) ||
	    failures_proved_any(f, who, now_s));
}

/* For how long this time; it is remembered for ban_max beyond its end. */
static int64_t
strike(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s)
{
	struct entry *e = take(f->failed, of_source(f, MARK_STRIKES, who), now_s, 0);
	int64_t max_s = limits->ban_max_ms / 1000;
	int64_t lasts_s = limits->ban_time_ms / 1000;

	for (unsigned i = 0; i < e->count && lasts_s < max_s; i++)
		lasts_s *= 2;
	if (lasts_s > max_s)
		lasts_s = max_s;
	count(e);
	e->ends_s = (uint32_t)(now_s + lasts_s + max_s);
	return lasts_s;
}

enum failures_verdict
failures_add(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s, int64_t *lasts_s)
{
	uint64_t slowed = of_source(f, MARK_SLOWED, who);
	struct entry *e;

	*lasts_s = 0;
	if (limits->ban_after < 0 || has(f->failed, slowed, now_s) ||
	    is_his_own(f, limits, who, now_s))
		return FAILURES_WITHIN;
	e = take(f->failed, of_source(f, MARK_COUNT, who), now_s,
	    now_s + limits->ban_window_ms / 1000);
	count(e);
	if (e->count < limits->ban_after)
		return FAILURES_WITHIN;
	e->ends_s = 0;
	*lasts_s = strike(f, limits, who, now_s);
	if (!failures_proved_any(f, who, now_s)) {
		forget(f->failed, of_both(f, MARK_SHARE, who), now_s);
		return FAILURES_BAN;
	}
	/* now_s was cut off: not for less than is said */
	take(f->failed, slowed, now_s, now_s + *lasts_s + 1);
	return FAILURES_SLOW;
}

void
failures_told(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s)
{
	strike(f, limits, who, now_s);
}

static void
prove(struct table *t, uint64_t mark, int64_t now_s, int64_t lasts_s)
{
	int64_t ends_s = now_s + lasts_s;

	take(t, mark, now_s, ends_s)->ends_s = (uint32_t)ends_s;
}

void
failures_forgive(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s)
{
	struct entry *e, *share;

	prove(f->proved, of_both(f, MARK_PROVED, who), now_s, PROVED_S);
	prove(f->proved, of_source(f, MARK_PROVED_ANY, who), now_s, PROVED_S);
	prove(f->proved, of_flow(f, who), now_s, PROVED_FLOW_S);
	e = find(f->failed, of_source(f, MARK_COUNT, who), now_s);
	if (e == NULL || e->count == 0)
		return;
	share = take(f->failed, of_both(f, MARK_SHARE, who), now_s,
	    now_s + limits->ban_window_ms / 1000);
	if (share->forgiven >= share_of(limits))
		return;
	share->forgiven++;
	/* the share may have taken the place of the count */
	e = find(f->failed, of_source(f, MARK_COUNT, who), now_s);
	if (e != NULL)
		e->count--;
}

bool
failures_proved(const struct failures *f, const struct failures_who *who,
    int64_t now_s)
{
	return has(f->proved, of_both(f, MARK_PROVED, who), now_s);
}

bool
failures_proved_flow(const struct failures *f,
    const struct failures_who *who, int64_t now_s)
{
	return has(f->proved, of_flow(f, who), now_s);
}

bool
failures_slowed(const struct failures *f, const struct failures_who *who,
    int64_t now_s)
{
	return has(f->failed, of_source(f, MARK_SLOWED, who), now_s);
}
