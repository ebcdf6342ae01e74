/*
 * proxy_header.h -- the PROXY protocol, versions 1 and 2: what a balancer in
 * front of us says about who is behind it.
 *
 * Hostile until the address of the sender was found in the list of balancers:
 * a fuzz target.  Source: the HAProxy project's proxy-protocol.txt.
 */
#ifndef TRANSPORT_PROXY_HEADER_H
#define TRANSPORT_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

enum { PROXY_HEADER_MAX = 536 };	/* longest that is taken */

enum proxy_verdict {
	PROXY_WHOLE,
	PROXY_MORE,			/* so far so good */
	PROXY_BAD			/* no header, or a broken one */
};

struct proxy_header {
	size_t		len;		/* of the header, TLVs too */
	bool		local;		/* no address is told: the balancer's
					 * own (health check), or of a kind that
					 * we do not know */
	struct addr	source;		/* of the client, with port */
	struct addr	target;		/* whom the client meant */
};

/* datagram: version 2 with SOCK_DGRAM is wanted, and all of it is there;
 * else version 1 or 2 of a stream. */
enum proxy_verdict proxy_header_parse(struct proxy_header *h, const char *p,
    size_t len, bool datagram);

#endif
