/*
 * redis_uses.c -- uses of nonces that are being counted by Redis.
 *
 * One call of a script each.  Where the server's ACL denies scripts, the same
 * is done by a transaction, whose SETBIT is in vain when the canary turns out
 * to be another one; whether the owner of a fingerprint is alive then costs
 * another round trip.
 */
#include "config.h"

#include "modules/redis_uses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "modules/redis_use_script.h"

#define FINGERPRINT_MS "32000"		/* 64*T1: RFC 3261 17.1.2.2 */

enum {
	KEEP_MS = 60000,	/* beyond a nonce's life, for clocks */
	NUMBER_MAX = 24
};

struct use_call {
	struct uses	*uses;
	struct nonce_use *use;		/* NULL: cancelled */
	int64_t		 sent_us;
	unsigned	 shard;
	bool		 repeated;	/* by EVAL */
	struct space_key canary_key, bits_key, print_key, owner_key;
	struct str	 key[3];	/* canary, bits, print */
	struct str	 owners;	/* owner_key without the id */
	char		 canary[CANARY_TEXT + 1];
	char		 bit[NUMBER_MAX], life[NUMBER_MAX];
	char		 print[FINGERPRINT_TEXT + 1];	/* empty: none */
};

static void
judged(struct use_call *c, enum use_verdict v, bool answered)
{
	struct uses *u = c->uses;
	struct nonce_use *use = c->use;
	int64_t took_us = answered ? clock_mono_us() - c->sent_us : 0;

	free(c);
	if (use == NULL)
		return;
	use->pending = NULL;
	u->judged(u->arg, use, v, took_us);
}

static void
fenced(struct use_call *c, struct str canary)
{
	c->uses->fenced(c->uses->arg, c->shard, canary);
	judged(c, USE_FENCED, true);
}

static void
failed(struct use_call *c, const struct redisReply *r)
{
	if (redis_kind(r) != REDIS_NOTHING)
		c->uses->failed(c->uses->arg, space_reason(r));
	judged(c, USE_UNAVAILABLE, false);
}

/* Relative, by our own clock; never less than what clocks may differ. */
static int64_t
life_ms(const struct nonce_use *use)
{
	int64_t left = use->issued_ms + use->lifetime_s * INT64_C(1000) -
	    use->now_ms;

	return (left > 0 ? left : 0) + KEEP_MS;
}

static bool
is_zero(const uint8_t p[16])
{
	static const uint8_t zero[16];

	return memcmp(p, zero, sizeof zero) == 0;
}

static void
call_fill(struct use_call *c)
{
	const struct nonce_use *use = c->use;
	const struct redis_space *s = c->uses->space;
	char id[ID_TEXT + 1];

	base64url_encode(id, use->id, sizeof use->id);
	if (!is_zero(use->fingerprint))
		base64url_encode(c->print, use->fingerprint,
		    sizeof use->fingerprint);
	c->shard = use->generation & (SHARDS - 1);
	canary_text(c->uses->canaries, use->generation, c->canary);
	snprintf(c->bit, sizeof c->bit, "%u", use->nc - 1);
	snprintf(c->life, sizeof c->life, "%lld", (long long)life_ms(use));
	c->key[0] = space_key(s, &c->canary_key, c->shard, "g");
	c->key[1] = space_key(s, &c->bits_key, c->shard, "n:%s", id);
	c->key[2] = space_key(s, &c->print_key, c->shard, "r:%s:%u", id,
	    use->nc);
	c->owners = space_key(s, &c->owner_key, c->shard, "o:");
}

static bool
send_script(struct use_call *c, struct str how, struct str script,
    redis_done_f *done)
{
	const struct redis_space *s = c->uses->space;
	const struct str v[] = { how, script, LITERAL("3"),
		c->key[0], c->key[1], c->key[2], str_of(c->canary),
		str_of(c->bit), str_of(c->life), str_of(c->print),
		str_of(s->owner), LITERAL(FINGERPRINT_MS), c->owners };

	return redis_link_send(s->link, &(const struct redis_args){
	    COUNT(v), v }, done, c);
}

static void script_answered(void *arg, const struct redisReply *r);

/* The script is unknown after a restart or SCRIPT FLUSH.  It was not run, so
 * this is no repetition; EVAL makes it known again. */
static void
repeat(struct use_call *c, const struct redisReply *r)
{
	if (c->repeated || c->use == NULL || !send_script(c, LITERAL("EVAL"),
	    str_of(redis_use_script), script_answered)) {
		failed(c, c->repeated ? r : NULL);
		return;
	}
	c->repeated = true;
}

