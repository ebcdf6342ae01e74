/*
 * plain.c -- a request read as text.
 *
 * What passes here is a small part of what RFC 3261 25.1 allows: one spelling
 * of each thing, of which there can be no two readings.
 */
#include "config.h"

#include "pipeline/plain.h"

#include <string.h>

#include "base/count.h"
#include "pipeline/plain_piece.h"

/* Those by which nothing is decided here; by `line` there is
 * (registrations.c). */
static bool
take_request_params(struct str *s)
{
	bool user = false, transport = false;

	for (;;) {
		if (!user && piece_text(s, ";user=phone"))
			user = true;
		else if (!transport && (piece_text(s, ";transport=udp") ||
		    piece_text(s, ";transport=UDP")))
			transport = true;
		else
			return true;
	}
}

static bool
has_small_letter(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return true;
	return false;
}

/* "METHOD sip:... SIP/2.0"; "method" may be misspelt (methods.h). */
static bool
read_start(struct plain *p, struct str line)
{
	p->method = piece_take(&line, IS_ALPHA | IS_DIGIT);
	if (p->method.len == 0 || str_is(p->method, "ACK") ||
	    str_is(p->method, "CANCEL") || has_small_letter(p->method))
		return false;
	return piece_text(&line, " ") && piece_uri(&line, &p->domain) &&
	    take_request_params(&line) &&
	    piece_text(&line, " SIP/2.0\r\n") && line.len == 0;
}

static bool
read_from(struct plain *p, struct str value)
{
	if (!piece_address(&value) || !piece_text(&value, ";tag="))
		return false;
	p->from_tag = piece_take(&value, IN_MARK);
	return p->from_tag.len > 0 && value.len == 0;
}

/* Without a tag: there is no dialog yet. */
static bool
read_to(struct plain *p, struct str value)
{
	p->to = value;
	return piece_address(&value) && value.len == 0;
}

static bool
read_call_id(struct plain *p, struct str value)
{
	p->call_id = value;
	return piece_take(&value, IN_WORD).len > 0 && (value.len == 0 ||
	    (piece_text(&value, "@") && piece_take(&value, IN_WORD).len > 0 &&
	    value.len == 0));
}

static bool
read_cseq(struct plain *p, struct str value)
{
	uint64_t n;

	if (!piece_number(piece_take(&value, IS_DIGIT), INT32_MAX, &n))
		return false;
	p->cseq = (uint32_t)n;
	return piece_text(&value, " ") && str_eq(value, p->method);
}

static struct str
between(const char *from, const char *to)
{
	return (struct str){ from, (size_t)(to - from) };
}

/* ";branch=z9hG4bK..." and ";rport", each once, in any order */
static bool
read_via_params(struct plain *p, struct str value)
{
	const char *begin = value.p, *end = value.p + value.len, *at;
	bool rport = false;

	p->before = between(begin, end);
	p->after = between(end, end);
	while (value.len > 0) {
		at = value.p;
		if (p->branch.p == NULL &&
		    piece_text(&value, ";branch=z9hG4bK")) {
			p->branch = piece_take(&value, IN_MARK);
		} else if (!rport && piece_text(&value, ";rport")) {
			rport = true;
			p->before = between(begin, at);
			p->after = between(value.p, end);
		} else {
			return false;
		}
	}
	if (p->branch.len == 0)
		return false;
	p->branch = between(p->branch.p - strlen("z9hG4bK"),
	    p->branch.p + p->branch.len);
	return true;
}

static bool
read_via(struct plain *p, struct str value)
{
	const char *begin;

	if (!piece_text(&value, "SIP/2.0/UDP "))
		return false;
	begin = value.p;
	if (!piece_host(&value, &p->via_host, &p->via_port))
		return false;
	p->sent_by = between(begin, value.p);
	return read_via_params(p, value);
}

static bool
read_contact(struct str value)
{
	return piece_address(&value) && piece_params(&value) &&
	    value.len == 0;
}

/* The kinds of headers; those before ONCE may be there once. */
enum kind {
	VIA, FROM, TO, CALL_ID, CSEQ, MAX_FORWARDS, LENGTH, CONTACT, ONCE,
	USER_AGENT, PASSED_OVER, NOT_PLAIN
};

enum {
	NEEDED = 1u << VIA | 1u << FROM | 1u << TO | 1u << CALL_ID |
	    1u << CSEQ
};

/* Those by which nothing is decided before a challenge, by their length.  A
 * header that is not here may be one that decides something. */
