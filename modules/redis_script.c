/*
 * redis_script.c -- a script as a server knows it: by the hash of its text.
 */
#include "config.h"

#include "modules/redis_script.h"

#include <string.h>

#include "base/count.h"

bool
script_load(const struct redis_space *s, const char *text,
    redis_done_f *done, void *arg)
{
	return SPACE_SEND(s, done, arg, LITERAL("SCRIPT"), LITERAL("LOAD"),
	    str_of(text));
}

bool
script_loaded(char sha[SCRIPT_SHA + 1], const struct redisReply *r)
{
	struct str text = redis_text(r);

	sha[0] = '\0';
	if (redis_kind(r) != REDIS_TEXT || text.len != SCRIPT_SHA)
		return false;
	memcpy(sha, text.p, SCRIPT_SHA);
	sha[SCRIPT_SHA] = '\0';
	return true;
}

/* Redis 6 and 7 word it differently. */
bool
script_is_denied(const struct redisReply *r)
{
	static const char *const words[] = { "can't run this", "NOPERM" };
	struct str text = redis_text(r);

	for (size_t i = 0; i < COUNT(words); i++)
		if (redis_kind(r) == REDIS_ERROR && memmem(text.p, text.len,
		    words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

bool
script_calls_are_denied(const struct redisReply *r)
{
	struct str text = redis_text(r);

	return redis_is_error(r, "NOPERM") &&
	    memmem(text.p, text.len, "evalsha", 7) != NULL;
}
