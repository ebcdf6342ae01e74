/*
 * transport_rig.c -- a small nta agent on loopback over our transports, and
 * the sockets of those who talk to it.
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

#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#include "base/clock.h"
#include "guard/screen.h"

extern su_log_t nta_log[], tport_log[];

const struct transport_conf generous = {
	.message_size = 65535, .headers = 64, .connections = 100,
	.connections_per_source = 100, .first_message_ms = 60000,
	.whole_message_ms = 60000, .idle_ms = 60000, .connect_ms = 60000
};

static int
on_request(struct rig *rig, nta_agent_t *agent, msg_t *msg, sip_t *sip)
{
	const struct transport_raw *raw = transport_current();

	if (sip == NULL || sip->sip_request == NULL) {
		msg_destroy(msg);
		return 0;
	}
	assert_non_null(raw);
	rig->requests++;
	rig->body = sip->sip_payload ? sip->sip_payload->pl_len : 0;
	rig->ifindex = raw->ifindex;
	rig->connection = raw->connection;
	nta_msg_treply(agent, msg, SIP_200_OK, TAG_END());
	return 0;
}

static enum transport_verdict
on_message(void *arg, tport_t *tp, msg_t *msg, const struct transport_raw *raw)
{
	const struct rig *rig = arg;

	assert_non_null(tp);
	assert_non_null(msg);
	assert_true(raw->len > 0);
	return rig->verdict;
}

static void
find_port(struct rig *rig, const char *proto, struct sockaddr_in *sin)
{
	tport_t *tp = tport_primaries(nta_agent_tports(rig->agent));

	for (; tp != NULL; tp = tport_next(tp))
		if (strcasecmp(tport_name(tp)->tpn_proto, proto) == 0)
			break;
	assert_non_null(tp);
	*sin = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(tport_name(tp)->tpn_port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void
make_agent(struct rig *rig)
{
	static const char udp[] = "sip:127.0.0.1:*;transport=udp";
	static const char tcp[] = "sip:127.0.0.1:*;transport=tcp";

	rig->agent = nta_agent_create(rig->root, (url_string_t *)-1,
	    on_request, rig, NTATAG_UA(0), NTATAG_STATELESS(1),
	    NTATAG_SERVER_RPORT(1), NTATAG_UDP_MTU(65535),
	    NTATAG_SIPFLAGS(MSG_DO_EXTRACT_COPY), NTATAG_USE_NAPTR(0),
	    NTATAG_USE_SRV(0), TPTAG_STUN_SERVER(0), TAG_END());
	assert_non_null(rig->agent);
	assert_int_equal(nta_agent_add_tport(rig->agent, (url_string_t *)udp,
	    TPTAG_IDENT("u"), TAG_END()), 0);
	assert_int_equal(nta_agent_add_tport(rig->agent, (url_string_t *)tcp,
	    TPTAG_IDENT("t"), TAG_END()), 0);
	find_port(rig, "udp", &rig->udp);
	find_port(rig, "tcp", &rig->tcp);
}

int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct transport_hooks hooks = {
		.judge = screen_head, .on_message = on_message, .arg = rig
	};

	su_init();
	su_log_set_level(nta_log, 0);
	su_log_set_level(tport_log, 0);
	rig->root = su_root_create(NULL);
	rig->metrics = metrics_new();
	rig->transport = transport_open(&generous, &hooks, rig->metrics);
	assert_non_null(rig->transport);
	make_agent(rig);
	*state = rig;
	return 0;
}

int
tear_down(void **state)
{
	struct rig *rig = *state;

	nta_agent_destroy(rig->agent);
	transport_close(rig->transport);
	metrics_free(rig->metrics);
	su_root_destroy(rig->root);
	su_deinit();
	free(rig);
	return 0;
}

void
run(struct rig *rig, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms, left;

	while ((left = end - clock_mono_ms()) > 0)
		su_root_step(rig->root, left < 10 ? left : 10);
}

static void
visit(void *arg, const struct metric *what, const char *value, uint64_t count)
{
	struct rig *rig = arg;

	(void)what;
	if (value != NULL && strcmp(value, rig->wanted) == 0)
		rig->found = count;
}

uint64_t
counted(struct rig *rig, const char *label_value)
{
	rig->wanted = label_value;
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
call_from(struct rig *rig, const char *from)
{
	int fd = peer(SOCK_STREAM, from);

	if (connect(fd, (struct sockaddr *)&rig->tcp, sizeof rig->tcp) == -1)
		assert_int_equal(errno, EINPROGRESS);
	run(rig, 5);
	return fd;
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
	assert_int_equal(sendto(fd, p, len, 0, (struct sockaddr *)&rig->udp,
	    sizeof rig->udp), (ssize_t)len);
}

ssize_t
hear(struct rig *rig, int fd, char *buf, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;
	ssize_t n;

	do {
		su_root_step(rig->root, 1);
		n = recv(fd, buf, BUF - 1, 0);
	} while (n == -1 && errno == EAGAIN && clock_mono_ms() < end);
	if (n == -1 && errno == ECONNRESET)
		n = 0;
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static int
status_of(const char *answer)
{
	int status = 0;

	(void)sscanf(answer, "SIP/2.0 %d", &status);
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
