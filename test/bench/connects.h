/*
 * connects.h -- connections that are made, say nothing, and are held until
 * others need their places.
 */
#ifndef BENCH_CONNECTS_H
#define BENCH_CONNECTS_H

#include <stdint.h>

#include "base/addr.h"

struct connects;

struct connects_tally {
	uint64_t	 open;		/* at the end of their time here */
	uint64_t	 closed;	/* by the proxy, before that */
	uint64_t	 failed;	/* never came about */
};

/* held: at most so many at once.  NULL: no memory. */
struct connects *connects_new(const struct addr *proxy, unsigned held);
/* Ends those that are left. */
void connects_free(struct connects *cs);

/* One more, from there. */
void connects_make(struct connects *cs, const struct addr *from);
/* End those that are left, and tell what became of all. */
struct connects_tally connects_end(struct connects *cs);

#endif
