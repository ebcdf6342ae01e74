/*
 * sdp.h -- is a session description well formed, small, and its media safe?
 *
 * Text in, facts out; facts and what is asked for in, verdict out.  Nothing is
 * changed or allocated, and each byte is looked at once.  Hostile input.
 *
 * Sources: RFC 8866 (SDP), RFC 4568, 6188 and 7714 (keys in a=crypto), RFC
 * 8122, 5763 and 5764 (DTLS-SRTP), RFC 8643 (why offering both is not enough).
 */
#ifndef GUARD_SDP_H
#define GUARD_SDP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* What is wrong with its lines: identifier, word. */
#define SDP_FAULTS(F)							\
F(SDP_SOUND, "none")							\
F(SDP_TORN, "line")		/* no x=value, NUL, bare CR, or what is	\
				 * behind an empty line */		\
F(SDP_STREAM, "stream")		/* an m= that cannot be read */		\
F(SDP_BLANK, "blank-line")	/* empty lines at the end */		\
F(SDP_TYPE, "type")		/* a letter that is none of SDP */	\
F(SDP_ORDER, "order")							\
F(SDP_VALUE, "value")		/* what stands behind the = */		\
F(SDP_LACKS, "lacks")		/* v=, o=, s=, t= or c= is missing */

/* Why media could be heard or changed on the way. */
#define SDP_HOLES(H)							\
H(SDP_SAFE, "none")							\
H(SDP_CLEAR, "in-the-clear")	/* a profile without protection */	\
H(SDP_OPTIONAL, "optional")	/* the same, with keys (RFC 8643) */	\
H(SDP_UNKNOWN, "unknown-profile")					\
H(SDP_NO_KEYS, "no-keys")	/* SRTP without keys of a known suite */ \
H(SDP_BAD_CRYPTO, "bad-crypto")						\
H(SDP_UNENCRYPTED, "unencrypted")	/* SRTP that leaves it out */	\
H(SDP_NO_FINGERPRINT, "no-fingerprint")					\
H(SDP_BAD_FINGERPRINT, "bad-fingerprint")				\
H(SDP_WEAK_FINGERPRINT, "weak-fingerprint")	/* SHA-1, MD5 */	\
H(SDP_BAD_SETUP, "bad-setup")						\
H(SDP_KEYS_SEEN, "keys-not-over-tls")

#define SDP_VERDICTS(V)							\
V(SDP_OK, "sound")							\
V(SDP_UNSAFE, "unsafe")							\
V(SDP_MALFORMED, "malformed")						\
V(SDP_TOO_LARGE, "too-large")						\
V(SDP_TOO_MANY, "too-many-streams")					\
V(SDP_OPAQUE, "opaque")

#define SDP_ID(id, word) id,
enum sdp_fault { SDP_FAULTS(SDP_ID) SDP_FAULT_COUNT };
enum sdp_hole { SDP_HOLES(SDP_ID) SDP_HOLE_COUNT };
enum sdp_verdict { SDP_VERDICTS(SDP_ID) SDP_VERDICT_COUNT };
#undef SDP_ID

extern const char *const sdp_fault_words[SDP_FAULT_COUNT];
extern const char *const sdp_hole_words[SDP_HOLE_COUNT];
extern const char *const sdp_verdict_words[SDP_VERDICT_COUNT];

/* All zero before the first description of a message is read. */
struct sdp_facts {
	unsigned	 descriptions;
	bool		 opaque;	/* there is something in the body that
					 * cannot be looked into; the caller
					 * says so */
	size_t		 bytes;		/* of the longest one */
	unsigned	 streams;	/* of the one that has most */
	enum sdp_fault	 fault;		/* the first one */
	unsigned	 line;		/* that has it, from 1 */
	bool		 torn;		/* others may read other streams */
	enum sdp_hole	 hole;		/* of the first stream that has one */
	unsigned	 stream;	/* which, from 1 */
	bool		 keys;		/* it holds keys of SRTP */
};

/* Read one description; adds to what was found in others. */
void sdp_read(struct sdp_facts *f, struct str text);

/* Is safe media asked for? */
enum sdp_need { SDP_ANY, SDP_PREFERRED, SDP_REQUIRED };

struct sdp_terms {
	int64_t		 bytes;		/* of a description, -1: any */
	int64_t		 streams;	/* the same */
	bool		 grammar;
	enum sdp_need	 need;
};

struct sdp_judged {
	enum sdp_verdict verdict;
	bool		 refused;	/* else it is told, and passes */
	enum sdp_fault	 fault;		/* of SDP_MALFORMED */
	enum sdp_hole	 hole;		/* of SDP_UNSAFE */
	unsigned	 at;		/* line, or stream; 0: all of it */
};

/* secret: did it come, and does it go, where nobody else can read keys? */
struct sdp_judged sdp_judge(const struct sdp_terms *t,
    const struct sdp_facts *f, bool secret);

#endif
