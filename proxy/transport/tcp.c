/*
 * tcp.c -- the sockets of TCP, for TLS too: listening, accepting, connecting.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "io/loop.h"
#include "transport/conns.h"

enum {
	ACCEPTS = 32,		/* connections before others get their turn */
	/*
	 * Behind a NAT or a switch whose power failed nobody hangs up.  The
	 * kernel asks who was silent for a while (RFC 1122 4.2.3.6) if he is
	 * there, and who takes nothing, is not: else the connections of a
	 * whole office hold its places for limits.idle.
	 */
	SILENT_S = 120,
	ASK_AGAIN_S = 10,
	ASK_TIMES = 6,		/* a phone may be in a tunnel for so long */
	GONE_MS = (SILENT_S + ASK_TIMES * ASK_AGAIN_S) * 1000
};

enum caller {
	CALLER_TAKEN,
	CALLER_NONE,		/* nobody waits any more */
	CALLER_NO_ROOM		/* no descriptor is left, or no memory */
};

static int
stream_socket(const struct addr *a)
{
	return socket(addr_is_v4(a) ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int
bind_to(int fd, const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);

	return bind(fd, (struct sockaddr *)&ss, len);
}

static void
learn_address(struct port *p)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	if (getsockname(p->fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr(&p->conf.addr, (struct sockaddr *)&ss);
}

/* Out of descriptors, and nobody is there to make room: the caller would wait
 * in the queue, and the loop be woken by it for ever.  Give up the spare one
 * to take it and hang up. */
static void
shed(struct port *p)
{
	struct conns *cs = p->t->conns;
	int fd;

	if (cs->spare_fd != -1)
		close(cs->spare_fd);
	fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1)
		close(fd);
	cs->spare_fd = eventfd(0, EFD_CLOEXEC);
	transport_refuse(p->t, REFUSE_DESCRIPTORS, NULL);
}

static enum caller
accept_one(struct port *p)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct addr peer;
	int fd = accept4(p->fd, (struct sockaddr *)&ss, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1 && (errno == EMFILE || errno == ENFILE ||
	    errno == ENOBUFS || errno == ENOMEM))
		return CALLER_NO_ROOM;
	if (fd == -1)	/* of one who hung up meanwhile: the next may not */
		return errno != EAGAIN && errno != EWOULDBLOCK ?
		    CALLER_TAKEN : CALLER_NONE;
	if (!addr_from_sockaddr(&peer, (struct sockaddr *)&ss)) {
		close(fd);
		return CALLER_TAKEN;
	}
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY);
	conn_accept(p, fd, &peer);
	return CALLER_TAKEN;
}

/* accept() asks for a descriptor before it looks whether somebody waits.  That
 * is known of the first caller only: nobody makes room for what may not be. */
static void
on_callers(void *arg, unsigned events)
{
	struct port *p = arg;
	struct conns *cs = p->t->conns;
	enum caller got;

	(void)events;
	if (cs->spare_fd == -1)
		cs->spare_fd = eventfd(0, EFD_CLOEXEC);
	got = accept_one(p);
	if (got == CALLER_NO_ROOM && !conns_make_room(cs))
		shed(p);
	for (int i = 1; i < ACCEPTS && got == CALLER_TAKEN; i++)
		got = accept_one(p);
}

/* What was accepted inherits it.  A kernel that cannot leaves it to
 * limits.idle. */
static void
notice_who_is_gone(int fd)
{
	static const struct { int name, value; } option[] = {
		{ TCP_KEEPIDLE, SILENT_S }, { TCP_KEEPINTVL, ASK_AGAIN_S },
		{ TCP_KEEPCNT, ASK_TIMES }, { TCP_USER_TIMEOUT, GONE_MS }
	};

	socket_set(fd, SOL_SOCKET, SO_KEEPALIVE);
	for (size_t i = 0; i < COUNT(option); i++)
		(void)setsockopt(fd, IPPROTO_TCP, option[i].name,
		    &option[i].value, sizeof option[i].value);
}

static int
listen_at(struct port *p)
{
	socket_set(p->fd, SOL_SOCKET, SO_REUSEADDR);
	notice_who_is_gone(p->fd);
	if (!addr_is_v4(&p->conf.addr))
		socket_set(p->fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (bind_to(p->fd, &p->conf.addr) == -1 ||
	    listen(p->fd, SOMAXCONN) == -1)
		return -errno;
	learn_address(p);
	p->watch = loop_fd_new(p->t->loop, p->fd, LOOP_IN, on_callers, p);
	return p->watch == NULL ? -ENOMEM : 0;
}

/* From the address of the port, at any port of it; the kernel picks it when
 * it knows to where, so that many fit. */
static int
connect_from(int fd, const struct addr *from, const struct addr *to)
{
	struct addr local = *from;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(to, &ss);

	local.port = 0;
	socket_set(fd, IPPROTO_TCP, TCP_NODELAY);
	notice_who_is_gone(fd);
	socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	if (bind_to(fd, &local) == -1)
		return -errno;
	if (connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

static int
connect_to(struct transports *t, const struct hop *h, struct conn **c)
{
	int fd = stream_socket(&h->addr), rc;

	if (fd == -1)
		return -errno;
	rc = connect_from(fd, &h->port->conf.addr, &h->addr);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*c = conn_new(t, h, fd);
	return *c == NULL ? -ENOMEM : 0;
}

/* Can a connection be made for it at all? */
static bool
is_sound(const struct hop *h)
{
	union way_room key;

	return (h->port->conf.transport != TRANSPORT_TLS ||
	    h->tls.context != NULL) && way_of(&key.way, h) > 0;
}

int
tcp_open(struct port *p)
{
	int rc;

	p->fd = stream_socket(&p->conf.addr);
	if (p->fd == -1)
		return -errno;
	rc = listen_at(p);
	if (rc < 0)
		tcp_close(p);
	return rc;
}

void
tcp_close(struct port *p)
{
	loop_fd_free(p->watch);
	close(p->fd);
}

int
tcp_send(struct transports *t, const struct hop *h, const void *bytes,
    size_t len, uint32_t *connection)
{
	struct conn *c;
	int rc = -ENOTCONN;

	c = h->connection != 0 ? conns_find(t->conns, h->connection) :
	    conns_find_way(t->conns, h);
	if (c != NULL)
		rc = conn_write(c, bytes, len);
	/* A peer that just hung up takes nothing, but may take a new one. */
	if (h->connection == 0 && (c == NULL ||
	    (rc < 0 && rc != -ENOBUFS && rc != -ENOMEM))) {
		if (!is_sound(h))
			return -EINVAL;
		rc = connect_to(t, h, &c);
		if (rc == 0)
			rc = conn_write(c, bytes, len);
	}
	if (rc == 0 && connection != NULL)
		*connection = c->id;
	return rc;
}
