/*
 * stream.c -- cutting a stream of bytes into messages.
 *
 * Bytes stay with us until a message is whole, so the parser never sees half
 * of one, nor two, nor anything whose head was not judged.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "transport/conn.h"

enum {
	ROUNDS = 8,		/* reads before others get their turn */
	ROOM_MIN = 2048		/* free bytes to read into */
};

static void
next_message(struct conn *c)
{
	c->head = transport_head(c->t);
	c->whole = false;
	deadline_stop(c, DUE_WHOLE);
}

/* A CRLF for each two of theirs (RFC 5626 3.5.1); not to one who does not
 * listen. */
static void
answer_keepalive(struct conn *c)
{
	static const char pong[] = "\r\n\r\n\r\n\r\n";
	size_t n = c->crlf / 4;

	c->crlf %= 4;
	if (n > sizeof pong / 2)
		n = sizeof pong / 2;
	if (n > 0 && c->out.len == 0)
		(void)conn_write(c, pong, 2 * n);
}

/* Blank lines between messages; returns the bytes used up. */
static size_t
blank_lines(struct conn *c)
{
	size_t n = c->head.start;

	if (c->head.started || n == 0)
		return 0;
	c->crlf += (unsigned)n;
	answer_keepalive(c);
	next_message(c);
	return n;
}

static struct delivery
delivery_of(const struct conn *c)
{
	return (struct delivery){ .arrived = {
		.port = c->port, .transport = c->port->conf.transport,
		.connection = c->id, .source = c->from, .reach = c->peer,
		.peer = c->tls == NULL ? NULL : tls_peer(c->tls)
	} };
}

/* The head at p is whole.  Returns the bytes used up, 0 while the body is
 * not there yet. */
static size_t
message(struct conn *c, const char *p, size_t len)
{
	struct delivery d = delivery_of(c);
	size_t end = transport_frame(c->t, &c->head, len, true, &d);

	if (end > len)
		return 0;
	d.arrived.raw = p + c->head.start;
	d.arrived.len = end - c->head.start;
	next_message(c);
	deadline_stop(c, DUE_FIRST);
	c->crlf = 0;
	c->spoke = true;
	if (d.damage != 0)	/* nobody knows where the next one begins */
		conn_finish(c, CONN_LAST);
	if (!transport_deliver(c->t, &d))
		conn_break(c, REFUSE_NO_MEMORY, NULL);
	return end;
}

/* One step along the stream; 0: more bytes are needed, or it is over. */
static size_t
step(struct conn *c, const char *p, size_t len)
{
	enum head_verdict v = HEAD_WHOLE;
	bool whole;

	if (!c->whole)
		v = c->t->hooks.judge(&c->head, p, len);
	if (v == HEAD_MORE)
		return blank_lines(c);
	whole = v == HEAD_WHOLE || v == HEAD_BAD_LENGTH;
	/* the list may have changed since the connection was let in */
	if (whole && !transport_admits(c->t, &c->from)) {
		conn_break(c, REFUSE_BANNED, NULL);
		return 0;
	}
	if (whole) {
		c->whole = true;
		return message(c, p, len);
	}
	conn_break(c, (enum refusal)v, NULL);
	return 0;
}

/* Returns how many bytes were used up. */
static size_t
cut(struct conn *c, const char *p, size_t len)
{
	size_t done = 0, n;

	while (done < len && conn_is_reading(c)) {
		n = step(c, p + done, len - done);
		if (n == 0)
			break;
		done += n;
	}
	if (done < len && conn_is_reading(c) && c->due[DUE_WHOLE].next == NULL)
		deadline_start(c, DUE_WHOLE);
	return done;
}

/* Nothing was kept: the common case, and no memory is spent on it. */
static void
take_fresh(struct conn *c, size_t n)
{
	const char *p = c->t->scratch;
	size_t done = cut(c, p, n);

	if (done < n && conn_is_reading(c) &&
	    !buffer_add(&c->in, p + done, n - done))
		conn_break(c, REFUSE_NO_MEMORY, NULL);
}

static void
take_more(struct conn *c, size_t n)
{
	c->in.len += n;
	buffer_take(&c->in, cut(c, c->in.p + c->in.start, c->in.len));
}

static ssize_t
receive(struct conn *c, char *to, size_t room)
{
	ssize_t n;

	if (c->tls == NULL) {
		n = recv(c->fd, to, room, MSG_DONTWAIT);
		if (n >= 0)
			return n;
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN :
		    -errno;
	}
	n = tls_read(c->tls, to, room);
	c->read_wants_out = n == -EAGAIN && tls_wants_out(c->tls);
	return n;
}

/* The peer has closed its half: what waits for it is still sent. */
static void
no_bytes(struct conn *c, ssize_t n)
{
	if (n == 0)
		conn_finish(c, CONN_DRAIN);
	else if (n != -EAGAIN && c->tls != NULL)
		conn_break_tls(c);
	else if (n != -EAGAIN)
		conn_break(c, REFUSE_BEFORE, NULL);
}

/* true: perhaps there is more. */
static bool
read_once(struct conn *c)
{
	bool kept = c->in.len > 0;
	char *to = c->t->scratch;
	size_t room = DATAGRAM_MAX;
	ssize_t n;

	if (kept && !buffer_room(&c->in, ROOM_MIN)) {
		conn_break(c, REFUSE_NO_MEMORY, NULL);
		return false;
	}
	if (kept) {
		to = c->in.p + c->in.start + c->in.len;
		room = c->in.size - c->in.start - c->in.len;
	}
	n = receive(c, to, room);
	if (n <= 0) {
		no_bytes(c, n);
		return false;
	}
	deadline_use(c);
	if (kept)
		take_more(c, (size_t)n);
	else
		take_fresh(c, (size_t)n);
	return c->tls != NULL ? tls_has_bytes(c->tls) : (size_t)n == room;
}

void
conn_read(struct conn *c)
{
	for (int i = 0; i < ROUNDS; i++)
		if (!read_once(c) || !conn_is_reading(c))
			return;
	/* The loop knows only of what is still in the socket. */
	if (c->tls != NULL && tls_has_bytes(c->tls))
		deadline_start(c, DUE_SOON);
}
