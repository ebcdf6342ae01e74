/*
 * mark.c -- what the tables of guard/ call somebody.
 */
#include "config.h"

#include "guard/mark.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

_Static_assert(MARK_KEY_BYTES == crypto_shorthash_KEYBYTES &&
    crypto_shorthash_BYTES == sizeof(uint64_t), "SipHash");

enum { V4_BEGINS = 96, V6_SOURCE_BITS = 64 };

void
source_of(const struct addr *a, unsigned v4_bits, uint8_t out[SOURCE_BYTES])
{
	unsigned bits = addr_is_v4(a) ? V4_BEGINS + v4_bits : V6_SOURCE_BITS;

	memcpy(out, a->ip, bits / 8);
	memset(out + bits / 8, 0, SOURCE_BYTES - bits / 8);
	if (bits % 8 != 0)
		out[bits / 8] = a->ip[bits / 8] &
		    (uint8_t)(0xff << (8 - bits % 8));
}

static uint64_t
hash(const uint8_t key[MARK_KEY_BYTES], const void *p, size_t len)
{
	uint64_t h;

	crypto_shorthash((unsigned char *)&h, p, len, key);
	return h;
}

uint64_t
mark_of(const uint8_t key[MARK_KEY_BYTES], enum mark_kind kind,
    const void *p, size_t len)
{
	return mark_join(key, kind, hash(key, p, len), 0);
}

uint64_t
mark_join(const uint8_t key[MARK_KEY_BYTES], enum mark_kind kind,
    uint64_t a, uint64_t b)
{
	const uint64_t parts[3] = { kind, a, b };
	uint64_t h = hash(key, parts, sizeof parts);

	return h == 0 ? 1 : h;
}
