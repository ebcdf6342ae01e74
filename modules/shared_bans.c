/*
 * shared_bans.c -- bans that all instances know, by Redis.
 *
 * A link that was broken may lead to other data, older data, or none, so
 * after each connect all is asked for from the start, and the hook up() makes
 * its owner tell what he has.
 */
#include "config.h"

#include "modules/shared_bans.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "io/loop.h"

#define LEDGER_MS "600000"
#define LIFTED "lifted"			/* in the place of a reason */
#define PORTION "500"

enum {
	LEDGER_KEYS = 4,
	ASK_MS = 400,
	MORE_MS = 5,		/* to the next portion: others wait, too */
	PUSH_AGAIN_MS = 10000	/* after some that were lost */
};

/* Of what comes from outside: a ban has an end. */
static const int64_t REST_MAX_MS = INT64_C(366) * 24 * 3600 * 1000;

/* What a script about the ledger is called with. */
struct ledger_words {
	struct space_key k[LEDGER_KEYS];
	char		 fresh[EPOCH_TEXT + 1];
	struct str	 v[LEDGER_KEYS + 5];
};

/* The first six are the same for all. */
static void
begin_words(const struct shared_bans *b, struct ledger_words *w)
{
	static const char *const names[LEDGER_KEYS] = { "m", "n", "u", "r" };

	for (size_t i = 0; i < LEDGER_KEYS; i++)
		w->v[i] = space_key_in(&b->link->space, &w->k[i], 'b', "%s",
		    names[i]);
	random_hex(w->fresh, EPOCH_TEXT / 2);
	w->v[4] = (struct str){ w->fresh, EPOCH_TEXT };
	w->v[5] = LITERAL(LEDGER_MS);
}

static bool
call(struct shared_bans *b, enum shared_script which,
    const struct ledger_words *w, size_t n, redis_done_f *done)
{
	return b->link->up && shared_link_call(b->link, which, LEDGER_KEYS,
	    &(const struct redis_args){ n, w->v }, done, b);
}

/* ---- what others did */

static enum ban_reason
reason_of(struct str word)
{
	for (size_t i = 0; i < BAN_REASON_COUNT; i++)
		if (str_is(word, ban_reason_words[i]))
			return (enum ban_reason)i;
	return BAN_GIVEN;		/* a newer instance's */
}

/* As bans_source() makes them? */
static bool
is_source(const uint8_t source[SOURCE_BYTES])
{
	static const uint8_t zero[SOURCE_BYTES / 2];
	struct addr a = { .port = 0 };

	memcpy(a.ip, source, sizeof a.ip);
	return addr_is_v4(&a) ||
	    memcmp(source + sizeof zero, zero, sizeof zero) == 0;
}

static void
take_ban(const struct shared_bans *b, const struct redisReply *r, size_t at)
{
	struct shared_ban ban = { .rest_ms = redis_int(redis_item(r,
	    at + 1)), .reason = reason_of(redis_text(redis_item(r, at + 2))) };
	void (*tell_of)(void *arg, const struct shared_ban *ban);

	if (!hex_decode(ban.source, sizeof ban.source,
	    redis_text(redis_item(r, at))) || !is_source(ban.source) ||
	    ban.rest_ms <= 0)
		return;
	if (ban.rest_ms > REST_MAX_MS)
		ban.rest_ms = REST_MAX_MS;
	tell_of = str_is(redis_text(redis_item(r, at + 2)), LIFTED) ?
	    b->hooks->lifted : b->hooks->banned;
	if (tell_of != NULL)
		tell_of(b->hooks->arg, &ban);
}

/* Ours have to be told when nobody there knows them: on a new link, in a new
 * epoch, and a while after some were lost. */
static void
push_if_needed(struct shared_bans *b)
{
	int64_t now_ms = clock_mono_ms();

	if (!b->owing && (b->push_ms == 0 || now_ms < b->push_ms))
		return;
	b->owing = false;
	b->push_ms = 0;
	if (b->hooks->up != NULL)
		b->hooks->up(b->hooks->arg);
}

static bool
is_news(const struct redisReply *r)
{
	return redis_count(r) >= 4 && redis_count(r) % 3 == 1 &&
	    redis_text(redis_item(r, 0)).len == EPOCH_TEXT &&
	    redis_int(redis_item(r, 2)) >= 0;
}

