/*
 * redis_canary.h -- the generations of the data in Redis.
 *
 * A canary in each shard says whose data this is (redis_server.id) and, at
 * random, which generation of it.  Who finds it absent or another's replaces
 * it before any use: after a restart, a fail-over or FLUSHALL uses may be
 * missing, and what was issued before must be stale.
 *
 * A canary lives for less time than any bitmap that still matters, and is
 * renewed by all instances.  So if the server's clock jumps ahead far enough
 * to lose a bitmap early, the canary is gone too.
 */
#ifndef MODULES_REDIS_CANARY_H
#define MODULES_REDIS_CANARY_H

#include "modules/redis_server.h"
#include "modules/redis_space.h"

enum {
	CANARY_TEXT = SERVER_ID_TEXT + 1 + 8,	/* "id.generation" */
	CANARY_LIFE_MS = 45000	/* less than what bitmaps have in addition
				 * to the nonce's life */
};

struct canaries {
	const struct redis_space *space;
	char		 id[SERVER_ID_TEXT + 1];
	uint32_t	 generation[SHARDS];
	bool		 claiming;
	uint32_t	 fresh[SHARDS];	/* to be set by EXEC; 0: none */
	unsigned	 tries;
	/* reason NULL: generation[] is in force. */
	void		(*done)(void *arg, const char *reason);
	void		 *arg;
};

/* Look at all canaries, and replace those that are absent or not of id;
 * done() comes later, unless the link ends before (canaries_forget()). */
void canaries_claim(struct canaries *c);
/* The link has ended. */
void canaries_forget(struct canaries *c);

/* The canary that a nonce of this generation implies. */
struct str canary_text(const struct canaries *c, uint32_t generation,
    char out[CANARY_TEXT + 1]);

enum canary_kind { CANARY_OURS, CANARY_ABSENT, CANARY_FOREIGN };
enum canary_kind canary_parse(const struct canaries *c, struct str text,
    unsigned shard, uint32_t *generation);

#endif
