/*
 * trust.h -- what crosses the border of those who trust each other.
 *
 * Inside are the trusted peers, outside all others: strangers, phones,
 * carriers that are kept at arm's length (RFC 3325 section 2.3, RFC 3323).
 */
#ifndef PIPELINE_TRUST_H
#define PIPELINE_TRUST_H

#include "pipeline/request.h"

/* Identity and private headers of a request on its way to a leg's target.
 * -ENOMEM. */
int trust_request(struct leg *leg);

/* A response on its way back. */
void trust_response(const struct leg *leg, msg_t *msg, sip_t *sip);
/* The same, when nobody knows any more who asked.  from: whose it is, or
 * NULL. */
void trust_late_response(msg_t *msg, sip_t *sip, const struct peer *from);

/* RFC 3323 section 4.2: may it leave, though we are no privacy service? */
bool trust_may_leave(const struct request *req);

#endif
