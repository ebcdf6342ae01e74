/*
 * redis_beat.c -- being alive, once a second, and looking around.
 */
#include "config.h"

#include "modules/redis_beat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/loop.h"
#include "modules/redis_canary.h"

#define ALIVE_MS "3000"
#define KEY_MS "60000"

enum {
	EVERY_MS = 1000,
	LOOK_AROUND = 5			/* at each so many beats */
};

static void
tell(struct beat *b, enum beat_event what, const char *reason)
{
	if (what == BEAT_BAD)
		b->running = false;
	b->tell(b->arg, what, reason);
}

/* false: it was told, or this beat is over. */
static bool
is_good(struct beat *b, const struct redisReply *r)
{
	enum redis_kind k = redis_kind(r);

	if (!b->running)
		return false;
	/* A lost answer is the connection's to judge, but for the first
	 * beat, which has to succeed. */
	if (k == REDIS_NOTHING && b->count > 1)
		return false;
	if (k == REDIS_ERROR || k == REDIS_NOTHING) {
		tell(b, BEAT_BAD, space_reason(r));
		return false;
	}
	return true;
}

static void
written(void *arg, const struct redisReply *r)
{
	is_good(arg, r);
}

static void
canary_kept(void *arg, const struct redisReply *r)
{
	struct beat *b = arg;

	if (is_good(b, r) && redis_int(r) == 0)
		tell(b, BEAT_CANARY_GONE, NULL);
}

/*
 * What is there was written after our last beat, so its writer is alive now.
 * At the first beat it may be our own previous life.
 */
static void
instance_read(void *arg, const struct redisReply *r)
{
	struct beat *b = arg;
	bool twin;

	if (!is_good(b, r) || b->count == 1)
		return;
	twin = redis_kind(r) == REDIS_TEXT &&
	    !str_is(redis_text(r), b->space->owner);
	if (twin == b->twin)
		return;
	b->twin = twin;
	tell(b, BEAT_TWIN, NULL);
}

static bool
is_key(const struct beat *b, size_t i, const struct redisReply *r)
{
	return i < b->nfingerprints &&
	    str_is(redis_text(r), b->fingerprint[i]);
}

/*
 * While a master key is being replaced either may be there; who signs with
 * the new one puts it in the place of the old.
 */
static void
key_read(void *arg, const struct redisReply *r)
{
	struct beat *b = arg;
	struct space_key key;
	bool other;

	if (!is_good(b, r))
		return;
	other = redis_kind(r) == REDIS_TEXT && !is_key(b, 0, r) &&
	    !is_key(b, 1, r);
	if (!other)
		SPACE_SEND(b->space, written, b, LITERAL("SET"),
		    space_key(b->space, &key, 0, "k"),
		    str_of(b->fingerprint[0]), LITERAL("PX"),
		    LITERAL(KEY_MS));
	if (other == b->other_key)
		return;
	b->other_key = other;
	tell(b, BEAT_OTHER_KEY, NULL);
}

static void
time_read(void *arg, const struct redisReply *r)
{
	struct beat *b = arg;

	if (!is_good(b, r))
		return;
	if (!redis_server_time(b->server, r, b->sent_ms, clock_unix_ms())) {
		tell(b, BEAT_BAD, space_reason(r));
		return;
	}
	tell(b, BEAT_CLOCK, NULL);
	if (!redis_server_clock_fits(b->server))
		tell(b, BEAT_BAD, "the server's clock is more than 5 s off");
}

static void
info_read(void *arg, const struct redisReply *r)
{
	struct beat *b = arg;
	struct redis_server now = { .offset_ms = b->server->offset_ms };
	const char *unfit;

	if (!is_good(b, r))
		return;
	unfit = redis_server_info(&now, r) ? redis_server_unfit(&now) :
	    space_reason(r);
	if (unfit == NULL && strcmp(now.id, b->server->id) != 0)
		unfit = "the server has taken up other data";
	if (unfit != NULL)
		tell(b, BEAT_BAD, unfit);
}

/* The last command of a beat. */
static void
beaten(void *arg, const struct redisReply *r)
{
	struct beat *b = arg;

	if (is_good(b, r))
		tell(b, BEAT_OK, NULL);
}

static bool
send_alive(struct beat *b)
{
	const struct redis_space *s = b->space;
	struct space_key key;

	for (unsigned i = 0; i < SHARDS; i++)
		if (!SPACE_SEND(s, written, b, LITERAL("SET"),
		    space_key(s, &key, i, "o:%s", s->owner), LITERAL("1"),
		    LITERAL("PX"), LITERAL(ALIVE_MS)))
			return false;
	space_key(s, &key, 0, "i:%u", b->instance);
	return SPACE_SEND(s, instance_read, b, LITERAL("GET"),
	    str_of(key.text)) &&
	    SPACE_SEND(s, written, b, LITERAL("SET"), str_of(key.text),
	    str_of(s->owner), LITERAL("PX"), LITERAL(ALIVE_MS));
}

static bool
keep_canaries(struct beat *b)
{
	char life[12];
	struct space_key key;

	snprintf(life, sizeof life, "%d", CANARY_LIFE_MS);
	for (unsigned i = 0; i < SHARDS; i++)
		if (!SPACE_SEND(b->space, canary_kept, b, LITERAL("PEXPIRE"),
		    space_key(b->space, &key, i, "g"), str_of(life)))
			return false;
	return true;
}

static bool
send_beat(struct beat *b)
{
	const struct redis_space *s = b->space;
	struct space_key key;

	if (b->count++ % LOOK_AROUND == 0 && b->count > 1 &&
	    (!keep_canaries(b) ||
	    !SPACE_SEND(s, info_read, b, LITERAL("INFO"))))
		return false;
	b->sent_ms = clock_unix_ms();
	return send_alive(b) &&
	    SPACE_SEND(s, key_read, b, LITERAL("GET"),
	    space_key(s, &key, 0, "k")) &&
	    SPACE_SEND(s, time_read, b, LITERAL("TIME")) &&
	    SPACE_SEND(s, beaten, b, LITERAL("EXISTS"),
	    space_key(s, &key, 0, "o:%s", s->owner));
}

/* A beat that does not fit into the queue is left out: uses come first. */
static void
on_timer(void *arg)
{
	struct beat *b = arg;

	if (!b->running)
		return;
	loop_timer_start(b->timer, EVERY_MS);
	if (!send_beat(b) && b->count == 1)
		tell(b, BEAT_BAD, space_unsent(b->space));
}

int
beat_init(struct beat *b, struct loop *l)
{
	b->timer = loop_timer_new(l, on_timer, b);
	return b->timer != NULL ? 0 : -ENOMEM;
}

void
beat_start(struct beat *b)
{
	b->count = 0;
	b->running = true;
	on_timer(b);
}

void
beat_stop(struct beat *b)
{
	b->running = false;
	loop_timer_stop(b->timer);
}
