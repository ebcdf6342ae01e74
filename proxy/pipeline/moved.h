/*
 * moved.h -- callers who moved in the middle of a dialog.
 *
 * Another port behind a NAT, another connection: such a caller proves himself
 * on his INVITE, but the ACK to its 2xx cannot be asked to.  So where he did
 * is remembered for 64*T1, as a number.
 */
#ifndef PIPELINE_MOVED_H
#define PIPELINE_MOVED_H

#include "pipeline/request.h"

/* The INVITE of somebody who moved was answered 2xx. */
void moved_note(struct request *req);

/* Did the sender of this ACK do so? */
bool moved_has(struct request *req);

/* The timer's callback, and the end of all of them. */
void moved_end(void *arg, struct timeout *t);
void moved_free(struct pipeline *p);

#endif
