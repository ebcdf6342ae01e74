/*
 * message.c -- just enough of SIP for callers and callees that measure.
 */
#include "config.h"

#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[HEADER_COUNT] = {
	[HEADER_VIA] = "Via",
	[HEADER_RECORD_ROUTE] = "Record-Route",
	[HEADER_FROM] = "From",
	[HEADER_TO] = "To",
	[HEADER_CALL_ID] = "Call-ID",
	[HEADER_CSEQ] = "CSeq",
	[HEADER_CONTACT] = "Contact",
	[HEADER_CHALLENGE] = "Proxy-Authenticate",
};

static enum header
header_of(struct str name)
{
	for (int h = HEADER_VIA; h < HEADER_COUNT; h++) {
		if (str_caseis(name, names[h]))
			return (enum header)h;
	}
	return HEADER_OTHER;
}

/* The next line, without its end; what is left stays in rest. */
static bool
next_line(struct str *rest, struct str *line)
{
	const char *end = memmem(rest->p, rest->len, "\r\n", 2);

	if (end == NULL)
		return false;
	*line = (struct str){ rest->p, (size_t)(end - rest->p) };
	rest->len -= line->len + 2;
	rest->p = end + 2;
	return true;
}

/* The text before the first c; all that follows stays in rest. */
static struct str
cut(struct str *rest, char c)
{
	struct str head = *rest;
	const char *end = memchr(rest->p, c, rest->len);

	if (end != NULL)
		head.len = (size_t)(end - rest->p);
	rest->p += head.len + (end != NULL);
	rest->len -= head.len + (end != NULL);
	return head;
}

static bool
parse_start(struct message *m, struct str start)
{
	struct str first = cut(&start, ' ');
	uint64_t status;

	m->status = 0;
	m->method = first;
	if (!str_is(first, "SIP/2.0"))
		return first.len > 0;
	if (!parse_uint(cut(&start, ' '), 699, &status))
		return false;
	m->status = (int)status;
	return true;
}

static bool
parse_cseq(struct message *m)
{
	struct str rest = m->value[HEADER_CSEQ];
	uint64_t n;

	if (rest.p == NULL || !parse_uint(cut(&rest, ' '), UINT32_MAX, &n))
		return false;
	m->cseq = (unsigned)n;
	m->method = str_trim(rest);
	return true;
}

static bool
parse_line(struct message *m, struct str whole)
{
	struct line *line = &m->line[m->nlines];
	struct str value = whole, name = str_trim(cut(&value, ':'));

	if (m->nlines == LINES_MAX)
		return false;
	m->nlines++;
	*line = (struct line){ header_of(name), whole, str_trim(value) };
	if (m->value[line->header].p == NULL)
		m->value[line->header] = line->value;
	return true;
}

bool
message_parse(struct message *m, const char *p, size_t len)
{
	struct str rest = { p, len }, line;

	m->nlines = 0;
	memset(m->value, 0, sizeof m->value);
	if (!next_line(&rest, &line) || !parse_start(m, line))
		return false;
	while (next_line(&rest, &line)) {
		if (line.len == 0)
			return parse_cseq(m);
		if (!parse_line(m, line))
			return false;
	}
	return false;
}

void
text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->p + t->len, t->size - t->len, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}
