/*
 * hash.h -- the hash functions of Digest, with contexts that are kept.
 *
 * OpenSSL 3 pays dearly for looking an algorithm up and for allocating a
 * context, so each algorithm has one context for the life of the process.
 * Hence one sum of an algorithm at a time, and only on one thread.
 */
#ifndef AUTH_HASH_H
#define AUTH_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"

struct hash;			/* a sum under way */

/* Does this OpenSSL have it?  (A FIPS one has no MD5.)  Where it says true,
 * the functions below cannot fail; where false, they stop the process. */
bool hash_usable(enum digest_alg alg);

struct hash *hash_start(enum digest_alg alg);
void hash_add(struct hash *h, const void *p, size_t len);
/* out takes digest_alg_bytes(); what went in is wiped from the context. */
void hash_end(struct hash *h, uint8_t *out);

#endif
