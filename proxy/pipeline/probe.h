/*
 * probe.h -- targets are asked by OPTIONS whether they live.
 *
 * One question at a time for each target, to the first address of its URI, by
 * the way that requests take.  Verdicts go to the members of route/sets.h.
 */
#ifndef PIPELINE_PROBE_H
#define PIPELINE_PROBE_H

#include <stdbool.h>

struct pipeline;
struct probe;

/* As p's policy has them from now on: who is new is asked soon, but not all at
 * once; who is not to be asked any more is taken to live.  false: no memory
 * for one of them. */
bool probes_update(struct pipeline *p);
void probes_free(struct pipeline *p);

#endif
