/*
 * peer.h -- who is known by address or certificate, and where it is reached.
 */
#ifndef ROUTE_PEER_H
#define ROUTE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"
#include "route/account.h"
#include "route/media.h"
#include "route/rewrite.h"
#include "route/token.h"

enum path_mode { PATH_RFC, PATH_ALWAYS, PATH_CONTACT };

/* Among targets of the same priority, which is asked first? */
enum balance {
	BALANCE_ORDER, BALANCE_ROUND_ROBIN, BALANCE_WEIGHT, BALANCE_CALL_ID,
	BALANCE_FROM, BALANCE_USER, BALANCE_LEAST
};

/* One entry of `targets` of a peer, as in the file. */
struct target_conf {
	int		 line;
	const char	*uri;
	int64_t		 priority;	/* the lowest is asked first */
	int64_t		 weight;
};

/* `probe` of a peer, as in the file. */
struct probe_conf {
	int		 line;
	int64_t		 interval_ms;	/* -1: off */
	int64_t		 timeout_ms;
	int64_t		 rise, fall;
	struct conf_list accept;
};

/* By what requests are known to be a peer's: bits. */
enum peer_proof {
	PEER_BY_ADDRESS = 1, PEER_BY_CERTIFICATE = 2, PEER_BY_DIGEST = 4
};

/* `auth` of a peer: the first of these three that is given. */
struct peer_auth_conf {
	struct conf_choices any, all;
	int		 is;
};

enum peer_trusted { PEER_TRUSTED_AUTO, PEER_TRUSTED, PEER_UNTRUSTED };

/* Headers that pass towards a peer: bits. */
enum peer_pass {
	PASS_IDENTITY = 1,		/* RFC 8224 */
	PASS_SESSION_ID = 2,		/* RFC 7989 */
	PASS_HISTORY_INFO = 4,		/* RFC 7044 */
	PASS_DIVERSION = 8		/* RFC 5806 */
};

/* One entry of `peers`, as in the file. */
struct peer_conf {
	int		 line;
	const char	*name;
	struct conf_list uri;		/* targets, tried in order */
	struct conf_groups targets;	/* the same with more said */
	int		 balance;	/* enum balance */
	struct probe_conf probe;
	struct conf_list from;		/* networks */
	struct conf_list certificate;	/* names in it; neither this nor from:
					 * only a target */
	const char	*ca;		/* NULL: the one for all */
	const char	*crl;		/* of ca */
	int		 verify;	/* enum peer_verify */
	const char	*listener;	/* NULL: by interface */
	struct peer_auth_conf auth;
	struct conf_list users;		/* who prove that they are the peer */
	struct conf_list domains;	/* that it asks for */
	const char	*realm;		/* NULL: the one for all */
	int		 trusted;	/* enum peer_trusted */
	struct conf_choices pass;	/* none: by trusted */
	struct conf_list strip;		/* of the number called */
	const char	*prefix, *domain;
	struct caller_conf caller;
	int64_t		 pending;	/* -1: off */
	int		 path;		/* enum path_mode */
	int64_t		 udp_max;	/* as in struct peer */
	struct conf_list methods;
	struct account_conf credentials;
	struct register_conf registration;
	struct conf_rate requests;
	struct media_conf media;
	const char	*class;		/* of service; NULL: none */
};

/* What is asked of the certificate of its targets. */
enum peer_verify { PEER_VERIFY_FULL, PEER_VERIFY_NONE };

extern const struct conf_opt peer_opts[];

struct set;			/* sets.h */

enum { PEER_UDP_MAX_AS_ALL = 0 };	/* limits.udp_max */

enum { PEER_TARGETS_MAX = 64 };	/* bits of a mask */

/* How a target stands to the others of its peer. */
struct peer_target {
	uint16_t	 priority;
	uint16_t	 weight;
};

/* What its URI says. */
struct peer_place {
	const char	*host;		/* NULL: an address */
	struct addr	 addr;		/* the port is a host's, too */
	int		 transport;	/* TRANSPORTS: left open */
};

/* How a peer's targets are asked whether they live. */
struct peer_probe {
	int64_t		 interval_ms;	/* -1: they are not */
	int64_t		 timeout_ms;
	unsigned	 rise, fall;	/* so many answers in a row */
	uint64_t	 accept[8];	/* bit: status - 200 */
};

