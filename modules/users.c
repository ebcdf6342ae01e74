/*
 * users.c -- users and their secrets, in memory.
 */
#include "config.h"

#include "modules/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1	/* no memory is an answer, not an exit */
#include <uthash.h>

#include "base/secret.h"

enum { KEY_MAX = USER_NAME_MAX + 1 + USER_REALM_MAX };

/* One block: the entry, the pointers to identities and prefixes, then all
 * text. */
struct entry {
	struct user	 user;		/* first: see users_next() */
	UT_hash_handle	 hh;		/* key: "name:realm" */
	size_t		 size;		/* of the block */
};

struct realm {
	UT_hash_handle	 hh;
	struct users_lack lack[DIGEST_ALGS];
	size_t		 len;
	char		 text[];
};

struct by_hash {
	uint8_t		 hash[HA1_MAX];
	const struct user *user;
};

struct users {
	struct entry	*table;
	struct realm	*realms;
	struct by_hash	*by_hash[DIGEST_ALGS];	/* sorted */
	struct user	 nobody;	/* stands for who is not there */
};

struct users *
users_new(void)
{
	struct users *us = calloc(1, sizeof *us);

	if (us == NULL)
		return NULL;
	random_bytes(us->nobody.ha1.ha1, sizeof us->nobody.ha1.ha1);
	return us;
}

void
users_free(struct users *us)
{
	struct entry *e, *next_e;
	struct realm *r, *next_r;

	if (us == NULL)
		return;
	HASH_ITER(hh, us->table, e, next_e) {
		HASH_DEL(us->table, e);
		secret_free(e, e->size);
	}
	HASH_ITER(hh, us->realms, r, next_r) {
		HASH_DEL(us->realms, r);
		free(r);
	}
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		free(us->by_hash[alg]);
	secret_free(us, sizeof *us);
}

static struct realm *
realm_find(const struct users *us, struct str text)
{
	struct realm *r;

	HASH_FIND(hh, us->realms, text.p, text.len, r);
	return r;
}

