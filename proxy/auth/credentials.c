/*
 * credentials.c -- the text of a Digest Authorization header, taken apart.
 *
 * Two kinds of fault.  Where the grammar breaks, reading stops.  What is
 * wrong inside a parameter is noted and reading goes on, since only the realm
 * tells whether the credentials are ours to judge.
 */
#include "config.h"

#include "auth/credentials.h"

#include <stddef.h>
#include <string.h>

enum param {
	P_USERNAME, P_USERNAME_EXT, P_REALM, P_NONCE, P_URI, P_RESPONSE,
	P_ALGORITHM, P_CNONCE, P_OPAQUE, P_QOP, P_NC, P_USERHASH, PARAMS
};

static const char *const param_name[PARAMS] = {
	[P_USERNAME] = "username",
	[P_USERNAME_EXT] = "username*",
	[P_REALM] = "realm",
	[P_NONCE] = "nonce",
	[P_URI] = "uri",
	[P_RESPONSE] = "response",
	[P_ALGORITHM] = "algorithm",
	[P_CNONCE] = "cnonce",
	[P_OPAQUE] = "opaque",
	[P_QOP] = "qop",
	[P_NC] = "nc",
	[P_USERHASH] = "userhash",
};

/* The text ahead, and where the next value goes.  A value is never longer
 * than its text, so out stays inside credentials.text. */
struct reader {
	const char	*p, *end;
	char		*out;
	struct str	 value[PARAMS];	/* p == NULL: absent */
	const char	*fault;		/* the first that did not stop us */
};

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
note(struct reader *r, const char *fault)
{
	if (r->fault == NULL)
		r->fault = fault;
}

static bool
at(const struct reader *r, char c)
{
	return r->p < r->end && *r->p == c;
}

/* Does a folded line go on here (RFC 3261 section 25.1, LWS)? */
static bool
at_fold(const struct reader *r)
{
	return r->end - r->p >= 3 && r->p[0] == '\r' && r->p[1] == '\n' &&
	    is_blank(r->p[2]);
}

/* Returns whether there was any. */
static bool
skip_lws(struct reader *r)
{
	const char *start = r->p;

	while (r->p < r->end && (is_blank(*r->p) || at_fold(r)))
		r->p += at_fold(r) ? 3 : 1;
	return r->p > start;
}

static struct str
read_token(struct reader *r)
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

static bool
is_utf8(struct str s)
{
	size_t n;

	for (; s.len > 0; s.p += n, s.len -= n) {
		n = utf8_char((const unsigned char *)s.p, s.len);
		if (n == 0)
			return false;
	}
	return true;
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_control(s.p[i]))
			return true;
	return false;
}

/* One character of a quoted-string; a fold stands for one space. */
static char
read_quoted_char(struct reader *r)
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
read_quoted(struct reader *r, struct str *value)
{
	char *start = r->out;

	r->p++;
	while (r->p < r->end && *r->p != '"')
		*r->out++ = read_quoted_char(r);
	if (r->p == r->end)
		return false;
	r->p++;
	*value = (struct str){ start, (size_t)(r->out - start) };
	if (has_control(*value))
		note(r, "control character");
	else if (!is_utf8(*value))
		note(r, "not UTF-8");
	return true;
}

