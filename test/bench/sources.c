/*
 * sources.c -- one UDP socket that sends from many addresses of loopback.
 */
#include "config.h"

#include "sources.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 32, BUFFER_BYTES = 8 << 20, HOPS = 64,
	V4_AT = 12, V6_AT = 4,		/* the 32 bits that count sources */
	LOOPBACK = 127, ULA = 0xfd };

/* Before a forged datagram. */
struct forged_head {
	struct iphdr	 ip;
	struct udphdr	 udp;
};

union control {
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct batch {
	struct mmsghdr	 header[BATCH];
	struct iovec	 piece[BATCH][2];	/* head, text */
	struct sockaddr_storage peer[BATCH];
	struct forged_head head[BATCH];
	union control	 control[BATCH];
	char		 bytes[BATCH][DATAGRAM_BYTES];
};

struct sources {
	struct sources_conf conf;
	int		 fd;
	unsigned	 nout;
	struct batch	 in, out;
};

/* ---- addresses */

static bool
is_v4(const struct sources *s)
{
	return addr_is_v4(&s->conf.proxy);
}

static size_t
counter_at(const struct sources *s)
{
	return is_v4(s) ? V4_AT : V6_AT;
}

struct addr
sources_addr(const struct sources *s, unsigned i)
{
	struct addr a = s->conf.first;
	uint8_t *counter = a.ip + counter_at(s);

	put_u32(counter, get_u32(counter) + i);
	return a;
}

static bool
stays_here(const struct addr *a)
{
	return addr_is_v4(a) ? a->ip[V4_AT] == LOOPBACK :
	    addr_is_loopback(a) || a->ip[0] == ULA;
}

static bool
is_harmless(const struct sources *s)
{
	const struct sources_conf *c = &s->conf;
	struct addr last = sources_addr(s, c->n - 1);

	return c->n >= 1 && c->n <= SOURCES_MAX &&
	    addr_is_v4(&c->first) == addr_is_v4(&c->proxy) &&
	    (!c->forged || is_v4(s)) && stays_here(&c->proxy) &&
	    stays_here(&c->first) && stays_here(&last);
}

/* ---- sockets */

static void
batch_init(struct sources *s, struct batch *b)
{
	socklen_t len;

	for (size_t i = 0; i < BATCH; i++) {
		struct msghdr *m = &b->header[i].msg_hdr;

		len = addr_to_sockaddr(&s->conf.proxy, &b->peer[i]);
		b->piece[i][0] = (struct iovec){ &b->head[i],
		    s->conf.forged ? sizeof b->head[i] : 0 };
		b->piece[i][1] = (struct iovec){ b->bytes[i], DATAGRAM_BYTES };
		*m = (struct msghdr){ .msg_name = &b->peer[i],
		    .msg_namelen = len, .msg_iov = b->piece[i],
		    .msg_iovlen = 2 };
	}
}

static int
open_forger(struct sources *s)
{
	s->fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    IPPROTO_RAW);
	return s->fd < 0 ? -1 : 0;
}

/* At all addresses, so that answers to all of them come here. */
static int
open_any(struct sources *s)
{
	int family = is_v4(s) ? AF_INET : AF_INET6, on = 1;
	struct sockaddr_storage ss = { .ss_family = (sa_family_t)family };
	struct addr bound;
	socklen_t len = is_v4(s) ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);

	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -1;
	if (is_v4(s))
		((struct sockaddr_in *)&ss)->sin_port =
		    htons(s->conf.first.port);
	else
		((struct sockaddr_in6 *)&ss)->sin6_port =
		    htons(s->conf.first.port);
	if (setsockopt(s->fd, is_v4(s) ? IPPROTO_IP : IPPROTO_IPV6,
	    is_v4(s) ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on) < 0 ||
	    (!is_v4(s) && setsockopt(s->fd, IPPROTO_IPV6, IPV6_FREEBIND, &on,
	    sizeof on) < 0) ||
	    bind(s->fd, (struct sockaddr *)&ss, len) < 0 ||
	    getsockname(s->fd, (struct sockaddr *)&ss, &len) < 0)
		return -1;
	addr_from_sockaddr(&bound, (struct sockaddr *)&ss);
	s->conf.first.port = bound.port;
	return 0;
}

