/*
 * nonce_store.h -- who remembers which nonce counts were used.
 *
 * A use is consumed once, after the digest was found right; strangers write
 * nothing.  Kinds of stores stand in modules/; each has one const ops.
 *
 * The rules of a use
 *   1. start() never blocks.  A store that knows at once returns the verdict;
 *      one that must ask returns USE_PENDING.
 *   2. After USE_PENDING done() comes exactly once, later, from the loop.
 *   3. nonce_use_cancel() is the exception: after it, done() is not called.
 *   4. The use's fields belong to the caller and stay until done or cancel.
 *   5. Every pending use ends within the store's timeout (USE_UNAVAILABLE).
 */
#ifndef AUTH_NONCE_STORE_H
#define AUTH_NONCE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/nonce.h"
#include "conf/conf.h"

enum use_verdict {
	USE_ACCEPT,		/* first use of this nc */
	USE_ABSORB,		/* a retransmission that another instance has */
	USE_FENCED,		/* this memory is not the one the nonce names */
	USE_REPLAY,		/* anything else */
	USE_UNAVAILABLE,	/* cannot tell: 503 */
	USE_PENDING		/* done() will say */
};

struct nonce_store;		/* one, open; begins with its ops: below */
struct nonce_use;

typedef void nonce_use_done_f(struct nonce_use *use, enum use_verdict v);

struct nonce_use {
	/* in */
	uint8_t		 id[NONCE_ID_BYTES];
	uint32_t	 nc;		/* 1..nc_max, checked before */
	int64_t		 issued_ms;
	int64_t		 now_ms;
	uint16_t	 lifetime_s;
	uint32_t	 generation;	/* as the nonce names it */
	bool		 local;		/* NONCE_LOCAL */
	uint8_t		 fingerprint[16];	/* keyed, of datagram and
						 * source; all zero: not UDP */
	nonce_use_done_f *done;
	void		*arg;
	/* the store's own, while pending */
	void		*pending;
};

/* What a challenge must carry so that this store will count it. */
struct nonce_terms {
	uint32_t	generation;
	bool		local;
};

/* What a store gets when it is opened. */
struct nonce_store_env {
	struct loop	*loop;		/* io/loop.h */
	struct dns	*dns;		/* io/dns.h */
	struct metrics	*metrics;
	struct keys	*keys;
	int64_t		 nc_max;
	int64_t		 lifetime_s;	/* of the nonces we mint */
	uint16_t	 instance;
};

struct nonce_store_ops {
	const char		*name;		/* `type` in the file */
	const struct conf_opt	*opts;
	size_t			 conf_size;
	bool			 fingerprints;	/* use.fingerprint is read */

	/* 0, or -errno after logging the cause. */
	int	(*open)(struct nonce_store **out, const void *conf,
		    const struct nonce_store_env *env);
	void	(*close)(struct nonce_store *s);
	enum use_verdict (*start)(struct nonce_store *s,
		    struct nonce_use *use);
	void	(*cancel)(struct nonce_store *s, struct nonce_use *use);
	/* false: no challenge can be counted now (store away, policy deny) */
	bool	(*terms)(struct nonce_store *s, struct nonce_terms *out);
	/* For `-t`: print a line or two; 0 when fit.  May block.  May be
	 * NULL.  Of env only keys (NULL: not made yet), nc_max and instance
	 * are there. */
	int	(*check)(const void *conf, const struct nonce_store_env *env);
};

struct nonce_store { const struct nonce_store_ops *ops; };

static inline enum use_verdict
nonce_use_start(struct nonce_store *s, struct nonce_use *u)
{
	return s->ops->start(s, u);
}

static inline void
nonce_use_cancel(struct nonce_store *s, struct nonce_use *u)
{
	s->ops->cancel(s, u);
}

#endif
