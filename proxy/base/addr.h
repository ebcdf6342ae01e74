/*
 * addr.h -- an address of the internet and networks of them, without DNS.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/text.h"

/* IPv4 stands mapped (::ffff:a.b.c.d), so one form serves for both. */
struct addr {
	uint8_t		ip[16];
	uint16_t	port;		/* host order; 0: none */
};

struct net {
	uint8_t		ip[16];
	unsigned	bits;		/* 0..128; IPv4 /n is n + 96 */
};

/* Constant ones, by their first bytes. */
#define NET_V4(a, b, bits) { { [10] = 0xff, [11] = 0xff, a, b }, (bits) + 96 }
#define NET_V6(a, b, bits) { { a, b }, bits }

enum { ADDR_TEXT_MAX = 64 };		/* "[v6]:port" with its NUL */

bool addr_from_sockaddr(struct addr *a, const struct sockaddr *sa);
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss);

/* "1.2.3.4", "2001:db8::1" or "[2001:db8::1]"; no port, no name. */
bool addr_parse_host(struct addr *a, struct str host);

bool addr_is_v4(const struct addr *a);
bool addr_same_ip(const struct addr *a, const struct addr *b);
bool addr_same(const struct addr *a, const struct addr *b);	/* and port */
bool addr_is_any(const struct addr *a);		/* 0.0.0.0 or :: */
bool addr_is_loopback(const struct addr *a);
/* Of networks that many have and nobody else reaches: RFC 1918, RFC 6598, RFC
 * 4193, RFC 3879, RFC 8215. */
bool addr_is_private(const struct addr *a);

/* Host only ("1.2.3.4", "[::1]"), or with port where it is not 0; both fit
 * ADDR_TEXT_MAX and return out. */
const char *addr_host_text(const struct addr *a, char *out);
const char *addr_text(const struct addr *a, char *out);

/* "10.0.0.0/8", "2001:db8::/32", or a lone address.  Host bits that are set
 * are refused (10.0.0.1/8 is a typing error). */
bool net_parse(struct net *n, struct str text);
bool net_has(const struct net *n, const struct addr *a);
bool nets_have(const struct net *n, size_t count, const struct addr *a);
/* Have they an address in common? */
bool net_meets(const struct net *a, const struct net *b);
/* All addresses there are, of IPv4 or of IPv6? */
bool net_is_everybody(const struct net *n);

#endif
