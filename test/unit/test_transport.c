/*
 * test_transport.c -- the transports under a real nta agent on loopback: what
 * is refused in silence, what nta answers and to whom, and how long a
 * connection may keep us waiting.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define NTA_AGENT_MAGIC_T	struct rig
#define NTA_OUTGOING_MAGIC_T	struct rig
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "guard/screen.h"
#include "transport/sofia_fixups.h"
#include "transport/types.h"

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

enum { ANSWER_MS = 2000, SILENCE_MS = 60, BUF = 70000 };

struct rig {
	su_root_t		*root;
	struct metrics		*metrics;
	struct transports	*transport;
	nta_agent_t		*agent;
	struct sockaddr_in	 udp, tcp;
	unsigned		 requests;	/* that reached our callback */
	size_t			 body;		/* of the last one */
	unsigned		 ifindex;
	uint32_t		 connection;
	enum transport_verdict	 verdict;
	int			 status;	/* of our own request */
	const char		*wanted;	/* a metric's label value */
	uint64_t		 found;
};

extern su_log_t nta_log[], tport_log[];

static const struct transport_conf generous = {
	.message_size = 65535, .headers = 64, .connections = 100,
	.connections_per_source = 100, .first_message_ms = 60000,
	.whole_message_ms = 60000, .idle_ms = 60000, .connect_ms = 60000
};

/* the agent's side */

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

static int
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

static int
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

/* Let the agent work for so long. */
static void
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

static uint64_t
counted(struct rig *rig, const char *label_value)
{
	rig->wanted = label_value;
	rig->found = UINT64_MAX;
	metrics_each(rig->metrics, visit, rig);
	assert_true(rig->found != UINT64_MAX);
	return rig->found;
}

/* the others' side */

static int
peer(int type, const char *from)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, from, &sin.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	return fd;
}

static int
call_from(struct rig *rig, const char *from)
{
	int fd = peer(SOCK_STREAM, from);

	if (connect(fd, (struct sockaddr *)&rig->tcp, sizeof rig->tcp) == -1)
		assert_int_equal(errno, EINPROGRESS);
	run(rig, 5);
	return fd;
}

static int
call(struct rig *rig)
{
	return call_from(rig, "127.0.0.1");
}

static void
close_all(const int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
}

