/*
 * derive.c -- the ACK and the CANCEL that go with an INVITE that was sent.
 *
 * Both repeat headers of the INVITE byte for byte, so they are made from its
 * bytes, which its client transaction keeps; it wrote them, so they are sound.
 */
#include "config.h"

#include <string.h>

#include "pipeline/message.h"

struct line {
	struct str	whole;		/* with CRLF, folded lines too */
	struct str	name;
};

/* The next line of the head; false: the empty line. */
static bool
next_line(struct str *rest, struct line *out)
{
	const char *p = rest->p, *end = rest->p + rest->len, *nl, *colon;

	do {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			return false;
		p = nl + 1;
	} while (p < end && (*p == ' ' || *p == '\t'));
	out->whole = (struct str){ rest->p, (size_t)(p - rest->p) };
	rest->len -= out->whole.len;
	rest->p = p;
	if (out->whole.len <= 2)
		return false;
	colon = memchr(out->whole.p, ':', out->whole.len);
	out->name = str_trim((struct str){ out->whole.p, colon == NULL ? 0 :
	    (size_t)(colon - out->whole.p) });
	return true;
}

/* The header's long name or its compact one. */
static bool
is(const struct line *l, const char *name, const char *compact)
{
	return str_caseis(l->name, name) ||
	    (compact != NULL && str_caseis(l->name, compact));
}

static void
put_start_line(struct writer *w, struct str line, const char *method)
{
	const char *uri = memchr(line.p, ' ', line.len);

	put_text(w, method);
	if (uri == NULL)
		w->full = true;
	else
		put_mem(w, uri, line.len - (size_t)(uri - line.p));
}

static void
put_cseq(struct writer *w, struct str line, const char *method)
{
	const char *p = memchr(line.p, ':', line.len), *end = line.p + line.len;

	put_text(w, "CSeq: ");
	for (p = p == NULL ? end : p + 1; p < end && (*p < '0' || *p > '9');
	    p++)
		;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		put_mem(w, p, 1);
	put_text(w, " ");
	put_text(w, method);
	put_text(w, "\r\n");
}

static void
put_header(struct writer *w, const struct line *l, const struct derived *d)
{
	if (is(l, "To", "t"))
		put_str(w, d->to.len > 0 ? d->to : l->whole);
	else if (is(l, "CSeq", NULL))
		put_cseq(w, l->whole, d->method);
	else if (is(l, "From", "f") || is(l, "Call-ID", "i") ||
	    is(l, "Max-Forwards", NULL) || is(l, "Route", NULL))
		put_str(w, l->whole);
}

void
message_derive(struct writer *w, struct str invite, const struct derived *d)
{
	struct line l;
	bool via = false;

	if (!next_line(&invite, &l)) {
		w->full = true;
		return;
	}
	put_start_line(w, l.whole, d->method);
	while (next_line(&invite, &l)) {
		if (!is(&l, "Via", "v"))
			put_header(w, &l, d);
		else if (!via)		/* ours, which lies on top */
			put_str(w, l.whole);
		via |= is(&l, "Via", "v");
	}
	if (d->more != NULL)
		put_text(w, d->more);
	put_text(w, "Content-Length: 0\r\n\r\n");
}
