/*
 * redis_rig.h -- real Redis servers for a test, on loopback and free ports.
 */
#ifndef REDIS_RIG_H
#define REDIS_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/loop.h"

#define RIG_HOST "127.83.73.2"

struct server {
	pid_t		 pid;
	uint16_t	 port, tls_port;
	char		 dir[64];	/* its folder, removed at the end */
	bool		 sentinel;	/* by sentinel.conf in its folder */
	const char	*args[16];	/* beyond ours */
};

/* true: redis-server is there; else tests are skipped. */
bool rig_has_redis(void);
#define NEED_REDIS() do { if (!rig_has_redis()) skip(); } while (0)

uint16_t server_free_port(void);
/* Starts and waits until it answers.  port 0: a free one is taken. */
void server_start(struct server *s);
void server_signal(struct server *s, int signo);
void server_kill(struct server *s);		/* -9, and waits */
void server_end(struct server *s);		/* and its folder */

/* A command on a connection of its own, words split at blanks; the answer as
 * text, valid until the next call. */
const char *server_do(const struct server *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Run the loop until *flag, or for so long; what *flag is then. */
bool run_until(struct loop *l, const bool *flag, int64_t most_ms);
void run_for(struct loop *l, int64_t ms);

#endif
