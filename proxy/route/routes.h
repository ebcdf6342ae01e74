/*
 * routes.h -- what becomes of a request: the first route that fits.
 */
#ifndef ROUTE_ROUTES_H
#define ROUTE_ROUTES_H

#include <stdbool.h>

#include "base/text.h"
#include "base/writer.h"
#include "conf/conf.h"
#include "route/egress.h"
#include "route/peer.h"

/* One entry of `routes`, as in the file. */
struct route_conf {
	int		 line;
	/* what it fits; nothing said: anything */
	struct conf_list from;		/* names of peers, "strangers" */
	struct conf_list listener;
	struct conf_list method;
	struct conf_list class;		/* of the user */
	struct conf_list prefix;	/* of the number called */
	const char	*uri;		/* glob over the Request-URI */
	const char	*uri_regex;
	const char	*from_uri;	/* glob over the URI of From */
	/* what becomes of it; one of the three */
	struct conf_list to;		/* names of peers, or "request-uri" */
	int64_t		 reject;	/* a status; 0: not said */
	const char	*redirect;	/* a URI; \N of uri_regex */
	const char	*phrase;	/* of reject; NULL: the usual one */
	const char	*egress;	/* NULL: "default" for request-uri,
					 * else "none" */
};

extern const struct conf_opt route_opts[];

enum {
	ROUTE_PEERS_MAX = 8,		/* side by side */
	NUMBER_MAX = 64,		/* of a number called, as text */
	ROUTE_READINGS = 8,		/* of one (guard/number.h) */
	CLASS_MAX = 32			/* of a user's class */
};

struct routes;

/* What the names in a route may stand for. */
struct routes_world {
	const struct peers	*peers;
	const struct egress	*egress;
};

/* Names are checked; complaints go to c. */
struct routes *routes_new(struct conf *c, const struct conf_groups *conf,
    const struct routes_world *world);
void routes_free(struct routes *rs);	/* NULL is allowed */

struct route_query {
	const struct peer *source;	/* NULL: a stranger */
	bool		   proved;	/* digest proved a user */
	bool		   foreign;	/* a stranger's, for a domain that is
					 * not ours */
	const char	  *listener, *class;	/* NULL: unknown, none */
	struct str	   method;
	struct str	   uri;		/* "sip:user@host", no parameters */
	struct str	   from_uri;	/* the same */
	struct str	   number;	/* digits and a + before them, or
					 * nothing */
	struct str	   digits[ROUTE_READINGS];	/* what may be dialled
					 * of it, number or not */
	size_t		   nreadings;	/* 0: nobody can tell what */
};

enum route_verdict {
	ROUTE_NONE, ROUTE_PEER, ROUTE_REQUEST_URI, ROUTE_REJECT,
	ROUTE_REDIRECT,
	ROUTE_GAVE_UP		/* a uri_regex did, so nobody knows */
};

struct route;

struct route_choice {
	enum route_verdict verdict;
	const struct peer *peer[ROUTE_PEERS_MAX];	/* ROUTE_PEER */
	size_t		   npeers;
	const struct egress_list *egress;	/* NULL: anywhere */
	int		   status;	/* ROUTE_REJECT */
	const char	  *phrase;	/* NULL: the usual one */
	int		   line;	/* in its file, for the log */
	size_t		   index;	/* among all; of no meaning to
					 * ROUTE_NONE */
	const struct route *route;
};

/*
 * A route without `from` never leads back to the source peer.  A stranger gets
 * ROUTE_REQUEST_URI only for a foreign domain, if digest proved a user, by a
 * route that names "strangers": no open relay.
 */
struct route_choice routes_choose(const struct routes *rs,
    const struct route_query *q);

/* Of ROUTE_REDIRECT, right after routes_choose(): the URI to write into
 * Contact. */
void route_redirect(const struct route_choice *choice,
    const struct route_query *q, struct writer *w);

/* Is there any route by which a stranger may reach foreign domains? */
bool routes_let_out(const struct routes *rs);

/* For those who explain: each route's place in the file, and why it does not
 * fit ("its uri is another one"); NULL: it does. */
size_t routes_count(const struct routes *rs);
int routes_line(const struct routes *rs, size_t i);
const char *routes_why_not(const struct routes *rs, size_t i,
    const struct route_query *q);

#endif
