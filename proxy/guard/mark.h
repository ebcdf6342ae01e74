/*
 * mark.h -- what the tables of guard/ call somebody: 64 bits of a keyed hash.
 *
 * The key is random and of this process, so nobody can choose where in a
 * table he lands, or whose neighbour he is.
 */
#ifndef GUARD_MARK_H
#define GUARD_MARK_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { MARK_KEY_BYTES = 16, SOURCE_BYTES = 16 };

/* Another one for each purpose: the same somebody is many marks. */
enum mark_kind {
	MARK_SOURCE,		/* of a source address */
	MARK_USER,
	MARK_FLOW,		/* of a source address and port */
	MARK_RATE_SOURCE,	/* buckets of rates.h */
	MARK_RATE_PROVED,
	MARK_RATE_HANDSHAKE,
	MARK_RATE_METHOD,
	MARK_RATE_PEER,
	MARK_RATE_USER,
	MARK_RATE_WRONG,
	MARK_RATE_WRONG_FOREIGN,
	MARK_RATE_WRONG_FROM,	/* of a source */
	MARK_RATE_WRONG_THERE,	/* of one where he was right lately */
	MARK_COUNT,		/* entries of failures.h */
	MARK_SHARE,
	MARK_PROVED,
	MARK_PROVED_ANY,
	MARK_PROVED_FLOW,
	MARK_STRIKES,
	MARK_SLOWED
};

/* An address, or the network that counts as one source: IPv6 /64, and so many
 * bits of IPv4. */
void source_of(const struct addr *a, unsigned v4_bits,
    uint8_t out[SOURCE_BYTES]);

/* Never 0. */
uint64_t mark_of(const uint8_t key[MARK_KEY_BYTES], enum mark_kind kind,
    const void *p, size_t len);
uint64_t mark_join(const uint8_t key[MARK_KEY_BYTES], enum mark_kind kind,
    uint64_t a, uint64_t b);

#endif
