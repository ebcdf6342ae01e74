/*
 * outbox.c -- what goes out over a connection: at once, or when it can.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "transport/conn.h"

/* As much as is taken; -EAGAIN: nothing now. */
static ssize_t
put_out(struct conn *c, const void *p, size_t len)
{
	ssize_t n;

	if (c->tls == NULL) {
		n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			return n;
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN :
		    -errno;
	}
	n = tls_write(c->tls, p, len);
	c->write_wants_in = n == -EAGAIN && !tls_wants_out(c->tls);
	return n;
}

/* One message may always wait, however long it is. */
static bool
is_full(const struct conn *c, size_t more)
{
	int64_t max = c->t->conf.unsent_bytes;

	return max > 0 && c->out.len > 0 &&
	    c->out.len + more > (size_t)max;
}

static int
keep(struct conn *c, const char *p, size_t len)
{
	if (!buffer_add(&c->out, p, len)) {
		conn_break(c, REFUSE_NO_MEMORY, NULL);
		return -ENOMEM;
	}
	*c->t->unsent += len;
	if (c->state == CONN_OPEN)
		conn_watch(c);
	return 0;
}

/* What is about to end is no more one that could make room. */
static void
note_use(struct conn *c)
{
	if (c->state == CONN_OPEN)
		deadline_use(c);
}

int
conn_write(struct conn *c, const void *p, size_t len)
{
	ssize_t n = 0;

	if (c->state >= CONN_DRAIN)
		return -ENOTCONN;
	if (is_full(c, len)) {
		conn_break(c, REFUSE_UNSENT, NULL);
		return -ENOBUFS;
	}
	if (c->state >= CONN_OPEN && c->out.len == 0) {
		n = put_out(c, p, len);
		if (n < 0 && n != -EAGAIN) {
			conn_break(c, REFUSE_BEFORE, NULL);
			return (int)n;
		}
		if (n < 0)
			n = 0;
		else
			note_use(c);
	}
	if ((size_t)n == len)
		return 0;
	return keep(c, (const char *)p + n, len - (size_t)n);
}

void
conn_flush(struct conn *c)
{
	while (c->out.len > 0) {
		ssize_t n = put_out(c, c->out.p + c->out.start, c->out.len);

		if (n == -EAGAIN)
			return;
		if (n < 0) {
			conn_break(c, REFUSE_BEFORE, NULL);
			return;
		}
		buffer_take(&c->out, (size_t)n);
		*c->t->unsent -= (size_t)n;
		note_use(c);
	}
}
