/*
 * ends.c -- which of many things ends first.
 */
#include "config.h"

#include "guard/ends.h"

#include <stdlib.h>

enum { ROOM_FIRST = 64 };

static void
put(struct ends *es, struct end *e, size_t place)
{
	es->v[place] = e;
	e->place = place;
}

static void
sift_up(struct ends *es, struct end *e)
{
	size_t i = e->place, up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (es->v[up]->at_ms <= e->at_ms)
			break;
		put(es, es->v[up], i);
	}
	put(es, e, i);
}

static void
sift_down(struct ends *es, struct end *e)
{
	size_t i = e->place, down;

	for (; (down = 2 * i + 1) < es->n; i = down) {
		if (down + 1 < es->n &&
		    es->v[down + 1]->at_ms < es->v[down]->at_ms)
			down++;
		if (es->v[down]->at_ms >= e->at_ms)
			break;
		put(es, es->v[down], i);
	}
	put(es, e, i);
}

bool
ends_have_room(struct ends *es)
{
	size_t room = es->room == 0 ? ROOM_FIRST : 2 * es->room;
	struct end **v;

	if (es->n < es->room)
		return true;
	v = reallocarray(es->v, room, sizeof *v);
	if (v == NULL)
		return false;
	es->v = v;
	es->room = room;
	return true;
}

void
ends_add(struct ends *es, struct end *e)
{
	put(es, e, es->n++);
	sift_up(es, e);
}

void
ends_move(struct ends *es, struct end *e, int64_t at_ms)
{
	e->at_ms = at_ms;
	sift_up(es, e);
	sift_down(es, e);
}

void
ends_remove(struct ends *es, struct end *e)
{
	struct end *last = es->v[--es->n];

	if (last == e)
		return;
	put(es, last, e->place);
	sift_up(es, last);
	sift_down(es, last);
}

struct end *
ends_first(const struct ends *es)
{
	return es->n == 0 ? NULL : es->v[0];
}

struct end *
ends_last(const struct ends *es)
{
	return es->n == 0 ? NULL : es->v[es->n - 1];
}

void
ends_fini(struct ends *es)
{
	free(es->v);
	*es = (struct ends){ 0 };
}
