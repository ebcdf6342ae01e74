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
#include "transport/mend.h"
#include "transport/mend_inner.h"

static const char odd[] = "+`";		/* in a method */
/* What it takes for the beginning of a method that it knows, and gives up
 * where the method is shorter than that ("SERVICE", "PING"). */
static const char misread[] = "ABCIMNOPRSU";

static struct str
cseq_line(struct str s)
{
	return mend_header(s, "CSeq", NULL);
}

static struct str
via_line(struct str s)
{
	return mend_header(s, "Via", "v");
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
	struct str s = { p, len }, start = mend_first_line(s);
	bool known = sip != NULL && (sip->sip_request != NULL ||
	    sip->sip_status != NULL);

	if (known && sip->sip_via != NULL && sip->sip_cseq != NULL)
		return mend_parties_wanted(sip, s) ? MEND_PARTIES :
		    MEND_NOTHING;
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
	struct str method = method_of(mend_first_line(whole));
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
	struct str uri = middle_of(mend_first_line(whole));
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

/* The parser that gave up at the method has not said how it reads From, and
 * is asked only once more. */
static bool
mends_parties(enum mend what)
{
	return what == MEND_METHOD || what == MEND_PARTIES;
}

void
mend_bytes(enum mend what, char *p, size_t len)
{
	struct str whole = { p, len };

	if (what == MEND_METHOD)
		mend_method(p, whole);
	if (what == MEND_URI)
		mend_uri(p, whole);
	if (what == MEND_VIA)
		mend_via(p, whole);
	if (mends_parties(what))
		mend_parties(p, whole);
}

static void
undo_method(msg_t *msg, struct str whole)
{
	sip_t *sip = sip_object(msg);

	if (sip->sip_request != NULL)
		mend_rename(msg, &sip->sip_request->rq_method_name,
		    method_of(whole));
	if (sip->sip_cseq != NULL)
		mend_rename(msg, &sip->sip_cseq->cs_method_name,
		    last_word(cseq_line(whole)));
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
	if (mends_parties(what))
		mend_parties_undo(msg, whole);
}
