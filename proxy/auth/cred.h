/*
 * cred.h -- where a user's secret comes from.
 *
 * A store either hands out H(A1), and we do the sum, or is shown the
 * client's answer and judges it.  Callers see one interface for both.
 *
 * cred_look() is a look into memory: it answers at once, or says CRED_ASK.
 * Only then is a lookup started:
 *   1. start() returns at once.  It never blocks.
 *   2. Each started lookup calls done() exactly once, later, from the loop,
 *      never from inside start().
 *   3. cred_cancel() is the exception: after it, done() is not called.
 *   4. The query is copied; the answer belongs to the store and is valid only
 *      during done() (of look(): until control returns to the loop).
 *   5. Every lookup ends within query.timeout_ms, with CRED_UNAVAILABLE if
 *      nothing better is known.
 */
#ifndef AUTH_CRED_H
#define AUTH_CRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/text.h"
#include "conf/conf.h"

enum cred_result {
	CRED_SECRET,		/* answer.ha1 holds H(A1); caller verifies */
	CRED_ACCEPTED,		/* the store itself verified the answer */
	CRED_REJECTED,		/* the store itself refused the answer */
	CRED_UNKNOWN,		/* no such user in this realm, or no H(A1) of
				 * this algorithm: same to a stranger */
	CRED_UNAVAILABLE,	/* cannot tell now: 503, never 403 */
	CRED_ASK		/* look() only: not in memory, start a lookup */
};

struct cred_query {
	struct str	 user;		/* or the userhash, in hex */
	bool		 userhash;
	struct str	 realm;
	struct digest_input digest;	/* for stores that judge */
	int		 timeout_ms;
};

struct cred_answer {
	enum cred_result result;
	struct str	 user;		/* real name, also after userhash */
	uint8_t		 ha1[HA1_MAX];	/* of query.digest.alg */
	/* Identities the user may use: SIP URIs, * and ? allowed (globs over
	 * "sip:user@host"); n == 0: the own name in our domains. */
	const char *const *identity;
	size_t		 nidentities;
	/* What routes may ask for; NULL: none. */
	const char	*class;
	/* What the numbers begin with that he may call; n == 0: any. */
	const char *const *prefix;
	size_t		 nprefixes;
};

struct cred_store;
struct cred_lookup;		/* a lookup under way, the store's */

typedef void cred_done_f(void *arg, const struct cred_answer *answer);

struct cred_store_env {
	struct loop	*loop;
	struct metrics	*metrics;
	const char	*realm;		/* of challenges; for check() */
	uint8_t		 algs;		/* offered: bit (enum digest_alg) */
};

struct cred_ops {
	const char		*name;		/* `type` in the file */
	const struct conf_opt	*opts;
	size_t			 conf_size;

	/* 0, or -errno after logging the cause. */
	int	(*open)(struct cred_store **out, const void *conf,
		    const struct cred_store_env *env);
	void	(*close)(struct cred_store *s);
	/* Algorithms (bits) for which every user of the realm has an H(A1):
	 * only those are worth offering. */
	uint8_t	(*algs)(struct cred_store *s, struct str realm);
	void	(*look)(struct cred_store *s, const struct cred_query *q,
		    struct cred_answer *out);
	/* NULL where look() always knows.  0, or -ENOBUFS: queue full. */
	int	(*start)(struct cred_store *s, const struct cred_query *q,
		    cred_done_f *done, void *arg, struct cred_lookup **out);
	void	(*cancel)(struct cred_store *s, struct cred_lookup *l);
	/* SIGHUP: read again; keeps the old on failure.  May be NULL. */
	void	(*reload)(struct cred_store *s);
	/* For `-t`: 0 when fit; *lacking, which is 0: those algorithms of
	 * env->algs (bits) for which some user has no H(A1).  May be NULL. */
	int	(*check)(const void *conf, const struct cred_store_env *env,
		    uint8_t *lacking);
};

struct cred_store { const struct cred_ops *ops; };

#endif
