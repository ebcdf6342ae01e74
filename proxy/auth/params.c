/*
 * params.c -- name=value, name="value", ...: the parameters of a challenge or
 * of credentials.
 */
#include "config.h"

#include "auth/params.h"

#include <string.h>

#include "base/grammar.h"

/* RFC 7230 section 3.2.6, of which RFC 3261's token is a part. */
static bool
is_token_char(char c)
{
	return grammar_is(c, IN_TOKEN) ||
	    (c != '\0' && strchr("#$&^|", c) != NULL);
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
	if (str_has_control(*value))
		note(r, "control character");
	else if (!str_is_utf8(*value))
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
