/*
 * plain_piece.c -- the pieces of a plain request.
 */
#include "config.h"

#include "pipeline/plain_piece.h"

enum {
	PORT = 5060,			/* if none is written */
	HOST_MAX = 200,			/* with it, sent-by fits its key */
	PARAMS_MAX = 4			/* of a URI or a Contact */
};

#define SIGN (IN_MARK | IN_WORD | IN_URI | IN_PARAM)
#define LETTER (SIGN | IN_HOST | IN_NAME | IS_ALPHA)

static const uint8_t class[256] = {
	['0' ... '9'] = SIGN | IN_HOST | IN_NAME | IS_DIGIT,
	['A' ... 'Z'] = LETTER, ['a' ... 'z'] = LETTER,
	['-'] = SIGN | IN_HOST, ['.'] = SIGN | IN_HOST, ['_'] = SIGN | IN_NAME,
	['!'] = SIGN, ['~'] = SIGN, ['*'] = SIGN, ['+'] = SIGN,
	['\''] = SIGN, ['`'] = IN_MARK | IN_WORD, [':'] = IN_WORD,
	[' '] = IN_NAME
};

static bool
is(char c, unsigned classes)
{
	return (class[(uint8_t)c] & classes) != 0;
}

struct str
piece_take(struct str *s, unsigned classes)
{
	struct str out = { s->p, 0 };

	while (out.len < s->len && is(s->p[out.len], classes))
		out.len++;
	s->p += out.len;
	s->len -= out.len;
	return out;
}

bool
piece_number(struct str s, uint64_t most, uint64_t *n)
{
	return parse_uint(s, most, n) && (s.len == 1 || s.p[0] != '0');
}

bool
piece_is_number(struct str s, uint64_t least, uint64_t most)
{
	uint64_t n;

	return piece_number(s, most, &n) && n >= least;
}

static bool
is_ipv4(struct str s)
{
	for (unsigned i = 0; i < 4; i++)
		if (!piece_is_number(piece_take(&s, IS_DIGIT), 0, 255) ||
		    (i < 3 && !piece_text(&s, ".")))
			return false;
	return s.len == 0;
}

/* RFC 3261 25.1: labels begin and end with a letter or digit, the last one
 * begins with a letter. */
static bool
is_host(struct str s)
{
	const char *end = s.p + s.len, *label = s.p;

	if (s.len == 0 || s.len > HOST_MAX || !is(end[-1], IS_ALPHA | IS_DIGIT))
		return false;
	for (const char *p = s.p; p < end; p++) {
		if (p == label && !is(*p, IS_ALPHA | IS_DIGIT))
			return false;
		if (*p == '.' && p[-1] == '-')
			return false;
		if (*p == '.')
			label = p + 1;
	}
	return is(*label, IS_ALPHA) || is_ipv4(s);
}

bool
piece_host(struct str *s, struct str *host, uint16_t *port)
{
	uint64_t n;

	*host = piece_take(s, IN_HOST);
	*port = PORT;
	if (!is_host(*host))
		return false;
	if (!piece_text(s, ":"))
		return true;
	if (!piece_number(piece_take(s, IS_DIGIT), UINT16_MAX, &n))
		return false;
	*port = (uint16_t)n;
	return n > 0;
}

static bool
is_among(struct str name, const struct str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_caseeq(name, names[i]))
			return true;
	return false;
}

/* A tag would be more than any other. */
bool
piece_params(struct str *s)
{
	struct str name[PARAMS_MAX];
	size_t n = 0;

	while (piece_text(s, ";")) {
		if (n == PARAMS_MAX)
			return false;
		name[n] = piece_take(s, IN_PARAM);
		if (name[n].len == 0 || str_caseis(name[n], "tag") ||
		    is_among(name[n], name, n))
			return false;
		if (piece_text(s, "=") && piece_take(s, IN_PARAM).len == 0)
			return false;
		n++;
	}
	return true;
}

bool
piece_uri(struct str *s, struct str *host)
{
	struct str rest;
	uint16_t port;

	if (!piece_text(s, "sip:"))
		return false;
	rest = *s;
	if (piece_take(&rest, IN_URI).len > 0 && piece_text(&rest, "@"))
		*s = rest;
	return piece_host(s, host, &port);
}

bool
piece_address(struct str *s)
{
	struct str name, host;

	if (piece_text(s, "\"")) {
		piece_take(s, IN_NAME | IN_MARK);
		if (!piece_text(s, "\" "))
			return false;
	} else if (s->len > 0 && *s->p != '<') {
		name = piece_take(s, IN_NAME);
		if (name.len < 2 || *name.p == ' ' ||
		    name.p[name.len - 1] != ' ')
			return false;
	}
	return piece_text(s, "<") && piece_uri(s, &host) && piece_params(s) &&
	    piece_text(s, ">");
}
