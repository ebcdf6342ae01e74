/*
 * shared_calls.c -- calls that all instances count together, by Redis.
 *
 * What became of a question without an answer is unknown: the call is told to
 * have ended, on the same connection, and so after it.  What became of calls
 * leaves at the end of a turn, ends together, but before the next question.
 */
#include "config.h"

#include "modules/shared_calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "io/loop.h"

enum {
	ENDS_A_CALL = 32,
	END_TEXT_MAX = 1 + SHARED_NUMBER_MAX,	/* "o123 " */
	LASTS_LEAST_MS = 1,
	LATE_LEAST_MS = 10,
	SAY_AGAIN_MS = 10000
};

struct pending {
	struct shared_calls *calls;
	struct calls_ask *ask;		/* NULL: cancelled */
	uint8_t		 call[CALL_ID_BYTES];
};

static struct str
call_key(const struct shared_calls *c, struct space_key *out,
    const uint8_t call[CALL_ID_BYTES])
{
	char id[SHARED_ID_TEXT + 1];

	hex_encode(id, call, CALL_ID_BYTES);
	return space_key_in(&c->link->space, out, 'c', "c:%s", id);
}

static struct str
account_stem(const struct shared_calls *c, struct space_key *out)
{
	return space_key_in(&c->link->space, out, 'c', "a:");
}

static const char *
print(char out[SHARED_NUMBER_MAX], int64_t n)
{
	snprintf(out, SHARED_NUMBER_MAX, "%lld", (long long)n);
	return out;
}

/* ---- what became of them */

/* Ends of many, or a life of one. */
struct telling {
	struct shared_calls *calls;
	size_t		 n;
	struct call_news news[ENDS_A_CALL];
};

/* Calls count too long now, or too short. */
static void
say_lost(struct shared_calls *c, uint64_t n)
{
	int64_t now_ms = clock_mono_ms();

	*c->lost += n;
	c->unsaid += n;
	if (c->said_ms != 0 && now_ms - c->said_ms < SAY_AGAIN_MS)
		return;
	log_event(EV_SHARED_LOST, kv_uint("calls", c->unsaid));
	c->said_ms = now_ms;
	c->unsaid = 0;
}

static struct call_news *
waiting(struct shared_calls *c, size_t i)
{
	return &c->news[(c->first + i) % CALL_NEWS_MAX];
}

/* In the order in which it happened, also what is told again. */
static void
note(struct shared_calls *c, const struct call_news *news)
{
	size_t i;

	if (c->nnews == CALL_NEWS_MAX) {
		c->first = (c->first + 1) % CALL_NEWS_MAX;
		c->nnews--;
		say_lost(c, 1);
	}
	for (i = c->nnews++; i > 0 && waiting(c, i - 1)->noted_ms >
	    news->noted_ms; i--)
		*waiting(c, i) = *waiting(c, i - 1);
	*waiting(c, i) = *news;
	if (c->running)
		loop_hook_start(c->leave);
}

/* What may not have come there is told again: an error is one of a master that
 * is none any more, of a full disk, or the like. */
static void
told(void *arg, const struct redisReply *r)
{
	struct telling *t = arg;
	struct shared_calls *c = t->calls;

	for (size_t i = 0; i < t->n && redis_kind(r) != REDIS_INT; i++)
		note(c, &t->news[i]);
	free(t);
	if (c->running && shared_link_good(c->link, r, REDIS_INT) &&
	    c->nnews > 0)			/* that found no place */
		loop_hook_start(c->leave);
}

/* 0: just now, which no clock of the server's can put in another order. */
static int64_t
age_ms(const struct call_news *news)
{
	int64_t age = clock_mono_ms() - news->noted_ms;

	return age < LATE_LEAST_MS ? 0 : age;
}

static bool
send_ends(struct telling *t)
{
	struct shared_calls *c = t->calls;
	struct space_key key[ENDS_A_CALL], stem;
	struct str v[ENDS_A_CALL + 2];
	char what[ENDS_A_CALL * END_TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < t->n; i++) {
		v[i] = call_key(c, &key[i], t->news[i].call);
		len += (size_t)snprintf(what + len, END_TEXT_MAX, "%c%lld ",
		    t->news[i].what, (long long)age_ms(&t->news[i]));
	}
	v[t->n] = account_stem(c, &stem);
	v[t->n + 1] = (struct str){ what, len };
	return shared_link_call(c->link, SHARED_END, t->n,
	    &(const struct redis_args){ t->n + 2, v }, told, t);
}

