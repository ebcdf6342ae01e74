/*
 * redis.h -- one connection to a Redis server: commands out, answers in.
 *
 * Commands are pipelined and answered in order.  Of hiredis only the protocol
 * is used; the bytes are ours (redis_stream.h), so TCP, unix sockets and TLS
 * go one way, and nothing blocks.
 *
 * The rules of a command
 *   1. done() comes exactly once, later, from the loop; never from inside
 *      redis_send().
 *   2. After timeout_ms it comes with NULL, and a late answer is not looked
 *      at.  Nothing is ever sent twice: what became of it is unknown.
 *   3. When the connection ends it comes with NULL for all that are open,
 *      and down() after that.
 *   4. done() may send, but not free the connection.
 */
#ifndef IO_REDIS_H
#define IO_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "io/redis_stream.h"

struct redis;
struct redisReply;		/* hiredis's, seen by what stands below */

struct redis_conf {
	struct loop	*loop;
	int64_t		 timeout_ms;	/* of each command */
	size_t		 in_flight;	/* most commands under way */
};

struct redis_hooks {
	/* Connected: commands may be sent. */
	void	(*up)(void *arg);
	/* It ended, or never was: the last call, which may free it. */
	void	(*down)(void *arg, const char *reason);
	void	*arg;
};

struct redis_args {
	size_t		  n;
	const struct str *v;
};

typedef void redis_done_f(void *arg, const struct redisReply *r);

/* NULL: no memory. */
struct redis *redis_new(const struct redis_place *place,
    const struct redis_conf *conf, const struct redis_hooks *hooks);
/* What was sent leaves, as far as the socket takes it.  Those that wait are
 * told, but there is no down().  NULL is allowed. */
void redis_free(struct redis *r);

/* Tell all that are open, then down(); not from inside a callback. */
void redis_end(struct redis *r, const char *reason);

/* false: not connected, too many under way, or no memory; done() will not
 * come.  args are copied; done may be NULL: nobody asks for the answer. */
bool redis_send(struct redis *r, const struct redis_args *args,
    redis_done_f *done, void *arg);

/* Answers.  A NULL reply is REDIS_NOTHING. */
enum redis_kind {
	REDIS_NOTHING,		/* no answer */
	REDIS_NIL, REDIS_INT, REDIS_TEXT, REDIS_LIST, REDIS_ERROR
};
enum redis_kind redis_kind(const struct redisReply *r);
int64_t redis_int(const struct redisReply *r);		/* else 0 */
/* Of a text, a status or an error; else empty. */
struct str redis_text(const struct redisReply *r);
size_t redis_count(const struct redisReply *r);		/* of a list */
/* NULL: it is not a list, or not that long. */
const struct redisReply *redis_item(const struct redisReply *r, size_t i);
/* An error that begins with this word ("NOSCRIPT")? */
bool redis_is_error(const struct redisReply *r, const char *word);

#endif
