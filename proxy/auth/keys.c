/*
 * keys.c -- master keys, and the keys that are derived from them.
 *
 * PRK = HKDF-Extract(no salt, master)
 * K   = HKDF-Expand(PRK, "sipbouncer " || label || 0 || u32 epoch, 32)
 */
#include "config.h"

#include "auth/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "auth/hash.h"
#include "base/secret.h"
#include "base/text.h"

/* Of one label, kept at once.  Neighbouring epochs have different places, so
 * a stranger who names an epoch of his choice costs one derivation, and the
 * one whose place he took another. */
enum { EPOCHS_KEPT = 16 };

struct derived {
	bool		 set;
	uint32_t	 epoch;
	uint8_t		 key[MAC_BYTES];
};

struct master {
	uint8_t		 prk[MAC_BYTES];	/* HKDF's first half, done */
	struct derived	 derived[KEY_LABELS][EPOCHS_KEPT];
};

struct keys {
	size_t		 n;
	struct master	 master[KEYS_MAX];
};

static const char *const label_text[KEY_LABELS] = {
	[KEY_NONCE] = "nonce",
	[KEY_SOURCE] = "source",
	[KEY_OPAQUE] = "opaque",
	[KEY_TO_TAG] = "to tag",
	[KEY_DIALOG] = "dialog",
	[KEY_PATH] = "path",
	[KEY_BRANCH] = "branch",
	[KEY_DATAGRAM] = "datagram",
	[KEY_LINE] = "line",
	[KEY_CALLS] = "calls",
};

static void
derive(const uint8_t prk[MAC_BYTES], const char *label, uint32_t epoch,
    uint8_t out[MAC_BYTES])
{
	static const char prefix[] = "sipbouncer ";
	uint8_t info[64];
	size_t head = sizeof prefix - 1, len = strlen(label) + 1;

	assert(head + len + 4 <= sizeof info);
	memcpy(info, prefix, head);
	memcpy(info + head, label, len);
	put_u32(info + head + len, epoch);
	hkdf_expand(prk, (struct mac_part){ info, head + len + 4 }, out,
	    MAC_BYTES);
}

static const uint8_t *
derived_key(struct master *m, enum key_label label, uint32_t epoch)
{
	struct derived *d = &m->derived[label][epoch % EPOCHS_KEPT];

	if (!d->set || d->epoch != epoch) {
		derive(m->prk, label_text[label], epoch, d->key);
		d->epoch = epoch;
		d->set = true;
	}
	return d->key;
}

struct keys *
keys_new(const uint8_t master[][MASTER_KEY_BYTES], size_t n)
{
	struct keys *k;

	assert(n >= 1 && n <= KEYS_MAX);
	if (!hash_usable(DIGEST_SHA256))
		return NULL;
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return NULL;
	k->n = n;
	for (size_t i = 0; i < n; i++)
		hkdf_extract((struct mac_part){ NULL, 0 },
		    (struct mac_part){ master[i], MASTER_KEY_BYTES },
		    k->master[i].prk);
	return k;
}

void
keys_free(struct keys *k)
{
	secret_free(k, sizeof *k);
}

size_t
keys_count(const struct keys *k)
{
	return k->n;
}

void
keys_mac(struct keys *k, size_t which, enum key_label label, uint32_t epoch,
    const struct mac_part *part, size_t n, uint8_t out[MAC_BYTES])
{
	const uint8_t *key;

	assert(which < k->n && label < KEY_LABELS);
	key = derived_key(&k->master[which], label, epoch);
	hmac_sha256((struct mac_part){ key, MAC_BYTES }, part, n, out);
}

/* Side by side in one piece; what is longer than size is hashed first.
 * Returns the length. */
static size_t
gather(uint8_t *out, size_t size, const struct mac_part *part, size_t n)
{
	size_t len = 0;
	struct hash *h;

	for (size_t i = 0; i < n; i++) {
		if (part[i].len > size - len)
			goto too_long;
		if (part[i].len > 0)
			memcpy(out + len, part[i].p, part[i].len);
		len += part[i].len;
	}
	return len;
too_long:
	h = hash_start(DIGEST_SHA256);
	for (size_t i = 0; i < n; i++)
		hash_add(h, part[i].p, part[i].len);
	hash_end(h, out);
	return MAC_BYTES;
}

void
keys_mark(struct keys *k, size_t which, enum key_label label, uint32_t epoch,
    const struct mac_part *part, size_t n, uint8_t out[MARK_BYTES])
{
	uint8_t bytes[1024];
	size_t len = gather(bytes, sizeof bytes, part, n);

	assert(which < k->n && label < KEY_LABELS);
	crypto_shorthash_siphashx24(out, bytes, len,
	    derived_key(&k->master[which], label, epoch));
}

void
keys_fingerprint(const struct keys *k, size_t which, char out[17])
{
	uint8_t key[MAC_BYTES], sum[MAC_BYTES];
	struct hash *h;

	derive(k->master[which].prk, "fingerprint", 0, key);
	h = hash_start(DIGEST_SHA256);
	hash_add(h, key, sizeof key);
	hash_end(h, sum);
	hex_encode(out, sum, 8);
	secret_wipe(key, sizeof key);
}
