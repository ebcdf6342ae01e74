/*
 * policy.h -- a snapshot for the pipeline, made of the settings.
 */
#ifndef DAEMON_POLICY_H
#define DAEMON_POLICY_H

#include "daemon/settings.h"
#include "pipeline/pipeline.h"

struct sets;

/* Takes over s (also on failure: NULL, no memory), whose peers join the sets.
 * The caller's reference is ended by policy_unref(). */
struct policy *policy_new(struct settings *s, const struct ways *ways,
    struct sets *sets);

/* The hosts that are ours.  NULL: no memory. */
struct domains *policy_domains(const struct settings *s,
    const struct ways *ways);

#endif
