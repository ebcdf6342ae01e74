/*
 * cancel.h -- a CANCEL is taken only from the hop that sent the INVITE.
 *
 * nta would answer and remember whoever comes first, and then be deaf to the
 * caller; so a CANCEL is judged before nta sees it.
 */
#ifndef PIPELINE_CANCEL_H
#define PIPELINE_CANCEL_H

#include "pipeline/request.h"

/* The caller's transaction as a number, never 0. */
uint64_t cancel_key(struct pipeline *p, const sip_t *sip);

/* An INVITE got its server transaction; and it ends. */
void cancel_expect(struct request *req);
void cancel_forget(struct request *req);

#endif
