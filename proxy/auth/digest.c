/*
 * digest.c -- the arithmetic of Digest: H(A1), H(A2), response.
 */
#include "config.h"

#include "auth/digest.h"

#include "auth/hash.h"
#include "base/secret.h"

static const struct {
	const char	*name;		/* RFC 7616 section 6.1 */
	const char	*sess_name;
	size_t		 bytes;
} algs[DIGEST_ALGS] = {
	[DIGEST_MD5] = { "MD5", "MD5-sess", 16 },
	[DIGEST_SHA256] = { "SHA-256", "SHA-256-sess", 32 },
	[DIGEST_SHA512_256] = { "SHA-512-256", "SHA-512-256-sess", 32 },
};

/* H of the parts with colons between, as all of Digest is built. */
static void
hash_joined(uint8_t out[HA1_MAX], enum digest_alg alg, const struct str *part,
    size_t n)
{
	struct hash *h = hash_start(alg);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			hash_add(h, ":", 1);
		hash_add(h, part[i].p, part[i].len);
	}
	hash_end(h, out);
}

static struct str
hex_of(char text[DIGEST_HEX_MAX], enum digest_alg alg, const uint8_t *sum)
{
	hex_encode(text, sum, algs[alg].bytes);
	return (struct str){ text, algs[alg].bytes * 2 };
}

/* RFC 7616 section 3.4.2: the -sess form hashes the hex text of H(A1). */
static struct str
session_key(char text[DIGEST_HEX_MAX], const struct digest_input *in,
    const uint8_t *ha1)
{
	struct str base = hex_of(text, in->alg, ha1);
	uint8_t sum[HA1_MAX];

	if (!in->sess)
		return base;
	hash_joined(sum, in->alg,
	    (const struct str[]){ base, in->nonce, in->cnonce }, 3);
	base = hex_of(text, in->alg, sum);
	secret_wipe(sum, sizeof sum);
	return base;
}

/* H(A2), RFC 7616 section 3.4.3; nothing in it is secret. */
static struct str
request_sum(char text[DIGEST_HEX_MAX], const struct digest_input *in)
{
	struct str part[3] = { in->method, in->uri };
	size_t n = 2;
	char body[DIGEST_HEX_MAX];
	uint8_t sum[HA1_MAX];

	if (in->qop == QOP_AUTH_INT) {
		hash_joined(sum, in->alg, &in->body, 1);
		part[n++] = hex_of(body, in->alg, sum);
	}
	hash_joined(sum, in->alg, part, n);
	return hex_of(text, in->alg, sum);
}

/* RFC 7616 section 3.4.1; without qop RFC 2069 section 2.1.2. */
static void
response_sum(uint8_t out[HA1_MAX], const struct digest_input *in,
    const uint8_t *ha1)
{
	char a1[DIGEST_HEX_MAX], a2[DIGEST_HEX_MAX];
	struct str part[6];
	size_t n = 0;

	part[n++] = session_key(a1, in, ha1);
	part[n++] = in->nonce;
	if (in->qop != QOP_NONE) {
		part[n++] = in->nc;
		part[n++] = in->cnonce;
		part[n++] = str_of(in->qop == QOP_AUTH ? "auth" : "auth-int");
	}
	part[n++] = request_sum(a2, in);
	hash_joined(out, in->alg, part, n);
	secret_wipe(a1, sizeof a1);
}

const char *
digest_alg_name(enum digest_alg alg)
{
	return algs[alg].name;
}

size_t
digest_alg_bytes(enum digest_alg alg)
{
	return algs[alg].bytes;
}

bool
digest_alg_usable(enum digest_alg alg)
{
	return hash_usable(alg);
}

bool
digest_alg_parse(struct str name, enum digest_alg *alg, bool *sess)
{
	for (int i = 0; i < DIGEST_ALGS; i++) {
		bool is_sess = str_caseis(name, algs[i].sess_name);

		if (!is_sess && !str_caseis(name, algs[i].name))
			continue;
		*alg = (enum digest_alg)i;
		*sess = is_sess;
		return true;
	}
	return false;
}

void
digest_ha1(uint8_t out[HA1_MAX], enum digest_alg alg, struct str user,
    struct str realm, struct str password)
{
	hash_joined(out, alg, (const struct str[]){ user, realm, password },
	    3);
}

void
digest_userhash(char out[DIGEST_HEX_MAX], enum digest_alg alg,
    struct str user, struct str realm)
{
	uint8_t sum[HA1_MAX];

	hash_joined(sum, alg, (const struct str[]){ user, realm }, 2);
	hex_of(out, alg, sum);
}

bool
digest_verify(const struct digest_input *in, const uint8_t *ha1)
{
	uint8_t claimed[HA1_MAX], right[HA1_MAX];
	size_t len = algs[in->alg].bytes;
	bool ok;

	if (!hash_usable(in->alg) || !hex_decode(claimed, len, in->response))
		return false;
	response_sum(right, in, ha1);
	ok = secret_eq(claimed, len, right, len);
	secret_wipe(right, sizeof right);
	return ok;
}

void
digest_response(char out[DIGEST_HEX_MAX], const struct digest_input *in,
    const uint8_t *ha1)
{
	uint8_t sum[HA1_MAX];

	response_sum(sum, in, ha1);
	hex_of(out, in->alg, sum);
}
