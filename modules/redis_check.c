/*
 * redis_check.c -- what -t says about the nonce store `redis`.
 *
 * One connection on a loop of its own.  Nothing is changed: each command that
 * writes is put into a transaction that is given up, which is enough for the
 * server to say whether it would be allowed.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/secret.h"
#include "io/dns.h"
#include "io/loop.h"
#include "modules/redis_conf.h"
#include "modules/redis_script.h"
#include "modules/redis_server.h"
#include "modules/redis_space.h"
#include "modules/redis_use_script.h"

enum { LINKS_MAX = 3, WAIT_MS = 5000 };

struct check {
	struct loop	*loop;
	struct redis_space space;
	struct redis_server server;
	struct beat	 beat;		/* its fingerprints alone */
	bool		 have_keys;
	unsigned	 tries;
	int64_t		 sent_ms;
	bool		 asked;		/* something was answered */
	const char	*why;		/* not fit; NULL: fit */
	size_t		 tried;		/* of writes[] */
	bool		 scripts;	/* they are not denied */
	bool		 shares;	/* nor what they do for shared_*.c */
	char		 place[REDIS_TEXT_MAX + 8];	/* of the server */
};

enum need { NEED_STORE, NEED_SCRIPT, NEED_SHARE };

/* What is needed, on a key of ours; K stands for it. */
static const struct { const char *v[6]; enum need need; } writes[] = {
	{ .v = { "GET", "K" } },
	{ .v = { "MGET", "K" } },
	{ .v = { "SET", "K", "1", "PX", "1" } },
	{ .v = { "SETBIT", "K", "0", "1" } },
	{ .v = { "PTTL", "K" } },
	{ .v = { "PEXPIRE", "K", "1" } },
	{ .v = { "EXISTS", "K" } },
	{ .v = { "EVALSHA", "0", "0" }, .need = NEED_SCRIPT },
	{ .v = { "EVAL", "return 0", "0" }, .need = NEED_SCRIPT },
	{ .v = { "TIME" }, .need = NEED_SHARE },
	{ .v = { "HMGET", "K", "x" }, .need = NEED_SHARE },
	{ .v = { "HSET", "K", "x", "1" }, .need = NEED_SHARE },
	{ .v = { "HGET", "K", "x" }, .need = NEED_SHARE },
	{ .v = { "HDEL", "K", "x" }, .need = NEED_SHARE },
	{ .v = { "UNLINK", "K" }, .need = NEED_SHARE },
	{ .v = { "ZADD", "K", "1", "x" }, .need = NEED_SHARE },
	{ .v = { "ZREM", "K", "x" }, .need = NEED_SHARE },
	{ .v = { "ZRANGE", "K", "0", "0" }, .need = NEED_SHARE },
	{ .v = { "ZRANGEBYSCORE", "K", "0", "1" }, .need = NEED_SHARE },
	{ .v = { "ZSCORE", "K", "x" }, .need = NEED_SHARE },
	{ .v = { "ZCARD", "K" }, .need = NEED_SHARE },
	{ .v = { "ZCOUNT", "K", "0", "1" }, .need = NEED_SHARE },
};
enum { WRITES = COUNT(writes) };

static void
stop(struct check *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	loop_stop(c->loop);
}

static void
discarded(void *arg, const struct redisReply *r)
{
	struct check *c = arg;

	stop(c, redis_kind(r) == REDIS_TEXT ? NULL : space_reason(r));
}

static void
queued(void *arg, const struct redisReply *r)
{
	struct check *c = arg;
	size_t i = c->tried++;

	if (redis_kind(r) != REDIS_ERROR)
		return;
	if (writes[i].need != NEED_STORE)
		c->shares = false;
	if (writes[i].need == NEED_SCRIPT) {
		c->scripts = false;
		return;
	}
	printf("nonce_store: %s: %s\n", writes[i].v[0], space_reason(r));
	if (writes[i].need == NEED_STORE)
		c->why = "a command that is needed is refused";
}

static bool
queue_one(struct check *c, size_t i)
{
	struct space_key key;
	struct str v[6];
	struct redis_args args = { 0, v };

	for (; args.n < 6 && writes[i].v[args.n] != NULL; args.n++)
		v[args.n] = strcmp(writes[i].v[args.n], "K") == 0 ?
		    space_key(&c->space, &key, 0, "t") :
		    str_of(writes[i].v[args.n]);
	return space_send(&c->space, &args, queued, c);
}

/* Only inside a transaction: without one, they would be done. */
static void
multi_came(void *arg, const struct redisReply *r)
{
	struct check *c = arg;
	bool sent = true;

	if (redis_kind(r) != REDIS_TEXT) {
		stop(c, space_reason(r));
		return;
	}
	for (size_t i = 0; i < WRITES && sent; i++)
		sent = queue_one(c, i);
	if (!sent || !SPACE_SEND(&c->space, discarded, c,
	    LITERAL("DISCARD")))
		stop(c, space_unsent(&c->space));
}

static void
script_came(void *arg, const struct redisReply *r)
{
	struct check *c = arg;

	c->scripts = c->shares = redis_kind(r) == REDIS_TEXT;
}

static void
watch_came(void *arg, const struct redisReply *r)
{
	if (redis_kind(r) != REDIS_TEXT)
		stop(arg, space_reason(r));
}

