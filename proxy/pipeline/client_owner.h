/*
 * client_owner.h -- who waits for the answer to a request of ours: a branch of
 * somebody's request, or a request that we made ourselves.
 *
 * It is the first member of what client_conf.owner points to, for every client
 * transaction that has an owner.
 */
#ifndef PIPELINE_CLIENT_OWNER_H
#define PIPELINE_CLIENT_OWNER_H

#include <stdbool.h>

#include "pipeline/sofia.h"

struct client_owner {
	/* Is this a response to what was asked?  If not it is a stray. */
	bool	(*asked)(const struct client_owner *o, const sip_t *sip);
	/* A response; with a final one the transaction is over.  Takes over
	 * msg. */
	void	(*response)(struct client_owner *o, msg_t *msg, int status);
};

#endif
