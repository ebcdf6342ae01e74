#include "config.h"

#include "pipeline/plain.h"

#include <string.h>

enum {
	MARK = 1,			/* may stand in a token */
	WORD = 2,			/* in a Call-ID */
	URI = 4,			/* in a URI's user, or its parameters */
	HOST = 8,			/* in a name or an IPv4 address */
	NAME = 16			/* in a plain display name */
};

/* What each byte may stand in; by far not all that RFC 3261 25.1 allows. */
static const uint8_t class[256] = {
	['0'...'9'] = MARK | WORD | URI | HOST | NAME,
	['A'...'Z'] = MARK | WORD | URI | HOST | NAME,
	['a'...'z'] = MARK | WORD | URI | HOST | NAME,
	['-'] = MARK | WORD | URI | HOST, ['.'] = MARK | WORD | URI | HOST,
	['_'] = MARK | WORD | URI | NAME, ['!'] = MARK | WORD | URI,
	['~'] = MARK | WORD | URI, ['*'] = MARK | WORD | URI,
	['+'] = MARK | WORD | URI, ['\''] = MARK | WORD | URI,
	['`'] = MARK | WORD, ['@'] = WORD, [':'] = WORD,
	[' '] = NAME
};

/* What stands at the front and is of these classes. */
static struct str
take(struct str *s, unsigned classes)
{
	struct str out = { s->p, 0 };

	while (out.len < s->len && (class[(uint8_t)s->p[out.len]] & classes))
		out.len++;
	s->p += out.len;
	s->len -= out.len;
	return out;
}

static bool
take_text(struct str *s, const char *text)
{
	size_t n = strlen(text);

	if (s->len < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

static bool
is_port(struct str s)
{
	uint64_t port;

	return s.len <= 5 && parse_uint(s, UINT16_MAX, &port) && port > 0 &&
	    s.p[0] != '0';
}

/* "host", or "host:port". */
static bool
take_host(struct str *s, struct str *host, struct str *port)
{
	*host = take(s, HOST);
	*port = (struct str){ s->p, 0 };
	if (host->len == 0 || host->len > 200)
		return false;
	if (!take_text(s, ":"))
		return true;
	*port = take(s, MARK);
	return is_port(*port);
}

/* ";name", ";name=value" and so on, up to what is none. */
static bool
take_params(struct str *s)
{
	while (take_text(s, ";")) {
		if (take(s, MARK).len == 0)
			return false;
		if (take_text(s, "=") && take(s, MARK).len == 0)
			return false;
	}
	return true;
}

/* sip:user@host:port;parameters */
static bool
take_uri(struct str *s)
{
	struct str rest, host, port;

	if (!take_text(s, "sip:"))
		return false;
	rest = *s;
	if (take(&rest, URI).len > 0 && take_text(&rest, "@"))
		*s = rest;
	return take_host(s, &host, &port) && take_params(s);
}

/* Words, and a URI in brackets; or a name in quotes, of the same words. */
static bool
take_name_addr(struct str *s)
{
	if (take_text(s, "\"")) {
		take(s, NAME | MARK);
		if (!take_text(s, "\" "))
			return false;
	} else if (s->len > 0 && s->p[0] != '<') {
		struct str name = take(s, NAME);

		if (name.len < 2 || name.p[0] == ' ' ||
		    name.p[name.len - 1] != ' ')
			return false;
	}
	return take_text(s, "<") && take_uri(s) && take_text(s, ">");
}

static bool
read_from(struct plain *p, struct str value)
{
	if (!take_name_addr(&value) || !take_text(&value, ";tag="))
		return false;
	p->from_tag = take(&value, MARK);
	return p->from_tag.len > 0 && value.len == 0;
}

/* Without a tag: no dialog yet. */
static bool
read_to(struct plain *p, struct str value)
{
	p->to_value = value;
	return take_name_addr(&value) && value.len == 0;
}

static bool
read_call_id(struct plain *p, struct str value)
{
	p->call_id_value = take(&value, WORD);
	return p->call_id_value.len > 0 && p->call_id_value.p[0] != '@' &&
	    value.len == 0;
}

static bool
read_cseq(struct plain *p, struct str value)
{
	struct str digits = take(&value, MARK);
	uint64_t n;

	if (!parse_uint(digits, INT32_MAX, &n) || digits.len > 9 ||
	    (digits.len > 1 && digits.p[0] == '0'))
		return false;
	p->cseq_number = (uint32_t)n;
	return take_text(&value, " ") && str_eq(value, p->method);
}

/* "SIP/2.0/UDP host:port;branch=z9hG4bK...;rport", in any order. */
static bool
read_via(struct plain *p, struct str value)
{
	const char *begin;

	if (!take_text(&value, "SIP/2.0/UDP ") ||
	    !take_host(&value, &p->via_host, &p->via_port))
		return false;
	begin = value.p;
	while (value.len > 0) {
		const char *param = value.p;

		if (take_text(&value, ";branch=") && p->branch.p == NULL) {
			p->branch = take(&value, MARK);
		} else if (take_text(&value, ";rport") && !p->rport) {
			p->rport = true;
			p->before = (struct str){ begin,
				(size_t)(param - begin) };
			begin = value.p;
		} else {
			return false;
		}
	}
	p->after = (struct str){ begin, (size_t)(value.p - begin) };
	return p->branch.len > 7 && memcmp(p->branch.p, "z9hG4bK", 7) == 0;
}

/* The kinds of headers that matter; each once. */
enum kind { VIA, FROM, TO, CALL_ID, CSEQ, MAX_FORWARDS, LENGTH, CONTACT,
    KINDS, PASSED_OVER, NOT_PLAIN };

static const struct {
	const char	*name, *compact;
	enum kind	 kind;
} known[] = {
	{ "Via", "v", VIA }, { "From", "f", FROM }, { "To", "t", TO },
	{ "Call-ID", "i", CALL_ID }, { "CSeq", "", CSEQ },
	{ "Max-Forwards", "", MAX_FORWARDS },
	{ "Content-Length", "l", LENGTH }, { "Contact", "m", CONTACT },
	/* may decide something, so the full way decides it */
	{ "Authorization", "", NOT_PLAIN },
	{ "Proxy-Authorization", "", NOT_PLAIN },
	{ "Proxy-Require", "", NOT_PLAIN }, { "Route", "", NOT_PLAIN },
	{ "Record-Route", "", NOT_PLAIN }, { "Path", "", NOT_PLAIN },
	{ "Max-Breadth", "", NOT_PLAIN }, { "Timestamp", "", NOT_PLAIN },
};

static enum kind
kind_of(struct str name)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (str_caseis(name, known[i].name) ||
		    (*known[i].compact != '\0' &&
		    str_caseis(name, known[i].compact)))
			return known[i].kind;
	return PASSED_OVER;
}

static bool
is_number(struct str s, uint64_t least, uint64_t most)
{
	uint64_t n;

	return s.len > 0 && s.len <= 6 && parse_uint(s, most, &n) &&
	    n >= least;
}

static bool
read_contact(struct str value)
{
	return take_name_addr(&value) && take_params(&value) &&
	    value.len == 0;
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
		p->to = line;
		return read_to(p, value);
	case CALL_ID:
		p->call_id = line;
		return read_call_id(p, value);
	case CSEQ:
		p->cseq = line;
		return read_cseq(p, value);
	case MAX_FORWARDS:
		return is_number(value, 1, 255);
	case CONTACT:
		return read_contact(value);
	default:
		return kind == PASSED_OVER;
	}
}