static bool
read_value(struct reader *r, struct str *value)
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
keep_value(struct reader *r, struct str name, struct str value)
{
	for (int i = 0; i < PARAMS; i++) {
		if (!str_caseis(name, param_name[i]))
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
read_param(struct reader *r)
{
	struct str name = read_token(r), value;

	skip_lws(r);
	if (name.len == 0 || !at(r, '='))
		return false;
	r->p++;
	skip_lws(r);
	if (at(r, '"') && str_caseis(name, param_name[P_USERNAME_EXT]))
		note(r, "username* in quotes");
	if (!read_value(r, &value))
		return false;
	keep_value(r, name, value);
	return true;
}

/* RFC 7235 section 2.1, with the empty elements of RFC 7230 section 7. */
static bool
read_params(struct reader *r)
{
	for (;;) {
		while (skip_lws(r) || at(r, ','))
			r->p += at(r, ',') ? 1 : 0;
		if (r->p == r->end)
			return true;
		if (!read_param(r))
			return false;
		skip_lws(r);
		if (r->p < r->end && !at(r, ','))
			return false;
	}
}

/* %HH undone in place; false: a broken one. */
static bool
undo_percent(struct str *s)
{
	char *text = (char *)s->p;
	size_t out = 0;
	uint8_t byte;

	for (size_t i = 0; i < s->len; i++, out++) {
		text[out] = text[i];
		if (text[i] != '%')
			continue;
		if (s->len - i < 3 || !hex_decode(&byte, 1,
		    (struct str){ text + i + 1, 2 }))
			return false;
		text[out] = (char)byte;
		i += 2;
	}
	s->len = out;
	return true;
}

/* UTF-8'language'name, RFC 5987 section 3.2.1. */
static const char *
take_extended_name(struct credentials *c, struct str v)
{
	const char *quote = memchr(v.p, '\'', v.len), *name;
	struct str charset;

	if (quote == NULL)
		return "username* without charset";
	charset = (struct str){ v.p, (size_t)(quote - v.p) };
	if (!str_caseis(charset, "UTF-8"))
		return "username* of another charset";
	name = memchr(quote + 1, '\'', v.len - charset.len - 1);
	if (name == NULL)
		return "username* without language";
	name++;
	v = (struct str){ name, (size_t)(v.p + v.len - name) };
	if (!undo_percent(&v))
		return "username* with a broken escape";
	if (has_control(v) || !is_utf8(v))
		return "username* not clean";
	c->username = v;
	c->utf8_name = true;
	return NULL;
}

static const char *
take_name(struct credentials *c, const struct str *value)
{
	struct str hash = value[P_USERHASH], ext = value[P_USERNAME_EXT];

	if (hash.p != NULL && !str_caseis(hash, "true") &&
	    !str_caseis(hash, "false"))
		return "userhash";
	c->userhash = str_caseis(hash, "true");
	c->username = value[P_USERNAME];
	if (c->username.p != NULL && ext.p != NULL)
		return "username and username*";
	if (c->userhash && ext.p != NULL)
		return "userhash with username*";
	if (ext.p != NULL)
		return take_extended_name(c, ext);
	return c->username.p == NULL ? "no username" : NULL;
}

static const char *
take_texts(struct credentials *c, const struct str *value)
{
	c->nonce = value[P_NONCE];
	c->uri = value[P_URI];
	c->cnonce = value[P_CNONCE];
	c->opaque = value[P_OPAQUE];
	if (c->nonce.p == NULL)
		return "no nonce";
	return c->uri.p == NULL ? "no uri" : NULL;
}

static const char *
take_algorithm(struct credentials *c, const struct str *value)
{
	c->alg = DIGEST_MD5;
	if (value[P_ALGORITHM].p != NULL && !digest_alg_parse(
	    value[P_ALGORITHM], &c->alg, &c->sess))
		return "unknown algorithm";
	return c->sess && c->cnonce.p == NULL ? "no cnonce" : NULL;
}

static bool
is_hash_text(struct str s, enum digest_alg alg)
{
	uint8_t sum[HA1_MAX];

	return hex_decode(sum, digest_alg_bytes(alg), s);
}

static const char *
take_hashes(struct credentials *c, const struct str *value)
{
	c->response = value[P_RESPONSE];
	if (c->response.p == NULL)
		return "no response";
	if (!is_hash_text(c->response, c->alg))
		return "response";
	if (c->userhash && !is_hash_text(c->username, c->alg))
		return "userhash";
	return NULL;
}

static const char *
take_count(struct credentials *c, struct str nc)
{
	uint8_t count[4];

	if (nc.p == NULL || c->cnonce.p == NULL)
		return "qop without nc or cnonce";
	if (!hex_decode(count, sizeof count, nc))
		return "nc";
	c->nc_text = nc;
	c->nc = get_u32(count);
	return c->nc == 0 ? "nc" : NULL;
}

/* A cnonce without qop is let pass: clients older than qop send it. */
static const char *
take_qop(struct credentials *c, const struct str *value)
{
	struct str qop = value[P_QOP];

	c->qop = QOP_NONE;
	if (qop.p == NULL)
		return value[P_NC].p == NULL ? NULL : "nc without qop";
	if (str_caseis(qop, "auth"))
		c->qop = QOP_AUTH;
	else if (str_caseis(qop, "auth-int"))
		c->qop = QOP_AUTH_INT;
	else
		return "unknown qop";
	return take_count(c, value[P_NC]);
}

/* In this order: later ones need what earlier ones found. */
static const char *
take_values(struct credentials *c, const struct str *value)
{
	static const char *(*const take[])(struct credentials *,
	    const struct str *) = {
		take_name, take_texts, take_algorithm, take_hashes, take_qop
	};
	const char *fault = NULL;

	for (size_t i = 0; i < sizeof take / sizeof take[0]; i++) {
		fault = take[i](c, value);
		if (fault != NULL)
			break;
	}
	return fault;
}

static enum credentials_verdict
bad(struct credentials *c, const char *fault)
{
	c->fault = fault;
	return CREDENTIALS_BAD;
}

enum credentials_verdict
credentials_parse(struct credentials *c, struct str value, struct str realm)
{
	struct reader r = { .out = c->text };
	bool whole;

	memset(c, 0, offsetof(struct credentials, text));
	value = str_trim(value);
	if (value.len == 0)
		return CREDENTIALS_OTHER_SCHEME;
	r.p = value.p;
	r.end = value.p + value.len;
	if (!str_caseis(read_token(&r), "Digest"))
		return CREDENTIALS_OTHER_SCHEME;
	if (value.len > sizeof c->text)
		return bad(c, "too long");
	whole = (r.p == r.end || skip_lws(&r)) && read_params(&r);
	c->realm = r.value[P_REALM];
	if (c->realm.p != NULL && !str_eq(c->realm, realm))
		return CREDENTIALS_OTHER_REALM;
	if (!whole)
		return bad(c, "malformed");
	if (r.fault != NULL)
		return bad(c, r.fault);
	if (c->realm.p == NULL)
		return bad(c, "no realm");
	r.fault = take_values(c, r.value);
	return r.fault == NULL ? CREDENTIALS_OK : bad(c, r.fault);
}
