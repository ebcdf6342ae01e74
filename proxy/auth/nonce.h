/*
 * nonce.h -- mint and judge the nonces of our challenges.
 *
 * 48 bytes, 64 base64url characters; signed, nothing stored per challenge:
 *
 *  0  u8   version(4 bits)=1 | mode(4 bits): see NONCE_…
 *  1  u8   qop offered: bit0 auth, bit1 auth-int
 *  2  u8   algorithms offered: bit (enum digest_alg)
 *  3  u8   key id: low byte of the epoch; epoch = issued in s / EPOCH_S
 *  4  u16  id of the instance that issued it
 *  6  u16  lifetime, seconds: age is judged by this alone
 *  8  u48  issued, unix milliseconds
 * 14  10   random
 * 24  u32  store: generation of the memory that will count its uses
 * 28  u32  src: keyed hash of the source address
 * 32  16   first 16 bytes of HMAC-SHA-256(K_epoch, bytes 0..31 ||
 *          u16 length of realm || realm)
 *
 * Integers are big-endian.  Sources: RFC 7616 sections 3.3 and 5.4.
 */
#ifndef AUTH_NONCE_H
#define AUTH_NONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/digest.h"
#include "auth/keys.h"
#include "base/addr.h"
#include "base/text.h"

enum {
	NONCE_BYTES = 48,
	NONCE_TEXT = 64,		/* characters, without NUL */
	NONCE_ID_BYTES = 16,		/* its name in a nonce store */
	NONCE_FUTURE_MS = 5000,		/* clocks may differ by this much */
	OPAQUE_TEXT = 22		/* characters of opaque, without NUL */
};

enum nonce_mode {
	NONCE_ONE_TIME = 1,		/* only nc = 1 (or a legacy answer) */
	NONCE_LEGACY = 2,		/* RFC 2069 answer, is one-time */
	NONCE_LOCAL = 4			/* counted by this process alone */
};

enum { NONCE_QOP_AUTH = 1, NONCE_QOP_AUTH_INT = 2 };

/* The fields, decoded. */
struct nonce {
	uint8_t		mode, qops, algs;
	uint16_t	instance, lifetime_s;
	int64_t		issued_ms;
	uint32_t	store, src;
	uint8_t		id[NONCE_ID_BYTES];	/* SHA-256 of the 48 bytes,
						 * cut: from decoded bytes */
	size_t		master;		/* index of the key that signed it */
};

/* mode, qops, algs, instance, lifetime_s and store are taken from *n;
 * issued, src and random are filled in.  out takes NONCE_TEXT + 1. */
void nonce_mint(struct keys *k, const struct nonce *n, struct str realm,
    const struct addr *source, int64_t now_ms, char *out);

/*
 * Is it ours?  true fills *n.  Same time for every text of the right length.
 * Says nothing about age, source or uses: those are facts in *n.
 */
bool nonce_open(struct keys *k, struct str text, struct str realm,
    struct nonce *n);

/* Older than its lifetime, or from further in the future than
 * NONCE_FUTURE_MS. */
bool nonce_is_stale(const struct nonce *n, int64_t now_ms);

/* Was it given to this address (the port does not count)? */
bool nonce_is_from(struct keys *k, const struct nonce *n,
    const struct addr *source);

/* opaque, derived from the nonce's text; out takes OPAQUE_TEXT + 1.  To
 * check one, derive again (nonce->master says with which key). */
void nonce_opaque(struct keys *k, size_t master, struct str nonce_text,
    char *out);

#endif
