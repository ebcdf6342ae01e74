/*
 * redis_stream.c -- bytes to and from a server: TCP, unix socket or TLS.
 */
#include "config.h"

#include "io/redis_stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/secret.h"
#include "io/loop.h"

enum {
	READ_SIZE = 16384,
	READS_A_TURN = 16	/* then others of the loop come first */
};

enum phase { CONNECTING, SHAKING_HANDS, OPEN, ENDED };

struct redis_stream {
	struct redis_stream_hooks hooks;
	enum phase	 phase;
	int		 fd;
	struct loop_fd	*watch;
	struct loop_timer *soon;	/* write, read on, or tell of an end */
	struct tls	*tls;		/* NULL: plain */
	const char	*reason;	/* of an end that is still to be told */
	char		*out;
	size_t		 sent, len, room;	/* of out */
	bool		 more;		/* OpenSSL may hold bytes back */
	bool		*gone;		/* set when freed inside a callback */
};

static void
fail(struct redis_stream *s, const char *reason)
{
	if (s->phase == ENDED)
		return;
	s->phase = ENDED;
	if (s->watch != NULL)
		loop_fd_events(s->watch, 0);
	s->hooks.end(s->hooks.arg, reason);
}

/* From where the owner does not expect a callback. */
static void
fail_soon(struct redis_stream *s, const char *reason)
{
	if (s->reason == NULL)
		s->reason = reason;
	loop_timer_start(s->soon, 0);
}

static int
socket_of(const struct redis_place *place)
{
	int family = place->path != NULL ? AF_UNIX :
	    addr_is_v4(&place->addr) ? AF_INET : AF_INET6;

	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int
connect_unix(int fd, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len >= sizeof un.sun_path)
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, len + 1);
	return connect(fd, (struct sockaddr *)&un, sizeof un) < 0 ?
	    -errno : 0;
}

