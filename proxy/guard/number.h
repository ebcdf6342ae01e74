/*
 * number.h -- the number that a call is for, as whoever dials it may read it.
 *
 * Carriers pass over visual separators (RFC 3966 5.1.1), drop what stands
 * behind a semicolon, and undo escapes, some of them more than once.  So does
 * this; what else cannot be dialled is left out, and the number is not plain
 * then: nobody can tell how it will be read.
 */
#ifndef GUARD_NUMBER_H
#define GUARD_NUMBER_H

#include <stdbool.h>

#include "base/text.h"

enum { NUMBER_READ_MAX = 64 };	/* what is longer is cut off */

struct number {
	char	text[NUMBER_READ_MAX];	/* + in front, digits, * and #,
					 * letters; of what begins with a
					 * letter (a name): all */
	size_t	len;
	bool	plain;		/* and nothing was left out but separators */
};

/* From the user part of a SIP URI, or from what tel: names. */
void number_read(struct number *out, struct str called);

/*
 * All that it may be read as, with its parameters: itself, itself behind its
 * global phone-context (RFC 3966 5.1.5), and the routing number that another
 * directory found (rn and rn-context, RFC 4694).  Where digits of other scripts
 * or widths stand in them, which some dial, all that once more with those.
 * Returns how many; 0: nobody can tell, since it has one of these twice, or too
 * much.
 */
enum { NUMBER_READINGS = 8 };
size_t number_readings(struct number out[NUMBER_READINGS], struct str called,
    struct str params);

/* Plain, and but for a + in front nothing but digits? */
bool number_is_digits(const struct number *n);

/* Is it the same, or the same behind a country code (+ and up to three
 * digits)? */
bool number_is_local(const struct number *n, const struct number *local);

/* Case-blind. */
bool number_begins(const struct number *n, struct str prefix);

#endif
