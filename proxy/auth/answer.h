/*
 * answer.h -- answering the challenges of others: Digest from the client's
 * side.
 *
 * A challenge is hostile text.  Of several for our realm the strongest that
 * can be answered is taken; its nonce is used again, with a count, until the
 * other side asks with another.
 *
 * Sources: RFC 7616 sections 3.3, 3.4 and 3.7, RFC 8760 section 2.4, RFC 3261
 * section 22.
 */
#ifndef AUTH_ANSWER_H
#define AUTH_ANSWER_H

#include "auth/digest.h"
#include "base/writer.h"

enum {
	CHALLENGE_TEXT_MAX = 2048,	/* longest header value we read */
	ANSWER_TEXT_MAX = 512		/* longest nonce, longest opaque */
};

/* Who we are, in the one realm that is answered. */
struct answer_as {
	const char	*user, *realm;
	struct ha1_set	 ha1;
	bool		 legacy;	/* RFC 2069: also where there is no
					 * qop */
};

enum challenge_verdict {
	CHALLENGE_OK,
	CHALLENGE_OTHER,		/* another scheme, another realm */
	CHALLENGE_UNFIT			/* for us, but not to be answered */
};

/* Text is lent from text[]. */
struct challenge {
	struct str	nonce, opaque;	/* opaque.p == NULL: none */
	enum digest_alg	alg;
	enum digest_qop	qop;		/* that we choose: auth, if it is
					 * offered */
	bool		stale, userhash;
	const char	*fault;		/* of CHALLENGE_UNFIT, for the log */
	char		text[CHALLENGE_TEXT_MAX];
};

/* text: of a WWW-Authenticate or Proxy-Authenticate, after the colon. */
enum challenge_verdict challenge_parse(struct challenge *c, struct str text,
    const struct answer_as *who);

/* The best of several; zeroed at first. */
struct challenges {
	bool		 seen, fit;	/* any for us, any that fits */
	const char	*fault;		/* why the last one did not */
	unsigned	 best;		/* of c[], if fit */
	struct challenge c[2];
};
void challenges_add(struct challenges *all, struct str text,
    const struct answer_as *who);

/* A nonce that we were given and use; zeroed at first. */
struct answer_nonce {
	bool		 live;
	enum digest_alg	 alg;
	enum digest_qop	 qop;
	bool		 userhash, has_opaque;
	uint32_t	 nc;		/* uses so far */
	size_t		 len, opaque_len;
	char		 text[ANSWER_TEXT_MAX], opaque[ANSWER_TEXT_MAX];
};

/* Another nonce from now on; the same one goes on being counted. */
void answer_learn(struct answer_nonce *n, const struct challenge *c);

/* What is to be sent. */
struct answer_request {
	struct str	method, uri, body;
	struct str	cnonce;		/* random; letters and digits */
};

/* The next use: the value of Authorization or Proxy-Authorization.  Nothing
 * if the nonce is not live. */
void answer_write(struct writer *w, struct answer_nonce *n,
    const struct answer_as *who, const struct answer_request *r);

#endif
