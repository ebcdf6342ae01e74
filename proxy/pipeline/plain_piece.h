/*
 * plain_piece.h -- the pieces of a plain request, each taken off the front of
 * what is left of a text.
 */
#ifndef PIPELINE_PLAIN_PIECE_H
#define PIPELINE_PLAIN_PIECE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* What a byte may stand in; by far not all that RFC 3261 25.1 allows. */
enum {
	IN_MARK = 1,			/* may stand in a token */
	IN_WORD = 2,			/* in a Call-ID, on either side of @ */
	IN_URI = 4,			/* in a URI's user */
	IN_HOST = 8,			/* in a name or an IPv4 address */
	IN_NAME = 16,			/* in a plain display name */
	IS_ALPHA = 32,
	IS_DIGIT = 64,
	IN_PARAM = 128			/* in a parameter, of a URI too */
};

/* What stands at the front and is of these classes; perhaps nothing. */
struct str piece_take(struct str *s, unsigned classes);

static inline bool
piece_text(struct str *s, const char *text)
{
	size_t n = strlen(text);

	if (s->len < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

/* The whole text is a number, in one spelling: no zeros before it. */
bool piece_number(struct str s, uint64_t most, uint64_t *n);
bool piece_is_number(struct str s, uint64_t least, uint64_t most);

/* "host" or "host:port"; *port is 5060 if there is none. */
bool piece_host(struct str *s, struct str *host, uint16_t *port);
/* ";name", ";name=value" and so on, each name once, and none is "tag"; perhaps
 * nothing. */
bool piece_params(struct str *s);
/* "sip:user@host:port", without parameters. */
bool piece_uri(struct str *s, struct str *host);
/* Words, or some in quotes, and a URI in brackets. */
bool piece_address(struct str *s);

#endif
