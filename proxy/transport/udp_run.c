/*
 * udp_run.c -- datagrams of one length to one place, sent as one.
 *
 * The way through the kernel is most of what an answer costs, and whoever
 * floods us gets many that look alike.  The kernel cuts them apart where they
 * leave (UDP_SEGMENT); who captures on this machine may see them as one.
 */
#include "config.h"

#include "transport/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

enum {
	EACH_MAX = 1400,		/* most links take it whole */
	RUN_BYTES_MAX = 60000,
	RUN_MAX = 64,			/* datagrams: the kernel's bound */
	TRIES = 4,			/* of one datagram: see udp_out.c */
	APART = 1000
};

void
udp_run_begin(struct udp *out, const struct addr *to, size_t len)
{
	if (out->apart > 0)
		out->apart--;
	if (out->apart > 0 || len == 0 || len > EACH_MAX)
		return;
	out->each[out->count - 1] = (uint16_t)len;
	out->run_to = *to;
	out->running = true;
}

static void
tell_length(struct udp *out, unsigned i)
{
	union udp_control *c = &out->control[i];
	struct msghdr *h = &out->msg[i].msg_hdr;

	c->header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof out->each[i]),
		.cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT
	};
	memcpy(CMSG_DATA(&c->header), &out->each[i], sizeof out->each[i]);
	h->msg_control = c;
	h->msg_controllen = sizeof *c;
}

bool
udp_run_join(struct udp *out, const struct addr *to, const void *bytes,
    size_t len)
{
	unsigned i = out->count - 1;
	size_t total;

	if (!out->running || len != out->each[i] ||
	    !addr_same(to, &out->run_to) || len > OUT_BYTES - out->used)
		return false;
	total = out->iov[i].iov_len + len;
	if (total > RUN_BYTES_MAX || total > RUN_MAX * len)
		return false;
	memcpy(out->bytes + out->used, bytes, len);
	out->used += len;
	out->iov[i].iov_len = total;
	if (out->msg[i].msg_hdr.msg_control == NULL)
		tell_length(out, i);
	return true;
}

unsigned
udp_run_length(const struct udp *out, unsigned at)
{
	if (out->msg[at].msg_hdr.msg_control == NULL)
		return 1;
	return (unsigned)(out->iov[at].iov_len / out->each[at]);
}

/* 0, or what errno says. */
static int
send_one(const struct port *p, const struct msghdr *h, const char *bytes,
    size_t len)
{
	int error = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		if (sendto(p->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		    h->msg_name, h->msg_namelen) >= 0)
			return 0;
		error = errno;
	}
	return error;
}

/* The link to one place may be too narrow for runs, of which ICMP tells, true
 * or not; so that says something of the next datagrams only. */
void
udp_run_send_apart(struct port *p, unsigned at)
{
	struct udp *out = p->udp;
	const char *bytes = out->iov[at].iov_base;

	for (unsigned n = udp_run_length(out, at); n > 0; n--) {
		int error = send_one(p, &out->msg[at].msg_hdr, bytes,
		    out->each[at]);

		if (error == 0)
			out->apart = APART;
		else
			udp_note_unsent(p, &out->to[at], error);
		bytes += out->each[at];
	}
}
