/*
 * resolver.c -- single questions to the name servers, and what is known.
 */
#include "config.h"

/* Out of memory is an answer (ASK_FAILED), not an exit. */
#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif

#include "io/resolver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uthash.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/dns_cache.h"
#include "io/dns_channel.h"
#include "io/loop.h"

enum {
	CACHE_MAX = 4096,	/* answers */
	QUESTIONS_MAX = 4096,	/* under way, and waiting for a channel */
	CHANNELS_MAX = 128,	/* of 73 kB and some sockets each */
	ALIASES_MAX = 8,	/* followed in a row */
	FAILED_TTL_S = 1,	/* RFC 9520 section 3.2: at least */
	LOOK_MS = 1000		/* between two looks at resolv.conf */
};

/* By what a question that is under way is found. */
struct key {
	char		type;
	char		name[DNS_NAME_SIZE];	/* in small letters */
};

struct question {
	UT_hash_handle	 hh;
	struct resolver	*resolver;
	struct key	 key;
	char		 name[DNS_NAME_SIZE];	/* key's, or an alias of it */
	struct dns_question asked;
	unsigned	 aliases;
	uint32_t	 ttl_s;		/* of the aliases */
	size_t		 first;		/* server to begin with */
	unsigned	 useless;	/* answers that tell nothing */
	struct dns_channel *channel;
	bool		 waiting;	/* for a channel */
	bool		 over;
	TAILQ_ENTRY(question) entry;	/* of those that wait */
	LIST_HEAD(, asker) askers;
};

/* What resolv.conf was like when it was read. */
struct seen {
	struct timespec	 changed;
	off_t		 size;
	ino_t		 inode;
};

struct resolver {
	struct loop	*loop;
	char		*path;
	struct seen	 seen;
	int64_t		 looked_ms;
	struct dns_servers servers;
	size_t		 first;		/* server to begin with */
	struct dns_cache *cache;
	struct question	*questions;
	TAILQ_HEAD(, question) waiting;
	struct loop_timer *serve;	/* those */
	unsigned	 nchannels;
};

static bool
same_file(const struct seen *a, const struct seen *b)
{
	return a->inode == b->inode && a->size == b->size &&
	    a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct seen
look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct seen){ .size = -1 };
	return (struct seen){ st.st_mtim, st.st_size, st.st_ino };
}

/* Without memory it stays as it was, until the next look. */
static bool
read_conf(struct resolver *r)
{
	struct seen seen = look(r->path);

	if (!dns_servers_read(&r->servers, r->path))
		return false;
	r->seen = seen;
	r->first = 0;
	return true;
}

static void
look_at_conf(struct resolver *r, int64_t now_ms)
{
	struct seen seen;

	if (now_ms - r->looked_ms < LOOK_MS)
		return;
	r->looked_ms = now_ms;
	seen = look(r->path);
	if (!same_file(&seen, &r->seen))
		read_conf(r);
}

static void
set_key(struct key *k, enum dns_type type, const char *name)
{
	memset(k, 0, sizeof *k);
	k->type = (char)type;
	for (size_t i = 0; name[i] != '\0' && i < TARGET_HOST_MAX; i++)
		k->name[i] = ascii_lower(name[i]);
}

static struct question *
find(const struct resolver *r, const struct key *k)
{
	struct question *q;

	HASH_FIND(hh, r->questions, k, sizeof *k, q);
	return q;
}

/* Out of the tables; the timer, so that a channel that is free is used from
 * the loop, where askers may be told. */
static void
remove_question(struct question *q)
{
	struct resolver *r = q->resolver;

	HASH_DEL(r->questions, q);
	if (q->waiting)
		TAILQ_REMOVE(&r->waiting, q, entry);
	else
		r->nchannels--;
	q->over = true;
	if (!TAILQ_EMPTY(&r->waiting))
		loop_timer_start(r->serve, 0);
}

static void
question_free(struct question *q)
{
	dns_channel_free(q->channel);
	free(q);
}

static void
join(struct question *q, struct asker *a)
{
	a->question = q;
	LIST_INSERT_HEAD(&q->askers, a, entry);
}

/* answer NULL: nobody told, which is remembered for a moment. */
static void
finish(struct question *q, const struct dns_answer *answer)
{
	const struct dns_answer failed = { .type = q->asked.type,
		.failed = true, .ttl_s = FAILED_TTL_S };
	const struct dns_answer *keep = answer == NULL ? &failed : answer;
	struct asker *a;

	remove_question(q);
	if (keep->ttl_s > 0)
		dns_cache_put(q->resolver->cache, q->key.name, keep,
		    clock_mono_ms());
	while ((a = LIST_FIRST(&q->askers)) != NULL) {
		LIST_REMOVE(a, entry);
		a->question = NULL;
		a->fn(a, answer);
	}
	question_free(q);
}

static void answer_came(void *arg, const uint8_t *m, size_t len,
    unsigned silences);

static bool
put(struct question *q)
{
	struct resolver *r = q->resolver;
	const struct dns_channel_conf conf = { r->loop, &r->servers,
		q->first, answer_came, q };

	dns_channel_free(q->channel);
	q->channel = dns_channel_start(&conf, &q->asked);
	return q->channel != NULL;
}

