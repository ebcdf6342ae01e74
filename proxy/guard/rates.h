/*
 * rates.h -- how often may somebody?  Token buckets in fixed memory.
 *
 * A bucket is one number, the time at which it will be full again (the
 * "generic cell rate algorithm" of ITU-T I.371), so one that is full is the
 * same as none, and its place is free.
 *
 * Buckets stand in sets of eight.  Where a set has no free place, the one that
 * is fullest goes, and its owner begins anew with a whole burst: whoever is
 * forgotten may more than his rate, never less.  Who is furthest over his rate
 * is forgotten last.  So a million made-up sources cost no memory and silence
 * nobody.
 */
#ifndef GUARD_RATES_H
#define GUARD_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

struct rates;

/* n: buckets, a power of two of 8 at least.  NULL: no memory. */
struct rates *rates_new(size_t n);
void rates_free(struct rates *r);		/* NULL is allowed */

/* Is one more within the rate?  Then it is counted.  mark: whose bucket
 * (mark.h); a rate that is off has no bucket. */
bool rates_take(struct rates *r, uint64_t mark, const struct conf_rate *rate,
    int64_t now_us);
/* The same, but nothing is counted. */
bool rates_would(const struct rates *r, uint64_t mark,
    const struct conf_rate *rate, int64_t now_us);

#endif
