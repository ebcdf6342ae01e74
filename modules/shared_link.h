/*
 * shared_link.h -- the scripts of shared_scripts.h, known to a Redis.
 *
 * They are loaded and tried, each to its end on keys that are gone in
 * seconds, so that what the server's ACL or state denies shows at once.
 */
#ifndef MODULES_SHARED_LINK_H
#define MODULES_SHARED_LINK_H

#include "modules/redis_script.h"
#include "modules/redis_space.h"
#include "modules/shared_scripts.h"

enum { SHARED_ID_TEXT = 32, SHARED_NUMBER_MAX = 24 };

struct shared_link {
	struct redis_space space;
	char		 sha[SHARED_SCRIPTS][SCRIPT_SHA + 1];
	unsigned	 loaded, tried;
	bool		 up;		/* scripts may be called */
	/* Loaded and tried. */
	void		(*ready)(void *arg);
	/* It is of no use now. */
	void		(*failed)(void *arg, const char *reason);
	void		*arg;
};

/* Load and try; ready() or failed() comes, unless the link ends before. */
void shared_link_greet(struct shared_link *l);
/* The link has ended. */
void shared_link_end(struct shared_link *l);

/* Call a script; args are its keys, nkeys of them, and what else it gets.
 * false: it did not leave, and done() will not come. */
bool shared_link_call(struct shared_link *l, enum shared_script which,
    size_t nkeys, const struct redis_args *args, redis_done_f *done,
    void *arg);

/* Is it an answer of this kind?  If not, what is to be done is done: scripts
 * that were forgotten are loaded again, and what makes the server useless
 * ends the link.  An answer that did not come is neither. */
bool shared_link_good(struct shared_link *l, const struct redisReply *r,
    enum redis_kind kind);

#endif