static void
say_key(struct check *c, struct str there)
{
	const char *is = NULL;

	for (size_t i = 0; i < c->beat.nfingerprints; i++)
		if (str_is(there, c->beat.fingerprint[i]))
			is = "the same as the other instances have";
	if (!c->have_keys)
		is = "ours is not made yet";
	else if (there.len == 0)
		is = "no other instance is alive to compare with";
	if (is == NULL)
		c->why = "the master key differs";
	else if (!c->have_keys && there.len > 0)
		c->why = "the others have a master key: copy it first";
	printf("nonce_store: master key: %s\n", is != NULL ? is :
	    "another than the other instances have");
}

static void
key_came(void *arg, const struct redisReply *r)
{
	struct check *c = arg;

	if (redis_kind(r) == REDIS_TEXT || redis_kind(r) == REDIS_NIL)
		say_key(c, redis_text(r));
}

static void
time_came(void *arg, const struct redisReply *r)
{
	struct check *c = arg;

	if (!redis_server_time(&c->server, r, c->sent_ms, clock_unix_ms())) {
		stop(c, space_reason(r));
		return;
	}
	printf("nonce_store: its clock is %lld ms %s ours\n",
	    (long long)llabs(c->server.offset_ms),
	    c->server.offset_ms < 0 ? "behind" : "ahead of");
	if (!redis_server_clock_fits(&c->server))
		c->why = "the server's clock is more than 5 s off";
}

static void
info_came(void *arg, const struct redisReply *r)
{
	struct check *c = arg;

	c->asked = r != NULL;
	if (!redis_server_info(&c->server, r)) {
		stop(c, space_reason(r));
		return;
	}
	printf("nonce_store: %s %s at %s, maxmemory-policy %s\n",
	    c->server.kind, c->server.version,
	    redis_link_where(c->space.link), c->server.policy);
	c->why = redis_server_unfit(&c->server);
	if (c->why != NULL)
		loop_stop(c->loop);
}

static void
connected(void *arg)
{
	struct check *c = arg;
	const struct redis_space *s = &c->space;
	struct space_key key;

	c->sent_ms = clock_unix_ms();
	if (!SPACE_SEND(s, info_came, c, LITERAL("INFO")) ||
	    !SPACE_SEND(s, time_came, c, LITERAL("TIME")) ||
	    !SPACE_SEND(s, key_came, c, LITERAL("GET"),
	    space_key(s, &key, 0, "k")) ||
	    !script_load(s, redis_use_script, script_came, c) ||
	    !SPACE_SEND(s, watch_came, c, LITERAL("WATCH"),
	    space_key(s, &key, 0, "t")) ||
	    !SPACE_SEND(s, watch_came, c, LITERAL("UNWATCH")) ||
	    !SPACE_SEND(s, multi_came, c, LITERAL("MULTI")))
		stop(c, space_unsent(&c->space));
}

static void
disconnected(void *arg, const char *reason)
{
	struct check *c = arg;

	if (c->asked || ++c->tries == LINKS_MAX)
		stop(c, reason);
}

static void
time_is_up(void *arg)
{
	stop(arg, "no answer in time");
}

/* As the operator knows it, without user and password. */
static void
name_place(struct check *c, const struct redis_store_conf *conf)
{
	struct redis_url u;

	redis_url_parse(&u, conf->url);
	if (conf->master != NULL)
		snprintf(c->place, sizeof c->place, "%s", conf->master);
	else if (u.path[0] != '\0')
		snprintf(c->place, sizeof c->place, "%s", u.path);
	else
		snprintf(c->place, sizeof c->place, "%s:%u", u.host,
		    (unsigned)u.port);
	secret_wipe(&u, sizeof u);
}

static void
run(struct check *c, const struct redis_store_conf *conf)
{
	const struct redis_link_hooks hooks = { connected, disconnected, c };
	struct loop_timer *timer = loop_timer_new(c->loop, time_is_up, c);
	struct dns *dns = dns_new(c->loop, NULL);

	c->why = timer == NULL || dns == NULL ? "no memory" :
	    redis_conf_open(conf, c->loop, dns, &hooks, &c->space.link);
	if (c->why == NULL) {
		name_place(c, conf);
		loop_timer_start(timer, WAIT_MS);
		loop_run(c->loop);
	}
	redis_link_free(c->space.link);
	dns_free(dns);
	loop_timer_free(timer);
}

int
redis_check(const void *conf, const struct nonce_store_env *env)
{
	const struct redis_store_conf *rc = conf;
	struct check c = { .space = { .prefix = rc->prefix },
		.have_keys = env->keys != NULL, .scripts = true,
		.shares = true };

	if (c.have_keys)
		redis_conf_fingerprints(env, &c.beat);
	c.loop = loop_new();
	if (c.loop == NULL)
		c.why = "no memory";
	else
		run(&c, rc);
	loop_free(c.loop);
	if (c.why != NULL && c.place[0] == '\0')
		fprintf(stderr, "nonce_store: %s\n", c.why);
	else if (c.why != NULL)
		fprintf(stderr, "nonce_store: %s: %s: %s\n", c.place,
		    c.asked ? "not fit" : "not reachable", c.why);
	else
		printf("nonce_store: %s: fit%s%s\n", c.place, c.scripts ? "" :
		    "; scripts are denied, so transactions are used",
		    c.shares ? "" : "; bans and calls are not shared");
	return c.why == NULL ? 0 : -1;
}