static void
say(int fd, const char *p, size_t len)
{
	assert_int_equal(send(fd, p, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
cast(struct rig *rig, int fd, const char *p, size_t len)
{
	assert_int_equal(sendto(fd, p, len, 0, (struct sockaddr *)&rig->udp,
	    sizeof rig->udp), (ssize_t)len);
}

/* What arrives within so long, as text; -1: nothing, 0: the end. */
static ssize_t
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

/* The status of the next answer; 0: none came in time. */
static int
answer(struct rig *rig, int fd, int64_t ms)
{
	static char buf[BUF];

	return hear(rig, fd, buf, ms) > 0 ? status_of(buf) : 0;
}

static bool
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

static size_t
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

/* datagrams */

#define HEAD(uri, version, via)						\
	"OPTIONS " uri " " version "\r\nVia: " via "\r\n"		\
	"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
#define VIA	"SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK1"
#define SOUND(via) HEAD("sip:x@example.com", "SIP/2.0", via)		\
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:x@example.com>\r\n"
#define NO_FROM(via) HEAD("sip:x@example.com", "SIP/2.0", via)		\
	"To: <sip:x@example.com>\r\n"
#define ACK(version)							\
	"ACK sip:x@example.com " version "\r\nVia: " VIA "\r\n"		\
	"Call-ID: 1\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n"		\
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:x@example.com>\r\n"

/* Whatever the Via says, the answer must come back to who asked. */
static const struct {
	const char	*what;
	const char	*p;
	size_t		 len;
	int		 status;	/* 0: silence */
	const char	*reason;	/* counted once under it; or NULL */
} datagrams[] = {
#define D(s) (s), sizeof (s) - 1
	{ "sound", D(SOUND(VIA) "\r\n"), 200, NULL },
	{ "blank lines first", D("\r\n\r\n" SOUND(VIA) "\r\n"), 200, NULL },
	{ "bytes behind the body", D(SOUND(VIA) "l: 1\r\n\r\nabc"), 200,
	    NULL },
	{ "maddr is a name", D(SOUND(VIA ";maddr=slow.example.org") "\r\n"),
	    200, NULL },
	{ "maddr is another", D(SOUND(VIA ";maddr=127.0.0.9") "\r\n"), 200,
	    NULL },
	{ "received is another", D(SOUND(VIA ";received=127.0.0.9") "\r\n"),
	    200, NULL },
	{ "400, maddr is a name", D(NO_FROM(VIA ";maddr=slow.example.org")
	    "\r\n"), 400, NULL },
	{ "400, maddr is another", D(NO_FROM(VIA ";MADDR=127.0.0.9") "\r\n"),
	    400, NULL },
	{ "505, Via is a name", D(HEAD("sip:x@example.com", "SIP/3.0",
	    "SIP/2.0/UDP slow.example.org;rport;branch=z9hG4bK1")
	    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:x@example.com>\r\n"
	    "\r\n"), 505, NULL },
	{ "505, received is another", D(HEAD("sip:x@example.com", "SIP/3.0",
	    VIA ";received=127.0.0.9;maddr=127.0.0.9")
	    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:x@example.com>\r\n"
	    "\r\n"), 505, NULL },
	{ "body is short", D(SOUND(VIA) "l: 4\r\n\r\nabc"), 400,
	    "truncated" },
	{ "body is missing", D(SOUND(VIA) "l: 4\r\n\r\n"), 400,
	    "truncated" },

	{ "keep-alive", D("\r\n\r\n"), 0, NULL },
	{ "STUN", D("\0\1\0\0\x21\x12\xa4\x42" "0123456789ab"), 0, "stun" },
	{ "bare LF", D(SOUND(VIA) "Subject: a\nl: 0\r\n\r\n"), 0, "bare-lf" },
	{ "bare CR", D(SOUND(VIA) "Subject: a\rl: 0\r\n\r\n"), 0, "bare-cr" },
	{ "NUL", D(SOUND(VIA) "Subject: a\0\r\n\r\n"), 0, "nul" },
	{ "no end", D(SOUND(VIA)), 0, "unfinished" },
	{ "response that is short", D("SIP/2.0 200 OK\r\nVia: " VIA "\r\n"
	    "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nl: 4\r\n\r\nabc"), 0,
	    "truncated" },
	{ "start line of one word", D("OPTIONS\r\nVia: " VIA "\r\n\r\n"), 0,
	    NULL },
	{ "Via of TCP", D(NO_FROM("SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1")
	    "\r\n"), 0, "via" },
	{ "two maddr", D(SOUND(VIA ";maddr=127.0.0.9;maddr=127.0.0.8")
	    "\r\n"), 0, "via" },
	{ "two received", D(SOUND(VIA ";received=127.0.0.9;received=127.0.0.8")
	    "\r\n"), 0, "via" },
	{ "ACK of another version", D(ACK("SIP/3.0") "\r\n"), 0, "garbage" },
	{ "ACK that is short", D(ACK("SIP/2.0") "l: 9\r\n\r\n"), 0,
	    "truncated" },
#undef D
};

static void
answers_to_datagrams(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(datagrams); i++) {
		const char *reason = datagrams[i].reason;
		uint64_t before = reason ? counted(rig, reason) : 0;
		int64_t began = clock_mono_ms();
		int fd = peer(SOCK_DGRAM, "127.0.0.1");
		int status;

		cast(rig, fd, datagrams[i].p, datagrams[i].len);
		status = answer(rig, fd, datagrams[i].status ? ANSWER_MS :
		    SILENCE_MS);
		if (status != datagrams[i].status)
			fail_msg("%s: %d", datagrams[i].what, status);
		if (clock_mono_ms() - began > 500)
			fail_msg("%s: slow", datagrams[i].what);
		if (reason && counted(rig, reason) != before + 1)
			fail_msg("%s: not counted", datagrams[i].what);
		close(fd);
	}
}

/* Each datagram with maddr stopped the library alone for ten seconds. */
static void
names_in_maddr_do_not_stall(void **state)
{
	static const char text[] =
	    NO_FROM(VIA ";maddr=slow.example.org") "\r\n";
	struct rig *rig = *state;
	int fd = peer(SOCK_DGRAM, "127.0.0.1");
	int64_t began = clock_mono_ms();

	for (int i = 0; i < 20; i++)
		cast(rig, fd, text, sizeof text - 1);
	for (int i = 0; i < 20; i++)
		assert_int_equal(answer(rig, fd, ANSWER_MS), 400);
	assert_true(clock_mono_ms() - began < 1000);
	close(fd);
}

static void
large_datagrams(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd = peer(SOCK_DGRAM, "127.0.0.1");

	cast(rig, fd, buf, request(buf, "UDP", "", 60000));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_int_equal(rig->body, 60000);
	assert_true(rig->ifindex > 0);
	assert_int_equal(rig->connection, 0);

	conf.message_size = 2000;
	transport_set_conf(rig->transport, &conf);
	cast(rig, fd, buf, request(buf, "UDP", ";received=127.0.0.9", 2000));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 413);
	assert_int_equal(counted(rig, "message-too-large"), 1);
	cast(rig, fd, buf, request(buf, "UDP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);

	conf.headers = 5;
	transport_set_conf(rig->transport, &conf);
	cast(rig, fd, buf, request(buf, "UDP", "", 0));
	assert_int_equal(answer(rig, fd, SILENCE_MS), 0);
	assert_int_equal(counted(rig, "too-many-headers"), 1);
	close(fd);
}

static void
hook_drops(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = peer(SOCK_DGRAM, "127.0.0.1");

	rig->verdict = TRANSPORT_DROP;
	cast(rig, fd, buf, request(buf, "UDP", "", 0));
	assert_int_equal(answer(rig, fd, SILENCE_MS), 0);
	assert_int_equal(rig->requests, 0);
	assert_null(transport_current());
	close(fd);
}

/* streams */

static void
byte_by_byte(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	size_t len = request(buf, "TCP", "", 20);
	int fd = call(rig);

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(rig->requests, 0);
		say(fd, buf + i, 1);
		su_root_step(rig->root, 1);
	}
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_int_equal(rig->body, 20);
	close(fd);
}

static void
cut_in_two_anywhere(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = call(rig);

	for (size_t cut = 1; cut < 240; cut += 7) {
		size_t len = request(buf, "TCP", "", 40);

		assert_true(cut < len);
		say(fd, buf, cut);
		run(rig, 2);
		say(fd, buf + cut, len - cut);
		assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
		assert_int_equal(rig->body, 40);
	}
	close(fd);
}

static void
pipelined(void **state)
{
	static char one[BUF], all[BUF];
	struct rig *rig = *state;
	size_t len = 0;
	int fd = call(rig);

	for (int i = 0; i < 20; i++) {
		size_t n = request(one, "TCP", "", (size_t)i * 10);

		memcpy(all + len, one, n);
		len += n;
		memcpy(all + len, "\r\n", 2);	/* some send one too much */
		len += 2;
	}
	say(fd, all, len / 2);
	run(rig, 5);
	say(fd, all + len / 2, len - len / 2);
	for (int i = 0; i < 50 && rig->requests < 20; i++)
		run(rig, 5);
	assert_int_equal(rig->requests, 20);
	assert_int_equal(rig->body, 190);
	assert_int_equal(counted(rig, "tcp"), 20);
	close(fd);
}

static void
large_body(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	size_t len = request(buf, "TCP", "", 60000), done = 0;
	int fd = call(rig);

	while (done < len) {
		ssize_t n = send(fd, buf + done, len - done, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		done += n > 0 ? (size_t)n : 0;
		run(rig, 2);
	}
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_int_equal(rig->body, 60000);
	close(fd);
}

static void
keep_alive_gets_its_pong(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = call(rig);

	say(fd, "\r\n\r", 3);
	assert_int_equal(hear(rig, fd, buf, SILENCE_MS), -1);
	say(fd, "\n", 1);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 2);
	assert_string_equal(buf, "\r\n");
	say(fd, "\r\n\r\n\r\n\r\n", 8);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 4);
	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	close(fd);
}

/* What ends a connection, and the last word before. */
static const struct {
	const char	*what;
	const char	*text;
	int		 status;	/* 0: none */
	const char	*reason;
} breaches[] = {
	{ "bare LF", "OPTIONS sip:x SIP/2.0\nTo: a\n\n", 0, "bare-lf" },
	{ "bare CR", "OPTIONS sip:x SIP/2.0\r\nTo: a\rVia: b\r\n", 0,
	    "bare-cr" },
	{ "TLS hello", "\x16\x03\x01\x02", 0, "not-sip" },
	{ "two lengths", "OPTIONS sip:x SIP/2.0\r\nl: 0\r\nl: 5\r\n", 0,
	    "bad-content-length" },
	{ "no length", HEAD("sip:x", "SIP/2.0", "SIP/2.0/TCP 127.0.0.1:9")
	    "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\n\r\n", 400,
	    "no-content-length" },
	{ "too large", HEAD("sip:x", "SIP/2.0", "SIP/2.0/TCP 127.0.0.1:9")
	    "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nl: 99999\r\n\r\n", 413,
	    "message-too-large" },
	{ "HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0,
	    "no-content-length" },
};

static void
breaches_end_the_connection(void **state)
{
	struct rig *rig = *state;
	int kept[COUNT(breaches)];

	for (size_t i = 0; i < COUNT(breaches); i++) {
		uint64_t before = counted(rig, breaches[i].reason);
		int fd = kept[i] = call(rig);
		int status = 0;

		say(fd, breaches[i].text, strlen(breaches[i].text));
		if (breaches[i].status != 0)
			status = answer(rig, fd, ANSWER_MS);
		if (status != breaches[i].status)
			fail_msg("%s: %d", breaches[i].what, status);
		if (!is_closed(rig, fd, ANSWER_MS))
			fail_msg("%s: open", breaches[i].what);
		if (counted(rig, breaches[i].reason) != before + 1)
			fail_msg("%s: not counted", breaches[i].what);
	}
	/* They hear no more of us and stay; they are not waited for. */
	run(rig, 1200);
	assert_int_equal(counted(rig, "accepted"), 0);
	close_all(kept, COUNT(kept));
}

/* deadlines */

static void
silence_is_ended(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int64_t began;
	int fd;

	conf.first_message_ms = 200;
	transport_set_conf(rig->transport, &conf);
	fd = call(rig);
	began = clock_mono_ms();
	run(rig, 100);
	say(fd, "\r\n\r\n", 4);		/* is no message */
	assert_true(is_closed(rig, fd, ANSWER_MS));
	assert_in_range(clock_mono_ms() - began, 150, 1000);
	assert_int_equal(counted(rig, "first-message"), 1);
	close(fd);
}

static void
dribble_is_ended(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int64_t began;
	size_t len, i;
	int fd;

	conf.whole_message_ms = 200;
	transport_set_conf(rig->transport, &conf);
	fd = call(rig);
	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	run(rig, 300);			/* silence between messages is none */
	began = clock_mono_ms();
	len = request(buf, "TCP", "", 0);
	for (i = 0; i < len; i++) {
		if (send(fd, buf + i, 1, MSG_NOSIGNAL) == -1)
			break;
		run(rig, 10);
	}
	assert_in_range(clock_mono_ms() - began, 150, 1000);
	assert_int_equal(counted(rig, "slow-message"), 1);
	close(fd);
}

static void
idleness_is_ended(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int64_t began;
	int fd;

	conf.idle_ms = 300;
	transport_set_conf(rig->transport, &conf);
	fd = call(rig);
	for (int i = 0; i < 4; i++) {	/* a keep-alive keeps alive */
		run(rig, 200);
		say(fd, "\r\n\r\n", 4);
		assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 2);
	}
	began = clock_mono_ms();
	assert_true(is_closed(rig, fd, ANSWER_MS));
	assert_in_range(clock_mono_ms() - began, 250, 1000);
	assert_int_equal(counted(rig, "idle"), 1);
	close(fd);
}

