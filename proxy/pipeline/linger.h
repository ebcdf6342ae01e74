/*
 * linger.h -- server transactions that must end without a word.
 *
 * What another instance has in hand is not answered here.  nta lets no server
 * transaction go without an answer, so one that was absorbed is held for
 * 64*T1, then answered into the void, and for as long as nta would repeat that
 * answer its retransmissions are dropped before nta sees them.  (UDP only:
 * elsewhere nothing is absorbed.)
 */
#ifndef PIPELINE_LINGER_H
#define PIPELINE_LINGER_H

#include "pipeline/request.h"

void linger(struct request *req);

/* Is this a retransmission of such a request? */
bool linger_has(struct pipeline *p, const sip_t *sip);

/* The timers' callbacks, and the end of all of them. */
void linger_mute(void *arg, struct timeout *t);
void linger_end(void *arg, struct timeout *t);
void linger_free(struct pipeline *p);

#endif
