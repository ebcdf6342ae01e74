/*
 * accepted.h -- INVITEs that were answered 2xx, for 64*T1.
 *
 * RFC 6026 7.1: their retransmissions are absorbed.  nta keeps a server
 * transaction for T4 only; held longer, it walks over all of them at each
 * tick of its clock.  So what is kept here is a number each.
 */
#ifndef PIPELINE_ACCEPTED_H
#define PIPELINE_ACCEPTED_H

#include "pipeline/request.h"

/* The caller's transaction was answered 2xx. */
void accepted_note(struct request *req);

/* Is this a 2xx to such an INVITE: one that came again, or of a second fork?
 * It has our Via and one below. */
bool accepted_response(struct pipeline *p, const sip_t *sip);

/*
 * A caller who moved (another port behind his NAT) proved himself on his
 * INVITE; the ACK to its 2xx cannot be asked to.  Did this sender do so?
 */
bool accepted_moved(struct request *req);

/* The timer's callback, and the end of all of them. */
void accepted_end(void *arg, struct timeout *t);
void accepted_free(struct pipeline *p);

#endif