static int
on_response(struct rig *rig, nta_outgoing_t *orq, sip_t const *sip)
{
	(void)orq;
	if (sip != NULL && sip->sip_status != NULL)
		rig->status = sip->sip_status->st_status;
	return 0;
}

static nta_outgoing_t *
ask(struct rig *rig, const struct sockaddr_in *to)
{
	nta_leg_t *leg = nta_leg_tcreate(rig->agent, NULL, NULL,
	    NTATAG_NO_DIALOG(1), TAG_END());
	nta_outgoing_t *orq;
	char url[64];

	snprintf(url, sizeof url, "sip:127.0.0.1:%u;transport=tcp",
	    (unsigned)ntohs(to->sin_port));
	orq = nta_outgoing_tcreate(leg, on_response, rig,
	    (url_string_t *)url, SIP_METHOD_OPTIONS, (url_string_t *)url,
	    SIPTAG_FROM_STR("<sip:a@b>;tag=1"), SIPTAG_TO_STR("<sip:x@y>"),
	    TAG_END());
	assert_non_null(orq);
	nta_leg_destroy(leg);
	return orq;
}

/* A listener whose queue is full answers no SYN: nothing comes back. */
static void
connecting_is_ended(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct sockaddr_in sin;
	socklen_t len = sizeof sin;
	int deaf = peer(SOCK_STREAM, "127.0.0.1"), crowd[4];
	nta_outgoing_t *orq;
	int64_t began;

	conf.connect_ms = 300;
	transport_set_conf(rig->transport, &conf);
	assert_int_equal(listen(deaf, 0), 0);
	assert_int_equal(getsockname(deaf, (struct sockaddr *)&sin, &len), 0);
	for (size_t i = 0; i < COUNT(crowd); i++) {
		crowd[i] = peer(SOCK_STREAM, "127.0.0.1");
		(void)connect(crowd[i], (struct sockaddr *)&sin, sizeof sin);
	}
	began = clock_mono_ms();
	orq = ask(rig, &sin);
	for (int i = 0; i < 300 && rig->status == 0; i++)
		run(rig, 10);
	assert_int_equal(rig->status, 503);
	assert_in_range(clock_mono_ms() - began, 250, 1500);
	assert_int_equal(counted(rig, "connect"), 1);
	nta_outgoing_destroy(orq);
	for (size_t i = 0; i < COUNT(crowd); i++)
		close(crowd[i]);
	close(deaf);
}

