/*
 * deny.c -- addresses that get nothing from us but silence.
 */
#include "config.h"

#include "guard/deny.h"

#include <stdlib.h>
#include <string.h>

enum { V4_BITS = 96 };		/* of the prefix that IPv4 is mapped into */

/* Networks lie inside each other or apart: each is first..last. */
struct range {
	uint8_t	first[16], last[16];
};

/* Two tables, since ::/0 means no IPv4 address (see net_has()). */
struct table {
	struct range	*v;
	size_t		 n;
};

struct deny {
	struct table	v4, v6;
};

static bool
is_v4(const struct net *n)
{
	struct addr a = { .port = 0 };

	memcpy(a.ip, n->ip, sizeof a.ip);
	return n->bits >= V4_BITS && addr_is_v4(&a);
}

static struct range
range_of(const struct net *n)
{
	struct range r;

	memcpy(r.first, n->ip, sizeof r.first);
	memcpy(r.last, n->ip, sizeof r.last);
	for (unsigned bit = n->bits; bit < 128; bit++)
		r.last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return r;
}

/* By where they begin; of those that begin together the widest first. */
static int
compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int order = memcmp(x->first, y->first, sizeof x->first);

	return order != 0 ? order :
	    memcmp(y->last, x->last, sizeof x->last);
}

/* Sort, and leave out what lies inside another one. */
static void
settle(struct table *t)
{
	size_t n = 0;

	if (t->n == 0)
		return;
	qsort(t->v, t->n, sizeof t->v[0], compare);
	for (size_t i = 1; i < t->n; i++)
		if (memcmp(t->v[i].first, t->v[n].last,
		    sizeof t->v[n].last) > 0)
			t->v[++n] = t->v[i];
	t->n = n + 1;
}

static void
add(struct conf *c, struct deny *d, const char *text, int line)
{
	struct table *t;
	struct net n;

	if (!net_parse(&n, str_of(text))) {
		conf_error(c, line, "deny", "\"%s\" is not an address, and "
		    "not a network without host bits", text);
		return;
	}
	t = is_v4(&n) ? &d->v4 : &d->v6;
	t->v[t->n++] = range_of(&n);
}

static struct deny *
make(size_t n)
{
	struct deny *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->v4.v = calloc(n + 1, sizeof d->v4.v[0]);
	d->v6.v = calloc(n + 1, sizeof d->v6.v[0]);
	if (d->v4.v != NULL && d->v6.v != NULL)
		return d;
	deny_free(d);
	return NULL;
}

struct deny *
deny_new(struct conf *c, const struct conf_list *nets)
{
	unsigned errors = conf_errors(c);
	struct deny *d = make(nets->n);

	if (d == NULL) {
		conf_error(c, 0, "deny", "no memory");
		return NULL;
	}
	for (size_t i = 0; i < nets->n; i++)
		add(c, d, nets->v[i], nets->line[i]);
	if (conf_errors(c) > errors) {
		deny_free(d);
		return NULL;
	}
	settle(&d->v4);
	settle(&d->v6);
	return d;
}

void
deny_free(struct deny *d)
{
	if (d == NULL)
		return;
	free(d->v4.v);
	free(d->v6.v);
	free(d);
}

bool
deny_has(const struct deny *d, const struct addr *source)
{
	const struct table *t = addr_is_v4(source) ? &d->v4 : &d->v6;
	size_t low = 0, high = t->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (memcmp(source->ip, t->v[middle].first, 16) < 0)
			high = middle;
		else if (memcmp(source->ip, t->v[middle].last, 16) > 0)
			low = middle + 1;
		else
			return true;
	}
	return false;
}
