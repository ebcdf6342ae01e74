/*
 * secret.c -- comparing, wiping, and making what nobody may see.
 */
#include "config.h"

#include "base/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool
secret_eq(const void *a, size_t alen, const void *b, size_t blen)
{
	if (alen != blen)
		return false;
	return alen == 0 || CRYPTO_memcmp(a, b, alen) == 0;
}

void
secret_wipe(void *p, size_t len)
{
	if (len > 0)
		OPENSSL_cleanse(p, len);
}

void
secret_free(void *p, size_t len)
{
	if (p == NULL)
		return;
	secret_wipe(p, len);
	free(p);
}

/* RAND_bytes() counts in int. */
static void
draw(uint8_t *p, size_t len)
{
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < 4096 ? len : 4096;
		if (RAND_bytes(p, (int)n) == 1)
			continue;
		fputs("no random numbers to be had: stopping\n", stderr);
		abort();
	}
}

/* A few bytes are wanted for each nonce, and to ask for them costs more than
 * to make many.  What was given out is wiped. */
void
random_bytes(void *out, size_t len)
{
	static _Thread_local uint8_t pool[512];
	static _Thread_local size_t left;

	if (len > sizeof pool / 8) {
		draw(out, len);
		return;
	}
	if (left < len) {
		draw(pool, sizeof pool);
		left = sizeof pool;
	}
	left -= len;
	memcpy(out, pool + left, len);
	secret_wipe(pool + left, len);
}

void
random_hex(char *out, size_t bytes)
{
	uint8_t r;

	for (; bytes > 0; bytes--, out += 2) {
		random_bytes(&r, sizeof r);
		hex_encode(out, &r, sizeof r);
	}
}

int64_t
random_upto(int64_t most)
{
	uint64_t r;

	random_bytes(&r, sizeof r);
	return (int64_t)(r % ((uint64_t)most + 1));
}