static struct realm *
realm_make(struct users *us, struct str text)
{
	struct realm *r = realm_find(us, text);

	if (r != NULL)
		return r;
	r = calloc(1, sizeof *r + text.len);
	if (r == NULL)
		return NULL;
	r->len = text.len;
	memcpy(r->text, text.p, text.len);
	HASH_ADD(hh, us->realms, text, r->len, r);
	if (r->hh.tbl == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

static void
realm_count(struct realm *r, const struct user *u)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (!u->ha1.has[alg] && r->lack[alg].count++ == 0)
			r->lack[alg].line = u->line;
}

static size_t
text_size(const struct str *v, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += v[i].len + 1;
	return size;
}

static size_t
entry_size(const struct user_line *u)
{
	return sizeof(struct entry) +
	    (u->nidentities + u->nprefixes) * sizeof(char *) +
	    u->name.len + 1 + u->realm.len + u->class.len + 1 +
	    text_size(u->identity, u->nidentities) +
	    text_size(u->prefix, u->nprefixes);
}

/* Copy a piece of text to the end of what was copied before. */
static struct str
append(char **end, struct str s)
{
	struct str copy = { *end, s.len };

	if (s.len > 0)
		memcpy(*end, s.p, s.len);
	*end += s.len;
	return copy;
}

static const char *
append_text(char **end, struct str s)
{
	const char *copy = append(end, s).p;

	*(*end)++ = '\0';
	return copy;
}

static void
append_rights(struct user *user, const struct user_line *u,
    const char **pointer, char **end)
{
	user->identity = pointer;
	user->nidentities = u->nidentities;
	for (size_t i = 0; i < u->nidentities; i++)
		*pointer++ = append_text(end, u->identity[i]);
	user->prefix = pointer;
	user->nprefixes = u->nprefixes;
	for (size_t i = 0; i < u->nprefixes; i++)
		*pointer++ = append_text(end, u->prefix[i]);
	if (u->class.len > 0)
		user->class = append_text(end, u->class);
}

static struct entry *
entry_new(const struct user_line *u, int line)
{
	size_t size = entry_size(u);
	struct entry *e = calloc(1, size);
	const char **pointer;
	char *end;

	if (e == NULL)
		return NULL;
	e->size = size;
	pointer = (const char **)(e + 1);
	end = (char *)(pointer + u->nidentities + u->nprefixes);
	e->user.name = append(&end, u->name);
	*end++ = ':';
	e->user.realm = append(&end, u->realm);
	append_rights(&e->user, u, pointer, &end);
	e->user.ha1 = u->ha1;
	e->user.line = line;
	return e;
}

int
users_add(struct users *us, const struct user_line *u, int line)
{
	struct realm *r = realm_make(us, u->realm);
	struct entry *e;

	if (r == NULL)
		return -ENOMEM;
	if (users_find(us, u->realm, u->name) != NULL)
		return -EEXIST;
	e = entry_new(u, line);
	if (e == NULL)
		return -ENOMEM;
	HASH_ADD_KEYPTR(hh, us->table, e->user.name.p,
	    u->name.len + 1 + u->realm.len, e);
	if (e->hh.tbl == NULL) {
		secret_free(e, e->size);
		return -ENOMEM;
	}
	realm_count(r, &e->user);
	return 0;
}

size_t
users_count(const struct users *us)
{
	return HASH_COUNT(us->table);
}

/* No name or realm in the table has a colon, so a query that has one finds
 * nothing, however it is put together. */
const struct user *
users_find(const struct users *us, struct str realm, struct str name)
{
	char key[KEY_MAX], *end = key;
	struct entry *e;

	if (name.len > USER_NAME_MAX || realm.len > USER_REALM_MAX)
		return NULL;
	append(&end, name);
	*end++ = ':';
	append(&end, realm);
	HASH_FIND(hh, us->table, key, (size_t)(end - key), e);
	return e == NULL ? NULL : &e->user;
}

const struct user *
users_next(const struct users *us, const struct user *prev)
{
	const struct entry *e = us->table;

	if (prev != NULL)
		e = ((const struct entry *)prev)->hh.next;
	return e == NULL ? NULL : &e->user;
}

static int
by_hash_compare(const void *a, const void *b)
{
	return memcmp(((const struct by_hash *)a)->hash,
	    ((const struct by_hash *)b)->hash, HA1_MAX);
}

static struct by_hash *
index_new(const struct users *us, enum digest_alg alg)
{
	struct by_hash *all = calloc(users_count(us) + 1, sizeof *all);
	const struct user *u = NULL;
	char hex[DIGEST_HEX_MAX];
	size_t n = 0;

	if (all == NULL)
		return NULL;
	while ((u = users_next(us, u)) != NULL) {
		digest_userhash(hex, alg, u->name, u->realm);
		hex_decode(all[n].hash, digest_alg_bytes(alg), str_of(hex));
		all[n++].user = u;
	}
	qsort(all, n, sizeof *all, by_hash_compare);
	return all;
}

int
users_index(struct users *us, uint8_t algs)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if ((algs & 1u << alg) == 0 || us->by_hash[alg] != NULL)
			continue;
		us->by_hash[alg] = index_new(us, (enum digest_alg)alg);
		if (us->by_hash[alg] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static const struct user *
find_by_hash(const struct users *us, const struct cred_query *q)
{
	enum digest_alg alg = q->digest.alg;
	struct by_hash want = { .user = NULL };
	const struct by_hash *found;

	if (us->by_hash[alg] == NULL ||
	    !hex_decode(want.hash, digest_alg_bytes(alg), q->user))
		return NULL;
	found = bsearch(&want, us->by_hash[alg], users_count(us), sizeof want,
	    by_hash_compare);
	return found != NULL && str_eq(found->user->realm, q->realm) ?
	    found->user : NULL;
}

void
users_answer(const struct users *us, const struct cred_query *q,
    struct cred_answer *out)
{
	const struct user *u = q->userhash ? find_by_hash(us, q) :
	    users_find(us, q->realm, q->user);
	bool known = u != NULL && u->ha1.has[q->digest.alg];

	if (!known)
		u = &us->nobody;
	out->result = known ? CRED_SECRET : CRED_UNKNOWN;
	out->user = u->name;
	memcpy(out->ha1, u->ha1.ha1[q->digest.alg], HA1_MAX);
	out->identity = u->identity;
	out->nidentities = u->nidentities;
	out->class = u->class;
	out->prefix = u->prefix;
	out->nprefixes = u->nprefixes;
}

bool
users_have_realm(const struct users *us, struct str realm)
{
	return realm_find(us, realm) != NULL;
}

uint8_t
users_algs(const struct users *us, struct str realm)
{
	const struct realm *r = realm_find(us, realm);
	uint8_t algs = 0;

	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (r == NULL || r->lack[alg].count == 0)
			algs |= (uint8_t)(1u << alg);
	return algs;
}

struct users_lack
users_lacking(const struct users *us, enum digest_alg alg)
{
	struct users_lack sum = { 0, 0 };
	const struct realm *r;

	for (r = us->realms; r != NULL; r = r->hh.next) {
		if (r->lack[alg].count == 0)
			continue;
		if (sum.count == 0 || r->lack[alg].line < sum.line)
			sum.line = r->lack[alg].line;
		sum.count += r->lack[alg].count;
	}
	return sum;
}
