/*
 * log.c -- one event a line, as typed key=value pairs.
 *
 * A line is made in full before it is gathered, and no line is longer than
 * what a pipe takes in one piece, so lines never tear.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	LINE_MAX_BYTES = 4096,		/* PIPE_BUF of Linux; with newline */
	TAIL_BYTES = 80,		/* kept free for mark and newline */
	VALUE_MAX_BYTES = 1024,		/* of one value, escaped */
	ESCAPE_MAX = 16,		/* of one character, with NUL */
	GATHER_BYTES = 64 * 1024
};

static const struct {
	const char	*name, *help;
	enum log_level	 level;
} event_row[EV_COUNT] = {
#define E(id, n, l, h) [id] = { n, h, LEVEL_##l },
	EVENTS(E)
#undef E
};

static const char *const level_name[] = {
	[LEVEL_ERROR] = "error", [LEVEL_WARNING] = "warning",
	[LEVEL_NOTICE] = "notice", [LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug"
};

/* The one mutable object of this part: see log.h. */
static struct {
	bool		 is_open;
	int		 fd;
	enum log_format	 format;
	enum log_level	 least;
	bool		 stamps;	/* nobody else notes the time */
	uint64_t	 lost, lost_said;
	size_t		 len;
	char		 gathered[GATHER_BYTES];
} sink;

struct line {
	enum log_format	 format;
	size_t		 len, limit;
	const char	*cut;		/* key of the first value cut short */
	char		 b[LINE_MAX_BYTES];
};

static bool
line_put(struct line *l, const char *s, size_t n)
{
	if (n > l->limit - l->len)
		return false;
	memcpy(l->b + l->len, s, n);
	l->len += n;
	return true;
}

static bool
line_puts(struct line *l, const char *s)
{
	return line_put(l, s, strlen(s));
}

/* Controls of C0 and C1, and what reorders or breaks a line on a screen. */
static bool
is_sly(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e ||
	    c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

/* One piece of a value as it stands in the line; returns the bytes of s that
 * it covers. */
static size_t
escape_text(struct str s, char out[ESCAPE_MAX])
{
	uint32_t c;
	size_t len = utf8_decode(s, &c);

	if (len == 0 || is_sly(c) || c == '"' || c == '\\') {
		/* A sequence goes byte by byte: the rest of it is no valid
		 * start, so it comes here again. */
		snprintf(out, ESCAPE_MAX, "\\x%02x", (unsigned char)s.p[0]);
		return 1;
	}
	memcpy(out, s.p, len);
	out[len] = '\0';
	return len;
}

static size_t
escape_json(struct str s, char out[ESCAPE_MAX])
{
	uint32_t c;
	size_t len = utf8_decode(s, &c);

	if (len == 0) {
		strcpy(out, "\\ufffd");
		return 1;
	}
	if (is_sly(c)) {
		snprintf(out, ESCAPE_MAX, "\\u%04" PRIx32, c);
	} else if (c == '"' || c == '\\') {
		snprintf(out, ESCAPE_MAX, "\\%c", (int)c);
	} else {
		memcpy(out, s.p, len);
		out[len] = '\0';
	}
	return len;
}

/* false: cut short. */
static bool
put_quoted(struct line *l, struct str s)
{
	size_t end = l->len + VALUE_MAX_BYTES, step;
	char piece[ESCAPE_MAX];
	bool whole = true;

	if (!line_puts(l, "\""))
		return false;
	for (; s.len > 0 && whole; s = str_from(s, step)) {
		step = l->format == LOG_JSON ? escape_json(s, piece) :
		    escape_text(s, piece);
		/* One byte stays for the quote. */
		whole = l->len + strlen(piece) <= end &&
		    l->len + strlen(piece) < l->limit &&
		    line_puts(l, piece);
	}
	line_puts(l, "\"");
	return whole;
}

static bool
put_value(struct line *l, const struct kv *p)
{
	char num[24];

	switch (p->type) {
	case KV_STR:
		return put_quoted(l, str_of(p->v.str == NULL ? "-" :
		    p->v.str));
	case KV_MEM:
		return put_quoted(l, (struct str){ p->v.str, p->len });
	case KV_INT:
		snprintf(num, sizeof num, "%" PRId64, p->v.i);
		return line_puts(l, num);
	case KV_UINT:
		snprintf(num, sizeof num, "%" PRIu64, p->v.u);
		return line_puts(l, num);
	case KV_BOOL:
		return line_puts(l, p->v.b ? "true" : "false");
	case KV_END:
		break;
	}
	return false;
}

static bool
put_key(struct line *l, const char *key)
{
	const char *before = l->format == LOG_JSON ?
	    (l->len == 0 ? "{\"" : ",\"") : (l->len == 0 ? "" : " ");

	return line_puts(l, before) && line_puts(l, key) &&
	    line_puts(l, l->format == LOG_JSON ? "\":" : "=");
}

static void
put_pair(struct line *l, const struct kv *p)
{
	/* No value is shorter than two bytes with its quotes or digits, so a
	 * key without room behind it is left out whole. */
	size_t start = l->len, need = strlen(p->key) + 8 + 24;

	if (need > l->limit - start || !put_key(l, p->key)) {
		if (l->cut == NULL)
			l->cut = p->key;
		return;
	}
	if (!put_value(l, p) && l->cut == NULL)
		l->cut = p->key;
}

/* A word of our own tables: quoted in JSON only. */
static void
put_word(struct line *l, const char *key, const char *word)
{
	const char *quote = l->format == LOG_JSON ? "\"" : "";

	put_key(l, key);
	line_puts(l, quote);
	line_puts(l, word);
	line_puts(l, quote);
}

static void
put_stamp(struct line *l)
{
	int64_t now = clock_unix_ms();
	time_t s = (time_t)(now / 1000);
	char day[32], text[48];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof text, "%s.%03dZ", day, (int)(now % 1000));
	put_word(l, "ts", text);
}

static void
make_line(struct line *l, enum event ev, const struct kv *pairs)
{
	l->format = sink.format;
	l->len = 0;
	l->limit = sizeof l->b - TAIL_BYTES;
	l->cut = NULL;
	if (sink.stamps || l->format == LOG_JSON)
		put_stamp(l);
	put_word(l, "level", level_name[event_row[ev].level]);
	put_word(l, "event", event_row[ev].name);
	for (; pairs->type != KV_END; pairs++)
		put_pair(l, pairs);
	l->limit = sizeof l->b - 2;
	if (l->cut != NULL && strlen(l->cut) < TAIL_BYTES / 2)
		put_word(l, "cut", l->cut);
	l->limit = sizeof l->b;
	line_puts(l, l->format == LOG_JSON ? "}\n" : "\n");
}

static bool
gather(const struct line *l)
{
	if (l->len > sizeof sink.gathered - sink.len)
		return false;
	memcpy(sink.gathered + sink.len, l->b, l->len);
	sink.len += l->len;
	return true;
}

/* Say how many lines were lost, once for all of them: when the reader has
 * caught up with half of what was gathered. */
static void
gather_lost(void)
{
	uint64_t n = sink.lost - sink.lost_said;
	struct line l;

	if (n == 0 || sink.len > sizeof sink.gathered / 2 ||
	    !log_wants(event_row[EV_LOG_LOST].level))
		return;
	make_line(&l, EV_LOG_LOST,
	    (const struct kv[]){ kv_uint("lines", n), { .type = KV_END } });
	if (gather(&l))
		sink.lost_said = sink.lost;
}

/* Whole lines at the front, no more than a pipe takes in one piece. */
static size_t
front(void)
{
	size_t n = sink.len < PIPE_BUF ? sink.len : PIPE_BUF;
	const char *end = memrchr(sink.gathered, '\n', n);

	return end == NULL ? n : (size_t)(end - sink.gathered) + 1;
}

static void
drop_front(size_t n)
{
	memmove(sink.gathered, sink.gathered + n, sink.len - n);
	sink.len -= n;
}

/* The descriptor is broken: nobody will ever read these lines. */
static void
drop_all(void)
{
	for (size_t i = 0; i < sink.len; i++)
		sink.lost += sink.gathered[i] == '\n';
	sink.len = 0;
}

/* false: the descriptor takes nothing now. */
static bool
write_front(void)
{
	struct pollfd p = { .fd = sink.fd, .events = POLLOUT };
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return false;
	n = write(sink.fd, sink.gathered, front());
	if (n >= 0) {
		drop_front((size_t)n);
		return n > 0;
	}
	if (errno != EAGAIN && errno != EINTR)
		drop_all();
	return false;
}

/* Does the journal listen at this descriptor?  It says so by
 * JOURNAL_STREAM=device:inode (systemd.exec(5)). */
static bool
is_journal(int fd)
{
	const char *is = getenv("JOURNAL_STREAM");
	struct stat st;
	char want[64];

	if (is == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(want, sizeof want, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(is, want) == 0;
}

void
log_open(int fd, enum log_format format, enum log_level least)
{
	log_flush();
	sink.is_open = true;
	sink.fd = fd;
	sink.format = format;
	sink.least = least;
	sink.stamps = !is_journal(fd);
}

bool
log_wants(enum log_level level)
{
	return level <= (sink.is_open ? sink.least : LEVEL_INFO);
}

void
log_write(enum event ev, const struct kv *pairs)
{
	struct line l;

	if (!log_wants(event_row[ev].level))
		return;
	if (!sink.is_open)
		log_open(STDERR_FILENO, LOG_TEXT, LEVEL_INFO);
	make_line(&l, ev, pairs);
	if (l.len > sizeof sink.gathered - sink.len)
		log_flush();
	gather_lost();
	if (!gather(&l))
		sink.lost++;
	if (event_row[ev].level <= LEVEL_WARNING)
		log_flush();
}

void
log_flush(void)
{
	if (!sink.is_open)
		return;
	gather_lost();
	while (sink.len > 0 && write_front())
		gather_lost();
}

uint64_t
log_lost(void)
{
	return sink.lost;
}

const char *
log_event_name(enum event ev)
{
	return event_row[ev].name;
}

const char *
log_event_help(enum event ev)
{
	return event_row[ev].help;
}

enum log_level
log_event_level(enum event ev)
{
	return event_row[ev].level;
}
