/*
 * body.c -- where in the body of a message session descriptions stand.
 */
#include "config.h"

#include "guard/body.h"

#include <string.h>

/* A body while it is looked through. */
struct search {
	void		(*visit)(void *arg, struct str sdp);
	void		*arg;
	unsigned	 parts;
	bool		 is_clear;	/* all of it was looked into */
};

enum kind { KIND_SDP, KIND_MULTIPART, KIND_SEALED, KIND_OTHER };

/* A part, or the whole. */
struct part {
	struct str	type, encoding, transfer;
	bool		broken;		/* its headers, or two of a name */
	struct str	text;
};

static void search(struct search *s, const struct part *p, unsigned depth);

/* Readers differ, and the one behind us may be lenient: what can be read in
 * two ways is not looked into by one of them. */

/* ---- media types: type "/" subtype *(";" name "=" value) */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct str *s)
{
	while (s->len > 0 && is_blank(*s->p)) {
		s->p++;
		s->len--;
	}
}

static bool
skip_char(struct str *s, char c)
{
	skip_blanks(s);
	if (s->len == 0 || *s->p != c)
		return false;
	s->p++;
	s->len--;
	skip_blanks(s);
	return true;
}

static struct str
take_token(struct str *s)
{
	struct str out = { s->p, 0 };

	while (out.len < s->len && !is_blank(s->p[out.len]) &&
	    memchr("/;=\",", s->p[out.len], 5) == NULL)
		out.len++;
	s->p += out.len;
	s->len -= out.len;
	return out;
}

/* With its quotes off; what is escaped in it stays so. */
static struct str
take_value(struct str *s)
{
	struct str out;

	if (s->len == 0 || *s->p != '"')
		return take_token(s);
	out = (struct str){ s->p + 1, 0 };
	while (out.len + 1 < s->len && out.p[out.len] != '"')
		out.len += out.p[out.len] == '\\' ? 2 : 1;
	if (out.len + 1 >= s->len) {		/* it never ends */
		*s = (struct str){ s->p + s->len, 0 };
		return *s;
	}
	s->p += out.len + 2;
	s->len -= out.len + 2;
	return out;
}

/* What a description may be in that we cannot get out: S/MIME, one that is
 * elsewhere (RFC 4483), a message within the message (RFC 3261 23.4). */
static bool
is_sealed(struct str major, struct str minor)
{
	if (str_caseis(major, "message"))
		return str_caseis(minor, "external-body") ||
		    str_caseis(minor, "sip");
	return str_caseis(major, "application") &&
	    (str_caseis(minor, "pkcs7-mime") ||
	    str_caseis(minor, "x-pkcs7-mime"));
}

/* RFC 3261 25.1, token */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f ||
		    memchr("()<>@,;:\\\"/[]?={}", c, 17) != NULL)
			return false;
	}
	return s.len > 0;
}

/* What is left of *type then are its parameters. */
static enum kind
kind_of(struct str *type)
{
	struct str major, minor;

	skip_blanks(type);
	if (type->len == 0)
		return KIND_SDP;
	major = take_token(type);
	if (!skip_char(type, '/'))
		return KIND_SEALED;
	minor = take_token(type);
	skip_blanks(type);
	if (!is_token(major) || !is_token(minor) ||
	    (type->len > 0 && *type->p != ';') || is_sealed(major, minor))
		return KIND_SEALED;
	if (str_caseis(major, "multipart"))
		return KIND_MULTIPART;
	return str_caseis(major, "application") &&
	    str_caseis(minor, "sdp") ? KIND_SDP : KIND_OTHER;
}

/* Wherever it stands: who searches for it finds the first, or the last. */
static bool
is_once(struct str params, struct str word)
{
	unsigned n = 0;

	for (; params.len >= word.len; params.p++, params.len--)
		n += str_caseeq((struct str){ params.p, word.len }, word);
	return n == 1;
}

/* Empty: there is none, or no good one. */
static struct str
boundary_of(struct str params)
{
	struct str none = { NULL, 0 }, name, value;

	if (!is_once(params, str_of("boundary")))
		return none;
	while (skip_char(&params, ';')) {
		name = take_token(&params);
		if (!skip_char(&params, '='))
			return none;
		value = take_value(&params);
		if (str_caseis(name, "boundary"))
			return value.len > BODY_BOUNDARY_MAX || (value.len >
			    0 && memchr(value.p, '\\', value.len) != NULL) ?
			    none : value;
	}
	return none;
}

/* ---- parts */

/* The next line with its end, which goes. */
static struct str
take_line(struct str *rest)
{
	const char *end = memchr(rest->p, '\n', rest->len);
	struct str out = *rest;

	if (end != NULL)
		out.len = (size_t)(end + 1 - rest->p);
	rest->p += out.len;
	rest->len -= out.len;
	return out;
}

static void
keep(struct part *p, struct str *where, struct str value)
{
	p->broken |= where->p != NULL;
	*where = str_trim(value);
}

/* No NUL, and no CR but before LF. */
static bool
is_whole(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.p[i] == '\0' || (line.p[i] == '\r' &&
		    (i + 1 == line.len || line.p[i + 1] != '\n')))
			return false;
	return true;
}

static bool
is_line_end(struct str line)
{
	return str_is(line, "\r\n") || str_is(line, "\n");
}

