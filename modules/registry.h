/*
 * registry.h -- which modules this program was built with.
 */
#ifndef MODULES_REGISTRY_H
#define MODULES_REGISTRY_H

#include <stddef.h>

#include "auth/cred.h"
#include "auth/nonce_store.h"
#include "guard/shared.h"

/* By `type` in the file; NULL: not built in. */
const struct cred_ops *cred_ops_by_name(const char *name);
const struct nonce_store_ops *nonce_store_ops_by_name(const char *name);

/* One after the other from 0, for the manual; NULL after the last. */
const struct cred_ops *cred_ops_at(size_t i);
const struct nonce_store_ops *nonce_store_ops_at(size_t i);

/* All names, for complaints and -V: "file, sql". */
const char *cred_ops_names(void);
const char *nonce_store_ops_names(void);

/* What instances share, by the same means as this store and with its
 * configuration; *out is NULL where it has none.  0, or -errno after logging
 * the cause. */
int registry_open_shared(struct shared **out,
    const struct nonce_store_ops *ops, const void *conf,
    const struct shared_env *env);

#endif
