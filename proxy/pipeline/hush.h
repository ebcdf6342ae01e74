/*
 * hush.h -- lines of the log that strangers cause: the first ones are written,
 * and of a flood of them the number.
 *
 * Sources can be forged by the million, so no bucket of a source bounds what
 * all of them write.
 */
#ifndef PIPELINE_HUSH_H
#define PIPELINE_HUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/metrics.h"
#include "conf/conf.h"

struct hush;

/* Each has a bucket, so that what costs a sender nothing hides no line of
 * which he pays for. */
enum hush_kind {
	HUSH_ANYBODY = 1,		/* a forged source can do it */
	HUSH_ANSWERS,			/* somebody got our challenge there */
	HUSH_BANS
};

/* NULL: no memory. */
struct hush *hush_new(struct metrics *m);
void hush_free(struct hush *h);			/* NULL is allowed */

/* May one more be written?  Else it is counted, which the log says once a
 * second. */
bool hush_allows(struct hush *h, enum hush_kind kind,
    const struct conf_rate *lines, int64_t now_us);

#endif
