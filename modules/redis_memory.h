/*
 * redis_memory.h -- uses of nonces, counted in Redis for all instances; what
 * use_memory.h is in one process.
 *
 * How it goes, and where it stands
 *   1. A server is greeted: is it fit, does it run our script?
 *	(redis_greeting.h)
 *   2. From then on we say once a second that we are alive.  (redis_beat.h)
 *   3. Each shard of the data has a canary, which says which generation of
 *	it is in force; one that is absent or another server's is replaced.
 *	(redis_canary.h)
 *   4. Only when all three are done is the memory up.  A nonce then names
 *	the generation that counts it.
 *   5. A use is one call of a script, which compares the canary and counts:
 *	accept, replay, absorb; or fenced, when the nonce names other data
 *	than is there, and then we look at the canaries again.
 *	(redis_uses.h, redis_use_script.h; keys: redis_space.h)
 *   6. Whatever goes wrong ends the link, and it begins at 1.
 */
#ifndef MODULES_REDIS_MEMORY_H
#define MODULES_REDIS_MEMORY_H

#include "auth/nonce_store.h"
#include "modules/redis_beat.h"
#include "modules/redis_canary.h"
#include "modules/redis_conf.h"
#include "modules/redis_greeting.h"
#include "modules/redis_metrics.h"
#include "modules/redis_server.h"
#include "modules/redis_uses.h"

struct redis_memory {
	struct redis_space space;
	struct redis_server server;
	struct greeting	 greeting;
	struct canaries	 canaries;
	struct beat	 beat;
	struct uses	 uses;
	enum { STARTING, GREETING, UP, AWAY } state;
	unsigned	 waits;		/* of a connect sequence; bits */
	bool		 closing;
	enum on_failure	 on_failure;
	const char	*reason;	/* why away */
	int64_t		 said_ms;
	uint32_t	 known[SHARDS];	/* generations; 0: none yet */
	unsigned	 next_shard;
	struct redis_metrics metrics;
	/* What came of a use; USE_UNAVAILABLE: it may have been counted. */
	void		(*judged)(struct redis_memory *m,
			    struct nonce_use *use, enum use_verdict v);
};

/* In memory that is all zero.  NULL, or why it cannot be; to be closed in
 * either case. */
const char *redis_memory_open(struct redis_memory *m,
    const struct redis_store_conf *c, const struct nonce_store_env *env);
void redis_memory_close(struct redis_memory *m);

/* USE_PENDING: judged() will be called; else USE_UNAVAILABLE.  It has to be
 * up. */
enum use_verdict redis_memory_judge(struct redis_memory *m,
    struct nonce_use *use);
/* For the next nonce: of the shards in turn. */
uint32_t redis_memory_generation(struct redis_memory *m);

static inline bool
redis_memory_is_up(const struct redis_memory *m)
{
	return m->state == UP;
}

#endif
