/*
 * number.c -- the number that a call is for, as whoever dials it may read it.
 */
#include "config.h"

#include "guard/number.h"

#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "base/grammar.h"

enum {
	CODE_MAX = 4,			/* +358 */
	PARAMS_MAX = 1024
};

static bool
is_letter(int c)
{
	return grammar_is((char)c, IS_ALPHA);
}

static bool
is_dialled(int c)
{
	return grammar_is((char)c, IS_DIGIT) || c == '*' || c == '#';
}

static bool
is_separator(int c)
{
	return grammar_is((char)c, IS_SEPARATOR);
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

/* The first of the ten decimal digits of each script (Unicode, category Nd):
 * whoever asks its tables what a digit is dials these as well. */
static const uint32_t zeros[] = {
	0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66,
	0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20,
	0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
	0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
	0xa9f0, 0xaa50, 0xabf0,
	0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
	0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
	0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50,
	0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0,
	0x1e4f0, 0x1e950, 0x1fbf0,
};

/* The ASCII character that another stands for; 0: none. */
static int
folded(unsigned c)
{
	if (c > 0xff00 && c < 0xff5f)	/* the same in another width */
		return (int)(c - 0xff00 + ' ');
	for (size_t i = 0; i < COUNT(zeros); i++)
		if (c >= zeros[i] && c < zeros[i] + 10u)
			return (int)('0' + c - zeros[i]);
	return 0;
}

/* Of a character of two to four bytes (RFC 3629), of which c was the first,
 * the one that it stands for; s is left behind it.  0: it is none. */
static int
take_folded(struct str *s, int c)
{
	struct str rest = *s;
	unsigned more = c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 1 :
	    c < 0xf0 ? 2 : 3;
	unsigned wide = (unsigned)c & 0x3fu >> more;
	int got = 0;

	for (unsigned i = 0; i < more; i++) {
		c = rest.len > 0 ? take(&rest) : 0;
		if ((c & 0xc0) != 0x80)
			return 0;
		wide = wide << 6 | ((unsigned)c & 0x3f);
	}
	got = more == 0 ? 0 : folded(wide);
	if (got != 0)
		*s = rest;
	return got;
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

/* What stands for another character is passed over, or taken for that. */
enum reader { READS_ASCII, READS_ALL };

static void
read_more(struct number *n, struct str text, enum reader reader)
{
	int c, other;

	while (text.len > 0 && *text.p != ';' && n->len < sizeof n->text) {
		c = take(&text);
		other = reader == READS_ALL ? take_folded(&text, c) : 0;
		if (other != 0) {
			n->plain = false;
			c = other;
		}
		if (is_part(n, c))
			n->text[n->len++] = (char)c;
		else if (!is_separator(c))
			n->plain = false;
	}
}

static void
read_as(struct number *out, struct str called, enum reader reader)
{
	out->len = 0;
	out->plain = true;
	read_more(out, called, reader);
	out->plain = out->plain && out->len > 0;
}

void
number_read(struct number *out, struct str called)
{
	read_as(out, called, READS_ASCII);
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

/* A number, and of where it is; either may be empty. */
struct placed { struct str number, context; };

/* false: the context is none that a number could begin with. */
static bool
read_behind(struct number *out, const struct placed *p, enum reader reader)
{
	read_as(out, p->context, reader);
	if (out->len == 0 || out->text[0] != '+')
		return false;
	read_more(out, p->number, reader);
	return true;
}

/* Itself, and behind its context. */
static size_t
read_both(struct number *out, const struct placed *p, enum reader reader)
{
	read_as(&out[0], p->number, reader);
	return read_behind(&out[1], p, reader) ? 2 : 1;
}

static bool
has_other(struct str text)
{
	int c;

	while (text.len > 0) {
		c = take(&text);
		if (take_folded(&text, c) != 0)
			return true;
	}
	return false;
}

static bool
has_others(const struct placed p[2])
{
	return has_other(p[0].number) || has_other(p[0].context) ||
	    has_other(p[1].number) || has_other(p[1].context);
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
	struct placed p[2] = { { .number = called } };
	size_t n = 0;

	if (!undo(text, &params) ||
	    !find_param(params, "phone-context", &p[0].context) ||
	    !find_param(params, "rn", &p[1].number) ||
	    !find_param(params, "rn-context", &p[1].context))
		return 0;
	for (int reader = READS_ASCII; reader <= READS_ALL; reader++) {
		n += read_both(&out[n], &p[0], (enum reader)reader);
		if (p[1].number.len > 0)
			n += read_both(&out[n], &p[1], (enum reader)reader);
		if (!has_others(p))
			break;
	}
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
