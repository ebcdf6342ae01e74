/*
 * mend_line.c -- the lines of a message, found in its bytes.
 */
#include "config.h"

#include <string.h>

#include "transport/mend_inner.h"

static bool
is_folded(struct str s, size_t n)
{
	return n < s.len && (s.p[n] == ' ' || s.p[n] == '\t');
}

struct str
mend_first_line(struct str s)
{
	const char *end;
	size_t n = 0;

	do {
		end = memchr(s.p + n, '\n', s.len - n);
		if (end == NULL)
			return s;
		n = (size_t)(end - s.p) + 1;
	} while (is_folded(s, n));
	return (struct str){ s.p, n };
}

static struct str
name_of(struct str line)
{
	const char *colon = memchr(line.p, ':', line.len);

	return str_trim((struct str){ line.p,
	    colon == NULL ? 0 : (size_t)(colon - line.p) });
}

struct str
mend_header(struct str s, const char *name, const char *compact)
{
	struct str line = mend_first_line(s);

	for (;;) {
		s = str_from(s, line.len);
		if (s.len == 0 || s.p[0] == '\r')
			return (struct str){ s.p, 0 };
		line = mend_first_line(s);
		if (str_caseis(name_of(line), name) ||
		    (compact != NULL && str_caseis(name_of(line), compact)))
			return line;
	}
}