static void
take_header(struct part *p, struct str line)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct str name, value;

	if (colon == NULL || is_blank(*line.p) || !is_whole(line)) {
		p->broken = true;
		return;
	}
	name = str_trim((struct str){ line.p, (size_t)(colon - line.p) });
	p->broken |= !is_token(name);
	value = (struct str){ colon + 1,
		line.len - (size_t)(colon + 1 - line.p) };
	if (str_caseis(name, "Content-Type") || str_caseis(name, "c"))
		keep(p, &p->type, value);
	else if (str_caseis(name, "Content-Encoding") ||
	    str_caseis(name, "e"))
		keep(p, &p->encoding, value);
	else if (str_caseis(name, "Content-Transfer-Encoding"))
		keep(p, &p->transfer, value);
}

/* A header with the lines that go on with it. */
static struct str
take_folded(struct str *rest)
{
	struct str out = take_line(rest);

	while (!is_line_end(out) && rest->len > 0 &&
	    (*rest->p == ' ' || *rest->p == '\t'))
		out.len += take_line(rest).len;
	return out;
}

/* RFC 2046 section 5.1: without a type it is plain text. */
static struct part
read_part(struct str text)
{
	struct part p = { .broken = false };
	struct str line;

	while (text.len > 0) {
		line = take_folded(&text);
		if (is_line_end(line))
			break;
		take_header(&p, line);
	}
	if (p.type.p == NULL)
		p.type = str_of("text/plain");
	p.text = text;
	return p;
}

enum delimiter {
	NO_DELIMITER, DELIMITER, LAST_DELIMITER,
	LIKE_DELIMITER			/* some take it for one; what goes on
					 * behind it (RFC 2046 section 5.1.2
					 * does), in other letters, or within
					 * a line */
};

static bool
begins_with(struct str line, struct str s)
{
	return line.len >= s.len && str_caseeq((struct str){ line.p, s.len },
	    s);
}

/* dashed: the boundary behind its "--". */
static enum delimiter
delimiter_of(struct str line, struct str dashed)
{
	const char *at = memmem(line.p, line.len, dashed.p, dashed.len);
	enum delimiter d = DELIMITER;

	if (at != line.p)
		return at != NULL || begins_with(line, dashed) ?
		    LIKE_DELIMITER : NO_DELIMITER;
	line.p += dashed.len;
	line.len -= dashed.len;
	if (line.len >= 2 && memcmp(line.p, "--", 2) == 0) {
		line.p += 2;
		line.len -= 2;
		d = LAST_DELIMITER;
	}
	return str_trim(line).len == 0 && is_whole(line) ? d :
	    LIKE_DELIMITER;
}

/* The line end before a delimiter belongs to that. */
static struct str
without_end(struct str s)
{
	if (s.len > 0 && s.p[s.len - 1] == '\n')
		s.len--;
	if (s.len > 0 && s.p[s.len - 1] == '\r')
		s.len--;
	return s;
}

static void
search_part(struct search *s, struct str text, unsigned depth)
{
	struct part p = read_part(without_end(text));

	if (++s->parts > BODY_PARTS_MAX)
		s->is_clear = false;
	else
		search(s, &p, depth + 1);
}

/* Before the first delimiter and behind the last one nothing is to stand, as
 * some read there, too. */
static void
search_parts(struct search *s, struct str text, struct str dashed,
    unsigned depth)
{
	struct str part = { NULL, 0 }, line;
	enum delimiter d = NO_DELIMITER;
	bool ended = false;

	while (text.len > 0 && s->is_clear) {
		line = take_line(&text);
		d = delimiter_of(line, dashed);
		if (d != NO_DELIMITER)
			s->is_clear = d != LIKE_DELIMITER && !ended;
		else if (part.p == NULL || ended)
			s->is_clear = str_trim(line).len == 0;
		else
			part.len += line.len;
		if (d == NO_DELIMITER || ended)
			continue;
		if (part.p != NULL)
			search_part(s, part, depth);
		part = (struct str){ text.p, 0 };
		ended = d == LAST_DELIMITER;
	}
	if (part.p == NULL)		/* no part at all */
		s->is_clear = false;
	else if (!ended && s->is_clear)
		search_part(s, part, depth);
}

static void
search_multipart(struct search *s, struct str text, struct str params,
    unsigned depth)
{
	struct str boundary = boundary_of(params);
	char dashed[2 + BODY_BOUNDARY_MAX] = "--";

	if (boundary.len == 0 || depth == BODY_DEPTH_MAX) {
		s->is_clear = false;
		return;
	}
	memcpy(dashed + 2, boundary.p, boundary.len);
	search_parts(s, text, (struct str){ dashed, 2 + boundary.len },
	    depth);
}

static bool
is_identity(struct str encoding)
{
	return encoding.len == 0 || str_caseis(encoding, "identity");
}

/* RFC 2045 section 6.2: these leave bytes as they are. */
static bool
is_plain(struct str transfer)
{
	return transfer.len == 0 || str_caseis(transfer, "7bit") ||
	    str_caseis(transfer, "8bit") || str_caseis(transfer, "binary");
}

static void
search(struct search *s, const struct part *p, unsigned depth)
{
	struct str type = p->type;
	enum kind kind = kind_of(&type);

	if (kind == KIND_OTHER && !p->broken)
		return;
	if (kind == KIND_SEALED || p->broken || !is_identity(p->encoding) ||
	    !is_plain(p->transfer)) {
		s->is_clear = false;
		return;
	}
	if (kind == KIND_SDP)
		s->visit(s->arg, p->text);
	else
		search_multipart(s, p->text, type, depth);
}

bool
body_each_sdp(const struct body *b, void (*visit)(void *arg, struct str sdp),
    void *arg)
{
	struct search s = { .visit = visit, .arg = arg, .is_clear = true };
	const struct part whole = { .type = b->type, .encoding = b->encoding,
		.text = b->text };

	search(&s, &whole, 0);
	return s.is_clear;
}