struct sources *
sources_open(const struct sources_conf *conf)
{
	struct sources *s = calloc(1, sizeof *s);
	int bytes = BUFFER_BYTES, cause = EPERM;

	if (s == NULL)
		return NULL;
	s->conf = *conf;
	s->fd = -1;
	if (is_harmless(s)) {
		if ((conf->forged ? open_forger(s) : open_any(s)) == 0) {
			setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes,
			    sizeof bytes);
			setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes,
			    sizeof bytes);
			batch_init(s, &s->in);
			batch_init(s, &s->out);
			return s;
		}
		cause = errno;
	}
	sources_close(s);
	errno = cause;
	return NULL;
}

void
sources_close(struct sources *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

int
sources_fd(const struct sources *s)
{
	return s->fd;
}

/* ---- sending */

/* The kernel adds the checksum of the IP header; UDP may do without. */
static void
forge(struct forged_head *h, const struct sources *s, const struct addr *from,
    size_t len)
{
	uint16_t whole = (uint16_t)(sizeof *h + len);

	*h = (struct forged_head){ 0 };
	h->ip.version = IPVERSION;
	h->ip.ihl = sizeof h->ip / 4;
	h->ip.ttl = HOPS;
	h->ip.protocol = IPPROTO_UDP;
	h->ip.tot_len = htons(whole);
	memcpy(&h->ip.saddr, from->ip + V4_AT, sizeof h->ip.saddr);
	memcpy(&h->ip.daddr, s->conf.proxy.ip + V4_AT, sizeof h->ip.daddr);
	h->udp.source = htons(from->port);
	h->udp.dest = htons(s->conf.proxy.port);
	h->udp.len = htons((uint16_t)(sizeof h->udp + len));
}

static void
name_source(struct msghdr *m, union control *u, const struct addr *from)
{
	bool v4 = addr_is_v4(from);
	struct in_pktinfo info4 = { 0 };
	struct in6_pktinfo info6 = { 0 };
	size_t len = v4 ? sizeof info4 : sizeof info6;
	struct cmsghdr *c;

	memset(u, 0, sizeof *u);
	m->msg_control = u->bytes;
	m->msg_controllen = CMSG_SPACE(len);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(&info4.ipi_spec_dst, from->ip + V4_AT,
	    sizeof info4.ipi_spec_dst);
	memcpy(&info6.ipi6_addr, from->ip, sizeof info6.ipi6_addr);
	memcpy(CMSG_DATA(c), v4 ? (void *)&info4 : (void *)&info6, len);
}

/* What the kernel does not take is lost, as on any network. */
void
sources_flush(struct sources *s)
{
	if (s->nout > 0)
		sendmmsg(s->fd, s->out.header, s->nout, 0);
	s->nout = 0;
}

void
sources_send(struct sources *s, unsigned i, const char *p, size_t len)
{
	struct batch *b = &s->out;
	unsigned n = s->nout;
	struct addr from = sources_addr(s, i);

	if (len > DATAGRAM_BYTES)
		return;
	memcpy(b->bytes[n], p, len);
	b->piece[n][1].iov_len = len;
	if (s->conf.forged)
		forge(&b->head[n], s, &from, len);
	else
		name_source(&b->header[n].msg_hdr, &b->control[n], &from);
	if (++s->nout == BATCH)
		sources_flush(s);
}

/* ---- receiving */

/* Which of the sources was it sent to?  n: none. */
static unsigned
number_of(const struct sources *s, struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	uint8_t to[sizeof(struct in6_addr)];
	size_t at = counter_at(s);

	if (c == NULL)
		return s->conf.n;
	if (is_v4(s))
		memcpy(to + V4_AT, CMSG_DATA(c) +
		    offsetof(struct in_pktinfo, ipi_addr),
		    sizeof(struct in_addr));
	else
		memcpy(to, CMSG_DATA(c), sizeof to);
	return get_u32(to + at) - get_u32(s->conf.first.ip + at);
}

unsigned
sources_read(struct sources *s, sources_f *f, void *arg)
{
	struct batch *b = &s->in;
	int n;

	if (s->conf.forged)
		return 0;
	for (size_t i = 0; i < BATCH; i++) {
		b->header[i].msg_hdr.msg_control = b->control[i].bytes;
		b->header[i].msg_hdr.msg_controllen = sizeof b->control[i];
	}
	n = recvmmsg(s->fd, b->header, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		unsigned which = number_of(s, &b->header[i].msg_hdr);

		if (which < s->conf.n)
			f(arg, which, b->bytes[i], b->header[i].msg_len);
	}
	return n < 0 ? 0 : (unsigned)n;
}
