/*
 * pattern.c -- regular expressions over text from the network.
 */
#include "config.h"

#include "route/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/grammar.h"

enum {
	STEPS_MAX = 20000,		/* of one match, some 0.2 ms */
	DEPTH_MAX = 2000,
	HEAP_MAX_KIB = 512
};

struct pattern {
	pcre2_code		*code;
	pcre2_match_context	*bounds;
	pcre2_match_data	*found;
	uint32_t		 groups;
};

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_match_data_free(p->found);
	pcre2_match_context_free(p->bounds);
	pcre2_code_free(p->code);
	free(p);
}

static bool
fault(char why[PATTERN_WHY_MAX], const char *sentence)
{
	snprintf(why, PATTERN_WHY_MAX, "%s", sentence);
	return false;
}

static bool
compile(struct pattern *p, const char *text, char why[PATTERN_WHY_MAX],
    size_t *at)
{
	int error;

	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
	    PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_UTF |
	    PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C, &error, at, NULL);
	if (p->code == NULL) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)why,
		    PATTERN_WHY_MAX);
		return false;
	}
	/* Where memory may not be made executable it is interpreted. */
	pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &p->groups);
	return p->groups <= PATTERN_GROUPS_MAX ||
	    fault(why, "more than 9 groups");
}

static bool
prepare(struct pattern *p)
{
	p->bounds = pcre2_match_context_create(NULL);
	p->found = pcre2_match_data_create_from_pattern(p->code, NULL);
	if (p->bounds == NULL || p->found == NULL)
		return false;
	pcre2_set_match_limit(p->bounds, STEPS_MAX);
	pcre2_set_depth_limit(p->bounds, DEPTH_MAX);
	pcre2_set_heap_limit(p->bounds, HEAP_MAX_KIB);
	return true;
}

struct pattern *
pattern_new(const char *text, char why[PATTERN_WHY_MAX], size_t *at)
{
	struct pattern *p = calloc(1, sizeof *p);

	*at = 0;
	if (p != NULL && !compile(p, text, why, at)) {
		pattern_free(p);
		return NULL;
	}
	if (p != NULL && prepare(p))
		return p;
	fault(why, "no memory");
	pattern_free(p);
	return NULL;
}

enum pattern_verdict
pattern_match(struct pattern *p, struct str text)
{
	int n;

	if (text.len > PATTERN_SUBJECT_MAX)
		return PATTERN_GAVE_UP;
	n = pcre2_match(p->code, (PCRE2_SPTR)text.p, text.len, 0, 0, p->found,
	    p->bounds);
	if (n > 0)
		return PATTERN_YES;
	return n == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_GAVE_UP;
}

int
pattern_groups(const struct pattern *p)
{
	return (int)p->groups;
}

int
pattern_template_groups(const char *template)
{
	int most = 0;

	for (; *template != '\0'; template++) {
		if (*template != '\\')
			continue;
		template++;
		if (*template < '0' || *template > '9')
			return -1;
		if (*template - '0' > most)
			most = *template - '0';
	}
	return most;
}

/* RFC 3261 25.1: reserved, unreserved, and the rest of what a URI may hold. */
static bool
may_stand_in_uri(char c)
{
	return grammar_is(c, IS_ALPHA | IS_DIGIT) ||
	    (c != '\0' && strchr("-_.!~*'();/?:@&=+$,%[]", c) != NULL);
}

static void
put_escaped(struct writer *w, struct str s)
{
	static const char digit[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char escape[] = { '%', digit[c >> 4], digit[c & 15] };

		if (may_stand_in_uri(s.p[i]))
			put_mem(w, &s.p[i], 1);
		else
			put_mem(w, escape, sizeof escape);
	}
}

/* Empty where it took no part. */
static struct str
group_of(const struct pattern *p, struct str text, uint32_t i)
{
	const PCRE2_SIZE *edge = pcre2_get_ovector_pointer(p->found);

	if (i >= pcre2_get_ovector_count(p->found) ||
	    edge[2 * i] == PCRE2_UNSET || edge[2 * i + 1] < edge[2 * i])
		return (struct str){ text.p, 0 };
	return (struct str){ text.p + edge[2 * i],
		edge[2 * i + 1] - edge[2 * i] };
}

void
pattern_expand(const struct pattern *p, struct str text,
    const char *template, struct writer *w)
{
	size_t plain;

	while (*template != '\0') {
		plain = strcspn(template, "\\");
		put_mem(w, template, plain);
		template += plain;
		if (*template == '\0')
			return;
		put_escaped(w, group_of(p, text, (uint32_t)(template[1] -
		    '0')));
		template += 2;
	}
}
