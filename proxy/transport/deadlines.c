/*
 * deadlines.c -- a ring a kind of wait, and one timer for all of them.
 */
#include "config.h"

#include "transport/deadlines.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "io/loop.h"
#include "transport/conn.h"
#include "transport/conns.h"

struct deadlines {
	struct transports *t;
	struct loop_timer *timer;
	int64_t		   armed_ms;	/* INT64_MAX: it does not run */
	struct due	   ring[DUES];	/* next: first due; prev: last */
	size_t		   count[DUES];
};

/* INT64_MAX: for ever. */
static int64_t
due_ms(const struct deadlines *q, enum due_kind kind, int64_t since_ms)
{
	const struct transport_conf *conf = &q->t->conf;
	const int64_t limit_ms[DUES] = {
		[DUE_SOON] = 0, [DUE_CONNECT] = conf->connect_ms,
		[DUE_HANDSHAKE] = conf->handshake_ms,
		[DUE_FIRST] = conf->first_message_ms,
		[DUE_WHOLE] = conf->whole_message_ms,
		[DUE_IDLE] = conf->idle_ms, [DUE_UNUSED] = conf->idle_ms,
		[DUE_LINGER] = LINGER_MS
	};

	if (kind != DUE_SOON && limit_ms[kind] <= 0)
		return INT64_MAX;
	return since_ms + limit_ms[kind];
}

static struct conn *
conn_of(struct due *d, enum due_kind kind)
{
	return (struct conn *)((char *)(d - kind) -
	    offsetof(struct conn, due));
}

static void
unlink_due(struct deadlines *q, struct due *d, enum due_kind kind)
{
	d->prev->next = d->next;
	d->next->prev = d->prev;
	d->next = d->prev = NULL;
	q->count[kind]--;
}

static void
arm(struct deadlines *q, int64_t at_ms, int64_t now_ms)
{
	if (at_ms >= q->armed_ms)
		return;
	q->armed_ms = at_ms;
	loop_timer_start(q->timer, at_ms - now_ms);
}

static void
arm_all(struct deadlines *q, int64_t now_ms)
{
	for (enum due_kind k = 0; k < DUES; k++) {
		const struct due *first = q->ring[k].next;

		if (first != &q->ring[k])
			arm(q, due_ms(q, k, first->since_ms), now_ms);
	}
}

/* Whoever begins to wait meanwhile is not looked at before the next turn, so
 * that DUE_SOON cannot hold the loop. */
static void
expire_kind(struct deadlines *q, enum due_kind kind, int64_t now_ms)
{
	for (size_t n = q->count[kind]; n > 0; n--) {
		struct due *d = q->ring[kind].next;

		if (d == &q->ring[kind] ||
		    due_ms(q, kind, d->since_ms) > now_ms)
			break;
		unlink_due(q, d, kind);
		conn_is_due(conn_of(d, kind), kind);
	}
}

static void
expire(void *arg)
{
	struct deadlines *q = arg;
	int64_t now_ms = clock_mono_ms();

	q->armed_ms = INT64_MIN;	/* once, at the end */
	for (enum due_kind k = 0; k < DUES; k++)
		expire_kind(q, k, now_ms);
	q->armed_ms = INT64_MAX;
	arm_all(q, clock_mono_ms());
}

struct deadlines *
deadlines_new(struct transports *t)
{
	struct deadlines *q = calloc(1, sizeof *q);

	if (q == NULL)
		return NULL;
	q->timer = loop_timer_new(t->loop, expire, q);
	if (q->timer == NULL) {
		free(q);
		return NULL;
	}
	q->t = t;
	q->armed_ms = INT64_MAX;
	for (enum due_kind k = 0; k < DUES; k++)
		q->ring[k].next = q->ring[k].prev = &q->ring[k];
	return q;
}

void
deadlines_free(struct deadlines *q)
{
	if (q == NULL)
		return;
	loop_timer_free(q->timer);
	free(q);
}

void
deadlines_set_conf(struct deadlines *q)
{
	arm_all(q, clock_mono_ms());
}

void
deadline_start(struct conn *c, enum due_kind kind)
{
	struct deadlines *q = c->t->conns->deadlines;
	struct due *d = &c->due[kind], *ring = &q->ring[kind];

	deadline_stop(c, kind);
	d->since_ms = clock_mono_ms();
	d->prev = ring->prev;
	d->next = ring;
	d->prev->next = d;
	ring->prev = d;
	q->count[kind]++;
	/* The timer is left alone when the first one goes: at worst it comes
	 * early, finds nobody due, and is set again. */
	if (ring->next == d)
		arm(q, due_ms(q, kind, d->since_ms), d->since_ms);
}

void
deadline_use(struct conn *c)
{
	deadline_start(c, c->accepted ? DUE_IDLE : DUE_UNUSED);
}

void
deadline_stop(struct conn *c, enum due_kind kind)
{
	struct due *d = &c->due[kind];

	if (d->next != NULL)
		unlink_due(c->t->conns->deadlines, d, kind);
}

void
deadline_stop_all(struct conn *c)
{
	for (enum due_kind k = 0; k < DUES; k++)
		deadline_stop(c, k);
}

struct conn *
deadline_first(struct deadlines *q, enum due_kind kind)
{
	struct due *first = q->ring[kind].next;

	return first == &q->ring[kind] ? NULL : conn_of(first, kind);
}
