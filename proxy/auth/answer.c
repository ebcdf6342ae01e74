/*
 * answer.c -- answering the challenges of others.
 */
#include "config.h"

#include "auth/answer.h"

#include <stddef.h>
#include <stdio.h>

#include "auth/params.h"

enum param {
	P_REALM, P_NONCE, P_OPAQUE, P_ALGORITHM, P_QOP, P_STALE, P_USERHASH,
	PARAMS
};

static const char *const param_name[PARAMS] = {
	[P_REALM] = "realm",
	[P_NONCE] = "nonce",
	[P_OPAQUE] = "opaque",
	[P_ALGORITHM] = "algorithm",
	[P_QOP] = "qop",
	[P_STALE] = "stale",
	[P_USERHASH] = "userhash",
};

static const char *
take_texts(struct challenge *c, const struct str *value)
{
	c->nonce = value[P_NONCE];
	c->opaque = value[P_OPAQUE];
	c->stale = str_caseis(value[P_STALE], "true");
	c->userhash = str_caseis(value[P_USERHASH], "true");
	if (c->nonce.len == 0)
		return "no nonce";
	return c->nonce.len > ANSWER_TEXT_MAX ||
	    c->opaque.len > ANSWER_TEXT_MAX ? "too long" : NULL;
}

static const char *
take_algorithm(struct challenge *c, struct str name,
    const struct answer_as *who)
{
	bool sess = false;

	c->alg = DIGEST_MD5;
	if (name.p != NULL && !digest_alg_parse(name, &c->alg, &sess))
		return "unknown algorithm";
	return sess || !who->ha1.has[c->alg] ? "algorithm" : NULL;
}

/* A list in quotes (RFC 7616 section 3.3). */
static bool
offers(struct str list, const char *qop)
{
	const char *end = list.p + list.len, *p = list.p, *comma;

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		if (str_caseis(str_trim((struct str){ p,
		    (size_t)(comma - p) }), qop))
			return true;
	}
	return false;
}

static const char *
take_qop(struct challenge *c, struct str list, const struct answer_as *who)
{
	c->qop = QOP_NONE;
	if (list.p == NULL)
		return who->legacy ? NULL : "no qop";
	if (offers(list, "auth"))
		c->qop = QOP_AUTH;
	else if (offers(list, "auth-int"))
		c->qop = QOP_AUTH_INT;
	else
		return "unknown qop";
	return NULL;
}

static enum challenge_verdict
unfit(struct challenge *c, const char *fault)
{
	c->fault = fault;
	return CHALLENGE_UNFIT;
}

enum challenge_verdict
challenge_parse(struct challenge *c, struct str text,
    const struct answer_as *who)
{
	struct str value[PARAMS] = { { NULL, 0 } };
	struct params r = { .name = param_name, .value = value, .n = PARAMS,
		.out = c->text };
	const char *fault;

	memset(c, 0, offsetof(struct challenge, text));
	text = str_trim(text);
	if (text.len > sizeof c->text || !params_start(&r, text, "Digest"))
		return CHALLENGE_OTHER;	/* whose it is cannot be told */
	fault = params_read(&r) ? r.fault : "malformed";
	if (!str_is(value[P_REALM], who->realm))
		return CHALLENGE_OTHER;
	if (fault == NULL)
		fault = take_texts(c, value);
	if (fault == NULL)
		fault = take_algorithm(c, value[P_ALGORITHM], who);
	if (fault == NULL)
		fault = take_qop(c, value[P_QOP], who);
	return fault == NULL ? CHALLENGE_OK : unfit(c, fault);
}

/* The order in which a server writes them may be another's work; the first of
 * two equal ones stays. */
static bool
is_better(const struct challenge *a, const struct challenge *b)
{
	if (a->alg != b->alg)
		return a->alg > b->alg;
	return a->qop != QOP_NONE && b->qop == QOP_NONE;
}

