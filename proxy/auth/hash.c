/*
 * hash.c -- the hash functions of Digest, with contexts that are kept.
 */
#include "config.h"

#include "auth/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct hash {
	const char	*name;		/* as OpenSSL calls it */
	EVP_MD_CTX	*ctx;		/* NULL: not asked for yet, or absent */
	bool		 busy;
};

/* Written once each, at the first use. */
static struct hash hashes[DIGEST_ALGS] = {
	[DIGEST_MD5] = { .name = "MD5" },
	[DIGEST_SHA256] = { .name = "SHA256" },
	[DIGEST_SHA512_256] = { .name = "SHA512-256" },
};

static void
must(bool ok, const struct hash *h)
{
	if (ok)
		return;
	fprintf(stderr, "%s cannot be computed: stopping\n", h->name);
	abort();
}

static EVP_MD_CTX *
context_new(const char *name)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (md == NULL || ctx == NULL || !EVP_DigestInit_ex2(ctx, md, NULL)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MD_free(md);	/* the context holds a reference */
	return ctx;
}

bool
hash_usable(enum digest_alg alg)
{
	struct hash *h = &hashes[alg];

	if (h->ctx == NULL)
		h->ctx = context_new(h->name);
	return h->ctx != NULL;
}

struct hash *
hash_start(enum digest_alg alg)
{
	struct hash *h = &hashes[alg];

	must(!h->busy && hash_usable(alg), h);
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL), h);
	h->busy = true;
	return h;
}

void
hash_add(struct hash *h, const void *p, size_t len)
{
	must(EVP_DigestUpdate(h->ctx, p, len), h);
}

/* A new start does not clear the buffer of a block that every algorithm has;
 * zeros do, up to its last byte, which held a length. */
void
hash_end(struct hash *h, uint8_t *out)
{
	static const uint8_t zeros[EVP_MAX_MD_SIZE * 2];
	size_t block = (size_t)EVP_MD_CTX_get_block_size(h->ctx);

	must(EVP_DigestFinal_ex(h->ctx, out, NULL), h);
	must(block <= sizeof zeros, h);
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL), h);
	must(EVP_DigestUpdate(h->ctx, zeros, block - 1), h);
	h->busy = false;
}
