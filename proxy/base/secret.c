/*
 * secret.c -- comparing, wiping, and making what nobody may see.
 */
#include "config.h"

#include "base/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

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

void
random_bytes(void *out, size_t len)
{
	uint8_t *p = out;
	size_t n;

	/* RAND_bytes() counts in int. */
	for (; len > 0; p += n, len -= n) {
		n = len < 4096 ? len : 4096;
		if (RAND_bytes(p, (int)n) == 1)
			continue;
		fputs("no random numbers to be had: stopping\n", stderr);
		abort();
	}
}

const char *
secret_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
