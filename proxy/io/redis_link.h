/*
 * redis_link.h -- a lasting link to a Redis master: found, connected, logged
 * in, and again when it breaks.
 *
 * Between two tries lies a growing, random pause (100 ms to 2 s); it shrinks
 * again only after a link has been good for a while.
 */
#ifndef IO_REDIS_LINK_H
#define IO_REDIS_LINK_H

#include <stdbool.h>

#include "conf/conf.h"
#include "io/redis.h"
#include "io/redis_url.h"

struct dns;
struct redis_link;

/* Copied, but for the texts and lists, which must outlive the link. */
struct redis_link_conf {
	struct loop		*loop;
	struct dns		*dns;
	struct redis_url	 url;
	const struct conf_list	*sentinels;	/* may be empty */
	const char		*master;	/* name at the sentinels */
	const char		*ca;		/* rediss: authorities */
	int64_t			 timeout_ms;
	size_t			 in_flight;
};

struct redis_link_hooks {
	/* Connected; AUTH and SELECT are on their way.  What is sent now
	 * travels with them, and may be answered by an error. */
	void	(*up)(void *arg);
	/* No try succeeded, or the link broke; there will be another try.
	 * Commands have been told. */
	void	(*down)(void *arg, const char *reason);
	void	*arg;
};

/* Does not wait.  NULL, and a sentence in *why. */
struct redis_link *redis_link_new(const struct redis_link_conf *conf,
    const struct redis_link_hooks *hooks, const char **why);
/* Those that wait are told, but there is no down().  NULL is allowed. */
void redis_link_free(struct redis_link *l);

/* As redis_send(). */
bool redis_link_send(struct redis_link *l, const struct redis_args *args,
    redis_done_f *done, void *arg);

/* The server is not fit: end it, and try again later.  down() comes from the
 * loop; nothing can be sent from now on.  reason must be static. */
void redis_link_drop(struct redis_link *l, const char *reason);

/* Why it is being dropped; NULL: it is not. */
const char *redis_link_dropped(const struct redis_link *l);

/* Where it is connected to, for the log; or "-". */
const char *redis_link_where(const struct redis_link *l);

#endif
