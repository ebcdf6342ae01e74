/*
 * balancer.c -- the PROXY header in front of a connection.
 *
 * What is behind it may be TLS, which reads the socket itself.  So bytes are
 * looked at first, and taken only as far as the header goes.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "transport/conn.h"
#include "transport/proxy_header.h"

/* Behind those that are kept; 0: nothing now, or it is over. */
static size_t
peek(struct conn *c, char *to, size_t room)
{
	ssize_t n = recv(c->fd, to, room, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return (size_t)n;
	if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != EINTR))
		conn_break(c, REFUSE_BEFORE, NULL);
	return 0;
}

/* They were there a moment ago. */
static bool
take_off(struct conn *c, size_t len)
{
	char gone[PROXY_HEADER_MAX];

	if (recv(c->fd, gone, len, MSG_DONTWAIT) == (ssize_t)len)
		return true;
	conn_break(c, REFUSE_PROXY, NULL);
	return false;
}

/* All that came belongs to the header. */
static bool
wait_for_more(struct conn *c, const char *p, size_t len)
{
	if (!take_off(c, len))
		return false;
	if (!buffer_add(&c->in, p, len))
		conn_break(c, REFUSE_NO_MEMORY, NULL);
	return false;
}

static bool
finish(struct conn *c, const struct proxy_header *h)
{
	/* What is kept was told to be part of it. */
	assert(h->len >= c->in.len);
	if (!take_off(c, h->len - c->in.len))
		return false;
	buffer_free(&c->in);
	if (!h->local)
		c->from = h->source;
	return true;
}

bool
conn_read_balancer(struct conn *c)
{
	char all[PROXY_HEADER_MAX];
	size_t kept = c->in.len, n;
	struct proxy_header h;

	if (kept > 0)
		memcpy(all, c->in.p + c->in.start, kept);
	n = peek(c, all + kept, sizeof all - kept);
	if (n == 0)
		return false;
	switch (proxy_header_parse(&h, all, kept + n, false)) {
	case PROXY_WHOLE:
		return finish(c, &h);
	case PROXY_MORE:
		if (kept + n < sizeof all)
			return wait_for_more(c, all + kept, n);
		break;
	case PROXY_BAD:
		break;
	}
	conn_break(c, REFUSE_PROXY, NULL);
	return false;
}