static void
script_answered(void *arg, const struct redisReply *r)
{
	struct use_call *c = arg;

	if (redis_kind(r) == REDIS_TEXT)
		fenced(c, redis_text(r));
	else if (redis_is_error(r, "NOSCRIPT"))
		repeat(c, r);
	else if (redis_kind(r) != REDIS_INT)
		failed(c, r);
	else
		judged(c, redis_int(r) == 0 ? USE_ACCEPT :
		    redis_int(r) == 2 ? USE_ABSORB : USE_REPLAY, true);
}

static void
owner_answered(void *arg, const struct redisReply *r)
{
	struct use_call *c = arg;

	if (redis_kind(r) == REDIS_INT)
		judged(c, redis_int(r) == 1 ? USE_ABSORB : USE_REPLAY, true);
	else
		failed(c, r);
}

/* It was used before.  By the same datagram, whose owner is alive? */
static void
seen_before(struct use_call *c, struct str first)
{
	size_t len = strlen(c->print);
	struct space_key key;

	if (len == 0 || first.len != len + OWNER_TEXT ||
	    memcmp(first.p, c->print, len) != 0)
		judged(c, USE_REPLAY, true);
	else if (!SPACE_SEND(c->uses->space, owner_answered, c,
	    LITERAL("EXISTS"), space_key(c->uses->space, &key, c->shard,
	    "o:%.*s", OWNER_TEXT, first.p + len)))
		failed(c, NULL);
}

/* EXEC's list: the canary, the old bit, the expiry, then with a fingerprint
 * the one that was there and what became of ours. */
static void
executed(void *arg, const struct redisReply *r)
{
	struct use_call *c = arg;
	struct str canary = redis_text(redis_item(r, 0));
	const struct redisReply *bit = redis_item(r, 1);

	if (redis_count(r) < 3) {
		failed(c, r);
		return;
	}
	for (size_t i = 0; i < redis_count(r); i++)
		if (redis_kind(redis_item(r, i)) == REDIS_ERROR) {
			failed(c, redis_item(r, i));
			return;
		}
	if (!str_is(canary, c->canary))
		fenced(c, canary);
	else if (redis_int(bit) == 0)
		judged(c, USE_ACCEPT, true);
	else
		seen_before(c, redis_text(redis_item(r, 3)));
}

static bool
send_fingerprint(struct use_call *c)
{
	const struct redis_space *s = c->uses->space;
	char both[FINGERPRINT_TEXT + OWNER_TEXT + 1];

	if (c->print[0] == '\0')
		return true;
	snprintf(both, sizeof both, "%s%s", c->print, s->owner);
	return SPACE_SEND(s, NULL, NULL, LITERAL("GET"), c->key[2]) &&
	    SPACE_SEND(s, NULL, NULL, LITERAL("SET"), c->key[2],
	    str_of(both), LITERAL("PX"), LITERAL(FINGERPRINT_MS),
	    LITERAL("NX"));
}

/* PEXPIRE may move the end by the difference of two clocks, which is less
 * than KEEP_MS allows for. */
static bool
send_transaction(struct use_call *c)
{
	const struct redis_space *s = c->uses->space;

	if (!SPACE_SEND(s, NULL, NULL, LITERAL("MULTI")))
		return false;
	if (SPACE_SEND(s, NULL, NULL, LITERAL("GET"), c->key[0]) &&
	    SPACE_SEND(s, NULL, NULL, LITERAL("SETBIT"), c->key[1],
	    str_of(c->bit), LITERAL("1")) &&
	    SPACE_SEND(s, NULL, NULL, LITERAL("PEXPIRE"), c->key[1],
	    str_of(c->life)) &&
	    send_fingerprint(c) &&
	    SPACE_SEND(s, executed, c, LITERAL("EXEC")))
		return true;
	/* The transaction is left open, and cannot be taken back. */
	c->uses->failed(c->uses->arg, space_unsent(s));
	return false;
}

enum use_verdict
uses_start(struct uses *u, struct nonce_use *use)
{
	struct use_call *c = calloc(1, sizeof *c);
	bool sent;

	if (c == NULL)
		return USE_UNAVAILABLE;
	c->uses = u;
	c->use = use;
	c->sent_us = clock_mono_us();
	call_fill(c);
	sent = u->sha[0] == '\0' ? send_transaction(c) :
	    send_script(c, LITERAL("EVALSHA"), str_of(u->sha),
	    script_answered);
	if (!sent) {
		free(c);
		return USE_UNAVAILABLE;
	}
	use->pending = c;
	return USE_PENDING;
}

void
uses_cancel(struct nonce_use *use)
{
	struct use_call *c = use->pending;

	if (c != NULL)
		c->use = NULL;
	use->pending = NULL;
}
