/*
 * ends.h -- which of many things ends first: a heap of what stands in them.
 */
#ifndef GUARD_ENDS_H
#define GUARD_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands in the thing that ends. */
struct end {
	int64_t		at_ms;
	size_t		place;		/* in the heap */
};

struct ends {			/* all zero: empty */
	struct end	**v;
	size_t		 n, room;
};

void ends_fini(struct ends *es);

/* Is there room for one more, or is now?  false: no memory. */
bool ends_have_room(struct ends *es);
/* With at_ms set; into room that there is. */
void ends_add(struct ends *es, struct end *e);
void ends_move(struct ends *es, struct end *e, int64_t at_ms);
void ends_remove(struct ends *es, struct end *e);

/* NULL: there is none. */
struct end *ends_first(const struct ends *es);
/* The one that is removed with the least work. */
struct end *ends_last(const struct ends *es);

#endif
