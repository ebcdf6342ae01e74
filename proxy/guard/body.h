/*
 * body.h -- where in the body of a message session descriptions stand.
 *
 * A body is one, or has some in its parts: multipart/mixed, alternative and
 * all others are looked into (RFC 5621 section 3.1, RFC 2046 section 5.1), to
 * a small depth.  Hostile input.
 */
#ifndef GUARD_BODY_H
#define GUARD_BODY_H

#include <stdbool.h>

#include "base/text.h"

enum { BODY_DEPTH_MAX = 2, BODY_PARTS_MAX = 16, BODY_BOUNDARY_MAX = 70 };

struct body {
	struct str	type;		/* Content-Type; empty: it is taken for
					 * a description, as many do */
	struct str	encoding;	/* Content-Encoding; empty: none */
	struct str	text;
};

/*
 * Call visit() for each description in it, in order.  false: there may be
 * others that cannot be looked into (another encoding, S/MIME, parts within
 * parts within parts, too many of them), or that another reader would find
 * (a broken type or multipart).
 */
bool body_each_sdp(const struct body *b,
    void (*visit)(void *arg, struct str sdp), void *arg);

#endif