/* Returns whether there is more. */
static bool
take_news(struct shared_bans *b, const struct redisReply *r)
{
	int64_t number = redis_int(redis_item(r, 2));
	bool anew = redis_int(redis_item(r, 1)) == 1;
	bool more = redis_int(redis_item(r, 3)) == 1 &&
	    (anew || number > b->since);

	memcpy(b->epoch, redis_text(redis_item(r, 0)).p, EPOCH_TEXT);
	b->since = number;
	for (size_t at = 4; at < redis_count(r); at += 3)
		take_ban(b, r, at);
	b->owing |= anew;
	if (!more)
		push_if_needed(b);
	return more;
}

static void
news_came(void *arg, const struct redisReply *r)
{
	struct shared_bans *b = arg;
	bool more = false;

	if (!b->running)
		return;
	if (shared_link_good(b->link, r, REDIS_LIST) && is_news(r))
		more = take_news(b, r);
	if (b->running)
		loop_timer_start(b->ask, more ? MORE_MS : ASK_MS);
}

static void
ask(void *arg)
{
	struct shared_bans *b = arg;
	char since[SHARED_NUMBER_MAX];
	struct ledger_words w;

	snprintf(since, sizeof since, "%lld", (long long)b->since);
	begin_words(b, &w);
	w.v[6] = str_of(b->epoch);
	w.v[7] = str_of(since);
	w.v[8] = LITERAL(PORTION);
	if (!call(b, SHARED_NEWS, &w, 9, news_came))
		loop_timer_start(b->ask, ASK_MS);
}

/* ---- what we did */

static void
lost(struct shared_bans *b)
{
	if (b->push_ms == 0)
		b->push_ms = clock_mono_ms() + PUSH_AGAIN_MS;
}

static void
told(void *arg, const struct redisReply *r)
{
	struct shared_bans *b = arg;

	if (b->running && !shared_link_good(b->link, r, REDIS_INT))
		lost(b);
}

static void
leave(void *arg)
{
	struct shared_bans *b = arg;
	char max[SHARED_NUMBER_MAX];
	struct ledger_words w;

	if (b->nleaving == 0)
		return;
	snprintf(max, sizeof max, "%zu", b->max);
	begin_words(b, &w);
	w.v[6] = str_of(max);
	w.v[7] = (struct str){ b->text, b->text_len };
	if (!call(b, SHARED_BAN, &w, 8, told))
		lost(b);
	b->nleaving = b->text_len = 0;
}

static void
tell(struct shared_bans *b, const struct shared_ban *ban, const char *reason,
    size_t max)
{
	char source[SHARED_ID_TEXT + 1];

	if (!b->running || ban->rest_ms <= 0)
		return;
	hex_encode(source, ban->source, sizeof ban->source);
	b->max = max;
	b->text_len += (size_t)snprintf(b->text + b->text_len, BAN_TEXT_MAX,
	    "%s %lld %s ", source, (long long)ban->rest_ms, reason);
	if (++b->nleaving == BANS_A_CALL)
		leave(b);
	else
		loop_hook_start(b->leave);
}

void
shared_bans_tell(struct shared_bans *b, const struct shared_ban *ban,
    size_t max)
{
	tell(b, ban, ban_reason_words[ban->reason], max);
}

void
shared_bans_lift(struct shared_bans *b, const struct shared_ban *ban,
    size_t max)
{
	tell(b, ban, LIFTED, max);
}

/* ---- life */

void
shared_bans_start(struct shared_bans *b)
{
	b->running = b->owing = true;
	b->epoch[0] = '\0';
	b->since = 0;
	b->push_ms = 0;
	ask(b);
}

void
shared_bans_stop(struct shared_bans *b)
{
	b->running = false;
	b->nleaving = b->text_len = 0;
	if (b->ask != NULL)
		loop_timer_stop(b->ask);
}

int
shared_bans_init(struct shared_bans *b, struct loop *l)
{
	b->ask = loop_timer_new(l, ask, b);
	b->leave = loop_hook_new(l, leave, b);
	return b->ask == NULL || b->leave == NULL ? -ENOMEM : 0;
}

void
shared_bans_fini(struct shared_bans *b)
{
	shared_bans_stop(b);
	loop_timer_free(b->ask);
	loop_hook_free(b->leave);
}
