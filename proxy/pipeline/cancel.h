/*
 * cancel.h -- a CANCEL is taken only from the hop that sent the INVITE.
 *
 * nta would answer and remember whoever comes first, and then be deaf to the
 * caller; so a CANCEL is judged before nta sees it.
 */
#ifndef PIPELINE_CANCEL_H
#define PIPELINE_CANCEL_H

#include "pipeline/request.h"

/* The transaction of whoever wrote `via` on this message, as a number, never
 * 0: Call-ID, CSeq number and branch, hashed with our key. */
uint64_t transaction_key(struct pipeline *p, const sip_t *sip,
    const sip_via_t *via);

/* An INVITE got its server transaction; and it ends. */
void cancel_expect(struct request *req);
void cancel_forget(struct request *req);

#endif
