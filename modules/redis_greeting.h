/*
 * redis_greeting.h -- what a server is asked before it counts uses of nonces:
 * who it is, whether it is fit, and whether it runs our script.
 */
#ifndef MODULES_REDIS_GREETING_H
#define MODULES_REDIS_GREETING_H

#include "modules/redis_server.h"
#include "modules/redis_space.h"

struct greeting {
	const struct redis_space *space;
	struct redis_server *server;	/* filled from what it says */
	char		*sha;		/* of the script; empty: the server
					 * does not let us call any */
	bool		 running;
	/* Who it is is known, and that it is fit. */
	void		(*known)(void *arg);
	/* The script was run to its end, or is not to be called. */
	void		(*tried)(void *arg);
	/* It is not fit: neither of the two comes from now on. */
	void		(*failed)(void *arg, const char *reason);
	void		*arg;
};

/* The link is there: known() and tried() come, or failed(), unless the link
 * ends before (greeting_stop()). */
void greeting_start(struct greeting *g);
void greeting_stop(struct greeting *g);

#endif
