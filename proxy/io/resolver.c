/*
 * resolver.c -- single questions to the name servers, on sresolv.
 */
#include "config.h"

#include "io/resolver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "io/loop.h"

enum {
	OPEN_MAX = 8192,	/* questions under way; ids have 16 bits */
	ASKED_MAX = 10000	/* in the life of one resolver */
};

struct resolver {
	struct resolvers	*all;
	sres_resolver_t		*sres;
	unsigned		 asked;
	unsigned		 open;
	unsigned		 users;
	LIST_ENTRY(resolver)	 entry;		/* of all.old */
};

struct resolvers {
	struct loop		*loop;
	char			*resolv_conf;
	struct resolver		*present;
	LIST_HEAD(, resolver)	 old;
	struct loop_timer	*replace;
	struct loop_timer	*reap;
	bool			 replacing;	/* the first timer runs */
};

static void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	if (r->sres != NULL)
		sres_resolver_destroy(r->sres);
	free(r);
}

static struct resolver *
resolver_new(struct resolvers *rs)
{
	struct resolver *r;

	r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->all = rs;
	r->sres = sres_resolver_create(loop_root(rs->loop), rs->resolv_conf,
	    TAG_END());
	if (r->sres == NULL) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

/* On a timer, since the last user may let go inside an answer's callback,
 * where the resolver must not end. */
static void
reap(void *arg)
{
	struct resolvers *rs = arg;
	struct resolver *r, *next;

	for (r = LIST_FIRST(&rs->old); r != NULL; r = next) {
		next = LIST_NEXT(r, entry);
		if (r->users > 0)
			continue;
		LIST_REMOVE(r, entry);
		resolver_free(r);
	}
}

static void
replace(void *arg)
{
	struct resolvers *rs = arg;
	struct resolver *fresh = resolver_new(rs);

	rs->replacing = false;
	if (fresh == NULL)
		return;		/* the next question plans it again */
	LIST_INSERT_HEAD(&rs->old, rs->present, entry);
	rs->present = fresh;
	reap(rs);
}

static void
plan_replacement(struct resolver *r)
{
	struct resolvers *rs = r->all;

	if (rs->replacing || r != rs->present)
		return;
	rs->replacing = true;
	loop_timer_start(rs->replace, 0);
}

struct resolvers *
resolvers_new(struct loop *l, const char *resolv_conf)
{
	struct resolvers *rs;

	rs = calloc(1, sizeof *rs);
	if (rs == NULL)
		return NULL;
	LIST_INIT(&rs->old);
	rs->loop = l;
	if (resolv_conf != NULL &&
	    (rs->resolv_conf = strdup(resolv_conf)) == NULL)
		goto fail;
	rs->replace = loop_timer_new(l, replace, rs);
	rs->reap = loop_timer_new(l, reap, rs);
	rs->present = resolver_new(rs);
	if (rs->replace != NULL && rs->reap != NULL && rs->present != NULL)
		return rs;
fail:
	resolvers_free(rs);
	return NULL;
}

void
resolvers_free(struct resolvers *rs)
{
	if (rs == NULL)
		return;
	reap(rs);
	resolver_free(rs->present);
	loop_timer_free(rs->reap);
	loop_timer_free(rs->replace);
	free(rs->resolv_conf);
	free(rs);
}

struct resolver *
resolver_ref(struct resolvers *rs)
{
	rs->present->users++;
	return rs->present;
}

void
resolver_unref(struct resolver *r)
{
	if (--r->users == 0 && r != r->all->present)
		loop_timer_start(r->all->reap, 0);
}

enum ask_result
resolver_ask(struct resolver *r, const struct question *q,
    sres_query_t **query, sres_record_t ***answers)
{
	*query = NULL;
	*answers = sres_cached_answers(r->sres, (uint16_t)q->type, q->name);
	if (*answers != NULL)
		return ASK_KNOWN;
	if (r->open >= OPEN_MAX || r->asked >= ASKED_MAX)
		plan_replacement(r);
	if (r->open >= OPEN_MAX)
		return ASK_FAILED;
	*query = sres_query(r->sres, q->fn, q->arg, (uint16_t)q->type,
	    q->name);
	if (*query == NULL)
		return ASK_FAILED;
	r->open++;
	r->asked++;
	return ASK_SENT;
}

void
resolver_answered(struct resolver *r)
{
	r->open--;
}

static void
answer_dropped(void *arg, sres_query_t *query, sres_record_t **answers)
{
	struct resolver *r = arg;

	(void)query;
	resolver_answered(r);
	resolver_free_answers(r, answers);
}

/* With no callback at all the answers would leak. */
void
resolver_drop(struct resolver *r, sres_query_t *query)
{
	sres_query_bind(query, answer_dropped, r);
}

void
resolver_free_answers(struct resolver *r, sres_record_t **answers)
{
	sres_free_answers(r->sres, answers);
}
