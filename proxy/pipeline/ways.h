/*
 * ways.h -- our sockets as seen by a request: where it came in, which one it
 * leaves by, and the names by which others know them.
 */
#ifndef PIPELINE_WAYS_H
#define PIPELINE_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "route/token.h"

struct port;
struct url_s;

enum { WAYS_MAX = 64 };

/* What those in a network know one of our sockets by. */
struct way_name {
	struct net	 net;
	char		 host[256];	/* IPv6 in brackets */
};

struct way {
	char		 listener[80];	/* its name in the file */
	uint16_t	 id;		/* of the listener, in flow tokens */
	enum transport	 transport;
	struct addr	 addr;		/* bound to */
	unsigned	 ifindex;	/* that has the address */
	char		 host[256];	/* the same to everybody else; see
					 * way_host() */
	const struct way_name *name;	/* the first that fits counts */
	size_t		 nnames;
	uint16_t	 port;
	bool		 balanced;	/* only balancers get in here: it is
					 * no place to be answered at */
	struct port	*socket;
};

/* By which interface the kernel reaches an address, asked a while ago. */
struct way_memo {
	struct addr	 to;
	unsigned	 ifindex;
	int64_t		 until_ms;	/* clock_mono_ms() */
};

enum { WAY_MEMOS = 256, WAY_MEMO_MS = 10000 };

struct ways {
	struct way	 way[WAYS_MAX];
	size_t		 n;
	char		 record_route[256];	/* a name that stands for all
						 * of them, or "" */
	/* Several instances: where the others reach us (NULL: we are alone),
	 * and where they are. */
	const struct way *inside;
	const struct net *member;
	size_t		 nmembers;
	struct way_memo	 memo[WAY_MEMOS];
};

/* Where it came in may not be where it goes out: same listener by name if
 * given, else the kernel's choice, else `in`, else any that fits the family
 * and transport.  NULL: none fits. */
const struct way *ways_out(struct ways *ws, const struct addr *to,
    enum transport transport, const char *listener, const struct way *in);

/* The transports that ways_out() can serve, by TRANSPORT_BIT(). */
unsigned ways_transports(const struct ways *ws);

/* The way of a flow: by listener id, transport and family. */
const struct way *ways_flow(const struct ways *ws, const struct side *flow);

/* The host that stands for us in Via, Record-Route, Path and Contact, in what
 * goes to this address or came from there. */
const char *way_host(const struct way *w, const struct addr *other);

/* Does host:port name one of our sockets, to whomever, or the cluster? */
bool ways_are(const struct ways *ws, struct str host, int port);
bool way_is(const struct way *w, struct str host, int port);

/* Is this another instance, asking where instances ask?  Its token says if it
 * is one. */
bool ways_are_member(const struct ways *ws, const struct way *in,
    const struct addr *source);
/* May another instance be in there? */
bool ways_meet_members(const struct ways *ws, const struct net *n);
/* Is one of our sockets bound to this address and port? */
bool ways_have(const struct ways *ws, const struct addr *a);
/* Is this the address of one of our sockets (any port)? */
bool ways_have_ip(const struct ways *ws, const struct addr *a);

#endif