void
challenges_add(struct challenges *all, struct str text,
    const struct answer_as *who)
{
	unsigned other = 1 - all->best;
	struct challenge *c = &all->c[other];

	switch (challenge_parse(c, text, who)) {
	case CHALLENGE_OTHER:
		return;
	case CHALLENGE_UNFIT:
		all->seen = true;
		all->fault = c->fault;
		return;
	case CHALLENGE_OK:
		all->seen = true;
		if (!all->fit || is_better(c, &all->c[all->best]))
			all->best = other;
		all->fit = true;
	}
}

static bool
is_same(const struct answer_nonce *n, const struct challenge *c)
{
	return n->live && n->alg == c->alg &&
	    str_eq((struct str){ n->text, n->len }, c->nonce);
}

static void
copy(char *out, size_t *len, struct str from)
{
	*len = from.len;
	if (from.len > 0)
		memcpy(out, from.p, from.len);
}

void
answer_learn(struct answer_nonce *n, const struct challenge *c)
{
	if (!is_same(n, c))
		n->nc = 0;
	n->live = true;
	n->alg = c->alg;
	n->qop = c->qop;
	n->userhash = c->userhash;
	n->has_opaque = c->opaque.p != NULL;
	copy(n->text, &n->len, c->nonce);
	copy(n->opaque, &n->opaque_len, c->opaque);
}

static void
put_quoted(struct writer *w, const char *before, struct str s)
{
	put_text(w, before);
	put_text(w, "\"");
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			put_text(w, "\\");
		put_mem(w, &s.p[i], 1);
	}
	put_text(w, "\"");
}

static void
put_name(struct writer *w, const struct answer_nonce *n,
    const struct answer_as *who)
{
	char hash[DIGEST_HEX_MAX];

	if (n->userhash) {
		digest_userhash(hash, n->alg, str_of(who->user),
		    str_of(who->realm));
		put_quoted(w, "Digest username=", str_of(hash));
		put_text(w, ", userhash=true");
	} else {
		put_quoted(w, "Digest username=", str_of(who->user));
	}
	put_quoted(w, ", realm=", str_of(who->realm));
}

static void
put_qop(struct writer *w, const struct digest_input *in)
{
	if (in->qop == QOP_NONE)
		return;
	put_text(w, in->qop == QOP_AUTH ? ", qop=auth, nc=" :
	    ", qop=auth-int, nc=");
	put_str(w, in->nc);
	put_quoted(w, ", cnonce=", in->cnonce);
}

/* algorithm and qop without quotes: RFC 7616 section 3.4. */
static void
put_answer(struct writer *w, const struct answer_nonce *n,
    const struct digest_input *in, const struct answer_as *who)
{
	char response[DIGEST_HEX_MAX];

	digest_response(response, in, who->ha1.ha1[n->alg]);
	put_name(w, n, who);
	put_quoted(w, ", nonce=", in->nonce);
	put_quoted(w, ", uri=", in->uri);
	put_quoted(w, ", response=", str_of(response));
	put_text(w, ", algorithm=");
	put_text(w, digest_alg_name(n->alg));
	put_qop(w, in);
	if (n->has_opaque)
		put_quoted(w, ", opaque=", (struct str){ n->opaque,
		    n->opaque_len });
}

void
answer_write(struct writer *w, struct answer_nonce *n,
    const struct answer_as *who, const struct answer_request *r)
{
	char nc[9];
	struct digest_input in = { .alg = n->alg, .qop = n->qop,
		.nonce = { n->text, n->len }, .nc = { nc, 8 },
		.cnonce = r->cnonce, .uri = r->uri, .method = r->method,
		.body = r->body };

	if (!n->live || !who->ha1.has[n->alg])
		return;
	snprintf(nc, sizeof nc, "%08x", (unsigned)++n->nc);
	if (n->nc == UINT32_MAX)	/* used up: ask for another */
		n->live = false;
	put_answer(w, n, &in, who);
}
