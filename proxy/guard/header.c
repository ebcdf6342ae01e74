/*
 * header.c -- are the values of headers that a proxy must understand such as
 * everybody reads in the same way?
 */
#include "config.h"

#include "guard/header.h"

#include <string.h>

#include "base/grammar.h"
#include "guard/uri.h"

enum { CSEQ_MAX = 0x7fffffff, MAX_FORWARDS_MAX = 255 };

static void
skip_lws(struct str *s)
{
	*s = str_from(*s, grammar_span(*s, IS_LWS));
}

static bool
begins(struct str s, char c)
{
	return s.len > 0 && s.p[0] == c;
}

/* ---- quoted strings */

/* Bytes beyond ASCII are UTF-8's; others may cut at a control character. */
static bool
is_quotable(char c)
{
	unsigned char b = (unsigned char)c;

	return (b >= ' ' && b != 0x7f) || grammar_is(c, IS_LWS);
}

/* From one quote to the other; false: there is no other. */
static bool
take_quoted(struct str *s)
{
	for (size_t i = 1; i < s->len; i++) {
		if (s->p[i] == '"') {
			*s = str_from(*s, i + 1);
			return true;
		}
		if (s->p[i] == '\\')
			i++;
		else if (!is_quotable(s->p[i]))
			return false;
	}
	return false;
}

/* ---- name-addr and addr-spec */

static enum header_verdict
judge_uri(struct str uri, enum uri_place place)
{
	switch (uri_judge(uri, place)) {
	case URI_BAD:
		return HEADER_BAD_URI;
	case URI_BAD_TEL:
		return HEADER_BAD_TEL;
	case URI_GOOD:
	case URI_NO_CONTEXT:	/* nothing is routed by it */
	case URI_SERVICE:
	case URI_OTHER:
		break;
	}
	return HEADER_GOOD;
}

static enum header_verdict
take_enclosed(struct str *s)
{
	struct str uri = str_from(*s, 1);
	const char *end = uri.len == 0 ? NULL : memchr(uri.p, '>', uri.len);

	if (end == NULL)
		return HEADER_BAD;
	uri.len = (size_t)(end - uri.p);
	*s = str_from(*s, uri.len + 2);
	return judge_uri(uri, URI_ENCLOSED);
}

static enum header_verdict
take_bare(struct str *s)
{
	struct str uri = { s->p, 0 };

	while (uri.len < s->len && s->p[uri.len] != ';' &&
	    s->p[uri.len] != ',' && !grammar_is(s->p[uri.len], IS_LWS))
		uri.len++;
	*s = str_from(*s, uri.len);
	return judge_uri(uri, URI_BARE);
}

/* A display name that is not in quotes has no other separators than blanks:
 * they end it for some, or begin a URI for others. */
static enum header_verdict
take_address(struct str *s)
{
	struct str after;

	skip_lws(s);
	if (begins(*s, '"')) {
		if (!take_quoted(s))
			return HEADER_BAD;
		skip_lws(s);
		return begins(*s, '<') ? take_enclosed(s) : HEADER_BAD;
	}
	after = str_from(*s, grammar_span(*s, IN_DISPLAY | IS_LWS));
	if (!begins(after, '<'))
		return take_bare(s);
	*s = after;
	return take_enclosed(s);
}

/* ---- parameters */

/* "name", "name = value"; value.p is NULL where there is none. */
struct param {
	struct str	 name, value;
};

static bool
take_value(struct str *s, struct str *out)
{
	struct str from = *s;

	if (begins(*s, '"')) {
		if (!take_quoted(s))
			return false;
		*out = (struct str){ from.p, from.len - s->len };
		return true;
	}
	*out = (struct str){ from.p, grammar_span(*s, IN_VALUE) };
	*s = str_from(*s, out->len);
	return true;
}

static bool
take_param(struct str *s, struct param *p)
{
	skip_lws(s);
	*p = (struct param){ .name = { s->p, grammar_span(*s, IN_TOKEN) } };
	*s = str_from(*s, p->name.len);
	skip_lws(s);
	if (!begins(*s, '='))
		return p->name.len > 0;
	*s = str_from(*s, 1);
	skip_lws(s);
	return p->name.len > 0 && take_value(s, &p->value);
}

/* Up to the end, or to the comma behind this element of a list. */
static enum header_verdict
take_params(struct str *s, bool *bad_tag)
{
	unsigned tags = 0;
	struct param p;

	for (skip_lws(s); begins(*s, ';'); skip_lws(s)) {
		*s = str_from(*s, 1);
		if (!take_param(s, &p))
			return HEADER_BAD;
		if (str_caseis(p.name, "tag") && (++tags > 1 ||
		    !grammar_all(p.value, IN_VALUE)))
			*bad_tag = true;
		if (p.value.p != NULL && p.value.len == 0)
			return HEADER_BAD;
	}
	return HEADER_GOOD;
}

static enum header_verdict
take_party(struct str *s, bool *bad_tag)
{
	enum header_verdict v = take_address(s);

	return v == HEADER_GOOD ? take_params(s, bad_tag) : v;
}

enum header_verdict
header_party(struct str value)
{
	bool bad_tag = false;
	enum header_verdict v = take_party(&value, &bad_tag);

	if (bad_tag)
		return HEADER_BAD_TAG;
	return v == HEADER_GOOD && value.len > 0 ? HEADER_BAD : v;
}

enum header_verdict
header_contacts(struct str value)
{
	enum header_verdict v;
	bool any_tag;		/* of a Contact it means nothing */

	if (str_is(str_trim(value), "*"))
		return HEADER_GOOD;
	for (;;) {
		v = take_party(&value, &any_tag);
		if (v != HEADER_GOOD || value.len == 0)
			return v;
		if (!begins(value, ','))
			return HEADER_BAD;
		value = str_from(value, 1);
	}
}

/* ---- others */

bool
header_cseq(struct str value, struct str *method)
{
	struct str digits;
	uint64_t n;

	value = str_trim(value);
	digits = (struct str){ value.p, grammar_span(value, IS_DIGIT) };
	*method = str_from(value, digits.len);
	if (!parse_uint(digits, CSEQ_MAX, &n) ||
	    grammar_span(*method, IS_LWS) == 0)
		return false;
	skip_lws(method);
	return grammar_all(*method, IN_TOKEN);
}

bool
header_call_id(struct str value)
{
	struct str word = { value.p, grammar_span(value, IN_WORD) };

	if (word.len == 0 || word.len == value.len)
		return word.len > 0;
	return value.p[word.len] == '@' &&
	    grammar_all(str_from(value, word.len + 1), IN_WORD);
}

bool
header_max_forwards(struct str value)
{
	uint64_t n;

	return parse_uint(str_trim(value), MAX_FORWARDS_MAX, &n);
}

bool
header_param(struct str text)
{
	struct param p;

	return !grammar_is(text.len > 0 ? text.p[0] : ' ', IS_LWS) &&
	    take_param(&text, &p) && text.len == 0 &&
	    (p.value.p == NULL || p.value.len > 0);
}
