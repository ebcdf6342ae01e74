/*
 * text.c -- small operations on text and bytes, none of which allocates.
 */
#include "config.h"

#include "base/text.h"

#include <string.h>

static const char base64url_digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_of(const char *s)
{
	return (struct str){ s, s == NULL ? 0 : strlen(s) };
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
str_caseeq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool
str_is(struct str a, const char *s)
{
	return str_eq(a, str_of(s));
}

bool
str_caseis(struct str a, const char *s)
{
	if (s == NULL)
		return a.len == 0;
	for (size_t i = 0; i < a.len; i++)
		if (s[i] == '\0' || ascii_lower(a.p[i]) != ascii_lower(s[i]))
			return false;
	return s[a.len] == '\0';
}

bool
text_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_space(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool
str_has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

bool
str_is_utf8(struct str s)
{
	uint32_t c;
	size_t n;

	for (; s.len > 0; s = str_from(s, n)) {
		n = utf8_decode(s, &c);
		if (n == 0)
			return false;
	}
	return true;
}

size_t
utf8_decode(struct str s, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = s.len == 0 ? 0 : (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 :
	    c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n == 0 || n > s.len)
		return 0;
	if (n > 1)
		c &= 0xffu >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

void
hex_encode(char *out, const uint8_t *in, size_t len)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digit[in[i] >> 4];
		*out++ = digit[in[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
hex_decode(uint8_t *out, size_t len, struct str in)
{
	int hi, lo;

	if (in.len % 2 != 0 || in.len / 2 != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		hi = hex_value(in.p[2 * i]);
		lo = hex_value(in.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

size_t
base64url_encode(char *out, const uint8_t *in, size_t len)
{
	const char *start = out;
	unsigned held = 0, bits = 0;

	for (; len >= 3; in += 3, len -= 3) {
		held = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];
		*out++ = base64url_digit[held >> 18];
		*out++ = base64url_digit[held >> 12 & 63];
		*out++ = base64url_digit[held >> 6 & 63];
		*out++ = base64url_digit[held & 63];
	}
	held = 0;
	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | in[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = base64url_digit[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		*out++ = base64url_digit[held << (6 - bits) & 63];
	*out = '\0';
	return (size_t)(out - start);
}

static int
base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

int
base64url_decode(uint8_t *out, size_t size, struct str in)
{
	unsigned held = 0, bits = 0;
	size_t n = 0;
	int v;

	if (in.len % 4 == 1 || in.len > INT32_MAX)
		return -1;
	for (size_t i = 0; i < in.len; i++) {
		v = base64url_value(in.p[i]);
		if (v < 0)
			return -1;
		held = (held << 6 | (unsigned)v) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		if (n == size)
			return -1;
		bits -= 8;
		out[n++] = (uint8_t)(held >> bits);
	}
	/* One text for one run of bytes: bits left over are zero. */
	if ((held & ((1u << bits) - 1)) != 0)
		return -1;
	return (int)n;
}

/* Only the last * is ever tried again, so no pattern makes this worse than
 * one pass over the pattern for each byte of the text. */
bool
glob_match(struct str pattern, struct str text, bool ignore_case)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len && (pattern.p[p] == '?' ||
		    pattern.p[p] == text.p[t] || (ignore_case &&
		    ascii_lower(pattern.p[p]) == ascii_lower(text.p[t])))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return p == pattern.len;
}

static void
put_be(uint8_t *p, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t
get_be(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

void
put_u16(uint8_t *p, uint16_t v)
{
	put_be(p, v, 2);
}

void
put_u32(uint8_t *p, uint32_t v)
{
	put_be(p, v, 4);
}

void
put_u48(uint8_t *p, uint64_t v)
{
	put_be(p, v, 6);
}

uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)get_be(p, 2);
}

uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)get_be(p, 4);
}

uint64_t
get_u48(const uint8_t *p)
{
	return get_be(p, 6);
}

bool
parse_uint(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.p[i] - '0';

		if (digit > 9 || digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}
