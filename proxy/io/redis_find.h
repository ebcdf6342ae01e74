/*
 * redis_find.h -- where is the server now?
 *
 * Its name is resolved by DNS; or sentinels are asked, one after the other,
 * for the master of a name, so that a fail-over is followed.
 *
 * Source: redis.io, "Guidelines for Redis clients with support for Sentinel".
 */
#ifndef IO_REDIS_FIND_H
#define IO_REDIS_FIND_H

#include "conf/conf.h"
#include "io/redis_stream.h"
#include "io/redis_url.h"

struct dns;
struct redis_find;

struct redis_find_conf {
	struct loop		*loop;
	struct dns		*dns;
	const struct redis_url	*url;	/* with sentinels, its host is only
					 * the name in the certificate */
	struct tls_context	*tls;	/* NULL: no TLS */
	const struct conf_list	*sentinels;	/* "host:port", or none */
	const char		*master;	/* its name there */
	int64_t			 timeout_ms;	/* of a sentinel's answer */
};

/* place is NULL when nobody knows, and reason says why. */
typedef void redis_found_f(void *arg, const struct redis_place *place,
    const char *reason);

/*
 * Begin to look; done() comes once, later, from the loop.  conf and what it
 * points to stay the caller's and are needed until then.  attempt: 0 at
 * first and one more at each try, to go through the addresses of a name.
 * NULL: no memory.
 */
struct redis_find *redis_find_start(const struct redis_find_conf *conf,
    unsigned attempt, redis_found_f *done, void *arg);
void redis_find_cancel(struct redis_find *f);	/* NULL is allowed */

#endif
