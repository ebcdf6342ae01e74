/*
 * hmac.h -- HMAC-SHA-256, and HKDF on top of it.
 *
 * Sources: RFC 2104 (HMAC), RFC 5869 (HKDF).
 */
#ifndef AUTH_HMAC_H
#define AUTH_HMAC_H

#include <stddef.h>
#include <stdint.h>

enum { MAC_BYTES = 32 };		/* HMAC-SHA-256 */

/* A key or a piece of a message; lent. */
struct mac_part { const void *p; size_t len; };

/* HMAC of the parts laid side by side. */
void hmac_sha256(struct mac_part key, const struct mac_part *part, size_t n,
    uint8_t out[MAC_BYTES]);

/* RFC 5869 section 2.2; an empty salt stands for zeros. */
void hkdf_extract(struct mac_part salt, struct mac_part ikm,
    uint8_t prk[MAC_BYTES]);
/* RFC 5869 section 2.3; len is at most 255 * MAC_BYTES. */
void hkdf_expand(const uint8_t prk[MAC_BYTES], struct mac_part info,
    uint8_t *out, size_t len);

#endif
