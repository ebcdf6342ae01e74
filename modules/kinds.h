/*
 * kinds.h -- the modules, each by the one const struct that it is.
 *
 * For registry.c, which lists them, and for the modules' own tests.  Everyone
 * else asks the registry by name.
 */
#ifndef MODULES_KINDS_H
#define MODULES_KINDS_H

#include "auth/cred.h"
#include "auth/nonce_store.h"
#include "guard/shared.h"

extern const struct cred_ops cred_file_ops;
extern const struct cred_ops cred_slow_ops;	/* --enable-test-modules */

extern const struct nonce_store_ops nonce_memory_ops;
extern const struct nonce_store_ops nonce_redis_ops;	/* HAVE_REDIS */

/* By the configuration of nonce_redis_ops. */
int shared_redis_open(struct shared **out, const void *conf,
    const struct shared_env *env);

#endif
