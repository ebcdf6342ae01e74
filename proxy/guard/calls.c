/*
 * calls.c -- whose calls are under way.
 *
 * The one that ends first is known (ends.h); hash tables lead to them all, and
 * to the accounts that have any.
 */
#include "config.h"

#include "guard/calls.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1	/* no memory is an answer, not an end */
#endif
#include <uthash.h>

#include "guard/ends.h"
#include "guard/rates.h"

enum { BUCKETS = 1 << 16 };

/* Somebody who has calls. */
struct account {
	UT_hash_handle	 hh;
	uint8_t		 id[CALL_ID_BYTES];
	int64_t		 calls;
};

struct call {
	UT_hash_handle	 hh;
	uint8_t		 id[CALL_ID_BYTES];
	struct account	*account[CALLS_ACCOUNTS];
	size_t		 naccounts;
	struct end	 end;
	bool		 rings;
};

struct calls {
	struct call	*by_id;
	struct account	*accounts;
	struct ends	 ends;
	size_t		 max;
	struct rates	*starts;
};

struct calls *
calls_new(size_t max)
{
	struct calls *cs = calloc(1, sizeof *cs);

	if (cs == NULL)
		return NULL;
	cs->max = max;
	cs->starts = rates_new(BUCKETS);
	if (cs->starts != NULL)
		return cs;
	free(cs);
	return NULL;
}

/* ---- accounts */

static struct account *
find_account(const struct calls *cs, const uint8_t id[CALL_ID_BYTES])
{
	struct account *a;

	HASH_FIND(hh, cs->accounts, id, CALL_ID_BYTES, a);
	return a;
}

static struct account *
add_account(struct calls *cs, const uint8_t id[CALL_ID_BYTES])
{
	struct account *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	memcpy(a->id, id, sizeof a->id);
	HASH_ADD(hh, cs->accounts, id, sizeof a->id, a);
	if (a->hh.tbl != NULL)
		return a;
	free(a);
	return NULL;
}

static bool
join(struct calls *cs, struct call *c, const uint8_t id[CALL_ID_BYTES])
{
	struct account *a = find_account(cs, id);

	if (a == NULL)
		a = add_account(cs, id);
	if (a == NULL)
		return false;
	a->calls++;
	c->account[c->naccounts++] = a;
	return true;
}

static void
leave(struct calls *cs, struct call *c)
{
	while (c->naccounts > 0) {
		struct account *a = c->account[--c->naccounts];

		if (--a->calls > 0)
			continue;
		HASH_DELETE(hh, cs->accounts, a);
		free(a);
	}
}

/* ---- calls */

static struct call *
find(const struct calls *cs, const uint8_t id[CALL_ID_BYTES])
{
	struct call *c;

	HASH_FIND(hh, cs->by_id, id, CALL_ID_BYTES, c);
	return c;
}

static struct call *
of_end(struct end *e)
{
	return (struct call *)((char *)e - offsetof(struct call, end));
}

static void
drop(struct calls *cs, struct call *c)
{
	ends_remove(&cs->ends, &c->end);
	HASH_DELETE(hh, cs->by_id, c);
	leave(cs, c);
	free(c);
}

static void
forget(struct calls *cs, int64_t now_ms)
{
	struct end *first;

	while ((first = ends_first(&cs->ends)) != NULL &&
	    first->at_ms <= now_ms)
		drop(cs, of_end(first));
}

/* Of whose accounts it is, and where it is found. */
static bool
settle(struct calls *cs, struct call *c, const struct calls_ask *ask)
{
	bool ok = true;

	memcpy(c->id, ask->call, sizeof c->id);
	for (size_t i = 0; i < ask->naccounts && ok; i++)
		ok = join(cs, c, ask->account[i].id);
	if (!ok)
		return false;
	HASH_ADD(hh, cs->by_id, id, sizeof c->id, c);
	return c->hh.tbl != NULL;
}

