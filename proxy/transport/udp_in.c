/*
 * udp_in.c -- datagrams that come in.
 */
#include "config.h"

#include "transport/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "transport/proxy_header.h"
#include "transport/stun.h"

enum { ROUNDS = 4 };			/* before others get their turn */

/* A datagram, and who sent it. */
struct datagram {
	const char	*p;
	size_t		 len;
	struct addr	 source;	/* the client */
	struct addr	 reach;		/* it, or the balancer before it */
	unsigned	 ifindex;
};

static unsigned
interface_of(struct msghdr *m)
{
	struct cmsghdr *c;
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
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

static bool
admitted(struct transports *t, const struct addr *source)
{
	if (transport_admits(t, source))
		return true;
	transport_refuse(t, REFUSE_BANNED, source);
	return false;
}

/* Take the PROXY header off, and its word for who sent the rest.  The balancer
 * itself is not judged, as in conn.c: there may be others at its address. */
static bool
from_balancer(struct port *p, struct datagram *in)
{
	struct proxy_header h;

	if (!port_has_balancer(p, &in->reach)) {
		transport_refuse(p->t, REFUSE_NO_BALANCER, &in->reach);
		return false;
	}
	if (proxy_header_parse(&h, in->p, in->len, true) != PROXY_WHOLE) {
		transport_refuse(p->t, REFUSE_PROXY, &in->reach);
		return false;
	}
	in->p += h.len;
	in->len -= h.len;
	if (!h.local)
		in->source = h.source;
	return admitted(p->t, &in->source);
}

static void
refused(struct port *p, const struct datagram *in, enum head_verdict v)
{
	char answer[STUN_ANSWER_MAX];
	size_t len = 0;

	if (v == HEAD_STUN && p->t->conf.stun)
		len = stun_answer(answer, in->p, in->len, &in->source);
	if (len > 0)
		(void)udp_send_run(p, &in->reach, answer, len);
	else
		transport_refuse(p->t, (enum refusal)v, &in->source);
}

static void
message(struct port *p, const struct datagram *in)
{
	struct delivery d = { .arrived = {
		.port = p, .transport = TRANSPORT_UDP,
		.source = in->source, .reach = in->reach,
		.ifindex = in->ifindex
	} };
	struct head h = transport_head(p->t);
	enum head_verdict v = p->t->hooks.judge(&h, in->p, in->len);

	if (v == HEAD_MORE && h.start == in->len)
		return;		/* nothing but CRLF: keeps a NAT open */
	if (v != HEAD_WHOLE && v != HEAD_BAD_LENGTH) {
		refused(p, in, v);
		return;
	}
	d.arrived.raw = in->p + h.start;
	d.arrived.len = transport_frame(p->t, &h, in->len, false, &d) -
	    h.start;
	if (!transport_deliver(p->t, &d))
		transport_refuse(p->t, REFUSE_NO_MEMORY, &in->source);
}

static void
datagram(struct port *p, struct mmsghdr *m)
{
	struct datagram in = {
		.p = m->msg_hdr.msg_iov->iov_base, .len = m->msg_len
	};

	if (in.len == 0 ||
	    !addr_from_sockaddr(&in.source, m->msg_hdr.msg_name))
		return;
	in.reach = in.source;
	in.ifindex = interface_of(&m->msg_hdr);
	if (p->conf.nbalancers > 0 ? from_balancer(p, &in) :
	    admitted(p->t, &in.source))
		message(p, &in);
}

/* The kernel wrote over these. */
static void
renew(struct udp_in *in, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		in->msg[i].msg_hdr.msg_namelen = sizeof in->from[i];
		in->msg[i].msg_hdr.msg_controllen = sizeof in->control[i];
	}
}

/* A batch; false: there is nothing more. */
static bool
receive(struct port *p, struct udp_in *in)
{
	int n = recvmmsg(p->fd, in->msg, IN_DATAGRAMS, MSG_DONTWAIT, NULL);

	if (n < 0)	/* an error of one we sent to says nothing of others */
		return errno != EAGAIN && errno != EWOULDBLOCK;
	for (int i = 0; i < n; i++)
		datagram(p, &in->msg[i]);
	renew(in, (unsigned)n);
	udp_flush_all(p->t);
	return n == IN_DATAGRAMS;
}

void
udp_in_init(struct udp_in *in)
{
	for (unsigned i = 0; i < IN_DATAGRAMS; i++) {
		in->iov[i] = (struct iovec){ in->bytes[i], DATAGRAM_MAX };
		in->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &in->from[i],
			.msg_iov = &in->iov[i], .msg_iovlen = 1,
			.msg_control = &in->control[i]
		};
	}
	renew(in, IN_DATAGRAMS);
}

void
udp_receive(struct port *p)
{
	for (int i = 0; i < ROUNDS && receive(p, &p->t->udp->in); i++)
		;
}
