/*
 * policy.h -- a snapshot for the pipeline, made of the settings.
 */
#ifndef DAEMON_POLICY_H
#define DAEMON_POLICY_H

#include "daemon/settings.h"
#include "pipeline/pipeline.h"

/* Takes over s (also on failure: NULL, no memory).  The caller's reference is
 * ended by policy_unref(). */
struct policy *policy_new(struct settings *s, const struct ways *ways);

#endif
