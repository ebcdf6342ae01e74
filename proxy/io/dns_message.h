/*
 * dns_message.h -- questions to name servers and what they answer, as bytes.
 *
 * Hostile input.  A name in it is followed only backwards, no further than
 * its length allows; of the records only so many are looked at.
 *
 * Sources: RFC 1035 section 4, RFC 2181 section 8 (TTL), RFC 2308 (negative
 * answers), RFC 2782 (SRV), RFC 3403 section 4 (NAPTR), RFC 5452 section 9
 * (what makes an answer ours), RFC 6891 (EDNS).
 */
#ifndef IO_DNS_MESSAGE_H
#define IO_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/dns_answer.h"

enum {
	DNS_QUESTION_MAX = 12 + 255 + 4 + 11,	/* bytes, with EDNS */
	DNS_DATAGRAM_MAX = 1232		/* that we ask for: fits any path */
};

struct dns_question {
	enum dns_type	 type;
	const char	*name;		/* by target_host_copy() */
	uint16_t	 id;
	bool		 edns;
};

/* Returns the number of bytes. */
size_t dns_question_write(uint8_t out[DNS_QUESTION_MAX],
    const struct dns_question *q);

enum dns_verdict {
	DNS_ANSWERED,		/* out holds what there is, perhaps nothing */
	DNS_ALIASED,		/* out->alias is to be asked for instead */
	DNS_TRUNCATED,		/* to be asked again over TCP */
	DNS_NOT_UNDERSTOOD,	/* to be asked again without EDNS */
	DNS_REFUSED,		/* this server does not tell */
	DNS_NOT_OURS		/* no answer to this question, or malformed */
};

/* Room for the answer to one question. */
struct dns_reply {
	struct dns_answer answer;
	char		text[DNS_RECORDS_MAX][DNS_NAME_SIZE];	/* of it */
	char		alias[DNS_NAME_SIZE];
};

enum dns_verdict dns_reply_read(struct dns_reply *out, const uint8_t *m,
    size_t len, const struct dns_question *q);

#endif
