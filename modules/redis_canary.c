/*
 * redis_canary.c -- the generations of the data in Redis.
 *
 * WATCH and EXEC make looking and replacing one step: whoever was quicker
 * wins, and the others look again.
 */
#include "config.h"

#include "modules/redis_canary.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

enum { TRIES_MAX = 5 };

static void
finish(struct canaries *c, const char *reason)
{
	if (!c->claiming)
		return;
	c->claiming = false;
	c->done(c->arg, reason);
}

static uint32_t
fresh_generation(unsigned shard)
{
	uint32_t r;

	do
		random_bytes(&r, sizeof r);
	while (r < SHARDS);
	return (r & ~(uint32_t)(SHARDS - 1)) | shard;
}

struct str
canary_text(const struct canaries *c, uint32_t generation,
    char out[CANARY_TEXT + 1])
{
	snprintf(out, CANARY_TEXT + 1, "%s.%08x", c->id, generation);
	return (struct str){ out, CANARY_TEXT };
}

enum canary_kind
canary_parse(const struct canaries *c, struct str text, unsigned shard,
    uint32_t *generation)
{
	uint8_t g[4];

	if (text.len == 0)
		return CANARY_ABSENT;
	if (text.len != CANARY_TEXT ||
	    memcmp(text.p, c->id, SERVER_ID_TEXT) != 0 ||
	    !hex_decode(g, sizeof g,
	    (struct str){ text.p + SERVER_ID_TEXT + 1, 8 }) ||
	    (get_u32(g) & (SHARDS - 1)) != shard)
		return CANARY_FOREIGN;
	*generation = get_u32(g);
	return CANARY_OURS;
}

static void look(struct canaries *c);

static void
executed(void *arg, const struct redisReply *r)
{
	struct canaries *c = arg;

	if (!c->claiming)
		return;
	if (redis_kind(r) == REDIS_NIL && ++c->tries < TRIES_MAX) {
		look(c);
		return;
	}
	if (redis_kind(r) != REDIS_LIST) {
		finish(c, space_reason(r));
		return;
	}
	for (size_t i = 0; i < redis_count(r); i++)
		if (redis_kind(redis_item(r, i)) != REDIS_TEXT) {
			finish(c, space_reason(redis_item(r, i)));
			return;
		}
	for (unsigned i = 0; i < SHARDS; i++)
		if (c->fresh[i] != 0)
			c->generation[i] = c->fresh[i];
	finish(c, NULL);
}

static bool
send_set(struct canaries *c, unsigned shard)
{
	char canary[CANARY_TEXT + 1], life[12];
	struct space_key key;

	snprintf(life, sizeof life, "%d", CANARY_LIFE_MS);
	return SPACE_SEND(c->space, NULL, NULL, LITERAL("SET"),
	    space_key(c->space, &key, shard, "g"),
	    canary_text(c, c->fresh[shard], canary), LITERAL("PX"),
	    str_of(life));
}

static void
replace(struct canaries *c)
{
	bool sent = SPACE_SEND(c->space, NULL, NULL, LITERAL("MULTI"));

	for (unsigned i = 0; i < SHARDS && sent; i++)
		if (c->fresh[i] != 0)
			sent = send_set(c, i);
	if (!sent || !SPACE_SEND(c->space, executed, c, LITERAL("EXEC")))
		finish(c, space_unsent(c->space));
}

static void
unwatched(void *arg, const struct redisReply *r)
{
	finish(arg, redis_kind(r) == REDIS_TEXT ? NULL : space_reason(r));
}

static void
looked(void *arg, const struct redisReply *r)
{
	struct canaries *c = arg;
	bool all_there = true;

	if (!c->claiming)
		return;
	if (redis_count(r) != SHARDS) {
		finish(c, space_reason(r));
		return;
	}
	for (unsigned i = 0; i < SHARDS; i++) {
		c->fresh[i] = 0;
		if (canary_parse(c, redis_text(redis_item(r, i)), i,
		    &c->generation[i]) == CANARY_OURS)
			continue;
		c->fresh[i] = fresh_generation(i);
		all_there = false;
	}
	if (!all_there)
		replace(c);
	else if (!SPACE_SEND(c->space, unwatched, c, LITERAL("UNWATCH")))
		finish(c, space_unsent(c->space));
}

static void
watched(void *arg, const struct redisReply *r)
{
	if (redis_kind(r) != REDIS_TEXT)
		finish(arg, space_reason(r));
}

static void
look(struct canaries *c)
{
	struct space_key key[SHARDS];
	struct str v[1 + SHARDS];
	struct redis_args args = { 1 + SHARDS, v };
	bool sent;

	for (unsigned i = 0; i < SHARDS; i++)
		v[1 + i] = space_key(c->space, &key[i], i, "g");
	v[0] = LITERAL("WATCH");
	sent = space_send(c->space, &args, watched, c);
	v[0] = LITERAL("MGET");
	if (!sent || !space_send(c->space, &args, looked, c))
		finish(c, space_unsent(c->space));
}

void
canaries_claim(struct canaries *c)
{
	if (c->claiming)
		return;
	c->claiming = true;
	c->tries = 0;
	look(c);
}

void
canaries_forget(struct canaries *c)
{
	c->claiming = false;
}