/* Up to CRLF; false: the head ends here. */
static bool
next_line(struct str *rest, struct str *line)
{
	const char *nl = memchr(rest->p, '\n', rest->len);

	if (nl == NULL)
		return false;
	*line = (struct str){ rest->p, (size_t)(nl + 1 - rest->p) };
	rest->p += line->len;
	rest->len -= line->len;
	return line->len > 2;
}

/* "METHOD sip:... SIP/2.0" */
static bool
read_start(struct plain *p, struct str line)
{
	p->method = take(&line, MARK);
	if (p->method.len == 0 || str_is(p->method, "ACK") ||
	    str_is(p->method, "CANCEL"))
		return false;
	return take_text(&line, " ") && take_uri(&line) &&
	    take_text(&line, " SIP/2.0\r\n") && line.len == 0;
}

/* "Name: value", one blank, nothing folded. */
static bool
cut(struct str line, struct str *name, struct str *value)
{
	*value = line;
	value->len -= 2;
	*name = take(value, MARK);
	return name->len > 0 && take_text(value, ": ") && value->len > 0 &&
	    value->p[0] != ' ' && value->p[0] != '\t' &&
	    value->p[value->len - 1] != ' ' &&
	    value->p[value->len - 1] != '\t';
}

bool
plain_read(struct plain *p, struct str bytes)
{
	struct str line, name, value, length = { NULL, 0 };
	unsigned seen = 0;
	enum kind kind;

	memset(p, 0, sizeof *p);
	if (!next_line(&bytes, &line) || !read_start(p, line))
		return false;
	while (next_line(&bytes, &line)) {
		if (!cut(line, &name, &value))
			return false;
		kind = kind_of(name);
		if (kind < KINDS && (seen & 1u << kind))
			return false;
		seen |= kind < KINDS ? 1u << kind : 0;
		if (kind == LENGTH)
			length = value;
		else if (!read_header(p, kind, line, value))
			return false;
	}
	/* what is behind the body would be thrown away: see there */
	return (seen & 31) == 31 && (length.p == NULL ||
	    is_number(length, bytes.len, bytes.len));
}