struct peer {
	int		 line;		/* in its file */
	const char	*name;
	uint32_t	 id;		/* peer_id(name) */
	unsigned	 proofs;	/* PEER_BY_...; 0: it sends nothing */
	bool		 any;		/* one of them is enough */
	bool		 trusted;	/* with what is private (RFC 3325) */
	unsigned	 pass;		/* PASS_... */
	const char *const *user;	/* none: anybody's digest will do */
	size_t		 nusers;
	const char *const *domain;	/* none: any */
	size_t		 ndomains;
	const char	*realm;		/* NULL: the one for all */
	int64_t		 pending;	/* requests under way from it, at
					 * most; -1: any number */
	struct rewrite	 called, caller;
	enum caller_header caller_header;
	enum path_mode	 path;
	int64_t		 udp_max;	/* bytes, -1: off, or as all */
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
	const char *const *uri;		/* its targets */
	const struct peer_target *target;	/* nuris of them, too */
	const struct peer_place *place;		/* and of these */
	size_t		 nuris;
	enum balance	 balance;
	struct peer_probe probe;
	struct set	*set;		/* sets_join(); NULL before that, and
					 * without targets */
	const struct account_conf *account;	/* NULL: none */
	const struct register_conf *registration;	/* NULL: none */
	struct conf_rate requests;	/* that it may send */
	const struct media_conf *media;	/* NULL: nothing is asked */
	struct conf_list methods;	/* and of which methods; none: all */
	const char	*class;		/* of service (guard/classes.h);
					 * NULL: none */
};

/* Does this answer to a probe say that the target lives? */
bool peer_accepts(const struct peer *p, int status);

struct peers;			/* all of them */

/* Check names (no repeats, no id that meets), networks, URIs; complaints go
 * to c, whose text the peers keep on using.  NULL when there were any. */
struct peers *peers_new(struct conf *c, const struct conf_groups *conf);
void peers_free(struct peers *ps);
size_t peers_count(const struct peers *ps);
const struct peer *peers_at(const struct peers *ps, size_t i);
/* For sets_join(), which writes peer.set. */
struct peer *peers_mut(struct peers *ps, size_t i);
const struct peer *peers_by_name(const struct peers *ps, const char *name);
const struct peer *peers_by_id(const struct peers *ps, uint32_t id);

/* The first peer that one user is, by digest alone, when he asks for this
 * domain (p NULL: not looked at).  NULL: none. */
const struct peer *peers_by_user(const struct peers *ps, const char *user,
    struct str domain);

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
	unsigned	 ifindex;	/* has the local address; 0: none */
	const struct arrival_certificate *certificate;	/* NULL: none shown */
	struct str	 domain;	/* that it asks for; p NULL: not
					 * looked at */
};

enum arrival_verdict {
	ARRIVAL_STRANGER,
	ARRIVAL_PEER,
	ARRIVAL_MISPLACED	/* a peer's address, but over UDP on another
				 * listener or interface: a stranger, counted */
};

/*
 * The peer whose proofs, but for digest, are there, and whose domains fit:
 * before others one whose certificate was shown; then one whose networks have
 * the source, over UDP only on the listener it names, or else on the interface
 * by which the kernel routes to it; of two such one that has domains; and of
 * these the first.  *out is NULL unless ARRIVAL_PEER.
 */
enum arrival_verdict peers_classify(const struct peers *ps,
    const struct arrival *a, const struct peer **out);
/* Whose address it is that ARRIVAL_MISPLACED was said of. */
const struct peer *peers_misplaced(const struct peers *ps,
    const struct arrival *a);

/* May this have come from it, whatever domain it asks for? */
bool peer_may_send(const struct peer *p, const struct arrival *a);

/* Are these proofs (PEER_BY_...) enough for it? */
bool peer_is_known_by(const struct peer *p, unsigned proofs);
/* Is digest asked of it, whatever else is there? */
bool peer_asks_digest(const struct peer *p);
bool peer_conf_asks_digest(const struct peer_conf *conf);
bool peer_has_user(const struct peer *p, const char *user);
bool peer_fits_domain(const struct peer *p, struct str host);

/* Is there anything by which its requests are known? */
bool peer_sends(const struct peer *p);

/* Is it reached by an address or a URI?  Else (known by its certificate alone)
 * only on the connection that it made. */
bool peer_has_place(const struct peer *p);

/* Is this address one of the peer's (networks, or numeric targets)? */
bool peer_has_addr(const struct peer *p, const struct addr *a);

/* Is one of these addresses in this network, or the other way round?  That it
 * may send from anywhere says nothing. */
bool peer_meets_net(const struct peer *p, const struct net *n);

/* The first of its targets that names this port, or has it by default; -1:
 * none. */
int peer_target_of_port(const struct peer *p, uint16_t port);

/* Which of its targets has this address and port, or this name and port, in
 * its URI?  -1: none. */
int peer_target_at(const struct peer *p, const struct addr *a);
int peer_target_named(const struct peer *p, struct str host, uint16_t port);

/* Interface that has a local address (exact, or lo for 127/8), and the one by
 * which the kernel would route to an address; 0: none. */
unsigned ifindex_of_local(const struct addr *a);
unsigned ifindex_to(const struct addr *a);

#endif
