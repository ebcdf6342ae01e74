/*
 * redis_metrics.c -- what is counted of the memory in Redis.
 */
#include "config.h"

#include "modules/redis_metrics.h"

#include "base/count.h"

static const char *const verdict_names[] = {
	[USE_ACCEPT] = "accept", [USE_ABSORB] = "absorb",
	[USE_FENCED] = "fenced", [USE_REPLAY] = "replay",
	[USE_UNAVAILABLE] = "unavailable"
};

static const struct metric metrics[] = {
	{ "nonce_redis_up", "Whether Redis counts the uses of nonces.",
	    METRIC_GAUGE, NULL, NULL, 0 },
	{ "nonce_redis_connects_total", "Connect sequences that succeeded.",
	    METRIC_COUNTER, NULL, NULL, 0 },
	{ "nonce_redis_uses_total",
	    "Uses of nonces that were put to Redis, by verdict; unavailable: "
	    "no answer in time.", METRIC_COUNTER, "verdict", verdict_names,
	    COUNT(verdict_names) },
	{ "nonce_redis_round_trips_total", "Answers to uses.",
	    METRIC_COUNTER, NULL, NULL, 0 },
	{ "nonce_redis_round_trip_us_total",
	    "Microseconds that these answers took, all together.",
	    METRIC_COUNTER, NULL, NULL, 0 },
	{ "nonce_redis_clock_offset_ms",
	    "How far the server's clock is from ours, either way.",
	    METRIC_GAUGE, NULL, NULL, 0 },
	{ "nonce_redis_instance_twin",
	    "Whether another live instance has the same instance_id.",
	    METRIC_GAUGE, NULL, NULL, 0 },
	{ "nonce_redis_other_key",
	    "Whether the other instances have another master key.",
	    METRIC_GAUGE, NULL, NULL, 0 }
};

bool
redis_metrics_add(struct redis_metrics *rm, struct metrics *to)
{
	uint64_t **cell[] = { &rm->up, &rm->connects, &rm->uses,
		&rm->round_trips, &rm->round_trip_us, &rm->offset_ms,
		&rm->twin, &rm->other_key };

	for (size_t i = 0; i < COUNT(cell); i++) {
		*cell[i] = metrics_add(to, &metrics[i]);
		if (*cell[i] == NULL)
			return false;
	}
	return true;
}

void
redis_metrics_judged(struct redis_metrics *rm, enum use_verdict v,
    int64_t took_us)
{
	rm->uses[v]++;
	if (took_us <= 0)
		return;
	++*rm->round_trips;
	*rm->round_trip_us += (uint64_t)took_us;
}
