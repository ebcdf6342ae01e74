/*
 * udp_error.c -- what the network says about datagrams that we sent.
 */
#include "config.h"

#include "transport/udp.h"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

enum { ERRORS_MAX = 64 };		/* before others get their turn */

/*
 * RFC 3261 18.4: unreachable and parameter problem are told.  A packet that
 * was too large for a link, or met its hop limit, says nothing of who was to
 * get it.
 */
static bool
is_fatal(const struct sock_extended_err *e)
{
	switch (e->ee_origin) {
	case SO_EE_ORIGIN_ICMP:
		return (e->ee_type == ICMP_DEST_UNREACH &&
		    e->ee_code != ICMP_FRAG_NEEDED) ||
		    e->ee_type == ICMP_PARAMETERPROB;
	case SO_EE_ORIGIN_ICMP6:
		return e->ee_type == ICMP6_DST_UNREACH ||
		    e->ee_type == ICMP6_PARAM_PROB;
	default:
		return false;
	}
}

static bool
is_error(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

static bool
says_unreachable(struct msghdr *m)
{
	struct sock_extended_err e;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	    c = CMSG_NXTHDR(m, c))
		if (is_error(c) && c->cmsg_len >= CMSG_LEN(sizeof e)) {
			memcpy(&e, CMSG_DATA(c), sizeof e);
			return is_fatal(&e);
		}
	return false;
}

/* The next one of the queue; false: there is none. */
static bool
next_error(struct port *p)
{
	union {
		struct cmsghdr	align;
		char		bytes[512];
	} control;
	struct sockaddr_storage ss;	/* whom the datagram was for */
	struct msghdr m = {
		.msg_name = &ss, .msg_namelen = sizeof ss,
		.msg_control = &control, .msg_controllen = sizeof control
	};
	struct transports *t = p->t;
	struct addr to;

	if (recvmsg(p->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
		return false;
	if (m.msg_namelen > 0 && says_unreachable(&m) &&
	    addr_from_sockaddr(&to, (struct sockaddr *)&ss) &&
	    t->hooks.on_unreachable != NULL)
		t->hooks.on_unreachable(t->hooks.arg, p, &to);
	return true;
}

/* An error for which the queue had no room is left to recvmmsg(), which ends
 * it as well. */
void
udp_read_errors(struct port *p)
{
	for (int n = 0; n < ERRORS_MAX && next_error(p); n++)
		;
}
