/*
 * registry.c -- the one list of modules.
 *
 * A module is added by a row in a table and its name in the text below it;
 * test_registry holds the two together.
 */
#include "config.h"

#include "modules/registry.h"

#include <string.h>

#include "base/count.h"
#include "modules/kinds.h"

static const struct cred_ops *const creds[] = {
	&cred_file_ops,
#ifdef TEST_MODULES
	&cred_slow_ops,
#endif
	NULL
};

static const char cred_names[] =
    "file"
#ifdef TEST_MODULES
    ", slow"
#endif
    ;

static const struct nonce_store_ops *const nonce_stores[] = {
	&nonce_memory_ops,
#ifdef HAVE_REDIS
	&nonce_redis_ops,
#endif
	NULL
};

static const char nonce_store_names[] =
    "memory"
#ifdef HAVE_REDIS
    ", redis"
#endif
    ;

static const struct {
	const struct nonce_store_ops *store;
	int	(*open)(struct shared **out, const void *conf,
		    const struct shared_env *env);
} sharers[] = {
#ifdef HAVE_REDIS
	{ &nonce_redis_ops, shared_redis_open },
#endif
	{ NULL, NULL }
};

const struct cred_ops *
cred_ops_at(size_t i)
{
	return i < COUNT(creds) ? creds[i] : NULL;
}

const struct nonce_store_ops *
nonce_store_ops_at(size_t i)
{
	return i < COUNT(nonce_stores) ?
	    nonce_stores[i] : NULL;
}

const struct cred_ops *
cred_ops_by_name(const char *name)
{
	for (size_t i = 0; creds[i] != NULL; i++)
		if (strcmp(creds[i]->name, name) == 0)
			return creds[i];
	return NULL;
}

const struct nonce_store_ops *
nonce_store_ops_by_name(const char *name)
{
	for (size_t i = 0; nonce_stores[i] != NULL; i++)
		if (strcmp(nonce_stores[i]->name, name) == 0)
			return nonce_stores[i];
	return NULL;
}

const char *
cred_ops_names(void)
{
	return cred_names;
}

const char *
nonce_store_ops_names(void)
{
	return nonce_store_names;
}

int
registry_open_shared(struct shared **out, const struct nonce_store_ops *ops,
    const void *conf, const struct shared_env *env)
{
	*out = NULL;
	for (size_t i = 0; sharers[i].store != NULL; i++)
		if (sharers[i].store == ops)
			return sharers[i].open(out, conf, env);
	return 0;
}
