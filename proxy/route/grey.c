/*
 * grey.c -- marks in buckets of a table of fixed size.
 */
#include "config.h"

#include "route/grey.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

enum { BUCKETS = 128, BUCKET = 4 };

struct mark {
	struct addr	 addr;
	enum transport	 transport;
	unsigned	 length_s;	/* 0: no mark */
	int64_t		 until_ms;
};

struct grey {
	uint64_t	 key;		/* nobody can aim at one bucket */
	size_t		 n;		/* marks; most of the time 0 */
	struct mark	 mark[BUCKETS][BUCKET];
};

struct grey *
grey_new(void)
{
	struct grey *g = calloc(1, sizeof *g);

	if (g != NULL)
		random_bytes(&g->key, sizeof g->key);
	return g;
}

void
grey_free(struct grey *g)
{
	free(g);
}

static size_t
bucket_of(const struct grey *g, const struct addr *a, enum transport t)
{
	uint64_t h = g->key ^ a->port ^ (uint64_t)t << 16;

	for (size_t i = 0; i < sizeof a->ip; i++) {
		h = (h ^ a->ip[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (size_t)(h % BUCKETS);
}

static struct mark *
find(const struct grey *g, const struct addr *a, enum transport t)
{
	const struct mark *m = g->mark[bucket_of(g, a, t)];

	for (size_t i = 0; i < BUCKET; i++)
		if (m[i].length_s > 0 && m[i].transport == t &&
		    addr_same(&m[i].addr, a))
			return (struct mark *)&m[i];
	return NULL;
}

bool
grey_has(const struct grey *g, const struct addr *a, enum transport t,
    int64_t now_ms)
{
	const struct mark *m = g->n == 0 ? NULL : find(g, a, t);

	return m != NULL && m->until_ms > now_ms;
}

/* A free place, or that of the mark that ends first. */
static struct mark *
place(struct grey *g, const struct addr *a, enum transport t)
{
	struct mark *m = g->mark[bucket_of(g, a, t)], *out = m;

	for (size_t i = 0; i < BUCKET && out->length_s > 0; i++)
		if (m[i].length_s == 0 || m[i].until_ms < out->until_ms)
			out = &m[i];
	if (out->length_s == 0)
		g->n++;
	*out = (struct mark){ .addr = *a, .transport = t };
	return out;
}

static unsigned
mark(struct mark *m, int64_t s, int64_t now_ms)
{
	m->length_s = (unsigned)(s < GREY_MOST_S ? s : GREY_MOST_S);
	m->until_ms = now_ms + m->length_s * INT64_C(1000);
	return m->length_s;
}

/* Many requests that fail together are one failure; who fails again soon after
 * his rest is left alone for longer. */
static unsigned
failed_for_s(const struct mark *m, int64_t now_ms)
{
	if (m == NULL || m->until_ms + GREY_MOST_S * 1000 <= now_ms)
		return GREY_FAILED_S;
	if (m->until_ms > now_ms && m->length_s >= GREY_FAILED_S)
		return m->length_s;
	return m->length_s < GREY_FAILED_S ? GREY_FAILED_S : m->length_s * 2;
}

unsigned
grey_failed(struct grey *g, const struct addr *a, enum transport t,
    int64_t now_ms)
{
	struct mark *m = find(g, a, t);
	unsigned s = failed_for_s(m, now_ms);

	return mark(m != NULL ? m : place(g, a, t), s, now_ms);
}

unsigned
grey_busy(struct grey *g, const struct addr *a, enum transport t,
    int64_t retry_after_s, int64_t now_ms)
{
	int64_t s = retry_after_s < 0 ? GREY_BUSY_S : retry_after_s;
	struct mark *m;

	if (s == 0)
		return 0;
	m = find(g, a, t);
	return mark(m != NULL ? m : place(g, a, t), s, now_ms);
}

void
grey_mark(struct grey *g, const struct addr *a, enum transport t,
    unsigned for_s, int64_t now_ms)
{
	struct mark *m = find(g, a, t);

	if (m == NULL)
		m = place(g, a, t);
	m->length_s = for_s;
	m->until_ms = now_ms + for_s * INT64_C(1000);
}

void
grey_clear(struct grey *g, const struct addr *a, enum transport t)
{
	struct mark *m = g->n == 0 ? NULL : find(g, a, t);

	if (m == NULL)
		return;
	m->length_s = 0;
	g->n--;
}

void
grey_clear_all(struct grey *g)
{
	memset(g->mark, 0, sizeof g->mark);
	g->n = 0;
}
