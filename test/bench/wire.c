/*
 * wire.c -- a UDP socket towards the proxy, read and written in batches.
 */
#include "config.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"

enum { BATCH = 32, BUFFER_BYTES = 8 << 20 };

struct batch {
	struct mmsghdr	 header[BATCH];
	struct iovec	 piece[BATCH];
	char		 bytes[BATCH][MESSAGE_MAX];
};

struct wire {
	int		 fd;
	char		 self[ADDR_TEXT_MAX];
	unsigned	 nout;
	struct batch	 in, out;
};

static void
batch_init(struct batch *b)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->piece[i].iov_base = b->bytes[i];
		b->piece[i].iov_len = MESSAGE_MAX;
		b->header[i].msg_hdr.msg_iov = &b->piece[i];
		b->header[i].msg_hdr.msg_iovlen = 1;
	}
}

/* The kernel may grant less of the buffers; then more is sent again. */
static int
bind_and_connect(struct wire *w, const struct addr *self,
    const struct addr *proxy)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(self, &ss);
	struct addr bound;
	int bytes = BUFFER_BYTES;

	setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	if (bind(w->fd, (struct sockaddr *)&ss, len) != 0)
		return -1;
	len = addr_to_sockaddr(proxy, &ss);
	if (connect(w->fd, (struct sockaddr *)&ss, len) != 0)
		return -1;
	len = sizeof ss;
	if (getsockname(w->fd, (struct sockaddr *)&ss, &len) != 0)
		return -1;
	addr_from_sockaddr(&bound, (struct sockaddr *)&ss);
	addr_text(&bound, w->self);
	return 0;
}

struct wire *
wire_open(const struct addr *self, const struct addr *proxy)
{
	struct wire *w = calloc(1, sizeof *w);
	int cause;

	if (w == NULL)
		return NULL;
	batch_init(&w->in);
	batch_init(&w->out);
	w->fd = socket(addr_is_v4(self) ? AF_INET : AF_INET6,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd >= 0 && bind_and_connect(w, self, proxy) == 0)
		return w;
	cause = errno;
	wire_close(w);
	errno = cause;
	return NULL;
}

void
wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

const char *
wire_self(const struct wire *w)
{
	return w->self;
}

int
wire_fd(const struct wire *w)
{
	return w->fd;
}

/* What the kernel does not take is lost, as on any network. */
void
wire_flush(struct wire *w)
{
	if (w->nout > 0)
		sendmmsg(w->fd, w->out.header, w->nout, 0);
	w->nout = 0;
}

void
wire_send(struct wire *w, const char *p, size_t len)
{
	if (len > MESSAGE_MAX)
		return;
	memcpy(w->out.bytes[w->nout], p, len);
	w->out.piece[w->nout].iov_len = len;
	if (++w->nout == BATCH)
		wire_flush(w);
}

unsigned
wire_read(struct wire *w, wire_f *f, void *arg)
{
	int n = recvmmsg(w->fd, w->in.header, BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++)
		f(arg, w->in.bytes[i], w->in.header[i].msg_len);
	return n < 0 ? 0 : (unsigned)n;
}
