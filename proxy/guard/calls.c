/*
 * calls.c -- whose calls are under way.
 *
 * The calls lie in a heap with the one that ends first on top; hash tables
 * lead to them, and to the accounts that have any.
 */
#include "config.h"

#include "guard/calls.h"

#include <stdlib.h>
#include <string.h>

#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1	/* no memory is an answer, not an end */
#endif
#include <uthash.h>

#include "guard/rates.h"

enum { BUCKETS = 1 << 16, ROOM_FIRST = 64 };

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
	int64_t		 ends_ms;
	size_t		 place;		/* in the heap */
	bool		 rings;
};

struct calls {
	struct call	*by_id;
	struct account	*accounts;
	struct call	**heap;
	size_t		 n, room, max;
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

/* ---- the heap */

static void
put(struct calls *cs, struct call *c, size_t place)
{
	cs->heap[place] = c;
	c->place = place;
}

static void
sift_up(struct calls *cs, struct call *c)
{
	size_t i = c->place, up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (cs->heap[up]->ends_ms <= c->ends_ms)
			break;
		put(cs, cs->heap[up], i);
	}
	put(cs, c, i);
}

static void
sift_down(struct calls *cs, struct call *c)
{
	size_t i = c->place, down;

	for (; (down = 2 * i + 1) < cs->n; i = down) {
		if (down + 1 < cs->n && cs->heap[down + 1]->ends_ms <
		    cs->heap[down]->ends_ms)
			down++;
		if (cs->heap[down]->ends_ms >= c->ends_ms)
			break;
		put(cs, cs->heap[down], i);
	}
	put(cs, c, i);
}

/* false: no memory. */
static bool
make_room(struct calls *cs)
{
	size_t room = cs->room == 0 ? ROOM_FIRST : 2 * cs->room;
	struct call **heap;

	if (cs->n < cs->room)
		return true;
	heap = reallocarray(cs->heap, room, sizeof *heap);
	if (heap == NULL)
		return false;
	cs->heap = heap;
	cs->room = room;
	return true;
}

static void
heap_add(struct calls *cs, struct call *c)
{
	put(cs, c, cs->n++);
	sift_up(cs, c);
}

static void
heap_remove(struct calls *cs, struct call *c)
{
	struct call *last = cs->heap[--cs->n];

	if (last == c)
		return;
	put(cs, last, c->place);
	sift_up(cs, last);
	sift_down(cs, last);
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

static void
drop(struct calls *cs, struct call *c)
{
	heap_remove(cs, c);
	HASH_DELETE(hh, cs->by_id, c);
	leave(cs, c);
	free(c);
}

static void
forget(struct calls *cs, int64_t now_ms)
{
	while (cs->n > 0 && cs->heap[0]->ends_ms <= now_ms)
		drop(cs, cs->heap[0]);
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
	struct call *c = make_room(cs) ? calloc(1, sizeof *c) : NULL;

	if (c == NULL)
		return false;
	if (!settle(cs, c, ask)) {
		leave(cs, c);
		free(c);
		return false;
	}
	if (cs->n == cs->max)
		drop(cs, cs->heap[0]);
	c->ends_ms = now_ms + ask->lasts_ms;
	c->rings = true;
	heap_add(cs, c);
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

static bool
is_kept(const struct calls_ask *ask)
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
	if (is_kept(ask) && !add(cs, ask, now_ms))
		return CALLS_UNAVAILABLE;
	for (size_t i = 0; i < ask->naccounts; i++)
		rates_take(cs->starts, bucket(&ask->account[i]),
		    &ask->account[i].starts, now_ms * 1000);
	return CALLS_WITHIN;
}

bool
calls_touch(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms)
{
	struct call *c = find(cs, call);

	if (c == NULL)
		return false;
	if (c->rings && now_ms + lasts_ms < c->ends_ms)
		return true;
	c->ends_ms = now_ms + lasts_ms;
	sift_up(cs, c);
	sift_down(cs, c);
	return true;
}

bool
calls_answered(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms)
{
	struct call *c = find(cs, call);

	if (c != NULL)
		c->rings = false;
	return calls_touch(cs, call, lasts_ms, now_ms);
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
	return cs->n;
}

void
calls_free(struct calls *cs)
{
	if (cs == NULL)
		return;
	while (cs->n > 0)
		drop(cs, cs->heap[cs->n - 1]);
	rates_free(cs->starts);
	free(cs->heap);
	free(cs);
}