static bool
send_life(struct telling *t)
{
	struct shared_calls *c = t->calls;
	struct space_key key, stem;
	char lasts[SHARED_NUMBER_MAX], age[SHARED_NUMBER_MAX];
	struct str v[] = { call_key(c, &key, t->news[0].call),
		account_stem(c, &stem),
		str_of(print(lasts, t->news[0].lasts_ms)),
		{ &t->news[0].what, 1 },
		str_of(print(age, age_ms(&t->news[0]))) };

	return shared_link_call(c->link, SHARED_TOUCH, 1,
	    &(const struct redis_args){ COUNT(v), v }, told, t);
}

/* The oldest, and of ends as many more as come next. */
static void
fill(struct telling *t, struct shared_calls *c)
{
	t->n = 0;
	do
		t->news[t->n] = *waiting(c, t->n);
	while (t->news[t->n++].lasts_ms == 0 && t->n < ENDS_A_CALL &&
	    t->n < c->nnews && waiting(c, t->n)->lasts_ms == 0);
}

/* How many were sent; 0: none can be. */
static size_t
send_some(struct shared_calls *c)
{
	struct telling *t = malloc(sizeof *t);
	size_t n;

	if (t == NULL)
		return 0;
	t->calls = c;
	fill(t, c);
	n = t->n;
	if (t->news[0].lasts_ms == 0 ? send_ends(t) : send_life(t))
		return n;
	free(t);
	return 0;
}

static void
leave(void *arg)
{
	struct shared_calls *c = arg;
	size_t n;

	while (c->running && c->link->up && c->nnews > 0) {
		n = send_some(c);
		if (n == 0)
			return;
		c->first = (c->first + n) % CALL_NEWS_MAX;
		c->nnews -= n;
	}
}

static void
tell(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES], char what,
    int64_t lasts_ms)
{
	struct call_news news = { .what = what, .lasts_ms = lasts_ms,
		.noted_ms = clock_mono_ms() };

	memcpy(news.call, call, CALL_ID_BYTES);
	note(c, &news);
}

void
shared_calls_end(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES],
    enum calls_end how)
{
	tell(c, call, how == CALLS_OVER ? 'o' : 'b', 0);
}

static int64_t
at_least(int64_t lasts_ms)
{
	return lasts_ms < LASTS_LEAST_MS ? LASTS_LEAST_MS : lasts_ms;
}

static void
tell_if_room(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES],
    char what, int64_t lasts_ms)
{
	if (c->nnews >= CALL_NEWS_MAX / 2)
		say_lost(c, 1);
	else
		tell(c, call, what, at_least(lasts_ms));
}

void
shared_calls_rings(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms)
{
	tell_if_room(c, call, 'r', lasts_ms);
}

void
shared_calls_answered(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms)
{
	tell(c, call, 'a', at_least(lasts_ms));
}

void
shared_calls_touch(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms)
{
	tell_if_room(c, call, 't', lasts_ms);
}

/* ---- begins */

static enum calls_verdict
verdict_of(const struct redisReply *r)
{
	static const enum calls_verdict verdicts[] = { CALLS_WITHIN,
		CALLS_TOO_MANY, CALLS_TOO_FAST, CALLS_TWICE };
	int64_t n = redis_int(r);

	return n >= 0 && (size_t)n < COUNT(verdicts) ?
	    verdicts[n] : CALLS_UNAVAILABLE;
}

static void
answered(void *arg, const struct redisReply *r)
{
	struct pending *p = arg;
	struct shared_calls *c = p->calls;
	struct calls_ask *ask = p->ask;
	enum calls_verdict v = CALLS_UNAVAILABLE;

	if (c->running && shared_link_good(c->link, r, REDIS_INT))
		v = verdict_of(r);
	if (v == CALLS_UNAVAILABLE || (v == CALLS_WITHIN && ask == NULL))
		shared_calls_end(c, p->call, CALLS_OVER);
	free(p);
	if (ask == NULL)
		return;
	ask->pending = NULL;
	c->asked[v]++;
	ask->done(ask, v);
}

