/*
 * shared_link.c -- the scripts of shared_scripts.h, known to a Redis.
 */
#include "config.h"

#include "modules/shared_link.h"

#include <stdio.h>
#include <string.h>

#include "modules/redis_server.h"

#define TRIAL_MS "1000"
#define TRIAL_ID "00000000000000000000000000000000"

enum { WORDS_MAX = 64 };

static void
fail(struct shared_link *l, const char *reason)
{
	l->up = false;
	l->failed(l->arg, reason);
}

static const char *
why_not(const struct redisReply *r)
{
	return script_is_denied(r) ? "the server's ACL denies scripts, or a "
	    "command that they need" : space_reason(r);
}

bool
shared_link_call(struct shared_link *l, enum shared_script which,
    size_t nkeys, const struct redis_args *args, redis_done_f *done,
    void *arg)
{
	struct str v[WORDS_MAX] = { LITERAL("EVALSHA"),
		{ l->sha[which], SCRIPT_SHA } };
	char number[SHARED_NUMBER_MAX];

	if (args->n > WORDS_MAX - 3)
		return false;
	snprintf(number, sizeof number, "%zu", nkeys);
	v[2] = str_of(number);
	memcpy(&v[3], args->v, args->n * sizeof v[0]);
	return space_send(&l->space, &(const struct redis_args){ args->n + 3,
	    v }, done, arg);
}

bool
shared_link_good(struct shared_link *l, const struct redisReply *r,
    enum redis_kind kind)
{
	if (redis_kind(r) == kind)
		return true;
	if (!l->up || redis_kind(r) == REDIS_NOTHING)
		return false;
	if (redis_is_error(r, "NOSCRIPT"))
		shared_link_greet(l);
	else
		fail(l, why_not(r));
	return false;
}

static void
tried(void *arg, const struct redisReply *r)
{
	struct shared_link *l = arg;

	if (l->up || l->tried == SHARED_SCRIPTS)
		return;
	if (redis_kind(r) != REDIS_INT && redis_kind(r) != REDIS_LIST) {
		l->tried = SHARED_SCRIPTS;
		fail(l, why_not(r));
	} else if (++l->tried == SHARED_SCRIPTS) {
		l->up = true;
		l->ready(l->arg);
	}
}

/* In this order they leave nothing untried. */
static void
try_all(struct shared_link *l)
{
	struct space_key k[7];
	const struct redis_space *s = &l->space;
	const struct str m = space_key_in(s, &k[0], 'b', "tm"),
	    n = space_key_in(s, &k[1], 'b', "tn"),
	    u = space_key_in(s, &k[2], 'b', "tu"),
	    r = space_key_in(s, &k[3], 'b', "tr"),
	    call = space_key_in(s, &k[4], 'c', "tc:" TRIAL_ID),
	    stem = space_key_in(s, &k[5], 'c', "ta:"),
	    bucket = space_key_in(s, &k[6], 'c', "ts"),
	    id = LITERAL(TRIAL_ID), ms = LITERAL(TRIAL_MS);
	const struct { size_t nkeys; struct redis_args args; } trial[] = {
		[SHARED_BAN] = { 4, SPACE_ARGS(m, n, u, r, id, ms, LITERAL("1"),
		    LITERAL(TRIAL_ID " 1000 given")) },
		[SHARED_NEWS] = { 4, SPACE_ARGS(m, n, u, r, id, ms, id,
		    LITERAL("0"), LITERAL("1")) },
		[SHARED_BEGIN] = { 3, SPACE_ARGS(call, stem, bucket, id, ms, id,
		    LITERAL("100"), LITERAL("1"), LITERAL("1000000")) },
		[SHARED_TOUCH] = { 1, SPACE_ARGS(call, stem, ms, LITERAL("r"),
		    LITERAL("0")) },
		[SHARED_END] = { 2, SPACE_ARGS(call, call, stem,
		    LITERAL("b0 o0 ")) }
	};

	l->tried = 0;
	for (unsigned i = 0; i < SHARED_SCRIPTS; i++)
		if (!shared_link_call(l, (enum shared_script)i,
		    trial[i].nkeys, &trial[i].args, tried, l)) {
			l->tried = SHARED_SCRIPTS;
			fail(l, space_unsent(s));
			return;
		}
}

static void
loaded(void *arg, const struct redisReply *r)
{
	struct shared_link *l = arg;

	if (l->up || l->loaded >= SHARED_SCRIPTS)
		return;
	if (!script_loaded(l->sha[l->loaded], r)) {
		l->loaded = SHARED_SCRIPTS;
		fail(l, redis_is_error(r, "ERR") ?
		    "the server knows no scripts" : why_not(r));
		return;
	}
	if (++l->loaded == SHARED_SCRIPTS)
		try_all(l);
}

/* As for nonces: a replica that takes writes, or a server that throws keys
 * away, forgets calls by halves. */
static void
info_came(void *arg, const struct redisReply *r)
{
	struct shared_link *l = arg;
	struct redis_server server;
	const char *unfit;

	if (l->up || l->loaded >= SHARED_SCRIPTS)
		return;
	unfit = redis_server_info(&server, r) ? redis_server_unfit(&server) :
	    why_not(r);
	if (unfit == NULL)
		return;
	l->loaded = SHARED_SCRIPTS;
	fail(l, unfit);
}

void
shared_link_greet(struct shared_link *l)
{
	l->up = false;
	l->loaded = 0;
	l->tried = 0;
	if (!SPACE_SEND(&l->space, info_came, l, LITERAL("INFO"))) {
		l->loaded = SHARED_SCRIPTS;
		fail(l, space_unsent(&l->space));
		return;
	}
	for (unsigned i = 0; i < SHARED_SCRIPTS; i++)
		if (!script_load(&l->space, shared_scripts[i], loaded, l)) {
			l->loaded = SHARED_SCRIPTS;
			fail(l, space_unsent(&l->space));
			return;
		}
}

void
shared_link_end(struct shared_link *l)
{
	l->up = false;
	l->loaded = SHARED_SCRIPTS;
	l->tried = SHARED_SCRIPTS;
}
