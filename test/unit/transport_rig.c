/*
 * transport_rig.c -- the transports on loopback, and who talks to them.
 */
#include "config.h"

#include "transport_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_wait.h>

#include "base/clock.h"
#include "guard/screen.h"
#include "io/tls.h"

const struct transport_conf generous = {
	.message_size = 65535, .headers = 64, .connections = 100,
	.connections_per_source = 100, .handshake_ms = 60000,
	.first_message_ms = 60000, .whole_message_ms = 60000,
	.idle_ms = 60000, .connect_ms = 60000, .unsent_bytes = 1 << 20
};

static int
status_for(const sip_t *sip)
{
	if (sip->sip_flags & MSG_FLG_TOOLARGE)
		return 413;
	if ((sip->sip_flags & MSG_FLG_ERROR) || sip->sip_from == NULL ||
	    sip->sip_to == NULL)
		return 400;
	return strcasecmp(sip->sip_request->rq_version, "SIP/2.0") == 0 ?
	    200 : 505;
}

static void
reply(struct rig *rig, const struct arrived *a, const sip_t *sip, msg_t *msg)
{
	struct hop back = { .port = a->port, .addr = a->reach,
	    .connection = a->connection };
	char text[4096];
	int len = snprintf(text, sizeof text,
	    "SIP/2.0 %d Answer\r\nVia: %s\r\nl: 0\r\n\r\n", status_for(sip),
	    sip_header_as_string(msg_home(msg),
	    (const sip_header_t *)sip->sip_via));

	assert_true(len > 0 && (size_t)len < sizeof text);
	rig->sending = true;
	(void)transport_send(rig->transport, &back, text, (size_t)len, NULL);
	rig->sending = false;
}

static void
on_message(void *arg, const struct arrived *a, msg_t *msg)
{
	struct rig *rig = arg;
	const sip_t *sip = sip_object(msg);

	assert_false(rig->sending);
	assert_true(a->len > 0 && a->raw[a->len - 1] != '\0');
	if (sip->sip_request != NULL) {
		rig->requests++;
		rig->body = sip->sip_payload ? sip->sip_payload->pl_len : 0;
		rig->last = *a;
		rig->last.raw = NULL;
		rig->last.peer = NULL;
		snprintf(rig->peer, sizeof rig->peer, "%s", a->peer != NULL &&
		    a->peer->nnames > 0 ? a->peer->name[0] : "");
		if (rig->known)
			transport_vouch(rig->transport, a->connection);
		if (!rig->mute)
			reply(rig, a, sip, msg);
	} else {
		assert_true(sip->sip_via == NULL ||
		    sip->sip_via->v_next == NULL ||
		    sip->sip_via->v_next->v_maddr == NULL);
		rig->responses++;
	}
	msg_destroy(msg);
}

static void
on_lost(void *arg, uint32_t connection)
{
	struct rig *rig = arg;

	assert_false(rig->sending);
	assert_true(connection != 0);
	assert_false(transport_is_open(rig->transport, connection));
	rig->lost++;
	rig->lost_id = connection;
}

static bool
admit(void *arg, const struct addr *source)
{
	struct rig *rig = arg;

	return !addr_same_ip(source, &rig->banned);
}

static bool
admit_handshake(void *arg, const struct addr *source)
{
	const struct rig *rig = arg;

	(void)source;
	return !rig->exhausted;
}

struct port *
listen_on(struct rig *rig, struct port_conf conf)
{
	struct port *p;

	assert_true(addr_parse_host(&conf.addr, str_of("127.0.0.1")));
	conf.addr.port = 0;
	p = transport_listen(rig->transport, &conf);
	assert_non_null(p);
	assert_true(port_addr(p)->port != 0);
	return p;
}

int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct transport_hooks hooks = {
		.judge = screen_head, .admit = admit,
		.admit_handshake = admit_handshake,
		.on_message = on_message, .on_lost = on_lost, .arg = rig
	};

	rig->loop = loop_new();
	rig->metrics = metrics_new();
	rig->transport = transport_open(rig->loop, &generous, &hooks,
	    sip_default_mclass(), rig->metrics);
	assert_non_null(rig->transport);
	rig->udp = listen_on(rig, (struct port_conf){
	    .transport = TRANSPORT_UDP });
	rig->tcp = listen_on(rig, (struct port_conf){
	    .transport = TRANSPORT_TCP });
	*state = rig;
	return 0;
}

