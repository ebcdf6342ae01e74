/*
 * dns_message.h -- what name servers answer, as bytes.
 *
 * Hostile input.  A name in it is followed only backwards, no further than
 * its length allows; of the records only so many are looked at.
 *
 * Sources: RFC 1035 section 4, RFC 2181 section 8 (TTL), RFC 2308 (negative
 * answers), RFC 2782 (SRV), RFC 3403 section 4 (NAPTR).
 */
#ifndef IO_DNS_MESSAGE_H
#define IO_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/dns_answer.h"

struct dns_question {
	enum dns_type	 type;
	const char	*name;		/* by target_host_copy() */
};

enum dns_verdict {
	DNS_ANSWERED,		/* out holds what there is, perhaps nothing */
	DNS_ALIASED,		/* out->alias is to be asked for instead */
	DNS_USELESS		/* the server does not tell, or malformed */
};

/* Room for the answer to one question. */
struct dns_reply {
	struct dns_answer answer;
	char		text[DNS_RECORDS_MAX][DNS_NAME_SIZE];	/* of it */
	char		alias[DNS_NAME_SIZE];
};

/* That the number is ours is seen by who gets it. */
enum dns_verdict dns_reply_read(struct dns_reply *out, const uint8_t *m,
    size_t len, const struct dns_question *q);

#endif
