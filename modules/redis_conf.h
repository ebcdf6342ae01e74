/*
 * redis_conf.h -- the options of the nonce store `redis`.
 */
#ifndef MODULES_REDIS_CONF_H
#define MODULES_REDIS_CONF_H

#include "auth/nonce_store.h"
#include "conf/conf.h"
#include "io/redis_link.h"
#include "modules/redis_beat.h"

enum on_failure { FAILURE_LOCAL, FAILURE_DENY };

struct redis_store_conf {
	int		 line;
	const char	*url, *password_file;
	struct conf_list sentinels;
	const char	*master;
	const char	*ca;
	const char	*prefix;
	int		 on_failure;		/* enum on_failure */
	int64_t		 timeout_ms, in_flight;
};

extern const struct conf_opt redis_store_opts[];

/* Open the link that it asks for.  NULL, or a sentence on what is wrong. */
const char *redis_conf_open(const struct redis_store_conf *c, struct loop *l,
    struct dns *dns, const struct redis_link_hooks *hooks,
    struct redis_link **out);

/* The fingerprints of our master keys. */
void redis_conf_fingerprints(const struct nonce_store_env *env,
    struct beat *b);

/* -t */
int redis_check(const void *conf, const struct nonce_store_env *env);

#endif
