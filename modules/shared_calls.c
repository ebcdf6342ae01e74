/*
 * shared_calls.c -- calls that all instances count together, by Redis.
 *
 * What became of a question without an answer is unknown: the call is told to
 * have ended, on the same connection, and so after it.  Ends leave together
 * at the end of a turn, but before the next question, which may be for a call
 * of the same id.
 */
#include "config.h"

#include "modules/shared_calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/loop.h"

enum { ENDS_A_CALL = 32, LASTS_LEAST_MS = 1 };

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

/* ---- ends */

struct ending {
	struct shared_calls *calls;
	size_t		 n;
	uint8_t		 call[ENDS_A_CALL][CALL_ID_BYTES];
};

static void
noted(void *arg, const struct redisReply *r)
{
	struct shared_calls *c = arg;

	if (c->running)
		shared_link_good(c->link, r, REDIS_INT);
}

/* Ends that may not have come there are told again. */
static void
ended(void *arg, const struct redisReply *r)
{
	struct ending *e = arg;
	struct shared_calls *c = e->calls;

	if (c->running && (redis_kind(r) == REDIS_NOTHING ||
	    redis_is_error(r, "NOSCRIPT")))
		for (size_t i = 0; i < e->n; i++)
			shared_calls_end(c, e->call[i]);
	free(e);
	noted(c, r);
}

static bool
send_ending(struct ending *e)
{
	struct shared_calls *c = e->calls;
	struct space_key key[ENDS_A_CALL], stem;
	struct str v[ENDS_A_CALL + 1];

	for (size_t i = 0; i < e->n; i++)
		v[i] = call_key(c, &key[i], e->call[i]);
	v[e->n] = account_stem(c, &stem);
	return shared_link_call(c->link, SHARED_END, e->n,
	    &(const struct redis_args){ e->n + 1, v }, ended, e);
}

/* false: they did not leave. */
static bool
send_ends(struct shared_calls *c, size_t n)
{
	struct ending *e = malloc(sizeof *e);

	if (e == NULL)
		return false;
	e->calls = c;
	e->n = n;
	for (size_t i = 0; i < n; i++)
		memcpy(e->call[i], c->end[(c->first + i) % ENDS_MAX],
		    CALL_ID_BYTES);
	if (send_ending(e))
		return true;
	free(e);
	return false;
}

static void
leave(void *arg)
{
	struct shared_calls *c = arg;
	size_t n;

	while (c->running && c->link->up && c->nends > 0) {
		n = c->nends < ENDS_A_CALL ? c->nends : ENDS_A_CALL;
		if (!send_ends(c, n))
			return;
		c->first = (c->first + n) % ENDS_MAX;
		c->nends -= n;
	}
}

void
shared_calls_end(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES])
{
	if (c->nends == ENDS_MAX) {
		c->first = (c->first + 1) % ENDS_MAX;
		c->nends--;
	}
	memcpy(c->end[(c->first + c->nends) % ENDS_MAX], call,
	    CALL_ID_BYTES);
	c->nends++;
	if (c->running)
		loop_hook_start(c->leave);
}

/* ---- begins */

static enum calls_verdict
verdict_of(const struct redisReply *r)
{
	static const enum calls_verdict verdicts[] = { CALLS_WITHIN,
		CALLS_TOO_MANY, CALLS_TOO_FAST, CALLS_TWICE };
	int64_t n = redis_int(r);

	return n >= 0 && (size_t)n < sizeof verdicts / sizeof verdicts[0] ?
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
		shared_calls_end(c, p->call);
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

static const char *
print(char out[SHARED_NUMBER_MAX], int64_t n)
{
	snprintf(out, SHARED_NUMBER_MAX, "%lld", (long long)n);
	return out;
}

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
	v[nkeys + 1] = str_of(print(t.lasts, ask->lasts_ms < LASTS_LEAST_MS ?
	    LASTS_LEAST_MS : ask->lasts_ms));
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
	if (!c->running || !c->link->up || c->nends > 0)
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

/* ---- the life of a call */

void
shared_calls_touch(struct shared_calls *c, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms)
{
	struct space_key key, stem;
	char lasts[SHARED_NUMBER_MAX];
	struct str v[3];

	if (!c->running || !c->link->up)
		return;
	v[0] = call_key(c, &key, call);
	v[1] = account_stem(c, &stem);
	v[2] = str_of(print(lasts, lasts_ms < LASTS_LEAST_MS ?
	    LASTS_LEAST_MS : lasts_ms));
	shared_link_call(c->link, SHARED_TOUCH, 1,
	    &(const struct redis_args){ 3, v }, noted, c);
}

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
