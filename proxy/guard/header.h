/*
 * header.h -- are the values of headers that a proxy must understand such as
 * everybody reads in the same way?
 *
 * Values as they came, perhaps folded (line ends are whole: screen.h).
 * Sources: RFC 3261 sections 20 and 25.1.
 */
#ifndef GUARD_HEADER_H
#define GUARD_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum header_verdict {
	HEADER_GOOD,
	HEADER_BAD,
	HEADER_BAD_URI,
	HEADER_BAD_TEL,
	HEADER_BAD_TAG		/* empty, quoted, or twice; as a token it may
				 * also have what a host may: ':', '/' */
};

/* From or To.  Without a tag it is RFC 2543's, and good. */
enum header_verdict header_party(struct str value);

/* Contact: a list of the same, or "*". */
enum header_verdict header_contacts(struct str value);

/* CSeq, whose number is less than 2^31 (8.1.1.5); the method is lent.  false:
 * malformed. */
bool header_cseq(struct str value, struct str *method);

/* Call-ID: word [ "@" word ]; also '=', with which base64 ends, and "#$&|". */
bool header_call_id(struct str value);

/* Max-Forwards: 0 to 255 (20.22). */
bool header_max_forwards(struct str value);

/* "name" or "name=value", without blanks. */
bool header_param(struct str text);

#endif
