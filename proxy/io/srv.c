/*
 * srv.c -- the order in which the targets of SRV records are tried.
 */
#include "config.h"

#include "io/srv.h"

#include <stdlib.h>

static bool
same_place(const struct srv *a, const struct srv *b)
{
	return a->rank == b->rank && a->priority == b->priority;
}

bool
srv_before(const struct srv *a, const struct srv *b)
{
	return a->rank != b->rank ? a->rank < b->rank :
	    a->priority < b->priority;
}

/* Weight 0 first in one place, as the lot below needs it. */
static int
compare(const void *va, const void *vb)
{
	const struct srv *a = va, *b = vb;

	if (!same_place(a, b))
		return srv_before(a, b) ? -1 : 1;
	return (a->weight != 0) - (b->weight != 0);
}

static void
move_to_front(struct srv *v, size_t i)
{
	struct srv chosen = v[i];

	for (; i > 0; i--)
		v[i] = v[i - 1];
	v[0] = chosen;
}

/* One drawing: the first whose running sum reaches the number. */
static void
draw(struct srv *v, size_t n, srv_pick_f *pick, void *arg)
{
	uint32_t total = 0, sum = 0, lot;
	size_t i = 0;

	for (size_t k = 0; k < n; k++)
		total += v[k].weight;
	lot = pick(arg, total);
	for (; i < n - 1; i++) {
		sum += v[i].weight;
		if (sum >= lot)
			break;
	}
	move_to_front(v, i);
}

void
srv_order(struct srv *v, size_t n, srv_pick_f *pick, void *arg)
{
	if (n == 0)
		return;
	qsort(v, n, sizeof *v, compare);
	while (n > 1) {
		size_t same = 1;

		while (same < n && same_place(&v[0], &v[same]))
			same++;
		if (same > 1)
			draw(v, same, pick, arg);
		v++;
		n--;
	}
}
