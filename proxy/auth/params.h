/*
 * params.h -- name=value, name="value", ...: the parameters of a challenge or
 * of credentials.  Hostile input.
 *
 * Values are unquoted, with quoted-pairs undone (RFC 7230 section 3.2.6), and
 * copied one after the other; a folded line in one is a space.  Where the
 * grammar breaks, reading stops.  What is wrong inside a parameter is noted
 * and reading goes on, since only the realm tells whether it concerns us.
 *
 * Source: RFC 7235 section 2.1, RFC 3261 section 25.1.
 */
#ifndef AUTH_PARAMS_H
#define AUTH_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct params {
	const char *const *name;	/* those that are looked for ... */
	struct str	*value;		/* ... and theirs; p == NULL: absent */
	size_t		 n;
	char		*out;		/* where values are copied to: as long
					 * as the text */
	const char	*fault;		/* the first that did not stop us: a
					 * doubled parameter, a control
					 * character (a tab is one), text
					 * that is not UTF-8 */
	const char	*p, *end;	/* what is ahead */
};

/* Begin with a header's value; false: it is not of this scheme. */
bool params_start(struct params *r, struct str text, const char *scheme);
/* Read to the end; false: the grammar broke. */
bool params_read(struct params *r);
/* Or as far as the first that is looked for, whatever follows; false: it is
 * not there, or stands behind where the grammar broke. */
bool params_find(struct params *r);

#endif