int
tear_down(void **state)
{
	struct rig *rig = *state;
	unsigned lost = rig->lost;

	transport_close(rig->transport);
	assert_int_equal(rig->lost, lost);
	metrics_free(rig->metrics);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

void
turn(struct rig *rig, int64_t ms)
{
	su_root_step(loop_root(rig->loop), ms);
}

void
run(struct rig *rig, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms, left;

	while ((left = end - clock_mono_ms()) > 0)
		turn(rig, left < 10 ? left : 10);
}

static void
visit(void *arg, const struct metric *what, const char *value, uint64_t count)
{
	struct rig *rig = arg;

	if (strcmp(value != NULL ? value : what->name, rig->wanted) == 0)
		rig->found = count;
}

uint64_t
counted(struct rig *rig, const char *what)
{
	rig->wanted = what;
	rig->found = UINT64_MAX;
	metrics_each(rig->metrics, visit, rig);
	assert_true(rig->found != UINT64_MAX);
	return rig->found;
}

int
peer(int type, const char *from)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, from, &sin.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	return fd;
}

int
listener(int backlog, struct addr *at)
{
	int fd = peer(SOCK_STREAM, "127.0.0.1");
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_true(addr_from_sockaddr(at, (struct sockaddr *)&ss));
	return fd;
}

int
take_call(struct rig *rig, int listening)
{
	int64_t end = clock_mono_ms() + ANSWER_MS;
	int fd;

	do {
		turn(rig, 1);
		fd = accept4(listening, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd == -1 && clock_mono_ms() < end);
	assert_true(fd >= 0);
	return fd;
}

int
call_port(struct rig *rig, const struct port *to, const char *from)
{
	int fd = peer(SOCK_STREAM, from);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(port_addr(to), &ss);

	if (connect(fd, (struct sockaddr *)&ss, len) == -1)
		assert_int_equal(errno, EINPROGRESS);
	run(rig, 5);
	return fd;
}

int
call_from(struct rig *rig, const char *from)
{
	return call_port(rig, rig->tcp, from);
}

int
call(struct rig *rig)
{
	return call_from(rig, "127.0.0.1");
}

void
close_all(const int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
}

void
say(int fd, const char *p, size_t len)
{
	assert_int_equal(send(fd, p, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
cast(struct rig *rig, int fd, const char *p, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t sslen = addr_to_sockaddr(port_addr(rig->udp), &ss);

	assert_int_equal(sendto(fd, p, len, 0, (struct sockaddr *)&ss, sslen),
	    (ssize_t)len);
}

int
send_to(struct rig *rig, struct hop h, const char *text, uint32_t *connection)
{
	int rc;

	if (h.port == NULL)
		h.port = rig->tcp;
	rig->sending = true;
	rc = transport_send(rig->transport, &h, text, strlen(text),
	    connection);
	rig->sending = false;
	return rc;
}

ssize_t
hear(struct rig *rig, int fd, char *buf, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;
	ssize_t n;

	do {
		turn(rig, 1);
		n = recv(fd, buf, BUF - 1, 0);
	} while (n == -1 && errno == EAGAIN && clock_mono_ms() < end);
	if (n == -1 && errno == ECONNRESET)
		n = 0;
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static int
status_of(const char *text)
{
	int status = 0;

	(void)sscanf(text, "SIP/2.0 %d", &status);
	return status;
}

int
answer(struct rig *rig, int fd, int64_t ms)
{
	static char buf[BUF];

	return hear(rig, fd, buf, ms) > 0 ? status_of(buf) : 0;
}

bool
is_closed(struct rig *rig, int fd, int64_t ms)
{
	static char buf[BUF];
	int64_t end = clock_mono_ms() + ms;
	ssize_t n;

	do
		n = hear(rig, fd, buf, end - clock_mono_ms());
	while (n > 0);
	return n == 0;
}

size_t
request(char *buf, const char *proto, const char *via, size_t body)
{
	int n = snprintf(buf, BUF,
	    "OPTIONS sip:x@example.com SIP/2.0\r\n"
	    "Via: SIP/2.0/%s 127.0.0.1:9;branch=z9hG4bK%u;rport%s\r\n"
	    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:x@example.com>\r\n"
	    "Call-ID: %u\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
	    "Content-Length: %zu\r\n\r\n", proto, (unsigned)rand(), via,
	    (unsigned)rand(), body);

	assert_true(n > 0 && (size_t)n + body < BUF);
	memset(buf + n, 'b', body);
	return (size_t)n + body;
}
