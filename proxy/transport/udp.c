/*
 * udp.c -- the "udp" type: a socket of ours, read by us.
 *
 * The library's own reading spends an ioctl on each datagram, answers STUN on
 * the SIP port and hands everything to the parser.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

#include "transport/deliver.h"
#include "transport/internal.h"
#include "transport/sofia_vt.h"

enum { ROUNDS = 32 };		/* datagrams before others get their turn */

static const struct tport_vtable *stock;
static struct tport_vtable type;	/* the library keeps a pointer to it */

/* A datagram and what came with it. */
struct inbox {
	su_sockaddr_t	from;
	socklen_t	fromlen;
	size_t		len;
	unsigned	ifindex;
};

static void
set_flag(int fd, int level, int name)
{
	int one = 1;

	/* What fails here costs comfort, not correctness. */
	(void)setsockopt(fd, level, name, &one, sizeof one);
}

static void
set_buffers(int fd, tagi_t const *tags)
{
	unsigned in = 0, out = 0;

	tl_gets(tags, TPTAG_UDP_RMEM_REF(in), TPTAG_UDP_WMEM_REF(out),
	    TAG_END());
	if (in > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &in,
	    sizeof in) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &in, sizeof in);
	if (out > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &out,
	    sizeof out) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &out, sizeof out);
}

/* Each address family has its own socket; errors come through the error
 * queue with the address they are about; datagrams may be fragmented. */
static void
set_options(int fd, int family)
{
	int dont = IP_PMTUDISC_DONT;

	if (family == AF_INET6) {
		set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
		set_flag(fd, IPPROTO_IPV6, IPV6_RECVERR);
		set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		return;
	}
	set_flag(fd, IPPROTO_IP, IP_RECVERR);
	set_flag(fd, IPPROTO_IP, IP_PKTINFO);
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof dont);
}

static int
bound_socket(const su_addrinfo_t *ai, tagi_t const *tags)
{
	int fd, e;

	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return -1;
	set_options(fd, ai->ai_family);
	set_buffers(fd, tags);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

static bool
is_bound_to(int fd, const su_addrinfo_t *ai)
{
	su_sockaddr_t sa;
	socklen_t len = sizeof sa, typelen = sizeof(int);
	int kind;

	memset(&sa, 0, sizeof sa);
	return getsockname(fd, &sa.su_sa, &len) == 0 &&
	    len == ai->ai_addrlen && memcmp(&sa, ai->ai_addr, len) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &typelen) == 0 &&
	    kind == SOCK_DGRAM;
}

/* The library does not tell its descriptor, but by its name it is found. */
static int
find_socket(const su_addrinfo_t *ai)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == -1)
		return -1;
	for (int fd = 0; (rlim_t)fd < lim.rlim_cur; fd++)
		if (is_bound_to(fd, ai))
			return fd;
	errno = EBADF;
	return -1;
}

/* Let the library bind to some port, then put our socket in the place of
 * its own: from then on its descriptor is ours. */
static int
replace_socket(struct tport_primary *pri, int ours, tp_name_t *tpn,
    su_addrinfo_t *ai, tagi_t const *tags, const char **culprit)
{
	su_sockaddr_t *su = (su_sockaddr_t *)ai->ai_addr;
	socklen_t len = sizeof *su;
	int fd;

	su->su_port = 0;
	if (stock->vtp_init_primary(pri, tpn, ai, tags, culprit) == -1)
		return -1;
	*culprit = "dup3";
	fd = find_socket(ai);
	if (fd == -1 || dup3(ours, fd, O_CLOEXEC) == -1)
		return -1;
	if (getsockname(fd, &su->su_sa, &len) == -1)
		return -1;
	ai->ai_addrlen = len;
	return fd;
}

