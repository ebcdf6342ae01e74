/*
 * rewrite.h -- numbers and names as a peer wants them.
 *
 * Plain text in, plain text out: what is a number, which digits are taken off
 * its front and which put there.
 */
#ifndef ROUTE_REWRITE_H
#define ROUTE_REWRITE_H

#include <stdbool.h>

#include "base/text.h"
#include "base/writer.h"
#include "conf/conf.h"

/* Which headers of the caller are rewritten. */
enum caller_header { CALLER_BOTH, CALLER_FROM, CALLER_PAI };

/* `caller` of a peer. */
struct caller_conf {
	int		 line;		/* 0: none */
	const char	*domain, *user;
	struct conf_list strip;
	const char	*prefix;
	int		 header;	/* enum caller_header */
};

extern const struct conf_opt caller_opts[];

/* What becomes of the user and host of a URI; all of it may be missing. */
struct rewrite {
	const char *const *strip;
	size_t		 nstrip;
	const char	*prefix;
	const char	*user;		/* instead of whatever it is */
	const char	*domain;
};

bool rewrite_is_any(const struct rewrite *r);

/* Digits, with a + before them or not, and what makes them readable (RFC 3966
 * visual-separator). */
bool rewrite_is_number(struct str user);

/*
 * The user part as it shall be: the first entry of strip that it begins with
 * is taken off, and prefix put in front, but never before a +.  What is no
 * number is left alone; `user` replaces anything.
 */
void rewrite_put_user(const struct rewrite *r, struct str user,
    struct writer *w);

/* Complain of what cannot stand in a URI. */
void rewrite_check(struct conf *c, int line, const char *option,
    const struct rewrite *r);

#endif
