/*
 * branch.h -- one client transaction of a leg, towards one target.
 */
#ifndef PIPELINE_BRANCH_H
#define PIPELINE_BRANCH_H

#include "pipeline/request.h"

enum branch_start {
	BRANCH_STARTED,		/* relay_response() or relay_failure() come */
	BRANCH_BUSY,		/* limits.pending_per_target */
	BRANCH_NO_WAY,		/* no listener fits */
	BRANCH_FAILED		/* no memory, or it could not be sent */
};

/* Send the request to a target. */
enum branch_start branch_start(struct leg *leg, const struct target *t);

/* Send an ACK on: nothing is expected, so nothing is kept.  false: it could
 * not be sent. */
bool branch_pass(struct leg *leg, const struct target *t);

/* Ask the target to give up (RFC 3261 16.10); waits for a provisional. */
void branch_cancel(struct branch *b);

/* Let go: the transaction ends by itself. */
void branch_free(struct branch *b);		/* NULL is allowed */

/* Timer C (16.8) fired, or nothing came 64*T1 after a CANCEL. */
void branch_timer_c(void *arg, struct timeout *t);
void branch_timer_cancel(void *arg, struct timeout *t);
/* Nothing was heard from the target so far. */
void branch_timer_silence(void *arg, struct timeout *t);

/* An INVITE that nobody waits for any more rings after all: CANCEL it. */
void branch_cancel_orphan(struct pipeline *p, struct client *c);

void branch_loads_free(struct pipeline *p);

/* relay.c: what a branch reports.  msg is taken over. */
void relay_response(struct leg *leg, msg_t *msg, int status);
/* No response: 408 (timeout) or 503 (transport). */
void relay_failure(struct leg *leg, int status);
/* Nothing was heard for target_timeout: the next one, if there is one. */
void relay_silence(struct leg *leg);

#endif
