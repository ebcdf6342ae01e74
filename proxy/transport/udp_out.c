/*
 * udp_out.c -- datagrams that go out.
 */
#include "config.h"

#include "transport/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include "io/loop.h"

enum {
	V4_MAX = 65535 - 20 - 8,	/* behind the headers of IP and UDP */
	V6_MAX = 65535 - 8,
	TRIES = 8,			/* of one message */
	KERNEL_COST = 4			/* its memory for each of our bytes */
};

static bool
is_noted(const struct udp_shared *shared, const struct udp_failure *f)
{
	for (unsigned i = 0; i < shared->nfailures; i++)
		if (shared->failures[i].port == f->port &&
		    addr_same(&shared->failures[i].to, &f->to))
			return true;
	return false;
}

/* Who sends is not to be called meanwhile. */
static void
note_failure(struct port *p, const struct sockaddr_storage *to)
{
	struct udp_shared *shared = p->t->udp;
	struct udp_failure f = { .port = p };

	p->t->send_dropped[DROPPED_ERROR]++;
	if (!addr_from_sockaddr(&f.to, (const struct sockaddr *)to) ||
	    is_noted(shared, &f))
		return;
	/* Beyond that the timers of the transactions tell. */
	if (shared->nfailures == FAILURES_MAX)
		return;
	shared->failures[shared->nfailures++] = f;
	loop_hook_start(shared->before_sleep);
}

void
udp_note_unsent(struct port *p, const struct sockaddr_storage *to, int error)
{
	switch (error) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		p->t->send_dropped[DROPPED_FULL]++;
		break;
	case ECONNREFUSED:		/* of others, always */
		p->t->send_dropped[DROPPED_ERROR]++;
		break;
	default:
		note_failure(p, to);
		break;
	}
}

static unsigned
datagrams(const struct udp *out, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += udp_run_length(out, i);
	return n;
}

/*
 * The message `at` could not be sent.  A socket also tells in this way what
 * became of others before, once each, and anybody can send ICMP errors about
 * others: so it is tried again.  How many are done with.
 */
static unsigned
failed(struct port *p, unsigned at, int error, unsigned tries)
{
	struct udp *out = p->udp;

	switch (error) {
	case EAGAIN:			/* the others would not fit either */
		p->t->send_dropped[DROPPED_FULL] += datagrams(out, at,
		    out->count);
		return out->count - at;
	case ENOBUFS:
	case ENOMEM:
		p->t->send_dropped[DROPPED_FULL] += udp_run_length(out, at);
		return 1;
	case EINTR:
		return 0;
	default:
		if (tries < TRIES)
			return 0;
		if (udp_run_length(out, at) > 1)
			udp_run_send_apart(p, at);
		else
			udp_note_unsent(p, &out->to[at], error);
		return 1;
	}
}

void
udp_flush(struct port *p)
{
	struct udp *out = p->udp;
	unsigned done = 0, step, tries = 0;

	while (done < out->count) {
		int n = sendmmsg(p->fd, out->msg + done, out->count - done,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		tries++;
		step = n >= 0 ? (unsigned)n : failed(p, done, errno, tries);
		if (step > 0)
			tries = 0;
		done += step;
	}
	out->count = 0;
	out->used = 0;
	out->running = false;
	out->asked = false;
}

void
udp_flush_all(struct transports *t)
{
	for (struct port *p = t->ports; p != NULL; p = p->next)
		if (p->udp != NULL)
			udp_flush(p);
}

/* What fails while they are told stays for the next time. */
void
udp_tell_failures(struct transports *t)
{
	struct udp_shared *shared = t->udp;
	struct udp_failure told[FAILURES_MAX];
	unsigned n = shared->nfailures;

	memcpy(told, shared->failures, n * sizeof *told);
	shared->nfailures = 0;
	for (unsigned i = 0; i < n; i++)
		if (t->hooks.on_unreachable != NULL)
			t->hooks.on_unreachable(t->hooks.arg, told[i].port,
			    &told[i].to);
}

void
udp_out_init(struct udp *out)
{
	for (unsigned i = 0; i < OUT_DATAGRAMS; i++)
		out->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &out->to[i],
			.msg_iov = &out->iov[i], .msg_iovlen = 1
		};
}

void
udp_out_measure(struct port *p)
{
	int bytes = 0;
	socklen_t len = sizeof bytes;

	(void)getsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &bytes, &len);
	p->udp->room = bytes / 2;
}

/* Asked once for what leaves together. */
static int
waiting(struct port *p)
{
	struct udp *out = p->udp;

	if (!out->asked && ioctl(p->fd, SIOCOUTQ, &out->waiting) == -1)
		out->waiting = 0;
	out->asked = true;
	return out->waiting;
}

/*
 * What is for a neighbour that is not there waits for it in the socket's
 * buffer, for seconds.  Whoever forges such addresses must not keep all others
 * from being sent to.  What is gathered goes there as well, so where that may
 * be too much it leaves first.
 */
static bool
is_choked(struct port *p)
{
	struct udp *out = p->udp;

	if (out->used > 0 &&
	    waiting(p) + (int)out->used * KERNEL_COST > out->room)
		udp_flush(p);
	return waiting(p) > out->room;
}

static int
check(const struct port *p, const struct addr *to, size_t len)
{
	bool v4 = addr_is_v4(to);

	if (v4 != addr_is_v4(&p->conf.addr))
		return -EAFNOSUPPORT;
	if (to->port == 0)
		return -EDESTADDRREQ;
	return len > (v4 ? V4_MAX : V6_MAX) ? -EMSGSIZE : 0;
}

int
udp_send(struct port *p, const struct addr *to, const void *bytes, size_t len)
{
	struct udp *out = p->udp;
	int rc = check(p, to, len);
	unsigned i;

	if (rc < 0)
		return rc;
	if (out->count == OUT_DATAGRAMS || len > OUT_BYTES - out->used)
		udp_flush(p);
	i = out->count++;
	memcpy(out->bytes + out->used, bytes, len);
	out->iov[i] = (struct iovec){ out->bytes + out->used, len };
	out->used += len;
	out->running = false;
	out->msg[i].msg_hdr.msg_control = NULL;
	out->msg[i].msg_hdr.msg_controllen = 0;
	out->msg[i].msg_hdr.msg_namelen = addr_to_sockaddr(to, &out->to[i]);
	if (!p->t->udp->awake)
		loop_hook_start(p->t->udp->before_sleep);
	return 0;
}

int
udp_send_run(struct port *p, const struct addr *to, const void *bytes,
    size_t len)
{
	int rc;

	if (is_choked(p)) {
		p->t->send_dropped[DROPPED_FULL]++;
		return -ENOBUFS;
	}
	if (udp_run_join(p->udp, to, bytes, len))
		return 0;
	rc = udp_send(p, to, bytes, len);
	if (rc == 0)
		udp_run_begin(p->udp, to, len);
	return rc;
}
