/*
 * tcp.c -- the "tcp" type: hooks that admit, read, and end connections.
 *
 * The library alone arms no timer before the first byte, starts its patience
 * anew with each byte, has no limit on connections, and turns in circles when
 * it is out of descriptors.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sofia-sip/su_wait.h>

#include "base/clock.h"
#include "transport/conns.h"
#include "transport/deliver.h"
#include "transport/internal.h"
#include "transport/sofia_vt.h"

static const struct tport_vtable *stock;
static struct tport_vtable type;	/* the library keeps a pointer to it */

static int
init_primary(struct tport_primary *pri, tp_name_t *tpn, su_addrinfo_t *ai,
    tagi_t const *tags, const char **culprit)
{
	struct transports *t = transport_self();
	int one = 1, fd;

	*culprit = "closed";
	errno = ENXIO;
	if (t == NULL)
		return -1;
	*culprit = "socket";
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return -1;
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof one);
	/* From here on the descriptor is the library's. */
	if (tport_stream_init_primary(pri, fd, tpn, ai, tags, culprit) == -1)
		return -1;
	*culprit = "listen";
	if (listen(fd, SOMAXCONN) == -1)
		return -1;
	*culprit = "memory";
	return transport_port_add(t, (tport_t *)pri, fd) == NULL ? -1 : 0;
}

/* Also called where init_primary() failed. */
static void
deinit_primary(struct tport_primary *pri)
{
	struct transports *t = transport_self();

	if (t != NULL)
		transport_port_remove(t, (tport_t *)pri);
}

/* Out of descriptors: the caller would wait in the queue, and the loop be
 * woken by it for ever.  Give up the spare one to take it and hang up. */
static void
shed(struct transports *t, int listening)
{
	int fd;

	if (t->spare_fd != -1)
		close(t->spare_fd);
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1)
		close(fd);
	t->spare_fd = eventfd(0, EFD_CLOEXEC);
	transport_refuse(t, REFUSE_DESCRIPTORS, NULL);
}

static int
wakeup_primary(struct tport_primary *pri, int events)
{
	struct transports *t = transport_self();
	struct port *port = transport_port(t, (tport_t *)pri);
	int probe;

	if ((events & SU_WAIT_ACCEPT) && port != NULL) {
		probe = eventfd(0, EFD_CLOEXEC);
		if (probe == -1) {
			shed(t, port->fd);
			return 0;
		}
		close(probe);
	}
	return tport_accept(pri, events);
}

/* On -1 the library closes the descriptor. */
static int
init_secondary(tport_t *tp, int fd, int accepted, const char **reason)
{
	struct transports *t = transport_self();
	struct conn *c;
	enum refusal why;

	*reason = "refused";
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	c = conn_open(t, tp, fd, accepted != 0, &why);
	if (c == NULL)
		return -1;
	if (tport_tcp_init_secondary(tp, fd, accepted, reason) == -1)
		return -1;	/* deinit_secondary() comes */
	tport_set_secondary_timer(tp);
	return 0;
}

/* Long after the connection was closed: the library reaps in its own time.
 * Also called where init_secondary() failed. */
static void
deinit_secondary(tport_t *tp)
{
	struct transports *t = transport_self();
	struct conn *c = conn_of(t, tp);

	if (c != NULL)
		conn_free(t, c);
}

/* how 0, 1: half of it; 2: the descriptor is closed next. */
static void
on_shutdown(tport_t *tp, int how)
{
	struct transports *t = transport_self();
	struct conn *c = conn_of(t, tp);

	if (c == NULL || c->fd == -1)
		return;
	(void)shutdown(c->fd, how);
	if (how == 2)
		conn_close(t, c);
	else if (c->closing_ms == 0)
		c->closing_ms = clock_mono_ms();
}

static int
on_readable(tport_t *tp)
{
	struct transports *t = transport_self();
	struct conn *c = conn_of(t, tp);

	return c == NULL || c->fd == -1 ? 0 : stream_read(t, c);
}

static ssize_t
on_send(tport_t const *tp, msg_t *msg, msg_iovec_t *iov, size_t n)
{
	struct conn *c = conn_of(transport_self(), tp);
	ssize_t sent = stock->vtp_send(tp, msg, iov, n);

	if (c != NULL && sent > 0)
		c->active_ms = clock_mono_ms();
	return sent;
}

static int
next_timer(tport_t *tp, su_time_t *when, const char **reason)
{
	struct transports *t = transport_self();
	struct conn *c = conn_of(t, tp);
	enum refusal why;
	int64_t due, left;
	su_time_t at;

	if (c != NULL && (due = conn_due_ms(t, c, &why)) != INT64_MAX) {
		left = due - clock_mono_ms();
		at = su_time_add(su_now(), left < 1 ? 1 : (su_duration_t)left);
		if (su_time_cmp(at, *when) < 0) {
			*when = at;
			*reason = "deadline";
		}
	}
	return stock->vtp_next_secondary_timer(tp, when, reason);
}

/* What waits on a connection of ours must hear that nothing will come. */
static void
end(struct transports *t, struct conn *c, enum refusal why)
{
	if (c->closing_ms == 0)
		transport_refuse(t, why, &c->peer);
	if (c->accepted || why == REFUSE_IDLE)
		tport_close(c->tp);
	else
		tport_error_report(c->tp, ETIMEDOUT, NULL);
}

/* Asked once, when the time for connecting is over. */
static bool
is_connected(struct conn *c)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	if (!c->connected)
		c->connected = getpeername(c->fd, (struct sockaddr *)&ss,
		    &len) == 0;
	return c->connected;
}

static void
on_timer(tport_t *tp, su_time_t now)
{
	struct transports *t = transport_self();
	struct conn *c = conn_of(t, tp);
	enum refusal why;

	if (c != NULL && c->fd != -1 &&
	    conn_due_ms(t, c, &why) <= clock_mono_ms() &&
	    (why != REFUSE_CONNECT || !is_connected(c))) {
		end(t, c, why);
		return;
	}
	stock->vtp_secondary_timer(tp, now);	/* sets the timer again */
}

int
transport_tcp_register(void)
{
	if (stock != NULL)
		return 0;
	stock = tport_vtable_by_name("tcp", tport_type_local);
	if (stock == NULL || stock->vtp_init_secondary !=
	    tport_tcp_init_secondary || stock->vtp_send == NULL ||
	    stock->vtp_next_secondary_timer == NULL ||
	    stock->vtp_secondary_timer == NULL || stock->vtp_wakeup != NULL) {
		stock = NULL;
		return -ENOTSUP;
	}
	type = *stock;
	type.vtp_init_primary = init_primary;
	type.vtp_deinit_primary = deinit_primary;
	type.vtp_wakeup_pri = wakeup_primary;
	type.vtp_init_secondary = init_secondary;
	type.vtp_deinit_secondary = deinit_secondary;
	type.vtp_shutdown = on_shutdown;
	type.vtp_recv = on_readable;
	type.vtp_send = on_send;
	type.vtp_deliver = transport_deliver;
	type.vtp_next_secondary_timer = next_timer;
	type.vtp_secondary_timer = on_timer;
	return tport_register_type(&type) == 0 ? 0 : -ENOTSUP;
}
