/*
 * peer.h -- who is known by address, and where it is reached.
 */
#ifndef ROUTE_PEER_H
#define ROUTE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "route/token.h"

enum path_mode { PATH_RFC, PATH_ALWAYS, PATH_CONTACT };

/* One entry of `peers`, as in the file. */
struct peer_conf {
	int		 line;
	const char	*name;
	struct conf_list uri;		/* targets, tried in order */
	struct conf_list from;		/* networks; empty: only a target */
	const char	*listener;	/* NULL: by interface */
	int		 auth;		/* enum peer_auth */
	int		 path;		/* enum path_mode */
	/* options that are not built yet stand in the table with CONF_LATER */
};

/* What a request from its address must bring besides. */
enum peer_auth { PEER_AUTH_IP, PEER_AUTH_DIGEST };

extern const struct conf_opt peer_opts[];

struct peer {
	const char	*name;
	uint32_t	 id;		/* peer_id(name) */
	enum peer_auth	 auth;
	enum path_mode	 path;
	const char	*listener;	/* NULL: by interface */
	struct net	*net;
	unsigned	*net_ifindex;	/* by which the kernel routes there */
	size_t		 nnets;
	const char *const *uri;
	size_t		 nuris;
};

struct peers;			/* all of them */

/* Check names (no repeats, no id that meets), networks, URIs; complaints go
 * to c, whose text the peers keep on using.  NULL when there were any. */
struct peers *peers_new(struct conf *c, const struct conf_groups *conf);
void peers_free(struct peers *ps);
size_t peers_count(const struct peers *ps);
const struct peer *peers_at(const struct peers *ps, size_t i);
const struct peer *peers_by_name(const struct peers *ps, const char *name);
const struct peer *peers_by_id(const struct peers *ps, uint32_t id);

/* How a packet came in. */
struct arrival {
	struct addr	 source;
	enum transport	 transport;
	const char	*listener;	/* its name in the file */
	unsigned	 ifindex;	/* that has the local address; 0: none */
};

enum arrival_verdict {
	ARRIVAL_STRANGER,
	ARRIVAL_PEER,
	ARRIVAL_MISPLACED	/* a peer's address, but over UDP on another
				 * listener or interface: a stranger, counted */
};

/* The first peer whose networks have the source:
 * over UDP only on the listener it names, or else on the interface by which
 * the kernel routes to it.  *out is NULL unless ARRIVAL_PEER. */
enum arrival_verdict peers_classify(const struct peers *ps,
    const struct arrival *a, const struct peer **out);

/* Is this address one of the peer's (networks, or numeric targets)? */
bool peer_has_addr(const struct peer *p, const struct addr *a);

/* Is this a port that one of its targets names, or the default? */
bool peer_has_port(const struct peer *p, uint16_t port);

/* Interface that has a local address (exact, or lo for 127/8), and the one by
 * which the kernel would route to an address; 0: none. */
unsigned ifindex_of_local(const struct addr *a);
unsigned ifindex_to(const struct addr *a);

#endif