/* Our own connection outlives the deadline for connecting and for a first
 * message, and an answer may take its time. */
static void
connected_is_not_ended(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct sockaddr_in sin;
	socklen_t len = sizeof sin;
	int listening = peer(SOCK_STREAM, "127.0.0.1"), fd;
	nta_outgoing_t *orq;

	conf.connect_ms = conf.first_message_ms = 100;
	transport_set_conf(rig->transport, &conf);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&sin,
	    &len), 0);
	orq = ask(rig, &sin);
	run(rig, 300);
	fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	assert_true(hear(rig, fd, buf, ANSWER_MS) > 0);
	assert_non_null(strstr(buf, "OPTIONS"));
	assert_false(is_closed(rig, fd, 100));
	assert_int_equal(counted(rig, "outgoing"), 1);
	assert_int_equal(counted(rig, "accepted"), 0);
	nta_outgoing_destroy(orq);
	close(fd);
	close(listening);
	run(rig, 20);
	assert_int_equal(counted(rig, "outgoing"), 0);
}

/* how many */

static unsigned
open_ones(struct rig *rig, const int *fd, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_closed(rig, fd[i], 20))
			count++;
	return count;
}

static void
connections_in_all(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd[6];

	conf.connections = 3;
	transport_set_conf(rig->transport, &conf);
	for (size_t i = 0; i < COUNT(fd); i++)
		fd[i] = call(rig);
	run(rig, 20);
	assert_int_equal(open_ones(rig, fd, COUNT(fd)), 3);
	assert_int_equal(counted(rig, "connections"), 3);
	assert_int_equal(counted(rig, "accepted"), 3);

	close(fd[0]);			/* its place is free at once */
	su_root_step(rig->root, 100);
	assert_int_equal(counted(rig, "accepted"), 2);
	fd[0] = call(rig);
	say(fd[0], buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd[0], ANSWER_MS), 200);
	close_all(fd, COUNT(fd));
	run(rig, 20);
	assert_int_equal(counted(rig, "accepted"), 0);
}