struct begin_text {
	char	lasts[SHARED_NUMBER_MAX];
	char	call[SHARED_ID_TEXT + 1];
	char	accounts[CALLS_ACCOUNTS * SHARED_ID_TEXT + 1];
	char	number[CALLS_ACCOUNTS][3][SHARED_NUMBER_MAX];
	struct space_key key[1 + 2 * CALLS_ACCOUNTS];
};

/* Interval, and what may be missing, as in guard/rates.c. */
static void
add_account(struct begin_text *t, size_t i, const struct calls_account *a,
    struct str v[3])
{
	const struct conf_rate *r = &a->starts;
	int64_t interval_us = r->count == 0 ? 0 :
	    r->per_ms * 1000 / r->count;

	hex_encode(t->accounts + i * SHARED_ID_TEXT, a->id, sizeof a->id);
	v[0] = str_of(print(t->number[i][0], a->calls < 0 ? -1 : a->calls));
	v[1] = str_of(print(t->number[i][1], interval_us));
	v[2] = str_of(print(t->number[i][2], r->count == 0 ? 0 :
	    (r->burst - 1) * interval_us));
}

static bool
send_begin(struct shared_calls *c, const struct calls_ask *ask,
    struct pending *p)
{
	struct begin_text t = { .accounts = "" };
	size_t nkeys = 1 + 2 * ask->naccounts;
	struct str v[1 + 2 * CALLS_ACCOUNTS + 3 + 3 * CALLS_ACCOUNTS];
	const char *id = t.accounts;

	v[0] = call_key(c, &t.key[0], ask->call);
	for (size_t i = 0; i < ask->naccounts; i++)
		add_account(&t, i, &ask->account[i], &v[nkeys + 3 + 3 * i]);
	for (size_t i = 0; i < ask->naccounts; i++, id += SHARED_ID_TEXT) {
		v[1 + 2 * i] = space_key_in(&c->link->space,
		    &t.key[1 + 2 * i], 'c', "a:%.*s", SHARED_ID_TEXT, id);
		v[2 + 2 * i] = space_key_in(&c->link->space,
		    &t.key[2 + 2 * i], 'c', "s:%.*s", SHARED_ID_TEXT, id);
	}
	hex_encode(t.call, ask->call, sizeof ask->call);
	v[nkeys] = str_of(t.call);
	v[nkeys + 1] = str_of(print(t.lasts, at_least(ask->lasts_ms)));
	v[nkeys + 2] = str_of(t.accounts);
	return shared_link_call(c->link, SHARED_BEGIN, nkeys,
	    &(const struct redis_args){ nkeys + 3 + 3 * ask->naccounts, v },
	    answered, p);
}

enum calls_verdict
shared_calls_begin(struct shared_calls *c, struct calls_ask *ask)
{
	struct pending *p;

	ask->pending = NULL;
	leave(c);
	if (!c->running || !c->link->up || c->nnews > 0)
		goto unavailable;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		goto unavailable;
	p->calls = c;
	p->ask = ask;
	memcpy(p->call, ask->call, sizeof p->call);
	if (!send_begin(c, ask, p)) {
		free(p);
		goto unavailable;
	}
	ask->pending = p;
	return CALLS_PENDING;
unavailable:
	c->asked[CALLS_UNAVAILABLE]++;
	return CALLS_UNAVAILABLE;
}

void
shared_calls_cancel(struct calls_ask *ask)
{
	struct pending *p = ask->pending;

	if (p != NULL)
		p->ask = NULL;
	ask->pending = NULL;
}

/* ---- life */

void
shared_calls_start(struct shared_calls *c)
{
	c->running = true;
	leave(c);
}

void
shared_calls_stop(struct shared_calls *c)
{
	c->running = false;
}

void
shared_calls_flush(struct shared_calls *c)
{
	leave(c);
	if (c->nnews > 0)
		say_lost(c, c->nnews);
}

int
shared_calls_init(struct shared_calls *c, struct loop *l)
{
	c->leave = loop_hook_new(l, leave, c);
	return c->leave == NULL ? -ENOMEM : 0;
}

void
shared_calls_fini(struct shared_calls *c)
{
	shared_calls_stop(c);
	loop_hook_free(c->leave);
}
