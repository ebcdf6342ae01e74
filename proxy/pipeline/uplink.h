/*
 * uplink.h -- challenges of a peer's targets, answered with our credentials
 * there.
 *
 * Only the one realm of that peer is answered, and only where one of its own
 * targets asks.  A nonce is kept for each target, and used from the start of
 * the next request, until the target asks with another one.
 */
#ifndef PIPELINE_UPLINK_H
#define PIPELINE_UPLINK_H

#include "auth/answer.h"
#include "base/addr.h"
#include "pipeline/sofia.h"

struct leg;
struct pipeline;
struct uplink;			/* one peer's */
struct uplinks;			/* all of them */

/* Our credentials at a peer, as the policy has them. */
struct account {
	const char	*peer;
	uint32_t	 peer_id;
	struct answer_as as;
};

/* Of one request: how many challenges were answered, those in
 * WWW-Authenticate and those in Proxy-Authenticate. */
struct uplink_tries { uint8_t www, proxy; };

enum uplink_verdict {
	UPLINK_NOT_OURS,	/* another realm: for whoever asked us */
	UPLINK_AGAIN,		/* send it again: it will have an answer */
	UPLINK_REFUSED		/* it had, or cannot be answered; it is said in
				 * the log */
};

/* Those of p's policy from now on; what is known of nonces stays where the
 * account is the same.  false: no memory, and all stays. */
bool uplinks_update(struct pipeline *p);
void uplinks_free(struct uplinks *us);		/* NULL is allowed */

/* NULL: we have no credentials at this peer.  Lent until the next policy. */
struct uplink *uplink_find(const struct pipeline *p, uint32_t peer_id);

/* Who asked, in answer to what, and what it said. */
struct uplink_challenge {
	const struct addr *from;
	struct uplink_tries *tries;
	const sip_t	*sip;
};
enum uplink_verdict uplink_judge(struct uplink *u,
    const struct uplink_challenge *c);

/* Whole lines, if a nonce of this target is known. */
struct uplink_request {
	const struct addr *to;
	struct str	method, uri, body;
};
void uplink_put(struct uplink *u, const struct uplink_request *r,
    struct writer *w);

/* The same for a leg and the target that it tries. */
enum uplink_verdict uplink_judge_leg(struct leg *leg, const sip_t *sip);
/* false: no memory. */
bool uplink_put_leg(struct leg *leg, struct writer *w);

#endif
