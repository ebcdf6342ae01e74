/*
 * dns_cache.c -- answers of name servers, as long as they may be kept.
 */
#include "config.h"

/* Out of memory is an answer (nothing is kept), not an exit. */
#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif

#include "io/dns_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <uthash.h>

/* By what an answer is found: its type, and its name in small letters. */
struct key {
	size_t		len;
	char		text[1 + DNS_NAME_SIZE];
};

struct entry {
	UT_hash_handle	 hh;
	TAILQ_ENTRY(entry) use;
	int64_t		 until_ms;
	struct key	 key;
	struct dns_answer answer;
	char		 text[];	/* of its records */
};

struct dns_cache {
	size_t		 size;
	struct entry	*table;
	TAILQ_HEAD(uses, entry) uses;	/* last: used most recently */
};

static void
set_key(struct key *k, enum dns_type type, const char *name)
{
	size_t n = 1;

	k->text[0] = (char)type;
	for (; *name != '\0' && n < sizeof k->text; name++)
		k->text[n++] = ascii_lower(*name);
	k->len = n;
}

static struct entry *
find(struct dns_cache *c, const struct key *k)
{
	struct entry *e;

	HASH_FIND(hh, c->table, k->text, k->len, e);
	return e;
}

static void
drop(struct dns_cache *c, struct entry *e)
{
	HASH_DEL(c->table, e);
	TAILQ_REMOVE(&c->uses, e, use);
	free(e);
}

/* The text that a record lends; NULL: it has none. */
static const char *
text_at(const struct dns_answer *a, size_t i)
{
	switch (a->type) {
	case DNS_SRV:
		return a->v[i].srv.host;
	case DNS_NAPTR:
		return a->v[i].naptr.name;
	default:
		return NULL;
	}
}

static size_t
text_size(const struct dns_answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (text_at(a, i) != NULL)
			n += strlen(text_at(a, i)) + 1;
	return n;
}

static void
copy_answer(struct entry *e, const struct dns_answer *a)
{
	char *to = e->text;

	e->answer = *a;
	for (size_t i = 0; i < a->n && text_at(a, i) != NULL; i++) {
		size_t n = strlen(text_at(a, i)) + 1;

		memcpy(to, text_at(a, i), n);
		if (a->type == DNS_SRV)
			e->answer.v[i].srv.host = to;
		else
			e->answer.v[i].naptr.name = to;
		to += n;
	}
}

static void
add(struct dns_cache *c, struct entry *e)
{
	HASH_ADD(hh, c->table, key.text, e->key.len, e);
	if (e->hh.tbl == NULL) {
		free(e);
		return;
	}
	TAILQ_INSERT_TAIL(&c->uses, e, use);
}

struct dns_cache *
dns_cache_new(size_t size)
{
	struct dns_cache *c;

	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->size = size;
	TAILQ_INIT(&c->uses);
	return c;
}

void
dns_cache_free(struct dns_cache *c)
{
	struct entry *e;

	if (c == NULL)
		return;
	while ((e = TAILQ_FIRST(&c->uses)) != NULL)
		drop(c, e);
	free(c);
}

const struct dns_answer *
dns_cache_find(struct dns_cache *c, enum dns_type type, const char *name,
    int64_t now_ms)
{
	struct entry *e;
	struct key k;

	set_key(&k, type, name);
	e = find(c, &k);
	if (e == NULL)
		return NULL;
	if (e->until_ms <= now_ms) {
		drop(c, e);
		return NULL;
	}
	TAILQ_REMOVE(&c->uses, e, use);
	TAILQ_INSERT_TAIL(&c->uses, e, use);
	return &e->answer;
}

void
dns_cache_put(struct dns_cache *c, const char *name,
    const struct dns_answer *a, int64_t now_ms)
{
	struct entry *e, *old;
	struct key k;

	set_key(&k, a->type, name);
	old = find(c, &k);
	if (old != NULL)
		drop(c, old);
	e = malloc(sizeof *e + text_size(a));
	if (e == NULL)
		return;
	e->key = k;
	e->until_ms = now_ms + (int64_t)a->ttl_s * 1000;
	copy_answer(e, a);
	if (HASH_COUNT(c->table) == c->size)
		drop(c, TAILQ_FIRST(&c->uses));
	add(c, e);
}

size_t
dns_cache_count(const struct dns_cache *c)
{
	return HASH_COUNT(c->table);
}