static int
connect_tcp(int fd, const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return connect(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

static ssize_t
get(struct redis_stream *s, char *p, size_t len)
{
	ssize_t n;

	if (s->tls != NULL)
		return tls_read(s->tls, p, len);
	do
		n = recv(s->fd, p, len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t
put(struct redis_stream *s, const char *p, size_t len)
{
	ssize_t n;

	if (s->tls != NULL)
		return tls_write(s->tls, p, len);
	do
		n = send(s->fd, p, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Sentences that outlive the connection. */
static const char *const tls_reasons[TLS_FAILURE_COUNT] = {
	[TLS_FAIL_NONE] = "the connection broke",
	[TLS_FAIL_PROTOCOL] = "the server speaks no TLS that we speak",
	[TLS_FAIL_CLOSED] = "the server closed the connection",
	[TLS_FAIL_NO_CERT] = "the server showed no certificate",
	[TLS_FAIL_REVOKED] = "the server's certificate is revoked",
	[TLS_FAIL_EXPIRED] = "the server's certificate has expired, "
	    "or is not yet valid",
	[TLS_FAIL_SELF_SIGNED] = "the server's certificate is self-signed",
	[TLS_FAIL_UNKNOWN_CA] = "the server's certificate leads to no "
	    "authority of ours",
	[TLS_FAIL_PURPOSE] = "the server's certificate is for another purpose",
	[TLS_FAIL_NAME] = "the server's certificate is for another name",
	[TLS_FAIL_CRL] = "the list of revoked certificates cannot be used",
	[TLS_FAIL_REFUSED] = "the server wants a certificate",
	[TLS_FAIL_CERT] = "the server's certificate cannot be used",
};

static const char *
reason_of(const struct redis_stream *s, ssize_t error)
{
	return s->tls != NULL ? tls_reasons[tls_failure(s->tls)] :
	    strerror((int)-error);
}

/* What does not go now goes when the socket takes it. */
void
redis_stream_flush(struct redis_stream *s)
{
	ssize_t n;

	if (s->phase != OPEN || s->reason != NULL)
		return;
	while (s->sent < s->len) {
		n = put(s, s->out + s->sent, s->len - s->sent);
		if (n < 0 && n != -EAGAIN) {
			fail_soon(s, reason_of(s, n));
			return;
		}
		if (n < 0)
			break;
		s->sent += (size_t)n;
	}
	if (s->sent == s->len)
		s->sent = s->len = 0;
	if (loop_fd_events(s->watch, s->len > 0 ? LOOP_IN | LOOP_OUT :
	    LOOP_IN) < 0)
		fail_soon(s, "no memory");
}

static void
be_open(struct redis_stream *s)
{
	s->phase = OPEN;
	if (loop_fd_events(s->watch, LOOP_IN) < 0)
		fail(s, "no memory");
	else
		s->hooks.open(s->hooks.arg);
}

static void
shake_hands(struct redis_stream *s)
{
	int rc = tls_handshake(s->tls);

	if (rc == 0)
		be_open(s);
	else if (rc != -EAGAIN)
		fail(s, reason_of(s, rc));
	else if (loop_fd_events(s->watch, tls_wants_out(s->tls) ?
	    LOOP_OUT : LOOP_IN) < 0)
		fail(s, "no memory");
}

static void
connected(struct redis_stream *s)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		fail(s, strerror(error));
	} else if (s->tls != NULL) {
		s->phase = SHAKING_HANDS;
		shake_hands(s);
	} else {
		be_open(s);
	}
}

/* OpenSSL may hold bytes that the socket no longer announces, so read until
 * there are none; after a few rounds others have their turn. */
static void
receive(struct redis_stream *s)
{
	char p[READ_SIZE];
	bool gone = false;
	ssize_t n = 0;

	s->gone = &gone;
	s->more = false;
	for (int i = 0; i < READS_A_TURN; i++) {
		n = get(s, p, sizeof p);
		if (n <= 0)
			break;
		s->hooks.bytes(s->hooks.arg, p, (size_t)n);
		if (gone)
			return;
		if (s->phase != OPEN ||
		    (s->tls == NULL && (size_t)n < sizeof p))
			break;
	}
	s->gone = NULL;
	if (n == 0 || (n < 0 && n != -EAGAIN)) {
		fail(s, n == 0 ? "the server closed the connection" :
		    reason_of(s, n));
	} else if (n > 0 && s->tls != NULL) {
		s->more = true;
		loop_timer_start(s->soon, 0);
	}
}

static void
soon(void *arg)
{
	struct redis_stream *s = arg;

	if (s->reason != NULL) {
		fail(s, s->reason);
		return;
	}
	redis_stream_flush(s);
	if (s->more && s->phase == OPEN)
		receive(s);
}

static void
ready(void *arg, unsigned events)
{
	struct redis_stream *s = arg;

	switch (s->phase) {
	case CONNECTING:
		connected(s);
		break;
	case SHAKING_HANDS:
		shake_hands(s);
		break;
	case OPEN:
		if (events & LOOP_OUT)
			redis_stream_flush(s);
		if (events & LOOP_IN)
			receive(s);
		break;
	case ENDED:
		break;
	}
}

static int
begin(struct redis_stream *s, struct loop *l, const struct redis_place *place)
{
	int rc;

	s->fd = socket_of(place);
	if (s->fd < 0)
		return -errno;
	rc = place->path != NULL ? connect_unix(s->fd, place->path) :
	    connect_tcp(s->fd, &place->addr);
	if (rc < 0 && rc != -EINPROGRESS)
		return rc;
	if (place->tls != NULL) {
		s->tls = tls_connect(place->tls, s->fd, place->host);
		if (s->tls == NULL)
			return -ENOMEM;
	}
	s->watch = loop_fd_new(l, s->fd, LOOP_OUT, ready, s);
	return s->watch != NULL ? 0 : -ENOMEM;
}

struct redis_stream *
redis_stream_new(struct loop *l, const struct redis_place *place,
    const struct redis_stream_hooks *hooks)
{
	struct redis_stream *s = calloc(1, sizeof *s);
	int rc;

	if (s == NULL)
		return NULL;
	s->hooks = *hooks;
	s->fd = -1;
	s->soon = loop_timer_new(l, soon, s);
	if (s->soon == NULL) {
		redis_stream_free(s);
		return NULL;
	}
	rc = begin(s, l, place);
	if (rc < 0)
		fail_soon(s, strerror(-rc));
	return s;
}

void
redis_stream_free(struct redis_stream *s)
{
	if (s == NULL)
		return;
	if (s->gone != NULL)
		*s->gone = true;
	loop_fd_free(s->watch);
	loop_timer_free(s->soon);
	tls_free(s->tls);
	if (s->fd >= 0)
		close(s->fd);
	secret_free(s->out, s->room);	/* a password may have passed */
	free(s);
}

static bool
make_room(struct redis_stream *s, size_t len)
{
	size_t room = s->room == 0 ? 4096 : s->room;
	char *out;

	if (s->sent > 0) {
		memmove(s->out, s->out + s->sent, s->len - s->sent);
		s->len -= s->sent;
		s->sent = 0;
	}
	while (room - s->len < len)
		room *= 2;
	if (room == s->room)
		return true;
	out = malloc(room);
	if (out == NULL)
		return false;
	if (s->len > 0)
		memcpy(out, s->out, s->len);
	secret_free(s->out, s->room);
	s->out = out;
	s->room = room;
	return true;
}

bool
redis_stream_write(struct redis_stream *s, const char *p, size_t len)
{
	if (s->room - s->len < len && !make_room(s, len))
		return false;
	memcpy(s->out + s->len, p, len);
	s->len += len;
	return true;
}

void
redis_stream_flush_soon(struct redis_stream *s)
{
	loop_timer_start(s->soon, 0);
}
