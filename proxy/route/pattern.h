/*
 * pattern.h -- regular expressions over text from the network.
 *
 * The expression is the operator's, the text is anybody's: so the length of
 * the text and the work for it have bounds, and "I gave up" is told apart from
 * "it does not match".  An expression stands for the whole text.
 */
#ifndef ROUTE_PATTERN_H
#define ROUTE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "base/writer.h"

enum {
	PATTERN_SUBJECT_MAX = 1024,	/* bytes of text */
	PATTERN_GROUPS_MAX = 9,		/* \1 to \9 */
	PATTERN_WHY_MAX = 128
};

enum pattern_verdict {
	PATTERN_NO,
	PATTERN_YES,
	PATTERN_GAVE_UP		/* too long a text, or too much work for it */
};

struct pattern;

/* NULL: malformed, too many groups, or no memory; why is a sentence, and *at
 * where in the text. */
struct pattern *pattern_new(const char *text, char why[PATTERN_WHY_MAX],
    size_t *at);
void pattern_free(struct pattern *p);	/* NULL is allowed */

enum pattern_verdict pattern_match(struct pattern *p, struct str text);

/* The greatest N of the \N in a template; -1: a backslash before something
 * else. */
int pattern_template_groups(const char *template);
/* How many groups the expression has. */
int pattern_groups(const struct pattern *p);

/* Write the template, with \1 to \9 and \0 (all of it) as the last match of p
 * in `text` found them; what may not stand in a URI is escaped. */
void pattern_expand(const struct pattern *p, struct str text,
    const char *template, struct writer *w);

#endif
