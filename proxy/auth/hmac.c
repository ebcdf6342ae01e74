/*
 * hmac.c -- HMAC-SHA-256, and HKDF on top of it.
 *
 * Laid on the plain hash: EVP_MAC and copies of prepared contexts allocate
 * for every message, so they could fail where nobody can be told, and the
 * two blocks of padding that they save cost less than 0.1 us.
 */
#include "config.h"

#include "auth/hmac.h"

#include <assert.h>
#include <string.h>

#include "auth/hash.h"
#include "base/secret.h"

enum { BLOCK_BYTES = 64 };		/* of SHA-256 */

static struct hash *
start_padded(const uint8_t key[BLOCK_BYTES], uint8_t pad)
{
	uint8_t block[BLOCK_BYTES];
	struct hash *h = hash_start(DIGEST_SHA256);

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ pad;
	hash_add(h, block, sizeof block);
	secret_wipe(block, sizeof block);
	return h;
}

/* RFC 2104 section 2: a key longer than a block is hashed. */
static void
fit_key(uint8_t out[BLOCK_BYTES], struct mac_part key)
{
	struct hash *h;

	memset(out, 0, BLOCK_BYTES);
	if (key.len > BLOCK_BYTES) {
		h = hash_start(DIGEST_SHA256);
		hash_add(h, key.p, key.len);
		hash_end(h, out);
	} else if (key.len > 0) {
		memcpy(out, key.p, key.len);
	}
}

void
hmac_sha256(struct mac_part key, const struct mac_part *part, size_t n,
    uint8_t out[MAC_BYTES])
{
	uint8_t fitted[BLOCK_BYTES], inner[MAC_BYTES];
	struct hash *h;

	fit_key(fitted, key);
	h = start_padded(fitted, 0x36);
	for (size_t i = 0; i < n; i++)
		hash_add(h, part[i].p, part[i].len);
	hash_end(h, inner);
	h = start_padded(fitted, 0x5c);
	hash_add(h, inner, sizeof inner);
	hash_end(h, out);
	secret_wipe(fitted, sizeof fitted);
	secret_wipe(inner, sizeof inner);
}

void
hkdf_extract(struct mac_part salt, struct mac_part ikm,
    uint8_t prk[MAC_BYTES])
{
	hmac_sha256(salt, &ikm, 1, prk);
}

void
hkdf_expand(const uint8_t prk[MAC_BYTES], struct mac_part info, uint8_t *out,
    size_t len)
{
	uint8_t t[MAC_BYTES], counter = 0;
	struct mac_part part[] = { { t, 0 }, info, { &counter, 1 } };
	size_t take;

	assert(len <= 255 * MAC_BYTES);
	for (; len > 0; out += take, len -= take) {
		counter++;
		hmac_sha256((struct mac_part){ prk, MAC_BYTES }, part, 3, t);
		part[0].len = sizeof t;
		take = len < sizeof t ? len : sizeof t;
		memcpy(out, t, take);
	}
	secret_wipe(t, sizeof t);
}
