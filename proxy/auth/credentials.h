/*
 * credentials.h -- the text of a Digest Authorization or Proxy-Authorization
 * header, taken apart.  Hostile input: this is a fuzz target.
 *
 * Source: RFC 7616 section 3.4, RFC 7235 section 2.1, RFC 3261 section 25.1.
 */
#ifndef AUTH_CREDENTIALS_H
#define AUTH_CREDENTIALS_H

#include <stdbool.h>

#include "auth/digest.h"

enum { CREDENTIALS_TEXT_MAX = 4096 };	/* longest header value we read */

enum credentials_verdict {
	CREDENTIALS_OK,
	CREDENTIALS_OTHER_SCHEME,	/* not Digest (Basic is never read) */
	CREDENTIALS_OTHER_REALM,
	CREDENTIALS_BAD			/* Digest of our realm, but malformed */
};

/*
 * Values unquoted, with quoted-pairs undone (RFC 7230 section 3.2.6), for
 * looking up and for the digest alike; a folded line in one is a space.  All
 * lent from text[], which holds them one after the other.  Absent ones are
 * empty (p == NULL).
 */
struct credentials {
	struct str	username, realm, nonce, uri, response, cnonce, opaque;
	struct str	nc_text;	/* the 8 hex digits */
	uint32_t	nc;
	enum digest_alg	alg;		/* absent: MD5 */
	bool		sess;
	enum digest_qop	qop;
	bool		userhash;
	bool		utf8_name;	/* came as username* (RFC 5987) */
	const char	*fault;		/* of CREDENTIALS_BAD, for the log */
	char		text[CREDENTIALS_TEXT_MAX];
};

/*
 * text is the header's value after the name and colon: `Digest username=…`.
 * CREDENTIALS_BAD covers: missing or doubled parameter, unknown algorithm or
 * qop, nc that is not 8 hex digits or is 0, qop without cnonce or nc, nc
 * without qop, response that is not hex of the algorithm's length, username
 * together with username*, userhash=true with username* or with a name that
 * is no hash, text too long, quoted text with control characters (a tab is
 * one) or that is not UTF-8, text that breaks off before it names a realm.
 * Unknown parameters are skipped, and the first of two realms counts.
 */
enum credentials_verdict credentials_parse(struct credentials *c,
    struct str text, struct str realm);

/* Would those be CREDENTIALS_OK or CREDENTIALS_BAD?  Reads to the realm. */
bool credentials_are_for(struct str text, struct str realm);

#endif
