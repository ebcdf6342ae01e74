/*
 * redis_metrics.h -- what is counted of the memory in Redis.
 */
#ifndef MODULES_REDIS_METRICS_H
#define MODULES_REDIS_METRICS_H

#include <stdbool.h>

#include "auth/nonce_store.h"
#include "base/metrics.h"

struct redis_metrics {
	uint64_t	*up, *connects, *uses, *round_trips, *round_trip_us,
			*offset_ms, *twin, *other_key;
};

/* false: no memory, or they are registered already. */
bool redis_metrics_add(struct redis_metrics *rm, struct metrics *to);

/* took_us: from sending to the answer; 0: none. */
void redis_metrics_judged(struct redis_metrics *rm, enum use_verdict v,
    int64_t took_us);

#endif
