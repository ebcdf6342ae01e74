/*
 * mend.c -- showing the parser what it cannot read in a form that it can.
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>

#include "base/count.h"
#include "base/grammar.h"
#include "base/text.h"
#include "transport/mend.h"

static const char odd[] = "+`";		/* in a method */
/* What it takes for the beginning of a method that it knows, and gives up
 * where the method is shorter than that ("SERVICE", "PING"). */
static const char misread[] = "ABCIMNOPRSU";

/* ---- lines */

static bool
is_folded(struct str s, size_t n)
{
	return n < s.len && (s.p[n] == ' ' || s.p[n] == '\t');
}

/* The first one, with its end and what is folded behind it. */
static struct str
first_line(struct str s)
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

/* len 0: there is none. */
static struct str
find_header(struct str s, const char *name, const char *compact)
{
	struct str line = first_line(s);

	for (;;) {
		s = str_from(s, line.len);
		if (s.len == 0 || s.p[0] == '\r')
			return (struct str){ s.p, 0 };
		line = first_line(s);
		if (str_caseis(name_of(line), name) ||
		    (compact != NULL && str_caseis(name_of(line), compact)))
			return line;
	}
}

static struct str
cseq_line(struct str s)
{
	return find_header(s, "CSeq", NULL);
}

static struct str
via_line(struct str s)
{
	return find_header(s, "Via", "v");
}

/* ---- From, To and Contact: their display names, and where they are folded */

/* Those that we read. */
static const struct {
	const char	*name, *compact;
} named[] = { { "From", "f" }, { "To", "t" }, { "Contact", "m" } };

enum { NAMED = COUNT(named) };

/* What stands before '<', if it is neither in quotes nor a URI; else len 0. */
static struct str
bare_name(struct str whole, size_t which)
{
	struct str line = find_header(whole, named[which].name,
	    named[which].compact), none = { line.p, 0 };
	const char *colon = memchr(line.p, ':', line.len);
	size_t n = 0;

	if (colon == NULL)
		return none;
	line = str_from(line, (size_t)(colon + 1 - line.p));
	while (n < line.len && strchr("<\":;,", line.p[n]) == NULL)
		n++;
	return n < line.len && line.p[n] == '<' ?
	    str_trim((struct str){ line.p, n }) : none;
}

static bool
is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

static bool
has_line_end(const char *s)
{
	return s != NULL && strpbrk(s, "\r\n") != NULL;
}

/* A name was taken for the beginning of a scheme, or a line end for the end
 * of a host, number or path. */
static bool
is_misread_uri(const url_t *u)
{
	return u->url_type == url_invalid || has_line_end(u->url_user) ||
	    has_line_end(u->url_host) || has_line_end(u->url_port) ||
	    has_line_end(u->url_path) || has_line_end(u->url_fragment);
}

/* Or it was left out. */
static bool
lost_a_party(const sip_t *sip)
{
	if (sip->sip_error != NULL || (sip->sip_from != NULL &&
	    is_misread_uri(sip->sip_from->a_url)) || (sip->sip_to != NULL &&
	    is_misread_uri(sip->sip_to->a_url)))
		return true;
	for (const sip_contact_t *m = sip->sip_contact; m != NULL;
	    m = m->m_next)
		if (is_misread_uri(m->m_url))
			return true;
	return false;
}

/* The first one of which there may be several, behind `after`. */
static struct str
next_party(struct str whole, size_t which, struct str after)
{
	size_t at = after.p == NULL ? 0 : (size_t)(after.p - whole.p);

	return find_header(str_from(whole, at), named[which].name,
	    named[which].compact);
}

static bool
has_fold(struct str whole)
{
	for (size_t n = 0; n < NAMED; n++) {
		struct str line = next_party(whole, n,
		    (struct str){ NULL, 0 });

		for (; line.len > 0; line = next_party(whole, n, line))
			if (memchr(line.p, '\n', line.len - 1) != NULL)
				return true;
	}
	return false;
}

static bool
has_odd_name(struct str whole)
{
	struct str name;

	for (size_t n = 0; n < NAMED; n++) {
		name = bare_name(whole, n);
		for (size_t i = 0; i < name.len; i++)
			if (!is_ascii(name.p[i]))
				return true;
	}
	return false;
}

/* ---- the start line of a request: METHOD SP URI SP VERSION */

