/*
 * calls.h -- what a call may cost whoever begins it: the class of service of
 * the user and of the peer (guard/classes.h).  What becomes of it then:
 * call_course.h.
 */
#ifndef PIPELINE_CALLS_H
#define PIPELINE_CALLS_H

#include "pipeline/request.h"

struct calls;
struct call_watch;		/* the pipeline's own */

struct call_watch *call_watch_new(struct pipeline *p);	/* NULL: no memory */
void call_watch_free(struct call_watch *w);	/* NULL is allowed */

/* What this instance counts by itself. */
struct calls *call_watch_own(const struct call_watch *w);

/* The request ends, and waits no more. */
void call_stop_waiting(struct request *req);

#endif
