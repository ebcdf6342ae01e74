/*
 * grey.h -- targets that failed just now: asked after the others for a while.
 *
 * A mark is a hint, by address and transport, and ends by itself.  The table
 * has a fixed size: where there is no room the mark that ends first goes.
 */
#ifndef ROUTE_GREY_H
#define ROUTE_GREY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/transport.h"

enum {
	GREY_FAILED_S = 10,	/* the first time; twice as long each time */
	GREY_MOST_S = 60,	/* ... up to this, as is Retry-After */
	GREY_BUSY_S = 5		/* a 503 without Retry-After */
};

struct grey;

/* NULL: no memory. */
struct grey *grey_new(void);
void grey_free(struct grey *g);		/* NULL is allowed */

/* now_ms: clock_mono_ms() */
bool grey_has(const struct grey *g, const struct addr *a, enum transport t,
    int64_t now_ms);

/* Silence, or it cannot be reached.  Returns for how many seconds. */
unsigned grey_failed(struct grey *g, const struct addr *a, enum transport t,
    int64_t now_ms);
/* It asked for a rest; retry_after_s: -1 if it did not say how long. */
unsigned grey_busy(struct grey *g, const struct addr *a, enum transport t,
    int64_t retry_after_s, int64_t now_ms);

/* So long, whoever he is and whatever came before. */
void grey_mark(struct grey *g, const struct addr *a, enum transport t,
    unsigned for_s, int64_t now_ms);

/* It served. */
void grey_clear(struct grey *g, const struct addr *a, enum transport t);
void grey_clear_all(struct grey *g);

#endif
