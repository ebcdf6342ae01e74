/*
 * grammar.h -- which byte may stand where, by RFC 3261 section 25.1 and RFC
 * 3966 section 3.
 */
#ifndef BASE_GRAMMAR_H
#define BASE_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum {				/* bits of what a byte may stand in */
	IN_TOKEN = 1,
	IN_WORD = 2,		/* of a Call-ID */
	IN_VALUE = 4,		/* of a header's parameter: token, or host */
	IN_USER = 8,		/* of a URI, from here on all but escapes */
	IN_PASSWORD = 16,
	IN_PARAM = 32,		/* RFC 3966 has the same */
	IN_HEADERS = 64,	/* behind '?', with '&' and '=' */
	IN_HOST = 128,
	IN_OTHER = 256,		/* a scheme that we do not know */
	IS_DIGIT = 512,
	IS_HEX = 1024,
	IS_ALPHA = 2048,
	IS_SEPARATOR = 4096,	/* of a phone number: not dialled */
	IS_LWS = 8192,
	IN_DISPLAY = 16384	/* a name without quotes: token, or UTF-8, which
				 * is to be quoted, but hides nothing */
};

extern const uint16_t grammar_bytes[256];

static inline bool
grammar_is(char c, unsigned bits)
{
	return (grammar_bytes[(unsigned char)c] & bits) != 0;
}

/* How many bytes from the front on are one of these. */
static inline size_t
grammar_span(struct str s, unsigned bits)
{
	size_t n = 0;

	while (n < s.len && grammar_is(s.p[n], bits))
		n++;
	return n;
}

/* The same, and nothing else, and at least one. */
static inline bool
grammar_all(struct str s, unsigned bits)
{
	return s.len > 0 && grammar_span(s, bits) == s.len;
}

/* Are these, and escapes ("%" and two hex digits), all that is there?  So is
 * nothing. */
bool grammar_fits(struct str s, unsigned bits);

#endif
