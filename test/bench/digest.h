/*
 * digest.h -- a client's answer to a Digest challenge (RFC 7616), MD5 with
 * qop=auth.
 */
#ifndef BENCH_DIGEST_H
#define BENCH_DIGEST_H

#include <stdbool.h>

#include "base/text.h"
#include "message.h"

struct digest;			/* what the hashes need, made once */

struct digest *digest_new(void);	/* NULL: OpenSSL has no MD5 */
void digest_free(struct digest *d);

struct answer {
	struct str	 challenge;
	const char	*user, *password;
	const char	*method, *uri;
	const char	*cnonce;
};

/* Writes a Proxy-Authorization header.  false: not a challenge that we can
 * answer. */
bool digest_answer(struct digest *d, const struct answer *a, struct text *out);

#endif