static bool
add(struct calls *cs, const struct calls_ask *ask, int64_t now_ms)
{
	struct call *c = ends_have_room(&cs->ends) ?
	    calloc(1, sizeof *c) : NULL;

	if (c == NULL)
		return false;
	if (!settle(cs, c, ask)) {
		leave(cs, c);
		free(c);
		return false;
	}
	if (cs->ends.n == cs->max)
		drop(cs, of_end(ends_first(&cs->ends)));
	c->end.at_ms = now_ms + ask->lasts_ms;
	c->rings = true;
	ends_add(&cs->ends, &c->end);
	return true;
}

static bool
has_room(const struct calls *cs, const struct calls_account *a)
{
	const struct account *known = find_account(cs, a->id);

	return a->calls < 0 || known == NULL || known->calls < a->calls;
}

/* Ids are keyed hashes already. */
static uint64_t
bucket(const struct calls_account *a)
{
	uint64_t mark;

	memcpy(&mark, a->id, sizeof mark);
	return mark == 0 ? 1 : mark;
}

static enum calls_verdict
judge(const struct calls *cs, const struct calls_ask *ask, int64_t now_ms)
{
	for (size_t i = 0; i < ask->naccounts; i++)
		if (!has_room(cs, &ask->account[i]))
			return CALLS_TOO_MANY;
	for (size_t i = 0; i < ask->naccounts; i++)
		if (!rates_would(cs->starts, bucket(&ask->account[i]),
		    &ask->account[i].starts, now_ms * 1000))
			return CALLS_TOO_FAST;
	return CALLS_WITHIN;
}

bool
calls_keep(const struct calls_ask *ask)
{
	for (size_t i = 0; i < ask->naccounts; i++)
		if (ask->account[i].calls >= 0)
			return true;
	return false;
}

enum calls_verdict
calls_begin(struct calls *cs, const struct calls_ask *ask, int64_t now_ms)
{
	enum calls_verdict v;

	forget(cs, now_ms);
	if (find(cs, ask->call) != NULL)
		return CALLS_TWICE;
	v = judge(cs, ask, now_ms);
	if (v != CALLS_WITHIN)
		return v;
	if (calls_keep(ask) && !add(cs, ask, now_ms))
		return CALLS_UNAVAILABLE;
	for (size_t i = 0; i < ask->naccounts; i++)
		rates_take(cs->starts, bucket(&ask->account[i]),
		    &ask->account[i].starts, now_ms * 1000);
	return CALLS_WITHIN;
}

bool
calls_rings(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms)
{
	struct call *c = find(cs, call);

	if (c != NULL && c->rings && now_ms + lasts_ms > c->end.at_ms)
		ends_move(&cs->ends, &c->end, now_ms + lasts_ms);
	return c != NULL;
}

bool
calls_answered(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms)
{
	struct call *c = find(cs, call);

	if (c == NULL)
		return false;
	c->rings = false;
	ends_move(&cs->ends, &c->end, now_ms + lasts_ms);
	return true;
}

bool
calls_touch(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms)
{
	struct call *c = find(cs, call);

	if (c != NULL && !c->rings)
		ends_move(&cs->ends, &c->end, now_ms + lasts_ms);
	return c != NULL;
}

bool
calls_end(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    enum calls_end how)
{
	struct call *c = find(cs, call);

	if (c == NULL)
		return false;
	if (how == CALLS_OVER || !c->rings)
		drop(cs, c);
	return true;
}

size_t
calls_count(struct calls *cs, int64_t now_ms)
{
	forget(cs, now_ms);
	return cs->ends.n;
}

void
calls_free(struct calls *cs)
{
	if (cs == NULL)
		return;
	while (cs->ends.n > 0)
		drop(cs, of_end(ends_last(&cs->ends)));
	rates_free(cs->starts);
	ends_fini(&cs->ends);
	free(cs);
}
