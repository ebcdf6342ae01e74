/*
 * table.c -- a hash table that grows by one bucket at a time.
 *
 * Linear hashing: the keys are hashes already, and no insertion has to move
 * more than one bucket, so a table of a million entries causes no pause.
 */
#include "config.h"

#include "transaction/inner.h"

#include <stdlib.h>

enum { BUCKETS_MIN = 64 };		/* a power of 2 */

static struct entry **
bucket_of(const struct table *t, uint64_t key)
{
	size_t i = key & (2 * t->half - 1);

	return &t->bucket[i < t->nbuckets ? i : i - t->half];
}

static void
push(struct entry **bucket, struct entry *e)
{
	e->next = *bucket;
	*bucket = e;
}

/* false: no memory; the chains become longer instead. */
static bool
make_room(struct table *t)
{
	struct entry **bucket;

	if (t->nbuckets < t->size)
		return true;
	bucket = reallocarray(t->bucket, t->size, 2 * sizeof *bucket);
	if (bucket == NULL)
		return false;
	t->bucket = bucket;
	t->size *= 2;
	return true;
}

/* One more bucket, with its share of the one that it is split from. */
static void
split(struct table *t)
{
	struct entry *e, *next;
	size_t from;

	if (!make_room(t))
		return;
	if (t->nbuckets == 2 * t->half)
		t->half = t->nbuckets;
	from = t->nbuckets - t->half;
	e = t->bucket[from];
	t->bucket[from] = t->bucket[t->nbuckets++] = NULL;
	for (; e != NULL; e = next) {
		next = e->next;
		push(bucket_of(t, e->key), e);
	}
}

bool
table_init(struct table *t)
{
	t->bucket = calloc(BUCKETS_MIN, sizeof *t->bucket);
	if (t->bucket == NULL)
		return false;
	t->nbuckets = t->size = BUCKETS_MIN;
	t->half = BUCKETS_MIN / 2;
	t->count = 0;
	return true;
}

void
table_fini(struct table *t)
{
	free(t->bucket);
	t->bucket = NULL;
	t->nbuckets = 0;
}

void
table_add(struct table *t, struct entry *e)
{
	push(bucket_of(t, e->key), e);
	/* Most searches find nothing, and each entry that they pass is a miss
	 * of the cache: so there are twice as many buckets. */
	t->count++;
	for (int n = 0; n < 2 && t->nbuckets < 2 * t->count; n++)
		split(t);
}

void
table_remove(struct table *t, struct entry *e)
{
	struct entry **at = bucket_of(t, e->key);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	t->count--;
}

struct entry *
table_find(const struct table *t, uint64_t key, unsigned kind)
{
	struct entry *e = *bucket_of(t, key);

	while (e != NULL && (e->key != key || e->kind != kind))
		e = e->next;
	return e;
}

void
table_drain(struct table *t, void (*fn)(struct entry *e))
{
	for (size_t i = 0; i < t->nbuckets; i++)
		while (t->bucket[i] != NULL)
			fn(t->bucket[i]);
}
