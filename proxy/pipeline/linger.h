/*
 * linger.h -- server transactions that outlive their request.
 *
 * One that was absorbed (another instance has it in hand) stays mute for
 * 64*T1, and then goes without a word.  (UDP only: elsewhere nothing is
 * absorbed.)
 */
#ifndef PIPELINE_LINGER_H
#define PIPELINE_LINGER_H

#include "pipeline/request.h"

void linger(struct pipeline *p, nta_incoming_t *irq);

/* The timer's callback, and the end of all of them. */
void linger_end(void *arg, struct timeout *t);
void linger_free(struct pipeline *p);

#endif
