/*
 * dns_rounds.h -- the questions that lead from a name to its targets.
 *
 * Three rounds: NAPTR says by which transport and where to look on, SRV at
 * which hosts and ports, A with AAAA at which addresses (RFC 3263 sections 4.1
 * and 4.2).  What a round asks for at once is bounded, and no round comes
 * twice, so there is an end whatever is answered.
 */
#ifndef IO_DNS_ROUNDS_H
#define IO_DNS_ROUNDS_H

#include "io/dns.h"
#include "io/hosts.h"
#include "io/resolver.h"
#include "io/srv.h"
#include "io/target.h"

enum {
	ROUNDS_SERVICES_MAX = 4,	/* whose SRV records are asked for */
	ROUNDS_ADDRS_MAX = 8,		/* of one host and family */
	ROUNDS_ASKS_MAX = 2 * DNS_TARGETS_MAX	/* in one round */
};

enum dns_round { ROUND_NAPTR, ROUND_SRV, ROUND_ADDRESS, ROUND_OVER };

struct dns_rounds;

/* A question under way. */
struct rounds_ask {
	struct asker	asker;
	struct dns_rounds *rounds;
	enum dns_type	type;
	size_t		index;		/* of the service or host */
};

/* A name with SRV records, and the transport to what they name. */
struct rounds_service {
	enum transport	transport;
	char		name[DNS_NAME_SIZE];
};

enum { V4, V6, FAMILIES };

struct rounds_host {
	char		name[DNS_NAME_SIZE];
	struct addr	addr[FAMILIES][ROUNDS_ADDRS_MAX];
	size_t		naddrs[FAMILIES];
};

struct dns_rounds {
	struct resolver	*resolver;
	const struct hosts *hosts;
	struct target_uri	 target;
	unsigned	 transports;	/* that may be chosen: bits */
	void		(*over)(struct dns_rounds *r);
	enum dns_round	 round;
	bool		 starting;	/* inside dns_rounds_start() */
	bool		 doubt;		/* something in this round is unknown */
	bool		 unsure;	/* something in any round is */
	bool		 refused;	/* SRV with target "." */
	unsigned	 pending;	/* questions under way */
	struct rounds_ask ask[ROUNDS_ASKS_MAX];
	size_t		 nasks;
	struct rounds_service service[ROUNDS_SERVICES_MAX];
	size_t		 nservices;
	struct srv	 row[DNS_TARGETS_MAX];
	size_t		 nrows;
	struct rounds_host host[DNS_TARGETS_MAX];	/* of each row */
};

/* What there is to say of a search. */
struct dns_rounds_conf {
	struct resolver	*resolver;
	const struct hosts *hosts;
	const struct target_uri *target;	/* a name */
	unsigned	 transports;
	void		(*over)(struct dns_rounds *r);
};

/* true: it is over already.  Else over() comes once, later, from the loop. */
bool dns_rounds_start(struct dns_rounds *r,
    const struct dns_rounds_conf *conf);
/* over() does not come any more. */
void dns_rounds_stop(struct dns_rounds *r);

/* What is known by now, in an order drawn by lot. */
enum dns_result dns_rounds_targets(const struct dns_rounds *r,
    struct dns_target t[DNS_TARGETS_MAX], size_t *n);

#endif
