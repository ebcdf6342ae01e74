/*
 * respell.h -- requests that open something new, as their peer wants them:
 * numbers and names in Request-URI, To, From and P-Asserted-Identity.
 *
 * In a dialog nothing is respelt, so that both sides keep what they know
 * (RFC 3261 section 12.2); and the caller is answered with what he sent.
 */
#ifndef PIPELINE_RESPELL_H
#define PIPELINE_RESPELL_H

#include "pipeline/request.h"

bool respell_is_due(const struct leg *leg);

/* The message of a leg for which that is so, and which is no other's.
 * -ENOMEM. */
int respell_request(struct leg *leg);

/* What the peer answers, before it goes back.  The caller's own From and To
 * are lent to it. */
void respell_response(const struct leg *leg, sip_t *sip);

#endif