static void
connections_per_source(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd[5], other;

	conf.connections_per_source = 2;
	transport_set_conf(rig->transport, &conf);
	for (size_t i = 0; i < COUNT(fd); i++)
		fd[i] = call(rig);
	other = call_from(rig, "127.0.0.2");
	assert_int_equal(open_ones(rig, fd, COUNT(fd)), 2);
	assert_false(is_closed(rig, other, 20));
	assert_int_equal(counted(rig, "connections-per-source"), 3);
	close(other);
	close_all(fd, COUNT(fd));
}

/* The library alone turns in circles: the caller stays in the queue. */
static void
out_of_descriptors(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct rlimit old, tight;
	int fd = peer(SOCK_STREAM, "127.0.0.1"), after, steps = 0, lowest;
	int64_t end;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	lowest = dup(fd);
	close(lowest);
	tight = (struct rlimit){ (rlim_t)lowest, old.rlim_max };
	assert_int_equal(connect(fd, (struct sockaddr *)&rig->tcp,
	    sizeof rig->tcp) == -1 && errno != EINPROGRESS, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_true(is_closed(rig, fd, ANSWER_MS));
	end = clock_mono_ms() + 100;
	for (; clock_mono_ms() < end; steps++)
		su_root_step(rig->root, 10);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(steps < 50);
	assert_int_equal(counted(rig, "descriptors"), 1);

	after = call(rig);
	say(after, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, after, ANSWER_MS), 200);
	close(after);
	close(fd);
}

