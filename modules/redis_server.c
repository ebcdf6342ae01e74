/*
 * redis_server.c -- what a server says about itself, and whether it is fit.
 */
#include "config.h"

#include "modules/redis_server.h"

#include <stdio.h>
#include <string.h>

enum { ID_HALF = SERVER_ID_TEXT / 2 };

/* The value of "name:value\r\n"; empty: there is none. */
static struct str
field(struct str info, const char *name)
{
	size_t len = strlen(name);
	const char *p = info.p, *end = info.p + info.len, *stop;

	while (p < end) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - p) > len && p[len] == ':' &&
		    memcmp(p, name, len) == 0)
			return str_trim((struct str){ p + len + 1,
			    (size_t)(stop - p) - len - 1 });
		p = stop + 1;
	}
	return (struct str){ "", 0 };
}

static void
copy(char out[SERVER_WORD_MAX], struct str s)
{
	snprintf(out, SERVER_WORD_MAX, "%.*s", (int)(s.len <
	    SERVER_WORD_MAX ? s.len : SERVER_WORD_MAX - 1), s.p);
}

bool
redis_server_info(struct redis_server *s, const struct redisReply *r)
{
	struct str info = redis_text(r);
	struct str run = field(info, "run_id");
	struct str replication = field(info, "master_replid");
	struct str valkey = field(info, "valkey_version");

	if (redis_kind(r) != REDIS_TEXT || run.len < ID_HALF ||
	    replication.len < ID_HALF)
		return false;
	snprintf(s->id, sizeof s->id, "%.*s.%.*s", ID_HALF, run.p, ID_HALF,
	    replication.p);
	copy(s->kind, str_of(valkey.len > 0 ? "Valkey" : "Redis"));
	copy(s->version, valkey.len > 0 ? valkey :
	    field(info, "redis_version"));
	copy(s->policy, field(info, "maxmemory_policy"));
	s->master = str_is(field(info, "role"), "master");
	s->cluster = str_is(field(info, "redis_mode"), "cluster") ||
	    str_is(field(info, "server_mode"), "cluster");
	s->loading = !str_is(field(info, "loading"), "0");
	return true;
}

bool
redis_server_time(struct redis_server *s, const struct redisReply *r,
    int64_t sent_ms, int64_t now_ms)
{
	uint64_t seconds, micros;

	if (redis_count(r) != 2 ||
	    !parse_uint(redis_text(redis_item(r, 0)), INT64_MAX / 2000,
	    &seconds) ||
	    !parse_uint(redis_text(redis_item(r, 1)), 999999, &micros))
		return false;
	s->offset_ms = (int64_t)(seconds * 1000 + micros / 1000) -
	    (sent_ms + (now_ms - sent_ms) / 2);
	return true;
}

const char *
redis_server_unfit(const struct redis_server *s)
{
	if (s->cluster)
		return "the server is part of a Redis Cluster, which is not "
		    "supported";
	if (s->loading)
		return "the server is loading its data";
	if (!s->master)
		return "the server is a replica, not the master";
	if (strcmp(s->policy, "noeviction") != 0)
		return "maxmemory-policy is not noeviction";
	return NULL;
}

bool
redis_server_clock_fits(const struct redis_server *s)
{
	return s->offset_ms <= SERVER_CLOCK_MAX_MS &&
	    s->offset_ms >= -SERVER_CLOCK_MAX_MS;
}
