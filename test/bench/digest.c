/*
 * digest.c -- a client's answer to a Digest challenge (RFC 7616).
 */
#include "config.h"

#include "digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { SUM_BYTES = 16, SUM_TEXT = 2 * SUM_BYTES + 1 };

struct digest {
	EVP_MD		*md;
	EVP_MD_CTX	*ctx;
};

/* Lends a value without its quotes; rest begins after it. */
static struct str
take_value(struct str *rest)
{
	bool quoted = rest->len > 0 && rest->p[0] == '"';
	struct str value;
	const char *end;

	rest->p += quoted;
	rest->len -= quoted;
	end = memchr(rest->p, quoted ? '"' : ',', rest->len);
	value = *rest;
	if (end != NULL)
		value.len = (size_t)(end - rest->p);
	rest->p += value.len;
	rest->len -= value.len;
	return quoted ? value : str_trim(value);
}

/* Of a challenge, without escapes in quoted text: neither proxy writes any. */
static struct str
param(struct str challenge, const char *name)
{
	struct str rest = challenge, found, value;
	const char *equals;

	while ((equals = memchr(rest.p, '=', rest.len)) != NULL) {
		found = (struct str){ rest.p, (size_t)(equals - rest.p) };
		rest.p = equals + 1;
		rest.len -= found.len + 1;
		value = take_value(&rest);
		while (found.len > 0 && strchr("\", ", found.p[0]) != NULL) {
			found.p++;
			found.len--;
		}
		if (str_caseis(found, name))
			return value;
	}
	return str_of(NULL);
}

/* MD5 of the parts, joined by colons, as hex. */
static bool
sum(struct digest *d, char *out, const struct str *part, size_t n)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	bool good = EVP_DigestInit_ex2(d->ctx, d->md, NULL) == 1;

	for (size_t i = 0; i < n && good; i++) {
		good = (i == 0 || EVP_DigestUpdate(d->ctx, ":", 1) == 1) &&
		    EVP_DigestUpdate(d->ctx, part[i].p, part[i].len) == 1;
	}
	good = good && EVP_DigestFinal_ex(d->ctx, bytes, NULL) == 1;
	if (good)
		hex_encode(out, bytes, SUM_BYTES);
	return good;
}

static bool
respond(struct digest *d, const struct answer *a, char *out)
{
	char ha1[SUM_TEXT], ha2[SUM_TEXT];
	const struct str who[] = { str_of(a->user),
	    param(a->challenge, "realm"), str_of(a->password) };
	const struct str what[] = { str_of(a->method), str_of(a->uri) };
	const struct str all[] = { { ha1, sizeof ha1 - 1 },
	    param(a->challenge, "nonce"), str_of("00000001"),
	    str_of(a->cnonce), str_of("auth"), { ha2, sizeof ha2 - 1 } };

	return sum(d, ha1, who, 3) && sum(d, ha2, what, 2) &&
	    sum(d, out, all, 6);
}

struct digest *
digest_new(void)
{
	struct digest *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->md = EVP_MD_fetch(NULL, "MD5", NULL);
	d->ctx = EVP_MD_CTX_new();
	if (d->md != NULL && d->ctx != NULL)
		return d;
	digest_free(d);
	return NULL;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	EVP_MD_free(d->md);
	free(d);
}

bool
digest_answer(struct digest *d, const struct answer *a, struct text *out)
{
	char response[SUM_TEXT];
	struct str challenge = a->challenge, nonce, opaque;
	struct answer bare = *a;

	if (challenge.len < 7 || strncasecmp(challenge.p, "Digest ", 7) != 0)
		return false;
	bare.challenge = (struct str){ challenge.p + 7, challenge.len - 7 };
	nonce = param(bare.challenge, "nonce");
	opaque = param(bare.challenge, "opaque");
	if (nonce.len == 0 || !respond(d, &bare, response))
		return false;
	challenge = param(bare.challenge, "realm");
	text_add(out, "Proxy-Authorization: Digest username=\"%s\", "
	    "realm=\"%.*s\", nonce=\"%.*s\", uri=\"%s\", response=\"%s\", "
	    "algorithm=MD5, cnonce=\"%s\", qop=auth, nc=00000001", a->user,
	    (int)challenge.len, challenge.p, (int)nonce.len, nonce.p, a->uri,
	    response, a->cnonce);
	if (opaque.len > 0)
		text_add(out, ", opaque=\"%.*s\"", (int)opaque.len, opaque.p);
	text_add(out, "\r\n");
	return true;
}
