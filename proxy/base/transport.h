/*
 * transport.h -- what SIP lies on (RFC 3261 section 18).
 */
#ifndef BASE_TRANSPORT_H
#define BASE_TRANSPORT_H

#include "base/text.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORTS };

/* Where it listens unless somebody says otherwise (RFC 3261 19.1.2). */
enum { SIP_PORT = 5060, SIPS_PORT = 5061 };

/* In a set of them. */
#define TRANSPORT_BIT(t) (1u << (t))

/* "udp", as in URIs and in the log. */
static inline const char *
transport_name(enum transport t)
{
	static const char *const name[TRANSPORTS] = { "udp", "tcp", "tls" };

	return name[t];
}

/* TRANSPORTS: none is called so. */
static inline int
transport_named(struct str name)
{
	int t = 0;

	while (t < TRANSPORTS &&
	    !str_caseis(name, transport_name((enum transport)t)))
		t++;
	return t;
}

/* "UDP", as in Via. */
static inline const char *
transport_via_name(enum transport t)
{
	static const char *const name[TRANSPORTS] = { "UDP", "TCP", "TLS" };

	return name[t];
}

#endif