static void
put_again(struct question *q)
{
	if (!put(q))
		finish(q, NULL);
}

/* Whoever comes next begins with who was not silent. */
static void
note_silences(const struct question *q, unsigned silences)
{
	struct resolver *r = q->resolver;

	if (silences > 0 && r->first == q->first)
		r->first = (q->first + silences) % r->servers.n;
}

/* Perhaps the next server tells more. */
static void
pass_over(struct question *q)
{
	if (++q->useless >= q->resolver->servers.n) {
		finish(q, NULL);
		return;
	}
	q->first++;
	put_again(q);
}

/* Too many in a row lead nowhere. */
static void
follow_alias(struct question *q, struct dns_reply *reply)
{
	if (reply->answer.ttl_s < q->ttl_s)
		q->ttl_s = reply->answer.ttl_s;
	if (++q->aliases > ALIASES_MAX) {
		reply->answer.ttl_s = FAILED_TTL_S;
		finish(q, &reply->answer);
		return;
	}
	strcpy(q->name, reply->alias);
	put_again(q);
}

static void
answered(struct question *q, struct dns_reply *reply)
{
	if (reply->answer.ttl_s > q->ttl_s)
		reply->answer.ttl_s = q->ttl_s;
	finish(q, &reply->answer);
}

static void
answer_came(void *arg, const uint8_t *m, size_t len, unsigned silences)
{
	struct question *q = arg;
	struct dns_reply reply;

	note_silences(q, silences);
	if (m == NULL) {
		finish(q, NULL);
		return;
	}
	switch (dns_reply_read(&reply, m, len, &q->asked)) {
	case DNS_ANSWERED:
		answered(q, &reply);
		break;
	case DNS_ALIASED:
		follow_alias(q, &reply);
		break;
	case DNS_USELESS:
		pass_over(q);
		break;
	}
}

static bool
begin(struct question *q)
{
	struct resolver *r = q->resolver;

	look_at_conf(r, clock_mono_ms());
	q->first = r->first;
	if (r->servers.rotate)
		r->first = (r->first + 1) % r->servers.n;
	return put(q);
}

/* Channels have become free. */
static void
serve_waiting(void *arg)
{
	struct resolver *r = arg;
	struct question *q;

	while (r->nchannels < CHANNELS_MAX &&
	    (q = TAILQ_FIRST(&r->waiting)) != NULL) {
		TAILQ_REMOVE(&r->waiting, q, entry);
		q->waiting = false;
		r->nchannels++;
		if (!begin(q))
			finish(q, NULL);
	}
}

static struct question *
question_new(struct resolver *r, const struct key *k, const char *name)
{
	struct question *q;

	if (HASH_COUNT(r->questions) >= QUESTIONS_MAX)
		return NULL;
	q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->resolver = r;
	q->key = *k;
	q->asked.type = (enum dns_type)k->type;
	q->asked.name = strncpy(q->name, name, TARGET_HOST_MAX);
	q->ttl_s = UINT32_MAX;
	LIST_INIT(&q->askers);
	HASH_ADD(hh, r->questions, key, sizeof q->key, q);
	if (q->hh.tbl != NULL)
		return q;
	free(q);
	return NULL;
}

static enum ask_result
start(struct resolver *r, struct question *q)
{
	if (r->nchannels >= CHANNELS_MAX) {
		q->waiting = true;
		TAILQ_INSERT_TAIL(&r->waiting, q, entry);
		return ASK_SENT;
	}
	r->nchannels++;
	if (begin(q))
		return ASK_SENT;
	remove_question(q);
	question_free(q);
	return ASK_FAILED;
}

struct resolver *
resolver_new(struct loop *l, const char *resolv_conf)
{
	struct resolver *r;

	r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	TAILQ_INIT(&r->waiting);
	r->loop = l;
	r->path = strdup(resolv_conf == NULL ? "/etc/resolv.conf" :
	    resolv_conf);
	r->cache = dns_cache_new(CACHE_MAX);
	r->serve = loop_timer_new(l, serve_waiting, r);
	if (r->path != NULL && r->cache != NULL && r->serve != NULL &&
	    read_conf(r))
		return r;
	resolver_free(r);
	return NULL;
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	loop_timer_free(r->serve);
	dns_cache_free(r->cache);
	free(r->path);
	free(r);
}

enum ask_result
resolver_ask(struct resolver *r, enum dns_type type, const char *name,
    struct asker *a, const struct dns_answer **answer)
{
	struct question *q;
	enum ask_result rc = ASK_SENT;
	struct key k;

	*answer = dns_cache_find(r->cache, type, name, clock_mono_ms());
	if (*answer != NULL)
		return (*answer)->failed ? ASK_FAILED : ASK_KNOWN;
	set_key(&k, type, name);
	q = find(r, &k);
	if (q == NULL) {
		q = question_new(r, &k, name);
		if (q == NULL)
			return ASK_FAILED;
		rc = start(r, q);
	}
	if (rc == ASK_SENT)
		join(q, a);
	return rc;
}

void
resolver_leave(struct asker *a)
{
	struct question *q = a->question;

	if (q == NULL)
		return;
	LIST_REMOVE(a, entry);
	a->question = NULL;
	if (!LIST_EMPTY(&q->askers) || q->over)
		return;
	remove_question(q);
	question_free(q);
}
