/*
 * dns_reader.h -- numbers, names and strings from the bytes of a DNS message.
 *
 * Source: RFC 1035 sections 3.3 and 4.1.
 */
#ifndef IO_DNS_READER_H
#define IO_DNS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "io/dns_answer.h"

/* Takes from `at` on.  What does not fit makes it bad, and then nothing but
 * zeros and empty text come. */
struct dns_reader {
	const uint8_t	*m;
	size_t		 len, at;
	bool		 bad;
};

/* Are there n more bytes?  If not, it is bad. */
bool dns_has(struct dns_reader *r, size_t n);
unsigned dns_take_u8(struct dns_reader *r);
unsigned dns_take_u16(struct dns_reader *r);
uint32_t dns_take_u32(struct dns_reader *r);

/* As text, without the dot at the end; "" the root, or one that cannot be
 * written as text, which is no name that is asked for. */
void dns_take_name(struct dns_reader *r, char out[DNS_NAME_SIZE]);

/* With its length in front (3.3), lent by the message. */
struct str dns_take_string(struct dns_reader *r);

#endif
