/*
 * routes_inner.h -- a route, made ready.
 */
#ifndef ROUTE_ROUTES_INNER_H
#define ROUTE_ROUTES_INNER_H

#include "route/pattern.h"
#include "route/routes.h"

struct route {
	int			 line;
	const struct route_conf	*conf;
	const struct peer	**from;	/* nfrom of them */
	size_t			 nfrom;
	bool			 strangers;	/* named in from */
	struct pattern		*regex;	/* NULL: any */
	enum route_verdict	 action;
	const struct peer	*to[ROUTE_PEERS_MAX];
	size_t			 nto;
	const struct egress_list *egress;
};

struct routes {
	struct route	*v;
	size_t		 n;
	bool		 let_out;
};

/* Does it fit whoever sent it, as far as `from` says? */
static inline bool
route_is_from(const struct route *r, const struct peer *source)
{
	if (r->conf->from.n == 0)
		return true;
	if (source == NULL)
		return r->strangers;
	for (size_t i = 0; i < r->nfrom; i++)
		if (r->from[i] == source)
			return true;
	return false;
}

#endif
