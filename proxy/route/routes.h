/*
 * routes.h -- where a request goes: the first route that matches.
 */
#ifndef ROUTE_ROUTES_H
#define ROUTE_ROUTES_H

#include <stdbool.h>

#include "base/text.h"
#include "conf/conf.h"
#include "route/peer.h"

struct route_conf {
	int		 line;
	const char	*from;		/* a peer's name; NULL: anybody */
	const char	*uri;		/* glob over the Request-URI; NULL: any */
	const char	*to;		/* a peer's name, or "request-uri" */
	/* egress, listener, method, ...: later, with CONF_LATER */
};

extern const struct conf_opt route_opts[];

struct routes;

/* Names are checked against peers; complaints go to c. */
struct routes *routes_new(struct conf *c, const struct conf_groups *conf,
    const struct peers *ps);
void routes_free(struct routes *rs);

struct route_query {
	const struct peer *source;	/* NULL: a stranger */
	struct str	   uri;		/* "sip:user@host", no parameters */
};

enum route_verdict { ROUTE_NONE, ROUTE_PEER, ROUTE_REQUEST_URI };

struct route_choice {
	enum route_verdict verdict;
	const struct peer *peer;	/* ROUTE_PEER */
	int		   line;	/* in its file, for the log */
};

/* A route without `from` never leads back to the source peer, and a stranger
 * is never given ROUTE_REQUEST_URI (no open relay). */
struct route_choice routes_choose(const struct routes *rs,
    const struct route_query *q);

#endif
