/*
 * targets.h -- fixing the targets of a request, in the order of trial.
 */
#ifndef PIPELINE_TARGETS_H
#define PIPELINE_TARGETS_H

#include "pipeline/request.h"

enum { TARGETS_TIMEOUT_MS = 5000 };	/* of one look-up */

enum targets_more {
	TARGETS_FOUND,		/* req->target holds some that are untried */
	TARGETS_WAIT,		/* done() will be called with req */
	TARGETS_EXHAUSTED	/* req->dns_reason says why, if DNS did */
};

/* The next URI of the chosen peer; for the first try and for fail-over.
 * done() comes later, from the loop; it calls targets_more() again. */
enum targets_more targets_more(struct request *req,
    void (*done)(struct request *req));

enum { TARGET_URL_MAX = ADDR_TEXT_MAX + 32 };

/* "sip:1.2.3.4:5060;transport=udp": numeric, so that nta resolves nothing.
 * out: TARGET_URL_MAX bytes. */
void targets_url(const struct target *t, char *out);

/* The way by which the request leaves for this target; NULL: none fits. */
const struct way *targets_way(const struct request *req,
    const struct target *t);

/* Try these, from the first. */
void targets_take(struct request *req, const struct dns_target *t, size_t n);

#endif
