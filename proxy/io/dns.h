/*
 * dns.h -- names to addresses (RFC 3263), without blocking.
 *
 * Answers are kept as long as their TTL allows, also that there is none; what
 * is known is answered on the spot.
 */
#ifndef IO_DNS_H
#define IO_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/text.h"
#include "base/transport.h"

struct loop;
struct dns;
struct dns_lookup;

enum { DNS_TARGETS_MAX = 16 };

/* Whatever the name led to, a certificate must bear the host of the URI (RFC
 * 5922 section 4). */
struct dns_target {
	struct addr	addr;		/* with port */
	enum transport	transport;
};

enum dns_result {
	DNS_OK,
	DNS_NO_NAME,		/* the name does not exist: 404/502 */
	DNS_UNAVAILABLE		/* no server answered: 503 */
};

typedef void dns_done_f(void *arg, enum dns_result r,
    const struct dns_target *t, size_t n);

struct dns_query {
	const char	*uri;
	/* Those that may be chosen where the URI leaves it open, by
	 * TRANSPORT_BIT(). */
	unsigned	 transports;
	int		 timeout_ms;
	dns_done_f	*done;
	void		*arg;
};

/* resolv_conf: NULL for the system's; it is read again when it changes.  The
 * local name "localhost" and the entries of /etc/hosts (read once) are known.
 * NULL: cannot be set up. */
struct dns *dns_new(struct loop *l, const char *resolv_conf);
/* Lookups under way are cancelled.  NULL is allowed. */
void dns_free(struct dns *d);

/*
 * Targets of a SIP URI ("sip:host:port;transport=tcp"), in order of trial:
 * numeric at once, else by NAPTR (with neither port nor transport), SRV
 * (without port) and A, then AAAA, by RFC 3263 section 4.  Among SRV records
 * of one priority a lot is drawn by their weights, each time anew.  No search
 * domain is put behind a name.  The parameter maddr stands for the host.
 *
 * When the answer is known at once (numeric, hosts file, cache, malformed, or
 * too many under way) it is returned, with *n targets in t[] and *out = NULL.
 * Otherwise returns DNS_OK with *n = 0 and *out is the lookup: done() comes
 * exactly once, later, from the loop, within timeout_ms; never after cancel.
 * What is known when the time is up is given as DNS_OK.
 * A malformed URI is DNS_NO_NAME.
 */
enum dns_result dns_resolve(struct dns *d, const struct dns_query *q,
    struct dns_target t[DNS_TARGETS_MAX], size_t *n, struct dns_lookup **out);
/* NULL is allowed. */
void dns_cancel(struct dns *d, struct dns_lookup *l);

#endif
