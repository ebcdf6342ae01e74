/*
 * buffer.c -- bytes that wait: added behind, taken off the front.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "transport/conn.h"

enum { SIZE_MIN = 2048 };

static void
move_to_front(struct buffer *b)
{
	if (b->start > 0)
		memmove(b->p, b->p + b->start, b->len);
	b->start = 0;
}

/* Doubles, so a dribble costs little. */
static bool
grow(struct buffer *b, size_t want)
{
	size_t size = b->size < SIZE_MIN ? SIZE_MIN : b->size;
	char *p;

	while (size < want)
		size *= 2;
	p = realloc(b->p, size);
	if (p == NULL)
		return false;
	b->p = p;
	b->size = size;
	return true;
}

bool
buffer_room(struct buffer *b, size_t room)
{
	if (b->size - b->start - b->len >= room)
		return true;
	move_to_front(b);
	return b->size - b->len >= room || grow(b, b->len + room);
}

bool
buffer_add(struct buffer *b, const void *p, size_t len)
{
	if (!buffer_room(b, len))
		return false;
	memcpy(b->p + b->start + b->len, p, len);
	b->len += len;
	return true;
}

void
buffer_take(struct buffer *b, size_t len)
{
	b->start += len;
	b->len -= len;
	if (b->len == 0)
		buffer_free(b);
}

void
buffer_free(struct buffer *b)
{
	free(b->p);
	*b = (struct buffer){ 0 };
}
