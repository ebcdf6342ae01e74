/*
 * stream.c -- cutting a TCP stream into messages.
 *
 * Bytes stay with us until a message is whole, so the library's parser never
 * sees half of one, nor two, nor anything whose head was not judged.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "transport/conns.h"
#include "transport/internal.h"
#include "transport/sofia_vt.h"

enum {
	ROUNDS = 8,		/* reads before others get their turn */
	ROOM_MIN = 2048		/* free bytes to read into */
};

static bool
is_reading(const struct conn *c)
{
	return c->fd != -1 && c->closing_ms == 0;
}

static void
next_message(struct transports *t, struct conn *c)
{
	c->head = transport_head(t);
	c->whole = false;
	c->partial_ms = 0;
}

/* A CRLF for each two of theirs (RFC 5626 3.5.1), unless something of ours
 * is on the way: it would land in the middle. */
static void
answer_keepalive(struct conn *c)
{
	static const char pong[] = "\r\n\r\n\r\n\r\n";
	size_t n = c->crlf / 4;

	c->crlf %= 4;
	if (n > sizeof pong / 2)
		n = sizeof pong / 2;
	if (n > 0 && !tport_has_queued(c->tp))
		(void)send(c->fd, pong, 2 * n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Blank lines between messages; returns the bytes used up. */
static size_t
blank_lines(struct transports *t, struct conn *c)
{
	size_t n = c->head.start;

	if (c->head.started || n == 0)
		return 0;
	c->crlf += (unsigned)n;
	answer_keepalive(c);
	c->head = transport_head(t);
	return n;
}

/* The head at p is whole.  Returns the bytes used up, 0 while the body is
 * not there yet. */
static size_t
message(struct transports *t, struct conn *c, const char *p, size_t len)
{
	const su_addrinfo_t *ai = tport_get_address(c->tp);
	struct delivery d = { .raw = { .connection = c->id } };
	size_t end = transport_frame(t, &c->head, len, true, &d);

	if (end > len)
		return 0;
	d.raw.p = p + c->head.start;
	d.raw.len = end - c->head.start;
	next_message(t, c);
	c->crlf = 0;
	c->spoke = true;
	if (d.damage != 0)	/* nobody knows where the next one begins */
		c->closing_ms = clock_mono_ms();
	if (!transport_hand_over(t, c->tp, &d,
	    (const su_sockaddr_t *)ai->ai_addr, (socklen_t)ai->ai_addrlen)) {
		transport_refuse(t, REFUSE_NO_MEMORY, &c->peer);
		tport_close(c->tp);
	}
	return end;
}

/* One step along the stream; 0: more bytes are needed, or it is over. */
static size_t
step(struct transports *t, struct conn *c, const char *p, size_t len)
{
	enum head_verdict v = HEAD_WHOLE;

	if (!c->whole)
		v = t->hooks.judge(&c->head, p, len);
	if (v == HEAD_MORE)
		return blank_lines(t, c);
	if (v == HEAD_WHOLE) {
		c->whole = true;
		return message(t, c, p, len);
	}
	transport_refuse(t, (enum refusal)v, &c->peer);
	tport_close(c->tp);
	return 0;
}

/* Returns how many bytes were used up. */
static size_t
cut(struct transports *t, struct conn *c, const char *p, size_t len)
{
	size_t done = 0, n;

	while (done < len && is_reading(c)) {
		n = step(t, c, p + done, len - done);
		if (n == 0)
			break;
		done += n;
	}
	if (done < len && c->partial_ms == 0)
		c->partial_ms = clock_mono_ms();
	return done;
}

static void
forget(struct conn *c)
{
	free(c->buf);
	c->buf = NULL;
	c->len = c->size = 0;
}

/* Room for more behind what is kept; doubles, so a dribble costs little. */
static bool
make_room(struct conn *c, size_t room)
{
	size_t size = c->size == 0 ? ROOM_MIN : c->size;
	char *buf;

	while (size - c->len < room)
		size *= 2;
	if (size == c->size)
		return true;
	buf = realloc(c->buf, size);
	if (buf == NULL)
		return false;
	c->buf = buf;
	c->size = size;
	return true;
}

/* Nothing was kept: the common case, and no memory is spent on it. */
static bool
take_fresh(struct transports *t, struct conn *c, size_t n)
{
	size_t done = cut(t, c, t->scratch, n);

	if (done == n || !is_reading(c))
		return true;
	if (!make_room(c, n - done))
		return false;
	memcpy(c->buf, t->scratch + done, n - done);
	c->len = n - done;
	return true;
}

static void
take_more(struct transports *t, struct conn *c, size_t n)
{
	size_t done;

	c->len += n;
	done = cut(t, c, c->buf, c->len);
	if (done == c->len || !is_reading(c)) {
		forget(c);
		return;
	}
	if (done > 0)
		memmove(c->buf, c->buf + done, c->len - done);
	c->len -= done;
}

/* One read.  As stream_read(), but 2 stands for "perhaps more". */
static int
read_once(struct transports *t, struct conn *c)
{
	bool kept = c->len > 0 && c->closing_ms == 0;
	ssize_t n;

	if (kept && !make_room(c, ROOM_MIN))
		goto nomem;
	if (kept)
		n = recv(c->fd, c->buf + c->len, c->size - c->len,
		    MSG_DONTWAIT);
	else
		n = recv(c->fd, t->scratch, DATAGRAM_MAX, MSG_DONTWAIT);
	if (n == 0)
		return 0;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == EINTR ? 1 : -1;
	if (c->closing_ms != 0)
		return 2;	/* read away, lest a RST overtakes our answer */
	c->active_ms = clock_mono_ms();
	tport_recv_bytes(c->tp, n, n);
	if (kept)
		take_more(t, c, (size_t)n);
	else if (!take_fresh(t, c, (size_t)n))
		goto nomem;
	return c->fd == -1 ? 1 : 2;
nomem:
	transport_refuse(t, REFUSE_NO_MEMORY, &c->peer);
	tport_close(c->tp);
	return 1;
}

int
stream_read(struct transports *t, struct conn *c)
{
	int rc = 2;

	for (int i = 0; i < ROUNDS && rc == 2; i++)
		rc = read_once(t, c);
	return rc == 2 ? 1 : rc;
}
