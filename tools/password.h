/*
 * password.h -- ask for a password: at a terminal without echo, else one line
 * of standard input.
 */
#ifndef TOOLS_PASSWORD_H
#define TOOLS_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

enum { PASSWORD_MAX = 512 };		/* bytes */

struct password {
	char	text[PASSWORD_MAX + 1];
	size_t	len;
};

/* Wipe *p in any case.  NULL, or why there is none, as a sentence. */
const char *password_get(struct password *p, bool from_stdin, bool twice);

#endif
