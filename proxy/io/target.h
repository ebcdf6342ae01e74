/*
 * target.h -- what a SIP URI says about the way to it.
 *
 * Only scheme, host, port and the parameters `transport` and `maddr` are
 * looked at; user and the rest are passed over.  Hostile input.
 *
 * Sources: RFC 3261 section 19.1.1, RFC 3263 section 4.
 */
#ifndef IO_TARGET_H
#define IO_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "base/transport.h"

enum { TARGET_HOST_MAX = 253 };		/* RFC 1035 2.3.4, as text */

enum { TARGET_OPEN = TRANSPORTS };	/* no enum transport: not said */

struct target_uri {
	bool		sips;
	int		transport;	/* TARGET_OPEN: left open */
	bool		transport_given;	/* by the parameter */
	uint16_t	port;		/* 0: not given */
	bool		numeric;	/* addr (no port), and not host */
	struct addr	addr;
	char		host[TARGET_HOST_MAX + 1];	/* no dot at the end */
};

/* false: malformed, another scheme, or a transport that is not spoken. */
bool target_parse(struct target_uri *t, struct str uri);

/* The transport to a lone host or address: what is said, else UDP, or TCP
 * where that is the one of the two that is spoken (RFC 3263 section 4.1).
 * transports: those that are spoken, by TRANSPORT_BIT(). */
enum transport target_default_transport(const struct target_uri *t,
    unsigned transports);

/* The port where none is given. */
uint16_t target_default_port(int transport);

/* A name that may be asked of DNS: letters, digits, '-', '_', labels of 1 to
 * 63 bytes, the last one no number (RFC 3261 section 25.1, toplabel: 1.2.3.456
 * is no name); a dot at the end is allowed.  Copies it without that dot. */
bool target_host_copy(char out[TARGET_HOST_MAX + 1], struct str name);

#endif
