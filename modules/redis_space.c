/*
 * redis_space.c -- what is ours in Redis.
 */
#include "config.h"

#include "modules/redis_space.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/count.h"

static struct str
key_text(struct space_key *out, int n, const char *fmt, va_list ap)
{
	int m = vsnprintf(out->text + n, sizeof out->text - (size_t)n, fmt,
	    ap);

	return (struct str){ out->text, (size_t)n + (size_t)m };
}

struct str
space_key(const struct redis_space *s, struct space_key *out, unsigned shard,
    const char *fmt, ...)
{
	struct str key;
	va_list ap;

	va_start(ap, fmt);
	key = key_text(out, snprintf(out->text, sizeof out->text, "%s:{%u}:",
	    s->prefix, shard), fmt, ap);
	va_end(ap);
	return key;
}

struct str
space_key_in(const struct redis_space *s, struct space_key *out, char tag,
    const char *fmt, ...)
{
	struct str key;
	va_list ap;

	va_start(ap, fmt);
	key = key_text(out, snprintf(out->text, sizeof out->text, "%s:{%c}:",
	    s->prefix, tag), fmt, ap);
	va_end(ap);
	return key;
}

bool
space_send(const struct redis_space *s, const struct redis_args *args,
    redis_done_f *done, void *arg)
{
	return redis_link_send(s->link, args, done, arg);
}

const char *
space_unsent(const struct redis_space *s)
{
	const char *dropped = redis_link_dropped(s->link);

	return dropped != NULL ? dropped : "too many commands under way";
}

const char *
space_reason(const struct redisReply *r)
{
	static const struct { const char *word, *reason; } known[] = {
		{ "OOM", "the server is out of memory (OOM)" },
		{ "READONLY", "the server is a read-only replica" },
		{ "LOADING", "the server is loading its data" },
		{ "MASTERDOWN", "the server is a replica without master" },
		{ "NOREPLICAS", "the server has too few replicas" },
		{ "BUSY", "the server is busy with a script" },
		{ "MISCONF", "the server cannot save, and refuses writes" },
		{ "NOAUTH", "the server wants a password" },
		{ "NOPERM", "the server's ACL refuses a command or key" },
		{ "MOVED", "the server is part of a Redis Cluster, which is "
		    "not supported" },
		{ "CLUSTERDOWN", "the server is part of a Redis Cluster, "
		    "which is not supported" },
		{ "WRONGTYPE", "a key of ours has a foreign type" },
		{ "EXECABORT", "the server refused a transaction" },
	};

	if (redis_kind(r) == REDIS_NOTHING)
		return "no answer in time";
	for (size_t i = 0; i < COUNT(known); i++)
		if (redis_is_error(r, known[i].word))
			return known[i].reason;
	return redis_kind(r) == REDIS_ERROR ? "the server answers an error" :
	    "an answer that was not expected";
}