/* names of connections */

static void
connection_is_found_by_its_id(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = call(rig), second = call(rig);
	uint32_t id;
	tport_t *tp;

	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	id = rig->connection;
	assert_true(id != 0);
	tp = transport_connection_find(id);
	assert_non_null(tp);
	assert_int_equal(transport_connection_id(tp), id);
	assert_true(tport_is_secondary(tp));

	say(second, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, second, ANSWER_MS), 200);
	assert_true(rig->connection != 0 && rig->connection != id);

	close(fd);
	run(rig, 20);
	assert_null(transport_connection_find(id));
	assert_non_null(transport_connection_find(rig->connection));
	assert_null(transport_connection_find(0));
	assert_int_equal(transport_connection_id(nta_agent_tports(rig->agent)),
	    0);
	close(second);
}

/* the fix-ups */

static void
fixups_are_in_force(void **state)
{
	struct addrinfo *res = NULL;
	int64_t began = clock_mono_ms();

	(void)state;
	assert_int_equal(sofia_fixups_check(), 0);
	assert_int_equal(su_root_yield(NULL), 0);
	assert_int_not_equal(getaddrinfo("localhost", NULL, NULL, &res), 0);
	assert_int_equal(getaddrinfo("::1", "5060", NULL, &res), 0);
	freeaddrinfo(res);
	assert_true(clock_mono_ms() - began < 100);
}

static void
polling_in_circles_waits(void **state)
{
	int ep = epoll_create1(0), pipes[2];
	struct epoll_event ev = { .events = EPOLLIN };
	int64_t began;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, pipes[0], &ev), 0);
	began = clock_mono_us();
	for (int i = 0; i < 11; i++)
		assert_int_equal(epoll_wait(ep, &ev, 1, 0), 0);
	assert_true(clock_mono_us() - began >= 9000);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(epoll_wait(ep, &ev, 1, 0), 1);
	close(pipes[0]);
	close(pipes[1]);
	close(ep);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixups_are_in_force),
		cmocka_unit_test(polling_in_circles_waits),
		T(answers_to_datagrams),
		T(names_in_maddr_do_not_stall),
		T(large_datagrams),
		T(hook_drops),
		T(byte_by_byte),
		T(cut_in_two_anywhere),
		T(pipelined),
		T(large_body),
		T(keep_alive_gets_its_pong),
		T(breaches_end_the_connection),
		T(silence_is_ended),
		T(dribble_is_ended),
		T(idleness_is_ended),
		T(connecting_is_ended),
		T(connected_is_not_ended),
		T(connections_in_all),
		T(connections_per_source),
		T(out_of_descriptors),
		T(connection_is_found_by_its_id),
	};
#undef T
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open(null, LOG_TEXT, LEVEL_ERROR);
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
