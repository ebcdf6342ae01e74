/*
 * peer.h -- who is known by address or certificate, and where it is reached.
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
	struct conf_list from;		/* networks */
	struct conf_list certificate;	/* names in it; neither this nor from:
					 * only a target */
	const char	*ca;		/* NULL: the one for all */
	const char	*crl;		/* of ca */
	int		 verify;	/* enum peer_verify */
	const char	*listener;	/* NULL: by interface */
	int		 auth;		/* enum peer_auth */
	int		 path;		/* enum path_mode */
	/* options that are not built yet stand in the table with CONF_LATER */
};

/* What a request that is known to be its own must bring besides. */
enum peer_auth { PEER_AUTH_IP, PEER_AUTH_DIGEST };

/* What is asked of the certificate of its targets. */
enum peer_verify { PEER_VERIFY_FULL, PEER_VERIFY_NONE };

extern const struct conf_opt peer_opts[];

struct peer {
	int		 line;		/* in its file */
	const char	*name;
	uint32_t	 id;		/* peer_id(name) */
	enum peer_auth	 auth;
	enum path_mode	 path;
	const char	*listener;	/* NULL: by interface */
	struct net	*net;
	unsigned	*net_ifindex;	/* by which the kernel routes there */
	size_t		 nnets;
	const char *const *certificate;	/* any of these names is enough */
	size_t		 ncertificates;
	const char	*ca;		/* whom its certificate leads to;
					 * NULL: to the authorities for all */
	const char	*crl;		/* of ca; may be NULL */
	enum peer_verify verify;
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

/* What the other end of a TLS connection proved by its certificate. */
struct arrival_certificate {
	bool	(*has_name)(const void *arg, const char *name);
	/* Does it lead to the authorities that this peer's must lead to?
	 * Another's, though trusted, may not vouch for it. */
	bool	(*is_vouched)(const void *arg, const struct peer *p);
	const void *arg;
};

/* How a packet came in. */
struct arrival {
	struct addr	 source;
	enum transport	 transport;
	const char	*listener;	/* its name in the file */
	unsigned	 ifindex;	/* that has the local address; 0: none */
	const struct arrival_certificate *certificate;	/* NULL: none shown */
};

enum arrival_verdict {
	ARRIVAL_STRANGER,
	ARRIVAL_PEER,
	ARRIVAL_MISPLACED	/* a peer's address, but over UDP on another
				 * listener or interface: a stranger, counted */
};

/*
 * The first peer that the certificate proves, if its networks, where it has
 * any, have the source as well.  Else the first one known by address alone
 * whose networks have the source: over UDP only on the listener it names, or
 * else on the interface by which the kernel routes to it.  *out is NULL unless
 * ARRIVAL_PEER.
 */
enum arrival_verdict peers_classify(const struct peers *ps,
    const struct arrival *a, const struct peer **out);

/* Is it reached by an address or a URI?  Else (known by its certificate alone)
 * only on the connection that it made. */
bool peer_has_place(const struct peer *p);

/* Is this address one of the peer's (networks, or numeric targets)? */
bool peer_has_addr(const struct peer *p, const struct addr *a);

/* Is this a port that one of its targets names, or the default? */
bool peer_has_port(const struct peer *p, uint16_t port);

/* Interface that has a local address (exact, or lo for 127/8), and the one by
 * which the kernel would route to an address; 0: none. */
unsigned ifindex_of_local(const struct addr *a);
unsigned ifindex_to(const struct addr *a);

#endif
