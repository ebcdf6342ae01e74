/*
 * params.c -- name=value, name="value", ...: the parameters of a challenge or
 * of credentials.
 */
#include "config.h"

#include "auth/params.h"

#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 7230 section 3.2.6; RFC 3261's token is a part of it. */
static bool
is_token_char(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
note(struct params *r, const char *fault)
{
	if (r->fault == NULL)
		r->fault = fault;
}

static bool
at(const struct params *r, char c)
{
	return r->p < r->end && *r->p == c;
}

/* Does a folded line go on here (RFC 3261 section 25.1, LWS)? */
static bool
at_fold(const struct params *r)
{
	return r->end - r->p >= 3 && r->p[0] == '\r' && r->p[1] == '\n' &&
	    is_blank(r->p[2]);
}

/* Returns whether there was any. */
static bool
skip_lws(struct params *r)
{
	const char *start = r->p;

	while (r->p < r->end && (is_blank(*r->p) || at_fold(r)))
		r->p += at_fold(r) ? 3 : 1;
	return r->p > start;
}

static struct str
read_token(struct params *r)
{
	struct str t = { r->p, 0 };

	while (r->p < r->end && is_token_char(*r->p))
		r->p++;
	t.len = (size_t)(r->p - t.p);
	return t;
}

/* Length of the UTF-8 character at p (RFC 3629 section 4); 0: none. */
static size_t
utf8_char(const unsigned char *p, size_t len)
{
	static const struct {
		unsigned char first, last;	/* of the first byte */
		unsigned char low, high;	/* of the second */
		size_t len;
	} form[] = {
		{ 0x00, 0x7f, 0, 0, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i = 0;

	while (p[0] > form[i].last)
		if (++i == sizeof form / sizeof form[0])
			return 0;
	if (p[0] < form[i].first || len < form[i].len)
		return 0;
	if (form[i].len > 1 && (p[1] < form[i].low || p[1] > form[i].high))
		return 0;
	for (size_t k = 2; k < form[i].len; k++)
		if ((p[k] & 0xc0) != 0x80)
			return 0;
	return form[i].len;
}

bool
params_is_utf8(struct str s)
{
	size_t n;

	for (; s.len > 0; s.p += n, s.len -= n) {
		n = utf8_char((const unsigned char *)s.p, s.len);
		if (n == 0)
			return false;
	}
	return true;
}

bool
params_has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_control(s.p[i]))
			return true;
	return false;
}

/* One character of a quoted-string; a fold stands for one space. */
static char
read_quoted_char(struct params *r)
{
	if (at_fold(r)) {
		skip_lws(r);
		return ' ';
	}
	if (at(r, '\\') && r->end - r->p >= 2)
		r->p++;
	return *r->p++;
}

/* false: no closing quote.  RFC 7230 section 3.2.6: a quoted-pair counts as
 * the character after the backslash, in the digest too. */
static bool
read_quoted(struct params *r, struct str *value)
{
	char *start = r->out;

	r->p++;
	while (r->p < r->end && *r->p != '"')
		*r->out++ = read_quoted_char(r);
	if (r->p == r->end)
		return false;
	r->p++;
	*value = (struct str){ start, (size_t)(r->out - start) };
	if (params_has_control(*value))
		note(r, "control character");
	else if (!params_is_utf8(*value))
		note(r, "not UTF-8");
	return true;
}

static bool
read_value(struct params *r, struct str *value)
{
	struct str token;

	if (at(r, '"'))
		return read_quoted(r, value);
	token = read_token(r);
	if (token.len == 0)
		return false;
	*value = (struct str){ r->out, token.len };
	memcpy(r->out, token.p, token.len);
	r->out += token.len;
	return true;
}

/* The first of a doubled parameter stays. */
static void
keep_value(struct params *r, struct str name, struct str value)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!str_caseis(name, r->name[i]))
			continue;
		if (r->value[i].p != NULL)
			note(r, "doubled parameter");
		else
			r->value[i] = value;
		return;
	}
}

/* RFC 7616 section 3.4: username* is never quoted. */
static bool
read_param(struct params *r)
{
	struct str name = read_token(r), value;

	skip_lws(r);
	if (name.len == 0 || !at(r, '='))
		return false;
	r->p++;
	skip_lws(r);
	if (at(r, '"') && str_caseis(name, "username*"))
		note(r, "username* in quotes");
	if (!read_value(r, &value))
		return false;
	keep_value(r, name, value);
	return true;
}

/* The next one, if there is one: RFC 7235 section 2.1, with the empty elements
 * of RFC 7230 section 7. */
static bool
read_next(struct params *r)
{
	while (skip_lws(r) || at(r, ','))
		r->p += at(r, ',') ? 1 : 0;
	if (r->p == r->end)
		return true;
	if (!read_param(r))
		return false;
	skip_lws(r);
	return r->p == r->end || at(r, ',');
}

bool
params_start(struct params *r, struct str text, const char *scheme)
{
	text = str_trim(text);
	if (text.len == 0)
		return false;
	r->p = text.p;
	r->end = text.p + text.len;
	return str_caseis(read_token(r), scheme);
}

bool
params_read(struct params *r)
{
	bool sound = r->p == r->end || skip_lws(r);

	while (sound && r->p < r->end)
		sound = read_next(r);
	return sound;
}

bool
params_find(struct params *r)
{
	bool sound = r->p == r->end || skip_lws(r);

	while (sound && r->p < r->end && r->value->p == NULL)
		sound = read_next(r);
	return r->value->p != NULL;
}
