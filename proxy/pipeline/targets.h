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

/* Is silence of the target that is tried an answer?  If there is another to
 * try, or an instance has a flow: it says 100 or is gone. */
bool targets_may_move_on(const struct leg *leg);

/*
 * RFC 3261 18.1.1: a request of this length is too big for UDP.  Returns the
 * way for which it is to be written once more, leg->stream being the target;
 * or NULL: it goes as it is.
 */
const struct way *targets_stream(struct leg *leg, const struct target *t,
    const struct way *way, size_t len);
/* There was none: the target takes it over UDP after all, and from now on for
 * a while.  false: it is not what was tried. */
bool targets_no_stream(struct leg *leg);

/* Is the target that is tried one that the file names for the peer? */
bool targets_are_own(const struct leg *leg);

/* In a dialog: the member whose URI has this host (a name) is asked first. */
void targets_prefer_name(struct leg *leg, struct str host, uint16_t port);
/* ... or that has this address, which is now a target anyway. */
void targets_know(struct leg *leg);

/* The leg turns to this target. */
void targets_turn_to(struct leg *leg, const struct target *t);

/*
 * What came of it.  Who failed is asked after the others for a while; who
 * serves is not any more.  Only members are remembered: what else a sender
 * names says nothing about anybody.
 */
enum target_outcome {
	TARGET_SERVED,		/* any answer but 503 */
	TARGET_BUSY,		/* 503; retry_after_s -1: it did not say */
	TARGET_SILENT,		/* no answer at all */
	TARGET_UNREACHABLE
};
void targets_note(struct leg *leg, enum target_outcome what,
    int64_t retry_after_s);

/* The way by which the request leaves for this target; NULL: none fits. */
const struct way *targets_way(const struct leg *leg,
    const struct target *t);

/* The same, with all that a transport must know. */
struct hop targets_hop(const struct leg *leg, const struct target *t,
    const struct way *way);

/* The same three for a request that begins with us: the transports that may
 * be chosen, the way (NULL: none fits), and all that a transport must know. */
unsigned targets_transports(const struct pipeline *p,
    const struct peer *peer);
const struct way *targets_own_way(struct pipeline *p,
    const struct peer *peer, const struct target *t);
struct hop targets_own_hop(const struct pipeline *p, const struct peer *peer,
    const struct target *t, const struct way *way);

/* A request to a SIPS URI leaves over TLS only (RFC 5630 section 5.3). */
bool targets_may_use(const struct request *req, enum transport t);

/* The host of a URI, which a certificate must bear (RFC 5922 section 7.3); in
 * msg's home, or NULL. */
const char *targets_host(struct leg *leg, const char *uri);

/* The same into a buffer.  false: no host, or no room. */
bool targets_copy_host(char *out, size_t size, const char *uri);

/* Try these, from the first; `host` is whose certificate TLS wants to see. */
void targets_take(struct leg *leg, const struct dns_target *t, size_t n,
    const char *host);

#endif