static const struct {
	const char	*name;
	enum kind	 kind;
} known[20][14] = {
	[1] = {
		{ "v", VIA }, { "f", FROM }, { "t", TO }, { "i", CALL_ID },
		{ "l", LENGTH }, { "m", CONTACT }, { "c", PASSED_OVER },
		{ "k", PASSED_OVER }, { "s", PASSED_OVER },
		{ "u", PASSED_OVER }, { "o", PASSED_OVER },
		{ "e", PASSED_OVER }, { "x", PASSED_OVER },
	},
	[2] = { { "To", TO } },
	[3] = { { "Via", VIA } },
	[4] = { { "From", FROM }, { "CSeq", CSEQ }, { "Date", PASSED_OVER } },
	[5] = { { "Allow", PASSED_OVER }, { "Event", PASSED_OVER } },
	[6] = { { "Accept", PASSED_OVER }, { "Min-SE", PASSED_OVER },
	    { "Server", PASSED_OVER } },
	[7] = { { "Call-ID", CALL_ID }, { "Contact", CONTACT },
	    { "Expires", PASSED_OVER }, { "Subject", PASSED_OVER },
	    { "Privacy", PASSED_OVER } },
	[8] = { { "Priority", PASSED_OVER } },
	[9] = { { "Supported", PASSED_OVER } },
	[10] = { { "User-Agent", USER_AGENT }, { "Session-ID", PASSED_OVER } },
	[12] = { { "Max-Forwards", MAX_FORWARDS },
	    { "Content-Type", PASSED_OVER }, { "Allow-Events", PASSED_OVER },
	    { "Organization", PASSED_OVER }, { "MIME-Version", PASSED_OVER } },
	[14] = { { "Content-Length", LENGTH } },
	[15] = { { "Session-Expires", PASSED_OVER },
	    { "Accept-Encoding", PASSED_OVER },
	    { "Accept-Language", PASSED_OVER } },
	[16] = { { "Content-Encoding", PASSED_OVER },
	    { "Content-Language", PASSED_OVER } },
	[19] = { { "Content-Disposition", PASSED_OVER } },
};

static enum kind
kind_of(struct str name)
{
	if (name.len >= COUNT(known))
		return NOT_PLAIN;
	for (size_t i = 0; known[name.len][i].name != NULL; i++)
		if (str_caseeq(name, (struct str){ known[name.len][i].name,
		    name.len }))
			return known[name.len][i].kind;
	return NOT_PLAIN;
}

static bool
read_header(struct plain *p, enum kind kind, struct str line,
    struct str value)
{
	switch (kind) {
	case VIA:
		return read_via(p, value);
	case FROM:
		p->from = line;
		return read_from(p, value);
	case TO:
		return read_to(p, value);
	case CALL_ID:
		p->call_id_line = line;
		return read_call_id(p, value);
	case CSEQ:
		p->cseq_line = line;
		return read_cseq(p, value);
	case MAX_FORWARDS:
		return piece_is_number(value, 1, UINT8_MAX);
	case CONTACT:
		return read_contact(value);
	case USER_AGENT:
		if (p->user_agent.p == NULL)
			p->user_agent = value;
		return true;
	case PASSED_OVER:
		return true;
	default:
		return false;
	}
}

/* With its CRLF; false: the head ends here, with the empty line if it is
 * whole. */
static bool
next_line(struct str *rest, struct str *line)
{
	const char *nl = memchr(rest->p, '\n', rest->len);

	*line = between(rest->p, rest->p);
	if (nl == NULL || nl == rest->p || nl[-1] != '\r')
		return false;
	line->len = (size_t)(nl + 1 - rest->p);
	rest->p += line->len;
	rest->len -= line->len;
	return line->len > 2;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "Name: value", with one blank, and nothing folded. */
static bool
cut(struct str line, struct str *name, struct str *value)
{
	*value = line;
	value->len -= 2;
	*name = piece_take(value, IN_MARK);
	return name->len > 0 && piece_text(value, ": ") && value->len > 0 &&
	    !is_blank(*value->p) && !is_blank(value->p[value->len - 1]);
}

/* rest: behind the start line; what is left of it then is the body. */
static bool
read_headers(struct plain *p, struct str *rest, struct str *length)
{
	struct str line, name, value;
	enum kind kind;
	unsigned seen = 0;

	while (next_line(rest, &line)) {
		if (!cut(line, &name, &value))
			return false;
		kind = kind_of(name);
		if (kind < ONCE && (seen & 1u << kind))
			return false;
		if (kind < ONCE)
			seen |= 1u << kind;
		if (kind == LENGTH)
			*length = value;
		else if (!read_header(p, kind, line, value))
			return false;
	}
	return line.len == 2 && (seen & NEEDED) == NEEDED;
}

bool
plain_read(struct plain *p, struct str bytes)
{
	struct str line, length = { NULL, 0 };

	memset(p, 0, sizeof *p);
	return next_line(&bytes, &line) && read_start(p, line) &&
	    read_headers(p, &bytes, &length) && (length.p == NULL ||
	    piece_is_number(length, bytes.len, bytes.len));
}
