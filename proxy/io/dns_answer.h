/*
 * dns_answer.h -- what is known of one name and type: some records, or that
 * there are none.
 */
#ifndef IO_DNS_ANSWER_H
#define IO_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/transport.h"
#include "io/target.h"

enum {
	DNS_RECORDS_MAX = 16,	/* kept of one answer */
	DNS_NAME_SIZE = TARGET_HOST_MAX + 1
};

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };

struct dns_srv {
	uint16_t	priority, weight, port;
	const char	*host;		/* "": there is no such service */
};

/* Only those that lead from SIP to an SRV record (RFC 3263 section 4.1). */
struct dns_naptr {
	uint16_t	order, preference;
	enum transport	transport;
	const char	*name;		/* whose SRV records to ask for */
};

union dns_record {
	struct addr	addr;		/* DNS_A, DNS_AAAA; no port */
	struct dns_srv	srv;
	struct dns_naptr naptr;
};

struct dns_answer {
	enum dns_type	type;
	bool		failed;		/* no server told */
	uint32_t	ttl_s;
	size_t		n;		/* 0: there are none */
	union dns_record v[DNS_RECORDS_MAX];
};

#endif
