/*
 * rates.c -- how often may somebody?  Token buckets in fixed memory.
 */
#include "config.h"

#include "guard/rates.h"

#include <assert.h>
#include <stdlib.h>

enum { WAYS = 8 };		/* two cache lines */

struct bucket {
	uint64_t	mark;		/* 0: nobody's */
	int64_t		full_us;	/* when it will be full again */
};

struct rates {
	size_t		nsets;
	struct bucket	v[];
};

struct rates *
rates_new(size_t n)
{
	struct rates *r;

	assert(n >= WAYS && (n & (n - 1)) == 0);
	r = calloc(1, sizeof *r + n * sizeof r->v[0]);
	if (r != NULL)
		r->nsets = n / WAYS;
	return r;
}

void
rates_free(struct rates *r)
{
	free(r);
}

/* Its bucket, or the fullest one of the set. */
static const struct bucket *
look(const struct rates *r, uint64_t mark)
{
	const struct bucket *set = &r->v[(mark & (r->nsets - 1)) * WAYS];
	const struct bucket *fullest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].mark == mark)
			return &set[i];
		if (set[i].full_us < fullest->full_us)
			fullest = &set[i];
	}
	return fullest;
}

static int64_t
interval_us(const struct conf_rate *rate)
{
	return rate->per_ms * 1000 / rate->count;
}

/* How long until it is full. */
static int64_t
missing_us(const struct bucket *b, uint64_t mark, int64_t now_us)
{
	return b->mark == mark && b->full_us > now_us ?
	    b->full_us - now_us : 0;
}

static bool
is_within(const struct conf_rate *rate, int64_t missing)
{
	return missing <= (rate->burst - 1) * interval_us(rate);
}

bool
rates_would(const struct rates *r, uint64_t mark,
    const struct conf_rate *rate, int64_t now_us)
{
	return rate->count == 0 ||
	    is_within(rate, missing_us(look(r, mark), mark, now_us));
}

bool
rates_take(struct rates *r, uint64_t mark, const struct conf_rate *rate,
    int64_t now_us)
{
	struct bucket *b;
	int64_t missing;

	if (rate->count == 0)
		return true;
	b = (struct bucket *)look(r, mark);
	missing = missing_us(b, mark, now_us);
	if (!is_within(rate, missing))
		return false;
	b->mark = mark;
	b->full_us = now_us + missing + interval_us(rate);
	return true;
}
