/*
 * nonce_memory.c -- the nonce store `memory`: uses counted in this process.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/nonce_store.h"
#include "base/log.h"
#include "modules/kinds.h"
#include "modules/use_memory.h"

struct memory_conf {
	int	line;
	int64_t	size;
};

struct memory {
	struct nonce_store base;
	struct use_memory *uses;
};

static const struct conf_opt memory_opts[] = {
	CONF_LINE(struct memory_conf),
	{ "size", CONF_T_INT, offsetof(struct memory_conf, size),
	    .dflt = "100000", .min = 100, .max = 10000000, .unit = "nonces",
	    .help = "How many nonces are remembered.  A nonce takes about "
	    "140 bytes, and up to nc_max / 8 more once it is used more than "
	    "64 times.  When the memory is full, the oldest nonce is "
	    "forgotten, and clients that hold it or an older one are "
	    "challenged again." },
	CONF_END
};

static void
memory_close(struct nonce_store *s)
{
	struct memory *m = (struct memory *)s;

	use_memory_free(m->uses);
	free(m);
}

static int
memory_open(struct nonce_store **out, const void *conf,
    const struct nonce_store_env *env)
{
	const struct memory_conf *c = conf;
	struct memory *m = calloc(1, sizeof *m);

	if (m == NULL)
		goto no_memory;
	m->base.ops = &nonce_memory_ops;
	m->uses = use_memory_new((size_t)c->size, (uint32_t)env->nc_max,
	    env->metrics);
	if (m->uses == NULL)
		goto no_memory;
	*out = &m->base;
	return 0;
no_memory:
	log_event(EV_DAEMON_FAIL, kv_str("part", "nonce_store"),
	    kv_str("reason", "no memory"));
	free(m);
	return -ENOMEM;
}

static enum use_verdict
memory_start(struct nonce_store *s, struct nonce_use *use)
{
	struct memory *m = (struct memory *)s;

	return use_memory_judge(m->uses, use);
}

/* No use is ever pending here. */
static void
memory_cancel(struct nonce_store *s, struct nonce_use *use)
{
	(void)s;
	(void)use;
}

static bool
memory_terms(struct nonce_store *s, struct nonce_terms *out)
{
	const struct memory *m = (const struct memory *)s;

	out->generation = use_memory_generation(m->uses);
	out->local = false;
	return true;
}

const struct nonce_store_ops nonce_memory_ops = {
	.name = "memory",
	.opts = memory_opts,
	.conf_size = sizeof(struct memory_conf),
	.open = memory_open,
	.close = memory_close,
	.start = memory_start,
	.cancel = memory_cancel,
	.terms = memory_terms
};
