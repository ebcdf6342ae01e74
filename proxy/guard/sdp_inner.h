/*
 * sdp_inner.h -- what the files that read SDP share.
 */
#ifndef GUARD_SDP_INNER_H
#define GUARD_SDP_INNER_H

#include <string.h>

#include "guard/sdp.h"

enum { SDP_CRYPTO_MAX = 32 };	/* a=crypto of one stream */

/* The text before the next `at`, which goes, too.  rest->p NULL: there was
 * none, and that was the last piece. */
static inline struct str
sdp_cut(struct str *rest, char at)
{
	const char *end = rest->len == 0 ? NULL :
	    memchr(rest->p, at, rest->len);
	struct str out = *rest;

	if (end == NULL) {
		*rest = (struct str){ NULL, 0 };
		return out;
	}
	out.len = (size_t)(end - rest->p);
	rest->p = end + 1;
	rest->len -= out.len + 1;
	return out;
}

bool sdp_is_token(struct str s);
bool sdp_is_number(struct str s);	/* 1 to 20 digits */

/* Is this what may stand behind the = of such a line (but m=)? */
bool sdp_value_is_good(char type, struct str value);

/* The value of m= (RFC 8866 section 5.14). */
struct sdp_stream {
	uint16_t	 port;		/* 0: none, unless in a bundle */
	struct str	 profile;
};
bool sdp_stream_read(struct sdp_stream *s, struct str value);

/* What the profile promises. */
enum sdp_promise {
	PROMISE_NOTHING,
	PROMISE_SRTP,			/* with keys from somewhere */
	PROMISE_DTLS,			/* for which a fingerprint stands */
	PROMISE_TLS,			/* whose certificate may do alone */
	PROMISE_UNKNOWN
};
enum sdp_promise sdp_promise_of(struct str profile);

/* The a=crypto of one stream (RFC 4568); all zero before the first. */
struct sdp_crypto {
	bool		 seen;
	bool		 good;		/* one of a known suite */
	bool		 bad;		/* one cannot be read, or two have the
					 * same tag */
	bool		 unencrypted;	/* one leaves protection out */
	unsigned	 ntags;
	uint32_t	 tag[SDP_CRYPTO_MAX];
};
void sdp_crypto_add(struct sdp_crypto *c, struct str value);

/* The a=fingerprint and a=setup of a stream, or of the session. */
struct sdp_dtls {
	bool	seen, good, weak, bad;		/* fingerprints */
	bool	bad_setup;
};
void sdp_dtls_fingerprint(struct sdp_dtls *d, struct str value);
void sdp_dtls_setup(struct sdp_dtls *d, struct str value);
/* Of a stream, and where it says nothing of the session. */
enum sdp_hole sdp_dtls_hole(const struct sdp_dtls *stream,
    const struct sdp_dtls *session);

#endif
