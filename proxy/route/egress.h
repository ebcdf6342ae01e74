/*
 * egress.h -- addresses that a request may not go to.
 *
 * A route that sends where the Request-URI says lets the caller choose an
 * address; a list of these decides, after DNS, if it is one that he may
 * choose.  Names say nothing: anybody can let a name of his own stand for a
 * gateway's address.
 */
#ifndef ROUTE_EGRESS_H
#define ROUTE_EGRESS_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/text.h"
#include "conf/conf.h"
#include "route/peer.h"

/* One entry of `deny` or `allow`, as in the file. */
struct egress_rule_conf {
	int		 line;
	const char	*net;		/* NULL: any */
	const char	*port;		/* "5060" or "5060-5070"; NULL: any */
	int		 proto;		/* index; 0: any */
	const char	*uri;		/* glob over Request-URI; NULL: any */
};

/* One entry of `egress`, as in the file. */
struct egress_conf {
	int		 line;
	const char	*name;
	struct conf_groups deny, allow;	/* struct egress_rule_conf */
};

extern const struct conf_opt egress_opts[];

struct egress;			/* all lists of the file */
struct egress_list;

/* Complaints go to c, whose text the lists keep on using.  NULL when there
 * were any. */
struct egress *egress_new(struct conf *c, const struct conf_groups *conf);
void egress_free(struct egress *e);	/* NULL is allowed */

/* "default" is built in; NULL: there is none of that name. */
const struct egress_list *egress_by_name(const struct egress *e,
    const char *name);
/* The built-in one. */
const struct egress_list *egress_default(void);
const char *egress_name(const struct egress_list *l);

/* Where a request would go, and whose it is. */
struct egress_query {
	struct addr	 to;
	enum transport	 transport;
	struct str	 uri;		/* "sip:user@host", no parameters */
	bool		 is_ours;	/* an address of our own, any port */
	bool		 of_peer;	/* else a stranger's */
	struct addr	 source;	/* who sent it */
	const struct peers *peers;
};

/*
 * May it go there?  In a list of the file the first rule of `allow`, then of
 * `deny`, that fits decides, and what fits none may go.  The built-in one
 * refuses what only we should reach: to strangers all that is not public, and
 * all peers; to peers loopback (unless they are there themselves), link-local
 * and multicast addresses; to both our own.
 */
bool egress_judge(const struct egress_list *l, const struct egress_query *q);

#endif