static int
init_primary(struct tport_primary *pri, tp_name_t *tpn, su_addrinfo_t *ai,
    tagi_t const *tags, const char **culprit)
{
	struct transports *t = transport_self();
	int ours, fd, e;

	*culprit = "closed";
	errno = ENXIO;
	if (t == NULL)
		return -1;
	*culprit = "bind";
	ours = bound_socket(ai, tags);
	if (ours == -1)
		return -1;
	fd = replace_socket(pri, ours, tpn, ai, tags, culprit);
	e = errno;
	close(ours);
	errno = e;
	if (fd == -1)
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

static unsigned
interface_of(struct msghdr *m)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof v4);
			return (unsigned)v4.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof v6);
			return v6.ipi6_ifindex;
		}
	}
	return 0;
}

/* false: there is nothing more. */
static bool
receive(struct transports *t, int fd, struct inbox *in)
{
	union {
		struct cmsghdr	align;
		char		buf[256];
	} control;
	struct iovec iov = { t->scratch, DATAGRAM_MAX + 1 };
	struct msghdr m = {
		.msg_name = &in->from, .msg_namelen = sizeof in->from,
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	in->len = n > 0 ? (size_t)n : 0;
	if (n < 0)	/* an error of one we sent to says nothing of others */
		return errno != EAGAIN && errno != EWOULDBLOCK;
	in->fromlen = m.msg_namelen;
	in->ifindex = interface_of(&m);
	return true;
}

static void
refuse(struct transports *t, enum refusal why, const struct inbox *in)
{
	struct addr from;
	bool known = addr_from_sockaddr(&from, &in->from.su_sa);

	transport_refuse(t, why, known ? &from : NULL);
}

static void
datagram(struct transports *t, tport_t *tp, const struct inbox *in)
{
	struct delivery d = { .raw = { .ifindex = in->ifindex } };
	struct head h = transport_head(t);
	enum head_verdict v = t->hooks.judge(&h, t->scratch, in->len);

	tport_recv_bytes(tp, (ssize_t)in->len, (ssize_t)in->len);
	if (v == HEAD_MORE && h.start == in->len)
		return;		/* nothing but CRLF: keeps a NAT open */
	if (v != HEAD_WHOLE) {
		refuse(t, (enum refusal)v, in);
		return;
	}
	d.raw.p = t->scratch + h.start;
	d.raw.len = transport_frame(t, &h, in->len, false, &d) - h.start;
	if (!transport_hand_over(t, tp, &d, &in->from, in->fromlen))
		refuse(t, REFUSE_NO_MEMORY, in);
}

static int
wakeup_primary(struct tport_primary *pri, int events)
{
	struct transports *t = transport_self();
	tport_t *tp = (tport_t *)pri;
	struct port *port = transport_port(t, tp);
	struct inbox in;

	if (events & SU_WAIT_ERR)
		tport_error_event(tp);
	if (!(events & SU_WAIT_IN) || port == NULL)
		return 0;
	for (int i = 0; i < ROUNDS && receive(t, port->fd, &in); i++)
		if (in.len > 0)
			datagram(t, tp, &in);
	return 0;
}

static ssize_t
send_datagram(const tport_t *tp, msg_t *msg, msg_iovec_t *iov, size_t n)
{
	ssize_t len = 0;

	if (!transport_self()->mute)
		return stock->vtp_send(tp, msg, iov, n);
	for (size_t i = 0; i < n; i++)
		len += (ssize_t)iov[i].mv_len;
	return len;
}

int
transport_udp_register(void)
{
	if (stock != NULL)
		return 0;
	stock = tport_vtable_by_name("udp", tport_type_local);
	if (stock == NULL || stock->vtp_init_primary == NULL ||
	    stock->vtp_send == NULL || stock->vtp_deliver != NULL) {
		stock = NULL;
		return -ENOTSUP;
	}
	type = *stock;
	type.vtp_init_primary = init_primary;
	type.vtp_deinit_primary = deinit_primary;
	type.vtp_wakeup_pri = wakeup_primary;
	type.vtp_deliver = transport_deliver;
	type.vtp_send = send_datagram;
	return tport_register_type(&type) == 0 ? 0 : -ENOTSUP;
}
