/*
 * redis_greeting.c -- what a server is asked before it counts uses of nonces.
 */
#include "config.h"

#include "modules/redis_greeting.h"

#include "modules/redis_script.h"
#include "modules/redis_use_script.h"

static void
fail(struct greeting *g, const char *reason)
{
	g->running = false;
	g->failed(g->arg, reason);
}

static void
tried(void *arg, const struct redisReply *r)
{
	struct greeting *g = arg;

	if (!g->running)
		return;
	if (script_calls_are_denied(r))
		g->sha[0] = '\0';
	else if (redis_kind(r) != REDIS_INT) {
		fail(g, script_is_denied(r) ? "the server's ACL denies "
		    "(NOPERM) a command that the script needs" :
		    space_reason(r));
		return;
	}
	g->tried(g->arg);
}

/* The script is tried, to its end, on keys that are gone in a moment: what the
 * ACL denies in it must show now and not at the first use. */
static bool
try_script(struct greeting *g)
{
	struct space_key key[3];

	return SPACE_SEND(g->space, tried, g, LITERAL("EVALSHA"),
	    str_of(g->sha), LITERAL("3"),
	    space_key(g->space, &key[0], 0, "t"),
	    space_key(g->space, &key[1], 0, "tn"),
	    space_key(g->space, &key[2], 0, "tr"), LITERAL(""),
	    LITERAL("0"), LITERAL("1"), LITERAL("-"), LITERAL("-"),
	    LITERAL("1"), LITERAL("-"));
}

static void
info_came(void *arg, const struct redisReply *r)
{
	struct greeting *g = arg;
	const char *unfit;

	if (!g->running)
		return;
	unfit = redis_server_info(g->server, r) ?
	    redis_server_unfit(g->server) : space_reason(r);
	if (unfit != NULL)
		fail(g, unfit);
}

/* "ERR": scripts are unknown to it, since they were renamed away. */
static void
script_came(void *arg, const struct redisReply *r)
{
	struct greeting *g = arg;
	bool loaded;

	if (!g->running)
		return;
	loaded = script_loaded(g->sha, r);
	if (!loaded && !redis_is_error(r, "NOPERM") &&
	    !redis_is_error(r, "ERR")) {
		fail(g, space_reason(r));
		return;
	}
	if (loaded && !try_script(g)) {
		fail(g, space_unsent(g->space));
		return;
	}
	g->known(g->arg);
	if (!loaded && g->running)
		g->tried(g->arg);
}

void
greeting_start(struct greeting *g)
{
	g->running = true;
	if (!SPACE_SEND(g->space, info_came, g, LITERAL("INFO")) ||
	    !script_load(g->space, redis_use_script, script_came, g))
		fail(g, space_unsent(g->space));
}

void
greeting_stop(struct greeting *g)
{
	g->running = false;
}
