/*
 * offer.h -- our challenges, as text.
 *
 * One header for each algorithm, the first the one that we like best (RFC
 * 8760 section 2.3).  What they ask stands under the MAC of their nonce.
 */
#ifndef PIPELINE_OFFER_H
#define PIPELINE_OFFER_H

#include "base/writer.h"
#include "pipeline/pipeline.h"

/* All is lent. */
struct offer {
	const struct pipeline_env *env;
	const struct auth_conf *auth;
	const char	*realm;
	const struct addr *source;	/* who is asked */
	int64_t		 unix_ms;
	bool		 www;		/* 401 instead of 407 */
	bool		 stale;
	struct nonce	 nonce;		/* by offer_make() */
};

/* false: no nonce can be counted now, so nothing can be asked. */
bool offer_make(struct offer *o);

void offer_put(struct writer *w, const struct offer *o);

#endif
