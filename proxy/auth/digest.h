/*
 * digest.h -- the arithmetic of Digest: H(A1), H(A2), response.
 *
 * Plain values in, verdict out.  Sources: RFC 7616 section 3.4, RFC 8760
 * (SIP), RFC 3261 section 22.4, RFC 2069 (legacy answers without qop).
 * For the loop's thread only: contexts are kept (hash.h).
 */
#ifndef AUTH_DIGEST_H
#define AUTH_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* In order of strength. */
enum digest_alg { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512_256, DIGEST_ALGS };

enum digest_qop { QOP_NONE, QOP_AUTH, QOP_AUTH_INT };

enum {
	HA1_MAX = 32,			/* bytes of the longest H(A1) */
	DIGEST_HEX_MAX = 65		/* longest hash as hex, with NUL */
};

/* H(user:realm:password) of one user in one realm, by algorithm. */
struct ha1_set {
	bool	 has[DIGEST_ALGS];
	uint8_t	 ha1[DIGEST_ALGS][HA1_MAX];
};

/* What the client claims and what the request says; all text is lent. */
struct digest_input {
	enum digest_alg	 alg;
	bool		 sess;		/* the -sess form */
	enum digest_qop	 qop;
	struct str	 nonce, nc, cnonce, uri, response;
	struct str	 method;	/* as in the request line */
	struct str	 body;		/* for auth-int */
};

const char *digest_alg_name(enum digest_alg alg);	/* "SHA-256" */
size_t digest_alg_bytes(enum digest_alg alg);
/* Does this OpenSSL have it?  To be asked at start-up for each algorithm
 * that is offered: the sums below stop the process when it is not there
 * (digest_verify() says false). */
bool digest_alg_usable(enum digest_alg alg);
/* "MD5", "SHA-256-sess", ... ASCII case-blind; false: unknown. */
bool digest_alg_parse(struct str name, enum digest_alg *alg, bool *sess);

/* H(user:realm:password); user and realm without quotes and escapes. */
void digest_ha1(uint8_t out[HA1_MAX], enum digest_alg alg, struct str user,
    struct str realm, struct str password);

/* H(user:realm) as lower-case hex (RFC 7616 section 3.4.4, userhash). */
void digest_userhash(char out[DIGEST_HEX_MAX], enum digest_alg alg,
    struct str user, struct str realm);

/* Is the response right for this H(A1)?  Constant time in the secret; does
 * the same work for every wrong answer of the same shape. */
bool digest_verify(const struct digest_input *in, const uint8_t *ha1);

/* The response as lower-case hex, for clients of ours and for tests. */
void digest_response(char out[DIGEST_HEX_MAX], const struct digest_input *in,
    const uint8_t *ha1);

#endif