static struct str
method_of(struct str s)
{
	const char *end = memchr(s.p, ' ', s.len);

	return (struct str){ s.p, end == NULL ? 0 : (size_t)(end - s.p) };
}

/* All between the first blank and the last one; len 0: it has no such form. */
static struct str
middle_of(struct str line)
{
	struct str method = method_of(line), none = { line.p, 0 };
	size_t end;

	line = str_trim(line);
	for (end = line.len; end > 0 && line.p[end - 1] != ' '; end--)
		;
	if (method.len == 0 || end < method.len + 2 ||
	    line.len - end < 4 || memcmp(line.p + end, "SIP/", 4) != 0 ||
	    memchr(method.p, '/', method.len) != NULL)
		return none;
	return (struct str){ line.p + method.len + 1, end - method.len - 2 };
}

/* ---- what the others need */

static bool
has_odd(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(odd, s.p[i]) != NULL && s.p[i] != '\0')
			return true;
	return false;
}

/* What stands behind the last blank. */
static struct str
last_word(struct str s)
{
	size_t n;

	s = str_trim(s);
	for (n = s.len; n > 0 && strchr(" \t\r\n", s.p[n - 1]) == NULL; n--)
		;
	return str_from(s, n);
}

static bool
is_misread(struct str method)
{
	static const char *const known[] = { "ACK", "BYE", "CANCEL", "INFO",
		"INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH",
		"REFER", "REGISTER", "SUBSCRIBE", "UPDATE",
		"SIP/2.0" };		/* a response's */

	for (size_t i = 0; i < COUNT(known); i++)
		if (str_is(method, known[i]))
			return false;
	return method.len > 0 && *method.p != '\0' &&
	    strchr(misread, *method.p) != NULL;
}

enum mend
mend_wanted(const sip_t *sip, const char *p, size_t len)
{
	struct str s = { p, len }, start = first_line(s);
	bool known = sip != NULL && (sip->sip_request != NULL ||
	    sip->sip_status != NULL);

	if (known && sip->sip_via != NULL && sip->sip_cseq != NULL)
		return lost_a_party(sip) && (has_odd_name(s) || has_fold(s)) ?
		    MEND_PARTIES : MEND_NOTHING;
	if (!known || sip->sip_cseq == NULL)
		if (has_odd(method_of(start)) || has_odd(cseq_line(s)) ||
		    is_misread(method_of(start)) ||
		    is_misread(last_word(cseq_line(s))))
			return MEND_METHOD;
	if (!known)
		return middle_of(start).len > 2 ? MEND_URI : MEND_NOTHING;
	return sip->sip_via == NULL && sip->sip_request != NULL &&
	    via_line(s).len > 0 ? MEND_VIA : MEND_NOTHING;
}

/* ---- change and undo */

static void
mend_odd(char *base, struct str whole, struct str part)
{
	char *p = base + (part.p - whole.p);

	for (size_t i = 0; i < part.len; i++)
		if (p[i] == odd[0] || p[i] == odd[1])
			p[i] = '_';
}

static void
mend_misread(char *base, struct str whole, struct str method)
{
	if (is_misread(method))
		base[method.p - whole.p] = '_';
}

static void
mend_method(char *base, struct str whole)
{
	struct str method = method_of(first_line(whole));
	struct str cseq = cseq_line(whole);

	mend_odd(base, whole, method);
	mend_odd(base, whole, cseq);
	mend_misread(base, whole, method);
	mend_misread(base, whole, last_word(cseq));
}

/* "x:____", a URI of no scheme that anybody knows */
static void
mend_uri(char *base, struct str whole)
{
	struct str uri = middle_of(first_line(whole));
	char *p = base + (uri.p - whole.p);

	if (uri.len <= 2)
		return;
	memset(p, '_', uri.len);
	p[0] = 'x';
	p[1] = ':';
}

/* Where the host begins: SIP/2.0/UDP host; 0: it has no such form. */
static size_t
sent_by(struct str line)
{
	static const char lws[] = " \t\r\n";
	size_t n = 0, at = 0;

	for (; n < line.len && line.p[n] != ';' && line.p[n] != ','; n++)
		if (line.p[n] == '/')
			at = n + 1;
	if (at == 0)
		return 0;
	while (at < n && strchr(lws, line.p[at]) != NULL)
		at++;
	while (at < n && strchr(lws, line.p[at]) == NULL)
		at++;
	while (at < n && strchr(lws, line.p[at]) != NULL)
		at++;
	return at < n ? at : 0;
}

