/*
 * redis_uses.h -- uses of nonces that are being counted by Redis.
 */
#ifndef MODULES_REDIS_USES_H
#define MODULES_REDIS_USES_H

#include "auth/nonce_store.h"
#include "modules/redis_canary.h"
#include "modules/redis_script.h"
#include "modules/redis_space.h"

struct uses {
	struct redis_space *space;
	struct canaries	*canaries;
	char		 sha[SCRIPT_SHA + 1];	/* of the script; empty: no
						 * scripts, transactions */
	/* A verdict, or USE_UNAVAILABLE: no answer came, or none that can
	 * be used.  took_us: from sending to the answer; 0: none. */
	void		(*judged)(void *arg, struct nonce_use *use,
			    enum use_verdict v, int64_t took_us);
	/* The canary is not the one that the nonce implies. */
	void		(*fenced)(void *arg, unsigned shard,
			    struct str canary);
	/* The server answers with an error, and is of no use. */
	void		(*failed)(void *arg, const char *reason);
	void		*arg;
};

/* USE_PENDING, or USE_UNAVAILABLE when it did not leave. */
enum use_verdict uses_start(struct uses *u, struct nonce_use *use);
void uses_cancel(struct nonce_use *use);

#endif
