/*
 * timeouts.c -- a ring of waiting members, and one timer for the first.
 */
#include "config.h"

#include "io/timeouts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "io/loop.h"

struct timeouts {
	struct loop_timer *timer;
	int64_t		   after_ms;
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

	if (first != NULL)
		loop_timer_start(q->timer, first->due_ms - now_ms);
}

static void
expire(void *arg)
{
	struct timeouts *q = arg;
	int64_t now_ms = clock_mono_ms();

	/* Whoever is added meanwhile waits for the next turn, so that a
	 * length of 0 cannot hold the loop. */
	for (size_t n = q->count; n > 0; n--) {
		struct timeout *t = timeouts_first(q);

		if (t == NULL || t->due_ms > now_ms)
			break;
		unlink_member(q, t);
		q->fn(q->arg, t);
	}
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
	/* The timer is left alone when the first is removed: at worst it
	 * comes early, finds nobody due, and is set again. */
	if (q->ring.next == t)
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
