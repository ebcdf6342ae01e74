/*
 * dns_try.c -- one question put to one name server, once, over UDP or TCP.
 */
#include "config.h"

#include "io/dns_try.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "io/dns_message.h"
#include "io/loop.h"

/* More than we ask for: some servers do not look. */
enum { DATAGRAM_MAX = 4096 };

struct dns_try {
	int		 fd;
	struct loop_fd	*watch;
	dns_try_f	*fn;
	void		*arg;
	/* TCP only: both ways with two bytes of length in front (RFC 7766
	 * section 8) */
	uint8_t		 out[2 + DNS_QUESTION_MAX];
	size_t		 nout, sent;
	uint8_t		 head[2];
	size_t		 nhead;
	uint8_t		*in;
	size_t		 size, nin;
};

static void
fail(struct dns_try *t)
{
	t->fn(t->arg, NULL, 0);
}

/* Was it an interruption that another event will follow? */
static bool
is_passing(int error)
{
	return error == EAGAIN || error == EINTR;
}

static void
udp_ready(void *arg, unsigned events)
{
	struct dns_try *t = arg;
	uint8_t m[DATAGRAM_MAX];
	ssize_t n = recv(t->fd, m, sizeof m, MSG_TRUNC);

	(void)events;
	if (n < 0 && is_passing(errno))
		return;
	if (n < 0)
		fail(t);		/* ICMP: nobody is there */
	else if ((size_t)n <= sizeof m)
		t->fn(t->arg, m, (size_t)n);
}

static void
tcp_write(struct dns_try *t)
{
	ssize_t n = send(t->fd, t->out + t->sent, t->nout - t->sent,
	    MSG_NOSIGNAL);

	if (n < 0 && is_passing(errno))
		return;
	if (n < 0) {
		fail(t);
		return;
	}
	t->sent += (size_t)n;
	if (t->sent == t->nout && loop_fd_events(t->watch, LOOP_IN) < 0)
		fail(t);
}

/* Reads on until `want` bytes are there; 1: they are, 0: later, -1: never. */
static int
read_some(struct dns_try *t, uint8_t *to, size_t *have, size_t want)
{
	ssize_t n;

	if (*have == want)
		return 1;
	n = recv(t->fd, to + *have, want - *have, 0);
	if (n < 0 && is_passing(errno))
		return 0;
	if (n <= 0)
		return -1;
	*have += (size_t)n;
	return *have == want;
}

static int
read_message(struct dns_try *t)
{
	int rc = read_some(t, t->head, &t->nhead, sizeof t->head);

	if (rc <= 0)
		return rc;
	if (t->in == NULL) {
		t->size = get_u16(t->head);
		t->in = t->size == 0 ? NULL : malloc(t->size);
		if (t->in == NULL)
			return -1;
	}
	return read_some(t, t->in, &t->nin, t->size);
}

static void
tcp_ready(void *arg, unsigned events)
{
	struct dns_try *t = arg;
	int rc;

	(void)events;
	if (t->sent < t->nout) {
		tcp_write(t);
		return;
	}
	rc = read_message(t);
	if (rc < 0)
		fail(t);
	else if (rc > 0)
		t->fn(t->arg, t->in, t->nin);
}

static socklen_t
size_of(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);
}

static int
open_socket(const struct sockaddr_storage *server, bool tcp)
{
	int fd = socket(server->ss_family, SOCK_CLOEXEC | SOCK_NONBLOCK |
	    (tcp ? SOCK_STREAM : SOCK_DGRAM), 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)server, size_of(server)) < 0
	    && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A UDP socket takes it now; a TCP socket when it is connected. */
static bool
put_question(struct dns_try *t, const uint8_t *question, size_t len,
    bool tcp)
{
	if (!tcp)
		return send(t->fd, question, len, MSG_NOSIGNAL) ==
		    (ssize_t)len;
	put_u16(t->out, (uint16_t)len);
	memcpy(t->out + 2, question, len);
	t->nout = len + 2;
	return true;
}

struct dns_try *
dns_try_start(const struct dns_try_conf *conf, const uint8_t *question,
    size_t len)
{
	struct dns_try *t;

	t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->fn = conf->fn;
	t->arg = conf->arg;
	t->fd = open_socket(conf->server, conf->tcp);
	if (t->fd < 0 || !put_question(t, question, len, conf->tcp))
		goto fail;
	t->watch = loop_fd_new(conf->loop, t->fd,
	    conf->tcp ? LOOP_OUT : LOOP_IN,
	    conf->tcp ? tcp_ready : udp_ready, t);
	if (t->watch != NULL)
		return t;
fail:
	dns_try_free(t);
	return NULL;
}

void
dns_try_free(struct dns_try *t)
{
	if (t == NULL)
		return;
	loop_fd_free(t->watch);
	if (t->fd >= 0)
		close(t->fd);
	free(t->in);
	free(t);
}