static void
mend_names(char *base, struct str whole)
{
	struct str name;
	char *p;

	for (size_t n = 0; n < NAMED; n++) {
		name = bare_name(whole, n);
		p = base + (name.p - whole.p);
		for (size_t i = 0; i < name.len; i++)
			if (!is_ascii(p[i]))
				p[i] = '_';
	}
}

/* But for the line's own end. */
static void
mend_folds(char *base, struct str whole)
{
	for (size_t n = 0; n < NAMED; n++) {
		struct str line = next_party(whole, n,
		    (struct str){ NULL, 0 });

		for (; line.len > 0; line = next_party(whole, n, line)) {
			char *p = base + (line.p - whole.p);

			for (size_t i = 0; i + 2 < line.len; i++)
				if (p[i] == '\r' || p[i] == '\n')
					p[i] = ' ';
		}
	}
}

static bool
is_of_name(char c)
{
	return grammar_is(c, IS_ALPHA | IS_DIGIT);
}

/* Only what may be a host, or "x". */
static void
mend_via(char *base, struct str whole)
{
	struct str line = via_line(whole);
	size_t end = line.len, at = sent_by(line), n = at;
	char *p = base + (line.p - whole.p);

	if (at == 0)
		return;
	while (end > at && (p[end - 1] == '\n' || p[end - 1] == '\r'))
		end--;
	while (n < end && (is_of_name(p[n]) || (n > at && p[n] == '.' &&
	    is_of_name(p[n - 1]) && n + 1 < end && is_of_name(p[n + 1]))))
		n++;
	if (n == at)
		p[n++] = 'x';
	memset(p + n, ' ', end - n);
}

void
mend_bytes(enum mend what, char *p, size_t len)
{
	struct str whole = { p, len };

	if (what == MEND_METHOD) {
		mend_method(p, whole);
	} else if (what == MEND_URI) {
		mend_uri(p, whole);
	} else if (what == MEND_VIA) {
		mend_via(p, whole);
	} else if (what == MEND_PARTIES) {
		mend_names(p, whole);
		mend_folds(p, whole);
	}
}

static void
rename_as(msg_t *msg, const char **name, struct str as)
{
	char *copy = su_strndup(msg_home(msg), as.p, (isize_t)as.len);

	if (copy != NULL)
		*name = copy;
}

static void
undo_method(msg_t *msg, struct str whole)
{
	sip_t *sip = sip_object(msg);

	if (sip->sip_request != NULL)
		rename_as(msg, &sip->sip_request->rq_method_name,
		    method_of(whole));
	if (sip->sip_cseq != NULL)
		rename_as(msg, &sip->sip_cseq->cs_method_name,
		    last_word(cseq_line(whole)));
}

static void
undo_names(msg_t *msg, struct str whole)
{
	sip_t *sip = sip_object(msg);
	const char **shown[NAMED] = {
		sip->sip_from == NULL ? NULL : &sip->sip_from->a_display,
		sip->sip_to == NULL ? NULL : &sip->sip_to->a_display,
		sip->sip_contact == NULL ? NULL :
		    &sip->sip_contact->m_display,
	};
	struct str name;

	for (size_t n = 0; n < NAMED; n++) {
		name = bare_name(whole, n);
		if (shown[n] != NULL && name.len > 0)
			rename_as(msg, shown[n], name);
	}
}

/* Not where they were written: when it knows how many there are, the parser
 * may move them. */
static char *
bytes_of(const sip_t *sip)
{
	const msg_common_t *first = sip == NULL ? NULL :
	    sip->sip_request != NULL ? sip->sip_request->rq_common :
	    sip->sip_status != NULL ? sip->sip_status->st_common : NULL;

	return first == NULL ? NULL : (char *)(uintptr_t)first->h_data;
}

void
mend_undo(enum mend what, msg_t *msg, const char *from, size_t len)
{
	struct str whole = { from, len };
	char *to = bytes_of(sip_object(msg));

	if (what == MEND_NOTHING || to == NULL)
		return;
	memcpy(to, from, len);
	if (what == MEND_METHOD)
		undo_method(msg, whole);
	else if (what == MEND_PARTIES)
		undo_names(msg, whole);
}
