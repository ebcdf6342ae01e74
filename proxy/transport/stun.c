/*
 * stun.c -- the answer to a STUN binding request.
 */
#include "config.h"

#include "transport/stun.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

enum {
	HEADER_BYTES = 20,		/* RFC 8489 section 5 */
	COOKIE_AT = 4,
	BINDING_REQUEST = 0x0001,
	BINDING_SUCCESS = 0x0101,
	XOR_MAPPED_ADDRESS = 0x0020,
	OPTIONAL = 0x8000,		/* types from here may be passed over */
	FAMILY_V4 = 1,
	FAMILY_V6 = 2
};

static const uint8_t cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };

/*
 * Attributes without one that has to be understood (RFC 8489 section 14).
 * We understand none: what belongs to credentials or to ICE asks for more
 * than an address.
 */
static bool
all_optional(const uint8_t *p, size_t len)
{
	size_t whole;

	for (; len >= 4; p += whole, len -= whole) {
		if (get_u16(p) < OPTIONAL)
			return false;
		whole = 4 + ((get_u16(p + 2) + 3u) & ~3u);
		if (whole > len)
			return false;
	}
	return len == 0;
}

static bool
is_request(const uint8_t *p, size_t len)
{
	return len >= HEADER_BYTES && get_u16(p) == BINDING_REQUEST &&
	    memcmp(p + COOKIE_AT, cookie, sizeof cookie) == 0 &&
	    get_u16(p + 2) == len - HEADER_BYTES &&
	    all_optional(p + HEADER_BYTES, len - HEADER_BYTES);
}

/*
 *	 0                   1                   2                   3
 *	|0 0 0 0 0 0 0 0|    family     |       port ^ cookie           |
 *	|       address ^ cookie and transaction id, 4 or 16 bytes      |
 *
 * RFC 8489 14.2.  key: cookie and transaction id of the request.
 */
static size_t
put_address(uint8_t *p, const struct addr *a, const uint8_t *key)
{
	bool v4 = addr_is_v4(a);
	size_t len = v4 ? 4 : 16;
	const uint8_t *ip = a->ip + sizeof a->ip - len;

	put_u16(p, v4 ? FAMILY_V4 : FAMILY_V6);
	put_u16(p + 2, (uint16_t)(a->port ^ get_u16(key)));
	for (size_t i = 0; i < len; i++)
		p[4 + i] = ip[i] ^ key[i];
	return 4 + len;
}

size_t
stun_answer(char out[STUN_ANSWER_MAX], const char *p, size_t len,
    const struct addr *from)
{
	const uint8_t *in = (const uint8_t *)p;
	uint8_t *to = (uint8_t *)out, *attribute = to + HEADER_BYTES;
	size_t value;

	if (!is_request(in, len))
		return 0;
	memcpy(to, in, HEADER_BYTES);
	value = put_address(attribute + 4, from, in + COOKIE_AT);
	put_u16(attribute, XOR_MAPPED_ADDRESS);
	put_u16(attribute + 2, (uint16_t)value);
	put_u16(to, BINDING_SUCCESS);
	put_u16(to + 2, (uint16_t)(4 + value));
	return HEADER_BYTES + 4 + value;
}
