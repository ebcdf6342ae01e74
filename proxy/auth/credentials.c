/*
 * credentials.c -- the text of a Digest Authorization header, taken apart.
 */
#include "config.h"

#include "auth/credentials.h"

#include <stddef.h>
#include <string.h>

#include "auth/params.h"
#include "base/count.h"

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
	if (str_has_control(v) || !str_is_utf8(v))
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

	for (size_t i = 0; i < COUNT(take); i++) {
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

bool
credentials_are_for(struct str text, struct str realm)
{
	char out[CREDENTIALS_TEXT_MAX];
	struct str found = { NULL, 0 };
	struct params r = { .name = &param_name[P_REALM], .value = &found,
		.n = 1, .out = out };

	text = str_trim(text);
	if (!params_start(&r, text, "Digest"))
		return false;
	return text.len > sizeof out || !params_find(&r) ||
	    str_eq(found, realm);
}

enum credentials_verdict
credentials_parse(struct credentials *c, struct str text, struct str realm)
{
	struct str value[PARAMS] = { { NULL, 0 } };
	struct params r = { .name = param_name, .value = value, .n = PARAMS,
		.out = c->text };
	const char *fault;
	bool whole;

	memset(c, 0, offsetof(struct credentials, text));
	text = str_trim(text);
	if (!params_start(&r, text, "Digest"))
		return CREDENTIALS_OTHER_SCHEME;
	if (text.len > sizeof c->text)
		return bad(c, "too long");
	whole = params_read(&r);
	c->realm = value[P_REALM];
	if (c->realm.p != NULL && !str_eq(c->realm, realm))
		return CREDENTIALS_OTHER_REALM;
	if (!whole)
		return bad(c, "malformed");
	if (r.fault != NULL)
		return bad(c, r.fault);
	if (c->realm.p == NULL)
		return bad(c, "no realm");
	fault = take_values(c, value);
	return fault == NULL ? CREDENTIALS_OK : bad(c, fault);
}
