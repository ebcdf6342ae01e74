/*
 * number.c -- the number that a call is for, as whoever dials it may read it.
 */
#include "config.h"

#include "guard/number.h"

#include <string.h>
#include <strings.h>

enum {
	CODE_MAX = 4,			/* +358 */
	PARAMS_MAX = 1024
};

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_dialled(int c)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '#';
}

static bool
is_separator(int c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/* An escape that hides another ("%2530") is undone as often. */
static int
take(struct str *s)
{
	uint8_t c = (uint8_t)*s->p;

	s->p++;
	s->len--;
	while (c == '%' && s->len >= 2 &&
	    hex_decode(&c, 1, (struct str){ s->p, 2 })) {
		s->p += 2;
		s->len -= 2;
	}
	return c;
}

static bool
is_name(const struct number *n)
{
	return n->len > 0 && is_letter(n->text[0]);
}

static bool
is_part(const struct number *n, int c)
{
	return is_dialled(c) || is_letter(c) || (c == '+' && n->len == 0) ||
	    (is_name(n) && c > ' ' && c < 0x7f);
}

static void
read_more(struct number *n, struct str text)
{
	int c;

	while (text.len > 0 && *text.p != ';' && n->len < sizeof n->text) {
		c = take(&text);
		if (is_part(n, c))
			n->text[n->len++] = (char)c;
		else if (!is_separator(c))
			n->plain = false;
	}
}

void
number_read(struct number *out, struct str called)
{
	out->len = 0;
	out->plain = true;
	read_more(out, called);
	out->plain = out->plain && out->len > 0;
}

/* The parameter at the front of s; s is left behind it. */
static struct str
next_param(struct str *s)
{
	const char *end = memchr(s->p, ';', s->len);
	struct str one = { s->p, end == NULL ? s->len :
	    (size_t)(end - s->p) };
	size_t used = one.len + (end != NULL);

	s->p += used;
	s->len -= used;
	return one;
}

/* The value of the parameter of that name; empty: there is none.  false:
 * there are two. */
static bool
find_param(struct str params, const char *name, struct str *found)
{
	size_t len = strlen(name);
	struct str one;

	*found = (struct str){ NULL, 0 };
	while (params.len > 0) {
		one = next_param(&params);
		if (one.len <= len || one.p[len] != '=' ||
		    strncasecmp(one.p, name, len) != 0)
			continue;
		if (found->p != NULL)
			return false;
		*found = (struct str){ one.p + len + 1, one.len - len - 1 };
	}
	return true;
}

/* false: the context is none that a number could begin with. */
static bool
read_behind(struct number *out, struct str context, struct str called)
{
	number_read(out, context);
	if (out->len == 0 || out->text[0] != '+')
		return false;
	read_more(out, called);
	return true;
}

/* Itself, and behind its context. */
static size_t
read_both(struct number *out, struct str called, struct str context)
{
	number_read(&out[0], called);
	return read_behind(&out[1], context, called) ? 2 : 1;
}

/* Whoever undoes escapes first may find parameters in them.  false: it has no
 * room. */
static bool
undo(char out[PARAMS_MAX], struct str *text)
{
	size_t len = 0;

	while (text->len > 0 && len < PARAMS_MAX)
		out[len++] = (char)take(text);
	if (text->len > 0)
		return false;
	*text = (struct str){ out, len };
	return true;
}

size_t
number_readings(struct number out[NUMBER_READINGS], struct str called,
    struct str params)
{
	char text[PARAMS_MAX];
	struct str context, rn, rn_context;
	size_t n;

	if (!undo(text, &params) ||
	    !find_param(params, "phone-context", &context) ||
	    !find_param(params, "rn", &rn) ||
	    !find_param(params, "rn-context", &rn_context))
		return 0;
	n = read_both(out, called, context);
	if (rn.len > 0)
		n += read_both(&out[n], rn, rn_context);
	return n;
}

bool
number_is_digits(const struct number *n)
{
	for (size_t i = n->len > 0 && n->text[0] == '+'; i < n->len; i++)
		if (n->text[i] < '0' || n->text[i] > '9')
			return false;
	return n->plain;
}

bool
number_is_local(const struct number *n, const struct number *local)
{
	size_t before = n->len - local->len;

	return n->plain && n->len >= local->len &&
	    (before == 0 || (before <= CODE_MAX && n->text[0] == '+')) &&
	    memcmp(n->text + before, local->text, local->len) == 0;
}

bool
number_begins(const struct number *n, struct str prefix)
{
	return prefix.len <= n->len &&
	    strncasecmp(n->text, prefix.p, prefix.len) == 0;
}
