/*
 * pace.c -- when to send again, and when to give up.
 *
 * All lengths of RFC 3261 17 are sums of T1, 2 T1, 4 T1 ... 64 T1.  So one
 * queue for each of these serves all transactions, and each of them waits in
 * one queue at a time: for the next thing that is due, or part of the way.
 */
#include "config.h"

#include "transaction/inner.h"

static unsigned
interval_max(const struct transaction *t)
{
	/* Timer A has no bound, Timers E and G have T2 */
	return t->entry.kind == KIND_CLIENT_INVITE ? PACE_LIFE : PACE_T2;
}

/* The longest queue that does not go past what is due next. */
static void
wait_on(struct transaction *t)
{
	struct pace *p = &t->pace;
	unsigned next = p->again < p->until ? p->again : p->until;
	unsigned left = next - p->now;

	p->queue = 0;
	while (p->queue + 1 < PACE_QUEUES && 2u << p->queue <= left)
		p->queue++;
	timeouts_add(t->ts->queue[p->queue], &p->timeout);
}

void
pace_start(struct transaction *t)
{
	pace_stop(t);
	t->pace.now = 0;
	t->pace.again = t->pace.interval = 1;
	t->pace.until = PACE_LIFE;
	wait_on(t);
}

void
pace_wait(struct transaction *t, unsigned until)
{
	pace_stop(t);
	t->pace.now = 0;
	t->pace.again = t->pace.until = (uint8_t)until;
	wait_on(t);
}

void
pace_slow(struct transaction *t)
{
	t->pace.interval = PACE_T2;
}

void
pace_stop(struct transaction *t)
{
	timeouts_remove(t->ts->queue[t->pace.queue], &t->pace.timeout);
}

static void
tell(struct transaction *t, enum due what)
{
	if (t->entry.kind == KIND_SERVER_INVITE ||
	    t->entry.kind == KIND_SERVER_OTHER)
		server_due(t, what);
	else
		client_due(t, what);
}

void
pace_turn(void *arg, struct timeout *timeout)
{
	struct transaction *t = (struct transaction *)timeout;
	struct pace *p = &t->pace;
	unsigned interval = 2u * p->interval;

	(void)arg;
	p->now = (uint8_t)(p->now + (1u << p->queue));
	if (p->now >= p->until) {
		tell(t, DUE_END);
	} else if (p->now >= p->again) {
		if (interval > interval_max(t))
			interval = interval_max(t);
		p->interval = (uint8_t)interval;
		p->again = (uint8_t)(p->now + interval);
		wait_on(t);
		tell(t, DUE_AGAIN);
	} else {
		wait_on(t);
	}
}
