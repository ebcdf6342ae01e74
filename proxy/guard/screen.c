/*
 * screen.c -- are these bytes the head of a SIP message that everybody reads
 * in the same way?
 */
#include "config.h"

#include "guard/screen.h"

#include <string.h>

#include "base/text.h"
#include "base/grammar.h"

enum { LENGTH_MAX = 0x7fffffff };	/* of a body */

static bool
is_token(char c)
{
	return grammar_is(c, IN_TOKEN);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What can be told by the first bytes, before the line is complete. */
static enum head_verdict
judge_first(const char *p, size_t len)
{
	if (screen_is_stun(p, len))
		return HEAD_STUN;
	if (p[0] == '\0')
		return HEAD_NUL;
	if (p[0] == '\n')
		return HEAD_BARE_LF;
	if (p[0] != '\r' && !is_token(p[0]))
		return HEAD_NOT_SIP;
	return HEAD_MORE;
}

/* RFC 3261 20.14: one Content-Length, digits only.  With a second one, or
 * "5, 6", the next hop may cut the stream elsewhere than we do. */
static enum head_verdict
judge_length(struct head *h, struct str value)
{
	uint64_t n;

	if (h->has_length || !parse_uint(str_trim(value), LENGTH_MAX, &n))
		h->bad_length = true;
	else
		h->body = (int64_t)n;
	h->has_length = h->in_length = true;
	return HEAD_MORE;
}

/* A header line that begins with its name (RFC 3261 25.1, HCOLON). */
static enum head_verdict
judge_named(struct head *h, struct str line)
{
	struct str name = { .p = line.p, .len = 0 };
	size_t colon;

	while (name.len < line.len && is_token(line.p[name.len]))
		name.len++;
	for (colon = name.len; colon < line.len; colon++)
		if (!is_blank(line.p[colon]))
			break;
	if (name.len == 0 || colon == line.len || line.p[colon] != ':')
		return HEAD_BAD_NAME;
	h->in_length = false;
	if (!str_caseis(name, "content-length") && !str_caseis(name, "l"))
		return HEAD_MORE;
	return judge_length(h, (struct str){ .p = line.p + colon + 1,
	    .len = line.len - colon - 1 });
}

/* A line after the start line that is not empty. */
static enum head_verdict
judge_header(struct head *h, struct str line)
{
	if (h->max_lines > 0 && h->lines == h->max_lines)
		return HEAD_TOO_MANY;
	if (is_blank(line.p[0])) {
		if (h->lines++ == 0)
			return HEAD_FOLDED_START;
		h->bad_length |= h->in_length;
		return HEAD_MORE;
	}
	h->lines++;
	return judge_named(h, line);
}

/* A whole line, without its CRLF; `next` is where the one after it begins. */
static enum head_verdict
judge_line(struct head *h, struct str line, size_t next)
{
	if (!h->started) {
		if (line.len == 0)
			h->start = next;
		else
			h->started = true;
		return HEAD_MORE;
	}
	if (line.len > 0)
		return judge_header(h, line);
	h->len = next;
	if (!h->has_length || h->bad_length)
		h->body = -1;
	return h->bad_length ? HEAD_BAD_LENGTH : HEAD_WHOLE;
}

/* Is none of these 8 bytes below 16?  Looked at all at once. */
static bool
all_are_text(const char *p)
{
	const uint64_t each = UINT64_MAX / 255;
	uint64_t x;

	memcpy(&x, p, sizeof x);
	return ((x - 16 * each) & ~x & 128 * each) == 0;
}

/* Where the next byte stands that is the end of a line or forbidden. */
static size_t
next_control(const char *p, size_t i, size_t len)
{
	while (i + sizeof(uint64_t) <= len && all_are_text(p + i))
		i += sizeof(uint64_t);
	while (i < len && p[i] != '\r' && p[i] != '\n' && p[i] != '\0')
		i++;
	return i;
}

/* How far to look: no head may reach beyond. */
static size_t
reach(const struct head *h, size_t len)
{
	if (h->max_bytes > 0 && len - h->start > h->max_bytes)
		return h->start + h->max_bytes;
	return len;
}

/* The next line; HEAD_MORE with *complete false when it has no end yet. */
static enum head_verdict
next_line(struct head *h, const char *p, size_t len, bool *complete)
{
	size_t end = reach(h, len), i = next_control(p, h->scanned, end);
	struct str line = { .p = p + h->line, .len = i - h->line };

	*complete = false;
	h->scanned = i;
	if (i < end && p[i] == '\0')
		return HEAD_NUL;
	if (i < end && p[i] == '\n')
		return HEAD_BARE_LF;
	if (i + 1 >= end)		/* the LF may be on its way */
		return end < len ? HEAD_TOO_LONG : HEAD_MORE;
	if (p[i + 1] != '\n')
		return HEAD_BARE_CR;
	*complete = true;
	h->scanned = h->line = i + 2;
	return judge_line(h, line, i + 2);
}

enum head_verdict
screen_head(struct head *h, const char *p, size_t len)
{
	enum head_verdict v = HEAD_MORE;
	bool complete = true;

	while (v == HEAD_MORE && complete) {
		if (!h->started && h->start < len)
			v = judge_first(p + h->start, len - h->start);
		if (v == HEAD_MORE)
			v = next_line(h, p, len, &complete);
	}
	return v;
}

const char *
screen_verdict_name(enum head_verdict v)
{
	static const char *const names[] = {
#define V(id, name, help) [id] = name,
		HEAD_VERDICTS(V)
#undef V
	};

	return (unsigned)v < HEAD_VERDICT_COUNT ? names[v] : "?";
}

bool
screen_is_stun(const char *p, size_t len)
{
	static const char cookie[] = { 0x21, 0x12, (char)0xa4, 0x42 };

	return len >= 20 && (unsigned char)p[0] <= 1 &&
	    memcmp(p + 4, cookie, sizeof cookie) == 0;
}
