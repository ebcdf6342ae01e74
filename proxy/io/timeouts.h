/*
 * timeouts.h -- many deadlines of one length, at no cost each.
 *
 * All members wait the same time, so the queue is in order by itself: adding
 * and removing are O(1), and one timer serves them all.  It is set anew about
 * once a length, whatever comes and goes; a member may be late by 1/32 of the
 * length, at most 10 ms, so that a busy queue does not keep the loop awake.
 */
#ifndef IO_TIMEOUTS_H
#define IO_TIMEOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct timeouts;

/* Embedded in what waits; zeroed at first. */
struct timeout {
	struct timeout	*next, *prev;	/* NULL: not waiting */
	int64_t		 due_ms;	/* clock_mono_ms() */
};

/* fn gets the member that is due, already removed; it may free it and may
 * add and remove others.  NULL: no memory. */
struct timeouts *timeouts_new(struct loop *l, int64_t after_ms,
    void (*fn)(void *arg, struct timeout *t), void *arg);
/* Members are taken out; fn is not called.  NULL is allowed. */
void timeouts_free(struct timeouts *q);

void timeouts_add(struct timeouts *q, struct timeout *t);  /* or renew */
void timeouts_remove(struct timeouts *q, struct timeout *t); /* if waiting */
size_t timeouts_count(const struct timeouts *q);
/* The member that is due first, or NULL. */
struct timeout *timeouts_first(const struct timeouts *q);

#endif
