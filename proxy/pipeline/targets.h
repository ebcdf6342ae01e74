/*
 * targets.h -- fixing the targets of a request, in the order of trial.
 */
#ifndef PIPELINE_TARGETS_H
#define PIPELINE_TARGETS_H

#include "pipeline/request.h"

enum { TARGETS_TIMEOUT_MS = 5000 };	/* of one look-up */

enum targets_more {
	TARGETS_FOUND,		/* leg->target holds some that are untried */
	TARGETS_WAIT,		/* done() will be called with the leg */
	TARGETS_EXHAUSTED	/* leg->dns_reason says why, if DNS did */
};

/* The next URI of the chosen peer; for the first try and for fail-over.
 * done() comes later, from the loop; it calls targets_more() again. */
enum targets_more targets_more(struct leg *leg, void (*done)(struct leg *leg));

/* Might there be another target than those that were tried? */
bool targets_are_left(const struct leg *leg);

/* The way by which the request leaves for this target; NULL: none fits. */
const struct way *targets_way(const struct leg *leg,
    const struct target *t);

/* The same, with all that a transport must know. */
struct hop targets_hop(const struct leg *leg, const struct target *t,
    const struct way *way);

/* A request to a SIPS URI leaves over TLS only (RFC 5630 section 5.3). */
bool targets_may_use(const struct request *req, enum transport t);

/* The host of a URI, which a certificate must bear (RFC 5922 section 7.3); in
 * msg's home, or NULL. */
const char *targets_host(struct leg *leg, const char *uri);

/* Try these, from the first; `host` is whose certificate TLS wants to see. */
void targets_take(struct leg *leg, const struct dns_target *t, size_t n,
    const char *host);

#endif
