/*
 * dns.h -- names to addresses (RFC 3263), without blocking, on sresolv.
 */
#ifndef IO_DNS_H
#define IO_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/text.h"

struct loop;
struct dns;
struct dns_lookup;

/* Same values as enum transport (route/token.h). */
enum { DNS_UDP, DNS_TCP, DNS_TLS };

enum { DNS_TARGETS_MAX = 16 };

struct dns_target {
	struct addr	addr;		/* with port */
	int		transport;
};

enum dns_result {
	DNS_OK,
	DNS_NO_NAME,		/* the name does not exist: 404/502 */
	DNS_UNAVAILABLE		/* no server answered: 503 */
};

typedef void dns_done_f(void *arg, enum dns_result r,
    const struct dns_target *t, size_t n);

/* resolv_conf: NULL for the system's.  The local name "localhost" and the
 * entries of /etc/hosts are known.  NULL: cannot be set up. */
struct dns *dns_new(struct loop *l, const char *resolv_conf);
void dns_free(struct dns *d);

/*
 * Targets of a SIP URI ("sip:host:port;transport=tcp"), in order of trial:
 * numeric at once, else SRV (without port) and A/AAAA by RFC 3263 section 4.
 * Returns DNS_OK with *n targets in t[] when they are known at once (numeric,
 * hosts file) and *out = NULL; otherwise *out is the lookup and done() comes
 * exactly once, later, from the loop, within timeout_ms; never after cancel.
 * A malformed URI is DNS_NO_NAME with *out = NULL.
 */
enum dns_result dns_resolve(struct dns *d, const char *uri, int timeout_ms,
    struct dns_target t[DNS_TARGETS_MAX], size_t *n,
    dns_done_f *done, void *arg, struct dns_lookup **out);
void dns_cancel(struct dns *d, struct dns_lookup *l);

#endif
