/*
 * nonce_redis.c -- the nonce store `redis`: uses counted for all instances.
 *
 * A nonce names the memory that counts it: a generation of the data in Redis
 * (redis_memory.h), or this process (local).  So being away or coming back
 * opens nothing; the nonces of the other memory are merely stale.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/nonce_store.h"
#include "base/log.h"
#include "modules/kinds.h"
#include "modules/redis_memory.h"
#include "modules/use_memory.h"

enum { LOCAL_NONCES = 100000 };		/* counted here while away */

struct store {
	struct nonce_store base;
	struct redis_memory redis;
	struct use_memory *local;
	uint32_t	 nc_max;
};

/*
 * A use whose answer is lost may have been counted, so it is never accepted;
 * with a new nonce the client is welcome at once.
 */
static enum use_verdict
without_redis(const struct redis_memory *m)
{
	return m->on_failure == FAILURE_DENY ? USE_UNAVAILABLE : USE_FENCED;
}

static void
judged(struct redis_memory *m, struct nonce_use *use, enum use_verdict v)
{
	use->done(use, v == USE_UNAVAILABLE ? without_redis(m) : v);
}

static enum use_verdict
redis_start(struct nonce_store *base, struct nonce_use *use)
{
	struct store *s = (struct store *)base;

	use->pending = NULL;
	if (use->local)
		return use_memory_judge(s->local, use);
	if (use->nc == 0 || use->nc > s->nc_max)
		return USE_REPLAY;
	if (!redis_memory_is_up(&s->redis))
		return without_redis(&s->redis);
	return redis_memory_judge(&s->redis, use);
}

static void
redis_cancel(struct nonce_store *base, struct nonce_use *use)
{
	(void)base;
	uses_cancel(use);
}

static bool
redis_terms(struct nonce_store *base, struct nonce_terms *out)
{
	struct store *s = (struct store *)base;

	out->local = !redis_memory_is_up(&s->redis);
	if (out->local)
		out->generation = use_memory_generation(s->local);
	else
		out->generation = redis_memory_generation(&s->redis);
	return !out->local || s->redis.on_failure == FAILURE_LOCAL;
}

static void
redis_close(struct nonce_store *base)
{
	struct store *s = (struct store *)base;

	redis_memory_close(&s->redis);
	use_memory_free(s->local);
	free(s);
}

static int
redis_open(struct nonce_store **out, const void *conf,
    const struct nonce_store_env *env)
{
	struct store *s = calloc(1, sizeof *s);
	const char *why = "no memory";

	if (s == NULL)
		goto fail;
	s->base.ops = &nonce_redis_ops;
	s->nc_max = (uint32_t)env->nc_max;
	s->redis.judged = judged;
	s->local = use_memory_new(LOCAL_NONCES, s->nc_max, env->metrics);
	if (s->local != NULL)
		why = redis_memory_open(&s->redis, conf, env);
	if (why != NULL)
		goto fail;
	*out = &s->base;
	return 0;
fail:
	log_event(EV_DAEMON_FAIL, kv_str("part", "nonce_store"),
	    kv_str("reason", why));
	if (s != NULL)
		redis_close(&s->base);
	return -EINVAL;
}

const struct nonce_store_ops nonce_redis_ops = {
	.name = "redis",
	.opts = redis_store_opts,
	.conf_size = sizeof(struct redis_store_conf),
	.fingerprints = true,
	.open = redis_open,
	.close = redis_close,
	.start = redis_start,
	.cancel = redis_cancel,
	.terms = redis_terms,
	.check = redis_check
};
