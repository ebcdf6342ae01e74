/*
 * redis_script.h -- a script as a server knows it: by the hash of its text.
 *
 * A server forgets them when it restarts (NOSCRIPT).  What it forgot was not
 * run; whoever called decides how it becomes known again.
 */
#ifndef MODULES_REDIS_SCRIPT_H
#define MODULES_REDIS_SCRIPT_H

#include "modules/redis_space.h"

enum { SCRIPT_SHA = 40 };	/* what EVALSHA calls a script */

/* false: it did not leave, and done() will not come. */
bool script_load(const struct redis_space *s, const char *text,
    redis_done_f *done, void *arg);
/* From the answer to it.  false: it is none, and sha is empty. */
bool script_loaded(char sha[SCRIPT_SHA + 1], const struct redisReply *r);

/* Does the server's ACL deny it, or a command in it? */
bool script_is_denied(const struct redisReply *r);
/* Is it scripts as such that are denied, in an answer to EVALSHA? */
bool script_calls_are_denied(const struct redisReply *r);

#endif
