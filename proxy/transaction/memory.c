/*
 * memory.c -- structs that are used again, and copies of bytes.
 */
#include "config.h"

#include "transaction/inner.h"

#include <stdlib.h>
#include <string.h>

enum { SPARE_MAX = 1024 };		/* kept in a pool */

struct spare {
	struct spare	*next;
};

void *
pool_take(struct pool *p)
{
	struct spare *s = p->spare;

	if (s == NULL)
		return calloc(1, p->size);
	p->spare = s->next;
	p->count--;
	return memset(s, 0, p->size);
}

void
pool_give(struct pool *p, void *what)
{
	struct spare *s = what;

	if (p->count == SPARE_MAX) {
		free(what);
		return;
	}
	s->next = p->spare;
	p->spare = s;
	p->count++;
}

void
pool_fini(struct pool *p)
{
	struct spare *s;

	while ((s = p->spare) != NULL) {
		p->spare = s->next;
		free(s);
	}
	p->count = 0;
}

bool
bytes_set(struct bytes *b, const void *p, size_t len)
{
	char *q = b->p;

	if (len != b->len)
		q = realloc(b->p, len > 0 ? len : 1);
	/* what cannot be made smaller is large enough */
	if (q == NULL && len < b->len)
		q = b->p;
	if (q == NULL) {
		bytes_clear(b);
		return false;
	}
	if (len > 0)
		memcpy(q, p, len);
	b->p = q;
	b->len = len;
	return true;
}

void
bytes_clear(struct bytes *b)
{
	free(b->p);
	b->p = NULL;
	b->len = 0;
}
