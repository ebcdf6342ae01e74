/*
 * sdp_line.c -- what may stand behind the = of a line of SDP.
 *
 * RFC 8866 section 9.  Fields are set apart by one space, never by two.
 */
#include "config.h"

#include "base/grammar.h"
#include "guard/sdp_inner.h"

/* token-char: printable, but for what has a meaning elsewhere. */
static bool
is_token_char(char c)
{
	return c > ' ' && c < 0x7f && memchr("\"(),/:;<=>?@[\\]", c, 15) ==
	    NULL;
}

bool
sdp_is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.p[i]))
			return false;
	return s.len > 0;
}

bool
sdp_is_number(struct str s)
{
	return grammar_all(s, IS_DIGIT) && s.len <= 20;
}

/* non-ws-string */
static bool
is_word(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.len > 0;
}

static bool
is_text(struct str v)
{
	return v.len > 0;
}

static bool
is_version(struct str v)
{
	return str_is(v, "0");
}

/* nettype, addrtype and an address: what c= is, and o= ends with. */
static bool
is_place(struct str v)
{
	return sdp_is_token(sdp_cut(&v, ' ')) && v.p != NULL &&
	    sdp_is_token(sdp_cut(&v, ' ')) && v.p != NULL &&
	    is_word(v);
}

static bool
is_origin(struct str v)
{
	return is_word(sdp_cut(&v, ' ')) && v.p != NULL &&
	    sdp_is_number(sdp_cut(&v, ' ')) && v.p != NULL &&
	    sdp_is_number(sdp_cut(&v, ' ')) && v.p != NULL && is_place(v);
}

/* Seconds since 1900: ten digits or more, or 0. */
static bool
is_time(struct str s)
{
	return str_is(s, "0") || (sdp_is_number(s) && s.len >= 10 &&
	    s.p[0] != '0');
}

static bool
is_times(struct str v)
{
	return is_time(sdp_cut(&v, ' ')) && v.p != NULL && is_time(v);
}

static bool
is_bandwidth(struct str v)
{
	return sdp_is_token(sdp_cut(&v, ':')) && v.p != NULL &&
	    sdp_is_number(v);
}

/* r= and z=: numbers, some with a sign and a unit (7d, -1h). */
static bool
is_typed_times(struct str v)
{
	unsigned n = 0;

	for (; v.p != NULL; n++) {
		struct str s = sdp_cut(&v, ' ');

		if (s.len > 0 && *s.p == '-')
			s = (struct str){ s.p + 1, s.len - 1 };
		if (s.len > 0 && memchr("dhms", s.p[s.len - 1], 4) != NULL)
			s.len--;
		if (!sdp_is_number(s))
			return false;
	}
	return n >= 2;
}

static bool
is_attribute(struct str v)
{
	return sdp_is_token(sdp_cut(&v, ':')) && (v.p == NULL || v.len > 0);
}

bool
sdp_value_is_good(char type, struct str value)
{
	switch (type) {
	case 'v':
		return is_version(value);
	case 'o':
		return is_origin(value);
	case 'c':
		return is_place(value);
	case 'b':
		return is_bandwidth(value);
	case 't':
		return is_times(value);
	case 'r': case 'z':
		return is_typed_times(value);
	case 'a':
		return is_attribute(value);
	default:
		return is_text(value);
	}
}

static bool
is_profile(struct str v)
{
	while (v.p != NULL)
		if (!sdp_is_token(sdp_cut(&v, '/')))
			return false;
	return true;
}

static bool
read_port(struct sdp_stream *s, struct str v)
{
	struct str number = sdp_cut(&v, '/');
	uint64_t port, ports;

	if (!parse_uint(number, UINT16_MAX, &port) ||
	    (v.p != NULL && (!parse_uint(v, UINT16_MAX, &ports) ||
	    ports == 0)))
		return false;
	s->port = (uint16_t)port;
	return true;
}

bool
sdp_stream_read(struct sdp_stream *s, struct str v)
{
	if (!sdp_is_token(sdp_cut(&v, ' ')) || v.p == NULL ||
	    !read_port(s, sdp_cut(&v, ' ')) || v.p == NULL)
		return false;
	s->profile = sdp_cut(&v, ' ');
	if (!is_profile(s->profile) || v.p == NULL)
		return false;
	while (v.p != NULL)
		if (!sdp_is_token(sdp_cut(&v, ' ')))
			return false;
	return true;
}
