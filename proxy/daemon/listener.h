/*
 * listener.h -- the Sofia agent and its sockets.
 */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include "daemon/settings.h"
#include "pipeline/pipeline.h"

struct listener;

/* Open every way of *ways (and fill in their primaries); messages go to the
 * pipeline, which gets the agent.  NULL after logging the cause. */
struct listener *listener_open(struct loop *l, const struct settings *s,
    struct ways *ways, struct pipeline *p);
/* The pipeline must have let go of its transactions. */
void listener_close(struct listener *l);	/* NULL is allowed */

#endif
