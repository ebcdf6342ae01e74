/*
 * nonce.c -- mint and judge the nonces of our challenges.
 */
#include "config.h"

#include "auth/nonce.h"

#include <assert.h>
#include <string.h>

#include "auth/hash.h"
#include "base/secret.h"

enum {
	LAYOUT = 1,			/* the version: see nonce.h */
	RANDOM_BYTES = 10,
	TAG_BYTES = 16
};

/* Where the fields stand: see nonce.h. */
enum {
	AT_VERSION_MODE = 0, AT_QOPS = 1, AT_ALGS = 2, AT_KEY_ID = 3,
	AT_INSTANCE = 4, AT_LIFETIME = 6, AT_ISSUED = 8, AT_RANDOM = 14,
	AT_STORE = 24, AT_SRC = 28, AT_TAG = 32
};

static uint32_t
epoch_of(int64_t issued_ms)
{
	return (uint32_t)(issued_ms / 1000 / EPOCH_S);
}

static uint32_t
source_hash(struct keys *k, size_t master, int64_t issued_ms,
    const struct addr *source)
{
	uint8_t mark[MARK_BYTES];

	keys_mark(k, master, KEY_SOURCE, epoch_of(issued_ms),
	    &(struct mac_part){ source->ip, sizeof source->ip }, 1, mark);
	return get_u32(mark);
}

static void
tag_nonce(struct keys *k, size_t master, const uint8_t *raw, struct str realm,
    uint8_t tag[MAC_BYTES])
{
	int64_t issued_ms = (int64_t)get_u48(raw + AT_ISSUED);
	uint8_t len[2];
	struct mac_part part[] = {
		{ raw, AT_TAG }, { len, sizeof len }, { realm.p, realm.len }
	};

	assert(realm.len <= UINT16_MAX);
	put_u16(len, (uint16_t)realm.len);
	keys_mac(k, master, KEY_NONCE, epoch_of(issued_ms), part, 3, tag);
}

/* Every master is tried, so time tells nobody which one it was. */
static bool
find_signer(struct keys *k, const uint8_t *raw, struct str realm,
    size_t *master)
{
	uint8_t tag[MAC_BYTES];
	bool found = false;

	*master = 0;
	for (size_t i = keys_count(k); i-- > 0; ) {
		tag_nonce(k, i, raw, realm, tag);
		if (!secret_eq(tag, TAG_BYTES, raw + AT_TAG, TAG_BYTES))
			continue;
		*master = i;
		found = true;
	}
	secret_wipe(tag, sizeof tag);
	return found;
}

static void
read_fields(const uint8_t *raw, struct nonce *n)
{
	n->mode = raw[AT_VERSION_MODE] & 0x0f;
	n->qops = raw[AT_QOPS];
	n->algs = raw[AT_ALGS];
	n->instance = get_u16(raw + AT_INSTANCE);
	n->lifetime_s = get_u16(raw + AT_LIFETIME);
	n->issued_ms = (int64_t)get_u48(raw + AT_ISSUED);
	n->store = get_u32(raw + AT_STORE);
	n->src = get_u32(raw + AT_SRC);
}

static void
name_nonce(const uint8_t *raw, uint8_t id[NONCE_ID_BYTES])
{
	uint8_t sum[HA1_MAX];
	struct hash *h = hash_start(DIGEST_SHA256);

	hash_add(h, raw, NONCE_BYTES);
	hash_end(h, sum);
	memcpy(id, sum, NONCE_ID_BYTES);
}

void
nonce_mint(struct keys *k, const struct nonce *n, struct str realm,
    const struct addr *source, int64_t now_ms, char *out)
{
	uint8_t raw[NONCE_BYTES], tag[MAC_BYTES];

	raw[AT_VERSION_MODE] = (uint8_t)(LAYOUT << 4 | (n->mode & 0x0f));
	raw[AT_QOPS] = n->qops;
	raw[AT_ALGS] = n->algs;
	raw[AT_KEY_ID] = (uint8_t)epoch_of(now_ms);
	put_u16(raw + AT_INSTANCE, n->instance);
	put_u16(raw + AT_LIFETIME, n->lifetime_s);
	put_u48(raw + AT_ISSUED, (uint64_t)now_ms);
	random_bytes(raw + AT_RANDOM, RANDOM_BYTES);
	put_u32(raw + AT_STORE, n->store);
	put_u32(raw + AT_SRC, source_hash(k, 0, now_ms, source));
	tag_nonce(k, 0, raw, realm, tag);
	memcpy(raw + AT_TAG, tag, TAG_BYTES);
	base64url_encode(out, raw, sizeof raw);
}

/* The sum is done for malformed text too: it must not be told by time. */
bool
nonce_open(struct keys *k, struct str text, struct str realm,
    struct nonce *n)
{
	uint8_t raw[NONCE_BYTES] = { 0 };
	bool ok;

	if (text.len != NONCE_TEXT)
		return false;
	ok = base64url_decode(raw, sizeof raw, text) == NONCE_BYTES;
	read_fields(raw, n);
	name_nonce(raw, n->id);
	ok &= find_signer(k, raw, realm, &n->master);
	ok &= raw[AT_VERSION_MODE] >> 4 == LAYOUT;
	ok &= raw[AT_KEY_ID] == (uint8_t)epoch_of(n->issued_ms);
	return ok;
}

bool
nonce_is_stale(const struct nonce *n, int64_t now_ms)
{
	int64_t age_ms = now_ms - n->issued_ms;

	return age_ms > n->lifetime_s * INT64_C(1000) ||
	    age_ms < -NONCE_FUTURE_MS;
}

bool
nonce_is_from(struct keys *k, const struct nonce *n,
    const struct addr *source)
{
	return source_hash(k, n->master, n->issued_ms, source) == n->src;
}

void
nonce_opaque(struct keys *k, size_t master, struct str nonce_text, char *out)
{
	uint8_t mark[MARK_BYTES];

	keys_mark(k, master, KEY_OPAQUE, 0,
	    &(struct mac_part){ nonce_text.p, nonce_text.len }, 1, mark);
	base64url_encode(out, mark, sizeof mark);
}
