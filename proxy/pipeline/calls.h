/*
 * calls.h -- what a call may cost whoever begins it: the class of service of
 * the user and of the peer (guard/classes.h).
 *
 * A call is counted from the INVITE that opens its dialog until that fails, or,
 * once that was answered 2xx, a BYE in it is answered 2xx or came from who was
 * called, at whatever instance.  Its number is a lot, and stands in the token of the dialog: so
 * whoever has the token may end this call, and no other; and INVITEs that
 * share a Call-ID (a PBX that forks, or sends back to us what we sent there)
 * are calls of their own.
 */
#ifndef PIPELINE_CALLS_H
#define PIPELINE_CALLS_H

#include "pipeline/request.h"

struct call_watch;		/* the pipeline's own */

struct call_watch *call_watch_new(struct pipeline *p);	/* NULL: no memory */
void call_watch_free(struct call_watch *w);	/* NULL is allowed */

/* It may ring as long as Timer C says, from now on. */
void call_rings(struct request *req);
/* A 2xx to it came by. */
void call_heard(struct request *req, const sip_t *sip);
/* It ends with this status, and waits no more. */
void call_ended(struct request *req, int status);
void call_stop_waiting(struct request *req);

#endif
