/*
 * timeouts.c -- a ring of waiting members, and one timer for the first.
 */
#include "config.h"

#include "io/timeouts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "io/loop.h"

enum {
	BATCH = 512,			/* fire in one turn of the loop */
	GRAIN_MS = 10			/* the loop need not wake more often */
};

struct timeouts {
	struct loop_timer *timer;
	bool		   runs;	/* the timer */
	int64_t		   after_ms;
	int64_t		   grain_ms;
	struct timeout	   ring;	/* next: first due; prev: last */
	size_t		   count;
	void		 (*fn)(void *arg, struct timeout *t);
	void		  *arg;
};

static void
unlink_member(struct timeouts *q, struct timeout *t)
{
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->next = t->prev = NULL;
	q->count--;
}

static void
wait_for_first(struct timeouts *q, int64_t now_ms)
{
	const struct timeout *first = timeouts_first(q);
	int64_t wait_ms;

	if (first == NULL)
		return;
	wait_ms = first->due_ms - now_ms;
	if (wait_ms <= 0)
		wait_ms = 0;
	else if (wait_ms < q->grain_ms)
		wait_ms = q->grain_ms;
	q->runs = true;
	loop_timer_start(q->timer, wait_ms);
}

static void
expire(void *arg)
{
	struct timeouts *q = arg;
	int64_t now_ms = clock_mono_ms();
	size_t n = q->count < BATCH ? q->count : BATCH;

	/* Whoever is added meanwhile waits for the next turn, so that a
	 * length of 0 cannot hold the loop; nor do very many. */
	q->runs = true;			/* is started below */
	for (; n > 0; n--) {
		struct timeout *t = timeouts_first(q);

		if (t == NULL || t->due_ms > now_ms)
			break;
		unlink_member(q, t);
		q->fn(q->arg, t);
	}
	q->runs = false;
	wait_for_first(q, clock_mono_ms());
}

struct timeouts *
timeouts_new(struct loop *l, int64_t after_ms,
    void (*fn)(void *arg, struct timeout *t), void *arg)
{
	struct timeouts *q;

	q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->timer = loop_timer_new(l, expire, q);
	if (q->timer == NULL) {
		free(q);
		return NULL;
	}
	q->after_ms = after_ms;
	q->grain_ms = after_ms / 32 < GRAIN_MS ? after_ms / 32 : GRAIN_MS;
	q->ring.next = q->ring.prev = &q->ring;
	q->fn = fn;
	q->arg = arg;
	return q;
}

void
timeouts_free(struct timeouts *q)
{
	if (q == NULL)
		return;
	while (q->ring.next != &q->ring)
		unlink_member(q, q->ring.next);
	loop_timer_free(q->timer);
	free(q);
}

void
timeouts_add(struct timeouts *q, struct timeout *t)
{
	int64_t now_ms = clock_mono_ms();

	timeouts_remove(q, t);
	t->due_ms = now_ms + q->after_ms;
	t->prev = q->ring.prev;
	t->next = &q->ring;
	t->prev->next = t;
	q->ring.prev = t;
	q->count++;
	/* The timer is left alone when members go and come: at worst it comes
	 * early, finds nobody due, and is set again. */
	if (!q->runs)
		wait_for_first(q, now_ms);
}

void
timeouts_remove(struct timeouts *q, struct timeout *t)
{
	if (t->next != NULL)
		unlink_member(q, t);
}

size_t
timeouts_count(const struct timeouts *q)
{
	return q->count;
}

struct timeout *
timeouts_first(const struct timeouts *q)
{
	return q->ring.next == &q->ring ? NULL : q->ring.next;
}
