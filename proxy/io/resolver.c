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
#include "base/secret.h"
#include "io/dns_cache.h"
#include "io/dns_message.h"
#include "io/dns_try.h"
#include "io/loop.h"
#include "io/resolv_conf.h"

enum {
	CACHE_MAX = 4096,	/* answers */
	QUESTIONS_MAX = 4096,	/* under way, and waiting for a socket */
	SOCKETS_MAX = 256,
	ALIASES_MAX = 8,	/* followed in a row */
	WAIT_MOST_MS = 8000,	/* for one try */
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
	struct resolv_conf conf;	/* as it was at the beginning */
	size_t		 server;
	unsigned	 bad;		/* servers that do not tell: bits */
	unsigned	 silences;	/* tries without a word */
	bool		 tcp;
	struct dns_try	*try;
	struct loop_timer *timer;	/* of the try */
	bool		 waiting;	/* for a socket */
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
	struct resolv_conf conf;
	size_t		 first;		/* server to begin with */
	unsigned	 no_edns;	/* servers that know it not: bits */
	struct dns_cache *cache;
	struct question	*questions;
	TAILQ_HEAD(, question) waiting;
	struct loop_timer *serve;	/* those */
	unsigned	 nsockets;
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

static void
read_conf(struct resolver *r)
{
	r->seen = look(r->path);
	r->looked_ms = clock_mono_ms();
	resolv_conf_read(&r->conf, r->path);
	r->first = 0;
	r->no_edns = 0;
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
		k->name[i] = name[i] >= 'A' && name[i] <= 'Z' ?
		    (char)(name[i] - 'A' + 'a') : name[i];
}

static struct question *
find(const struct resolver *r, const struct key *k)
{
	struct question *q;

	HASH_FIND(hh, r->questions, k, sizeof *k, q);
	return q;
}

/* Out of the tables; the timer, so that a socket that is free is used from
 * the loop, where askers may be told. */
static void
remove_question(struct question *q)
{
	struct resolver *r = q->resolver;

	HASH_DEL(r->questions, q);
	if (q->waiting)
		TAILQ_REMOVE(&r->waiting, q, entry);
	else
		r->nsockets--;
	q->over = true;
	if (!TAILQ_EMPTY(&r->waiting))
		loop_timer_start(r->serve, 0);
}

static void
question_free(struct question *q)
{
	dns_try_free(q->try);
	loop_timer_free(q->timer);
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

static void answer_came(void *arg, const uint8_t *m, size_t len);

static unsigned
bit(const struct question *q)
{
	return 1u << q->server;
}

static int64_t
patience_ms(const struct question *q)
{
	int64_t ms = q->conf.timeout_ms << q->silences / q->conf.n;

	return ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
}

/* A new number each time: what was forged for one try fits no other. */
static bool
ask_server(struct question *q)
{
	struct resolver *r = q->resolver;
	const struct dns_try_conf conf = { r->loop,
		&q->conf.server[q->server], q->tcp, answer_came, q };
	uint8_t m[DNS_QUESTION_MAX];

	dns_try_free(q->try);
	random_bytes(&q->asked.id, sizeof q->asked.id);
	q->asked.edns = (r->no_edns & bit(q)) == 0;
	q->try = dns_try_start(&conf, m, dns_question_write(m, &q->asked));
	if (q->try == NULL)
		return false;
	loop_timer_start(q->timer, patience_ms(q));
	return true;
}

/* Ask this server, or else the next that may tell.  false: none is left. */
static bool
ask_someone(struct question *q)
{
	for (size_t i = 0; i < q->conf.n; i++) {
		if ((q->bad & bit(q)) == 0 && ask_server(q))
			return true;
		q->bad |= bit(q);
		q->server = (q->server + 1) % q->conf.n;
		q->tcp = false;
	}
	return false;
}

static void
go_on(struct question *q)
{
	if (!ask_someone(q))
		finish(q, NULL);
}

static void
give_up_server(struct question *q)
{
	q->bad |= bit(q);
	go_on(q);
}

/* Whoever comes next begins with another server. */
static void
patience_ends(void *arg)
{
	struct question *q = arg;
	struct resolver *r = q->resolver;
	size_t next = (q->server + 1) % q->conf.n;

	if (r->first == q->server)
		r->first = next;
	if (++q->silences >= q->conf.attempts * q->conf.n) {
		finish(q, NULL);
		return;
	}
	q->server = next;
	q->tcp = false;
	go_on(q);
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
	q->tcp = false;
	go_on(q);
}

static void
answered(struct question *q, struct dns_reply *reply)
{
	if (reply->answer.ttl_s > q->ttl_s)
		reply->answer.ttl_s = q->ttl_s;
	finish(q, &reply->answer);
}

/* What is not ours may be forged: the true one may still come. */
static void
answer_came(void *arg, const uint8_t *m, size_t len)
{
	struct question *q = arg;
	struct dns_reply reply;

	switch (m == NULL ? DNS_REFUSED : dns_reply_read(&reply, m, len,
	    &q->asked)) {
	case DNS_ANSWERED:
		answered(q, &reply);
		break;
	case DNS_ALIASED:
		follow_alias(q, &reply);
		break;
	case DNS_TRUNCATED:
		if (q->tcp) {
			give_up_server(q);
			break;
		}
		q->tcp = true;
		go_on(q);
		break;
	case DNS_NOT_UNDERSTOOD:
		q->resolver->no_edns |= bit(q);
		go_on(q);
		break;
	case DNS_REFUSED:
		give_up_server(q);
		break;
	case DNS_NOT_OURS:
		if (q->tcp)
			give_up_server(q);
		break;
	}
}

static bool
begin(struct question *q)
{
	struct resolver *r = q->resolver;

	look_at_conf(r, clock_mono_ms());
	q->conf = r->conf;
	q->server = r->first % r->conf.n;
	if (r->conf.rotate)
		r->first = (q->server + 1) % r->conf.n;
	q->timer = loop_timer_new(r->loop, patience_ends, q);
	return q->timer != NULL && ask_someone(q);
}

/* Sockets have become free. */
static void
serve_waiting(void *arg)
{
	struct resolver *r = arg;
	struct question *q;

	while (r->nsockets < SOCKETS_MAX &&
	    (q = TAILQ_FIRST(&r->waiting)) != NULL) {
		TAILQ_REMOVE(&r->waiting, q, entry);
		q->waiting = false;
		r->nsockets++;
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
	if (r->nsockets >= SOCKETS_MAX) {
		q->waiting = true;
		TAILQ_INSERT_TAIL(&r->waiting, q, entry);
		return ASK_SENT;
	}
	r->nsockets++;
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
	if (r->path == NULL || r->cache == NULL || r->serve == NULL) {
		resolver_free(r);
		return NULL;
	}
	read_conf(r);
	return r;
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
