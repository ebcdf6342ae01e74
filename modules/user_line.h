/*
 * user_line.h -- one line of a users file.
 *
 *   name:realm:md5=HEX,sha-256=HEX,sha-512-256=HEX:identity,identity,
 *   class=NAME,prefixes=+49|+43
 *
 * HEX is H(name:realm:password), at least one of the three.  What follows is
 * the rest of the line, in any order, and may be left out with its colon.
 * Identities begin with sip:, sips: or tel:; * stands for any run, ? for one
 * byte; a comma inside one is written %2C.  The class is what routes may ask
 * for; the prefixes are what numbers begin with that the user may call.
 *
 * Names and realms are UTF-8 (RFC 7616 section 4) without control characters
 * and colons: the colon parts the fields, here and in what is hashed.
 */
#ifndef MODULES_USER_LINE_H
#define MODULES_USER_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/digest.h"
#include "base/text.h"

enum {
	USER_LINE_MAX = 4096,		/* bytes, without the line's end */
	USER_NAME_MAX = 128,
	USER_REALM_MAX = 255,
	USER_IDENTITIES_MAX = 64,
	USER_CLASS_MAX = 32,
	USER_PREFIX_MAX = 31,
	USER_PREFIXES_MAX = 64
};

/* All text is lent, from the line that was parsed. */
struct user_line {
	struct str	name, realm;
	struct ha1_set	ha1;
	struct str	identity[USER_IDENTITIES_MAX];
	size_t		nidentities;
	struct str	class;		/* empty: none */
	struct str	prefix[USER_PREFIXES_MAX];
	size_t		nprefixes;
};

/* Blank, or a comment: # comes first. */
bool user_line_is_blank(struct str line);

/* NULL, or what is wrong as a sentence without secrets.  *u holds secrets,
 * also after a fault: wipe it. */
const char *user_line_parse(struct user_line *u, struct str line);

/* The length of the text, or 0: it would be longer than USER_LINE_MAX. */
size_t user_line_format(char out[USER_LINE_MAX + 1],
    const struct user_line *u);

/* What is wrong with a part, or NULL. */
const char *user_name_fault(struct str name);
const char *user_realm_fault(struct str realm);
const char *user_identity_fault(struct str identity);
const char *user_class_fault(struct str class);
const char *user_prefix_fault(struct str prefix);

#endif
