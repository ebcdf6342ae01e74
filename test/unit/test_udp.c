/* UDP: batches and their order, what is turned away, who is behind a balancer,
 * and what becomes of errors. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_wait.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/metrics.h"
#include "failing_alloc.h"
#include "guard/screen.h"
#include "io/loop.h"
#include "transport/udp.h"

enum { SEEN_MAX = 256, TEXT_MAX = 65536, MANY = 200, WAKEUP_MAX = 128 };

struct rig {
	struct loop		*loop;
	struct metrics		*metrics;
	struct transports	*transport;
	struct port		*port;
	struct port		*back;		/* echoes leave by it */
	bool			 echo;
	struct addr		 denied;
	struct net		 balancer;
	unsigned		 nseen;
	uint32_t		 seen[SEEN_MAX];	/* CSeq numbers */
	struct arrived		 last;
	unsigned		 flags;			/* of the last */
	unsigned		 nlost;
	struct addr		 lost[SEEN_MAX];	/* unreachable */
	bool			 sending;
	const char		*wanted;		/* a label's value */
	uint64_t		 found;
};

static bool
admit(void *arg, const struct addr *source)
{
	struct rig *rig = arg;

	return !addr_same_ip(source, &rig->denied);
}

static void
on_message(void *arg, const struct arrived *a, msg_t *msg)
{
	struct rig *rig = arg;
	const sip_t *sip = sip_object(msg);
	struct hop back = { .port = rig->back != NULL ? rig->back : a->port,
	    .addr = a->reach };
	char text[16];

	assert_true(rig->nseen < SEEN_MAX);
	rig->seen[rig->nseen++] = sip->sip_cseq ? sip->sip_cseq->cs_seq : 0;
	rig->flags = msg_get_flags(msg, ~0u);
	rig->last = *a;
	snprintf(text, sizeof text, "%u", rig->seen[rig->nseen - 1]);
	if (rig->echo)
		assert_int_equal(transport_send(rig->transport, &back, text,
		    strlen(text), NULL), 0);
	msg_destroy(msg);
}

static void
on_lost(void *arg, uint32_t connection)
{
	(void)arg;
	fail_msg("lost %u", connection);
}

static void
on_unreachable(void *arg, const struct port *port, const struct addr *to)
{
	struct rig *rig = arg;

	assert_ptr_equal(port, rig->port);
	assert_false(rig->sending);
	assert_true(rig->nlost < SEEN_MAX);
	rig->lost[rig->nlost++] = *to;
}

static struct addr
address(const char *host, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse_host(&a, (struct str){ host, strlen(host) }));
	a.port = port;
	return a;
}

static struct transports *
transports_of(struct rig *rig, struct metrics *metrics)
{
	static const struct transport_conf conf = { .message_size = 65535 };
	struct transport_hooks hooks = {
		.judge = screen_head, .admit = admit,
		.on_message = on_message, .on_lost = on_lost,
		.on_unreachable = on_unreachable, .arg = rig
	};

	return transport_open(rig->loop, &conf, &hooks, sip_default_mclass(),
	    metrics);
}

static struct port *
listen_at(struct transports *t, const struct addr *a)
{
	struct port_conf conf = { .listener = "test",
	    .transport = TRANSPORT_UDP, .addr = *a };

	return transport_listen(t, &conf);
}

static int
set_up_at(void **state, const char *host)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct addr a = address(host, 0);

	assert_non_null(rig);
	rig->loop = loop_new();
	rig->metrics = metrics_new();
	rig->transport = transports_of(rig, rig->metrics);
	assert_non_null(rig->transport);
	rig->port = listen_at(rig->transport, &a);
	assert_non_null(rig->port);
	assert_true(port_addr(rig->port)->port > 0);
	*state = rig;
	return 0;
}

static int
set_up(void **state)
{
	return set_up_at(state, "127.0.0.1");
}

static int
set_up_v6(void **state)
{
	return set_up_at(state, "::1");
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	transport_close(rig->transport);
	metrics_free(rig->metrics);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

static void
turn(struct rig *rig)
{
	su_root_step(loop_root(rig->loop), 0);
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

/* A socket of somebody else on this machine; *a says which. */
static int
peer(const char *host, struct addr *a)
{
	struct addr any = address(host, 0);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&any, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_true(addr_from_sockaddr(a, (struct sockaddr *)&ss));
	return fd;
}

static struct addr
closed_port(const char *host)
{
	struct addr a;

	close(peer(host, &a));
	return a;
}

static void
cast(int fd, const struct port *p, const void *bytes, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t sslen = addr_to_sockaddr(port_addr(p), &ss);

	assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&ss,
	    sslen), (ssize_t)len);
}

static size_t
request(char *buf, unsigned cseq, size_t body)
{
	int n = snprintf(buf, TEXT_MAX, "MESSAGE sip:b@example.com SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%u\r\n"
	    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
	    "Call-ID: 1\r\nCSeq: %u MESSAGE\r\nMax-Forwards: 70\r\n"
	    "Content-Length: %zu\r\n\r\n", cseq, cseq, body);

	assert_true(n > 0 && (size_t)n + body < TEXT_MAX);
	memset(buf + n, 'b', body);
	return (size_t)n + body;
}

static void
cast_request(int fd, const struct port *p, unsigned cseq)
{
	static char buf[TEXT_MAX];

	cast(fd, p, buf, request(buf, cseq, 0));
}

static int
send_text(struct rig *rig, const struct addr *to, const void *p, size_t len)
{
	struct hop hop = { .port = rig->port, .addr = *to };
	uint32_t connection = 1;
	int rc;

	rig->sending = true;
	rc = transport_send(rig->transport, &hop, p, len, &connection);
	rig->sending = false;
	assert_int_equal(connection, 0);
	return rc;
}

static void
send_number(struct rig *rig, const struct addr *to, unsigned n)
{
	char text[16];

	snprintf(text, sizeof text, "%u", n);
	assert_int_equal(send_text(rig, to, text, strlen(text)), 0);
}

static bool
is_silent(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == -1 && errno == EAGAIN;
}

/* The next datagram is a number; UINT_MAX when there is none. */
static unsigned
hear_number(int fd)
{
	char text[16] = "";

	if (recv(fd, text, sizeof text - 1, 0) == -1)
		return (unsigned)-1;
	return (unsigned)atoi(text);
}

/* More than is read at one wake-up: others get their turn between. */
static void
batches_keep_their_order(void **state)
{
	struct rig *rig = *state;
	struct addr a;
	int fd = peer(addr_is_v4(port_addr(rig->port)) ? "127.0.0.1" : "::1",
	    &a);

	rig->echo = true;
	for (unsigned i = 0; i < MANY; i++)
		cast_request(fd, rig->port, i + 1);
	turn(rig);
	assert_int_equal(rig->nseen, WAKEUP_MAX);
	turn(rig);
	assert_int_equal(rig->nseen, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(rig->seen[i], i + 1);
		assert_int_equal(hear_number(fd), i + 1);
	}
	assert_true(is_silent(fd));
	assert_int_equal(counted(rig, "udp"), MANY);
	assert_true(addr_same(&rig->last.source, &a));
	assert_true(addr_same(&rig->last.reach, &a));
	assert_true(rig->last.ifindex > 0);
	assert_int_equal(rig->last.connection, 0);
	assert_int_equal(rig->last.transport, TRANSPORT_UDP);
	assert_ptr_equal(rig->last.port, rig->port);
	close(fd);
}

struct burst {
	struct rig	*rig;
	struct addr	 to;
	unsigned	 n;
};

static void
send_burst(void *arg)
{
	struct burst *b = arg;

	for (unsigned i = 0; i < b->n; i++)
		send_number(b->rig, &b->to, i);
}

static void
what_a_timer_sends_leaves_in_that_turn(void **state)
{
	static const unsigned counts[] = { 1, 63, 64, 65, 150 };
	struct rig *rig = *state;
	struct burst b = { .rig = rig };
	struct loop_timer *timer = loop_timer_new(rig->loop, send_burst, &b);
	int fd = peer("127.0.0.1", &b.to);

	for (size_t i = 0; i < COUNT(counts); i++) {
		b.n = counts[i];
		loop_timer_start(timer, -1);
		turn(rig);
		for (unsigned n = 0; n < b.n; n++)
			assert_int_equal(hear_number(fd), n);
		assert_true(is_silent(fd));
	}
	loop_timer_free(timer);
	close(fd);
}

static void
another_port_sends_in_the_same_turn(void **state)
{
	struct rig *rig = *state;
	struct addr a, local = address("127.0.0.1", 0);
	int fd = peer("127.0.0.1", &a);

	rig->echo = true;
	rig->back = listen_at(rig->transport, &local);
	assert_non_null(rig->back);
	cast_request(fd, rig->port, 7);
	turn(rig);
	assert_int_equal(hear_number(fd), 7);
	close(fd);
}

static void
sends_wait_for_the_end_of_the_turn(void **state)
{
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);

	send_number(rig, &a, 1);
	send_number(rig, &a, 2);
	assert_true(is_silent(fd));
	turn(rig);
	assert_int_equal(hear_number(fd), 1);
	assert_int_equal(hear_number(fd), 2);

	send_number(rig, &a, 3);		/* our last words */
	transport_close(rig->transport);
	rig->transport = NULL;
	assert_int_equal(hear_number(fd), 3);
	close(fd);
}

static void
sizes(void **state)
{
	static const size_t lengths[] = { 1, 0, 1400, 4096, 20000, 65507, 3 };
	static char out[TEXT_MAX], in[TEXT_MAX];
	struct rig *rig = *state;
	struct addr a, v6 = address("::1", 9), none = address("127.0.0.1", 0);
	int fd = peer("127.0.0.1", &a);

	for (size_t i = 0; i < COUNT(lengths); i++) {
		memset(out, 'a' + (int)i, lengths[i]);
		assert_int_equal(send_text(rig, &a, out, lengths[i]), 0);
	}
	assert_int_equal(send_text(rig, &a, out, 65508), -EMSGSIZE);
	assert_int_equal(send_text(rig, &a, out, SIZE_MAX), -EMSGSIZE);
	assert_int_equal(send_text(rig, &v6, out, 1), -EAFNOSUPPORT);
	assert_int_equal(send_text(rig, &none, out, 1), -EDESTADDRREQ);
	turn(rig);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		memset(out, 'a' + (int)i, lengths[i]);
		assert_int_equal(recv(fd, in, sizeof in, 0),
		    (ssize_t)lengths[i]);
		assert_memory_equal(in, out, lengths[i]);
	}
	assert_true(is_silent(fd));
	close(fd);
}

/* The third does not fit behind the others, so they leave before it. */
static void
large_ones_in_a_row(void **state)
{
	static char out[TEXT_MAX], in[TEXT_MAX];
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);

	for (char c = 'a'; c <= 'c'; c++) {
		memset(out, c, 50000);
		assert_int_equal(send_text(rig, &a, out, 50000), 0);
	}
	for (char c = 'a'; c <= 'c'; c++) {
		if (c == 'c') {
			assert_true(is_silent(fd));
			turn(rig);
		}
		memset(out, c, 50000);
		assert_int_equal(recv(fd, in, sizeof in, 0), 50000);
		assert_memory_equal(in, out, 50000);
	}
	close(fd);
}

#define STUN "\0\1\0\0\x21\x12\xa4\x42" "0123456789ab"

/* No message comes of these. */
static const struct {
	const char	*what;
	const char	*p;
	size_t		 len;
	const char	*reason;	/* NULL: not even counted */
} refused[] = {
#define D(s) (s), sizeof (s) - 1
	{ "empty", D(""), NULL },
	{ "CRLF", D("\r\n"), NULL },
	{ "keep-alive", D("\r\n\r\n"), NULL },
	{ "STUN", D(STUN), "stun" },
	{ "NUL", D("\0"), "nul" },
	{ "bare LF", D("OPTIONS sip:x SIP/2.0\nTo: a\n\n"), "bare-lf" },
	{ "half", D("OPTIONS sip:x SIP/2.0\r\nTo: a\r\n"), "unfinished" },
	{ "binary", D("\x16\x03\1"), "not-sip" },
#undef D
};

static void
what_is_no_message(void **state)
{
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);

	for (size_t i = 0; i < COUNT(refused); i++) {
		const char *reason = refused[i].reason;
		uint64_t before = reason ? counted(rig, reason) : 0;

		cast(fd, rig->port, refused[i].p, refused[i].len);
		turn(rig);
		if (rig->nseen != 0 || !is_silent(fd))
			fail_msg("%s", refused[i].what);
		if (reason && counted(rig, reason) != before + 1)
			fail_msg("%s: not counted", refused[i].what);
	}
	close(fd);
}

static void
stun_is_answered_if_asked_for(void **state)
{
	struct transport_conf conf = { .stun = true };
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);
	char answer[64];

	transport_set_conf(rig->transport, &conf);
	cast(fd, rig->port, STUN, sizeof STUN - 1);
	turn(rig);
	assert_int_equal(recv(fd, answer, sizeof answer, 0), 32);
	assert_memory_equal(answer, "\1\1\0\xc\x21\x12\xa4\x42"
	    "0123456789ab\0\x20\0\x8\0\1", 26);
	cast(fd, rig->port, "\0\x11\0\0\x21\x12\xa4\x42" "0123456789ab", 20);
	cast(fd, rig->port, "\r\n" STUN, 22);
	turn(rig);
	assert_true(is_silent(fd));
	assert_int_equal(rig->nseen, 0);
	assert_true(counted(rig, "stun") > 0);
	close(fd);
}

static void
large_datagrams(void **state)
{
	static char buf[TEXT_MAX];
	struct transport_conf conf = { .message_size = 2000 };
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);
	size_t len = request(buf, 1, 65000);

	cast(fd, rig->port, buf, len);
	turn(rig);
	assert_int_equal(rig->nseen, 1);
	assert_int_equal(rig->last.len, len);
	assert_int_equal(rig->flags & MSG_FLG_ERROR, 0);

	transport_set_conf(rig->transport, &conf);
	cast(fd, rig->port, buf, len);
	turn(rig);
	assert_int_equal(rig->nseen, 2);
	assert_true(rig->flags & MSG_FLG_TOOLARGE);
	assert_int_equal(counted(rig, "message-too-large"), 1);
	close(fd);
}

static void
who_is_denied_gets_nothing(void **state)
{
	struct transport_conf conf = { .stun = true };
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.66", &a);

	transport_set_conf(rig->transport, &conf);
	rig->denied = a;
	cast_request(fd, rig->port, 1);
	cast(fd, rig->port, STUN, sizeof STUN - 1);
	turn(rig);
	assert_int_equal(rig->nseen, 0);
	assert_int_equal(counted(rig, "banned"), 2);
	assert_true(is_silent(fd));
	close(fd);
}

/* PROXY, version 2, over UDP: 192.0.2.7:5070 to 192.0.2.9:5060. */
#define PROXY_START "\r\n\r\n\0\r\nQUIT\n"
#define PROXIED PROXY_START "\x21\x12\0\xc"				\
	"\xc0\0\2\7" "\xc0\0\2\x9" "\x13\xce" "\x13\xc4"
#define LOCAL PROXY_START "\x20\0\0\0"

static struct port *
listen_behind(struct rig *rig)
{
	struct port_conf conf = { .listener = "behind",
	    .transport = TRANSPORT_UDP, .addr = address("127.0.0.1", 0),
	    .balancer = &rig->balancer, .nbalancers = 1 };

	assert_true(net_parse(&rig->balancer, (struct str){ "127.0.0.9", 9 }));
	return transport_listen(rig->transport, &conf);
}

static void
cast_behind(int fd, const struct port *p, const char *head, size_t len)
{
	static char buf[TEXT_MAX];

	memcpy(buf, head, len);
	cast(fd, p, buf, len + request(buf + len, 5, 0));
}

static void
a_balancer_says_who_is_behind(void **state)
{
	struct rig *rig = *state;
	struct port *p = listen_behind(rig);
	struct addr a, client = address("192.0.2.7", 5070);
	int fd = peer("127.0.0.9", &a);

	rig->echo = true;
	cast_behind(fd, p, PROXIED, sizeof PROXIED - 1);
	turn(rig);
	assert_int_equal(rig->nseen, 1);
	assert_int_equal(rig->seen[0], 5);
	assert_true(addr_same(&rig->last.source, &client));
	assert_true(addr_same(&rig->last.reach, &a));
	assert_int_equal(hear_number(fd), 5);

	cast_behind(fd, p, LOCAL, sizeof LOCAL - 1);
	turn(rig);
	assert_int_equal(rig->nseen, 2);
	assert_true(addr_same(&rig->last.source, &a));

	cast(fd, p, PROXIED "\r\n\r\n", sizeof PROXIED + 3);
	turn(rig);
	rig->denied = client;
	cast_behind(fd, p, PROXIED, sizeof PROXIED - 1);
	turn(rig);
	assert_int_equal(rig->nseen, 2);
	assert_int_equal(counted(rig, "banned"), 1);
	close(fd);
}

static void
only_balancers_and_only_with_their_header(void **state)
{
	struct rig *rig = *state;
	struct port *p = listen_behind(rig);
	struct addr a, b;
	int stranger = peer("127.0.0.1", &a), fd = peer("127.0.0.9", &b);

	cast_behind(stranger, p, PROXIED, sizeof PROXIED - 1);
	turn(rig);
	assert_int_equal(counted(rig, "not-a-balancer"), 1);
	cast_request(fd, p, 1);
	for (size_t n = 1; n < sizeof PROXIED - 1; n++)
		cast(fd, p, PROXIED, n);
	turn(rig);
	assert_int_equal(counted(rig, "proxy-header"), sizeof PROXIED - 1);
	assert_int_equal(rig->nseen, 0);
	close(stranger);
	close(fd);
}

static void
a_closed_port_is_told(void **state)
{
	struct rig *rig = *state;
	const char *host = addr_is_v4(port_addr(rig->port)) ? "127.0.0.1" :
	    "::1";
	struct addr closed = closed_port(host), open;
	int fd = peer(host, &open);
	int64_t began;

	/* An error is also told to whoever sends next: the 65th, at the head
	 * of its own batch. */
	for (unsigned i = 0; i < 65; i++)
		send_number(rig, i % 3 == 0 ? &closed : &open, i);
	for (unsigned i = 0; i < 3; i++)
		turn(rig);
	for (unsigned i = 0; i < 65; i++)
		if (i % 3 != 0)
			assert_int_equal(hear_number(fd), i);
	assert_true(rig->nlost >= 1);
	for (unsigned i = 0; i < rig->nlost; i++)
		assert_true(addr_same(&rig->lost[i], &closed));
	assert_int_equal(counted(rig, "error"), 0);

	/* And is over then: the loop can sleep, the port can hear. */
	began = clock_mono_ms();
	su_root_step(loop_root(rig->loop), 50);
	assert_true(clock_mono_ms() - began >= 40);
	cast_request(fd, rig->port, 3);
	turn(rig);
	assert_int_equal(rig->nseen, 1);
	close(fd);
}

/* The receive buffer is full, so there is no room to keep the error. */
static void
an_error_that_was_not_kept_passes(void **state)
{
	static const char crlf[4000] = "\r\n";
	struct rig *rig = *state;
	struct addr closed = closed_port("127.0.0.1"), open;
	int fd = peer("127.0.0.1", &open), none = 0;
	int64_t began;

	assert_int_equal(setsockopt(rig->port->fd, SOL_SOCKET, SO_RCVBUF,
	    &none, sizeof none), 0);
	cast(fd, rig->port, crlf, sizeof crlf);
	send_number(rig, &closed, 1);
	turn(rig);
	assert_int_equal(rig->nlost, 0);
	began = clock_mono_ms();
	su_root_step(loop_root(rig->loop), 50);
	assert_true(clock_mono_ms() - began >= 40);
	close(fd);
}

/* More errors than are read at one wake-up, and than the kernel keeps. */
static void
many_errors_do_not_hold_the_loop(void **state)
{
	struct rig *rig = *state;
	struct addr closed = closed_port("127.0.0.1"), open;
	int fd = peer("127.0.0.1", &open);
	unsigned before = 0;

	for (unsigned i = 0; i < MANY; i++)
		send_number(rig, &closed, i);
	for (unsigned i = 0; i < 20; i++) {
		turn(rig);
		assert_true(rig->nlost - before <= 64);
		before = rig->nlost;
	}
	assert_true(rig->nlost >= 1);
	cast_request(fd, rig->port, 3);
	turn(rig);
	assert_int_equal(rig->nseen, 1);
	close(fd);
}

/* The kernel refuses it: the flag for it is not set. */
static void
where_nothing_can_be_sent_is_told_at_the_end(void **state)
{
	struct rig *rig = *state;
	struct addr all = address("255.255.255.255", 9), open;
	int fd = peer("127.0.0.1", &open);

	for (unsigned i = 0; i < 100; i++) {	/* full on the way */
		send_number(rig, i % 2 == 0 ? &all : &open, i);
		assert_int_equal(rig->nlost, 0);
	}
	turn(rig);
	assert_int_equal(rig->nlost, 1);
	assert_true(addr_same(&rig->lost[0], &all));
	assert_int_equal(counted(rig, "error"), 50);
	assert_int_equal(counted(rig, "full"), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(hear_number(fd), 2 * i + 1);
	close(fd);
}

/* Of more places the transactions find out by themselves. */
static void
so_many_places_are_told(void **state)
{
	struct rig *rig = *state;
	struct addr all = address("255.255.255.255", 9);

	for (unsigned i = 0; i < MANY; i++, all.port++)
		send_number(rig, &all, i);
	turn(rig);
	assert_int_equal(rig->nlost, FAILURES_MAX);
	assert_int_equal(counted(rig, "error"), MANY);
	turn(rig);
	assert_int_equal(rig->nlost, FAILURES_MAX);
}

/* So many sendmmsg() say first what became of others. */
static unsigned pending;

int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);

int
__wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	if (pending == 0)
		return __real_sendmmsg(fd, m, n, flags);
	pending--;
	errno = EHOSTUNREACH;
	return -1;
}

/* Whoever sends ICMP errors in a row, about whom he likes. */
static void
errors_of_others_are_none_of_ours(void **state)
{
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);

	for (unsigned n = 1; n < 5; n++) {
		send_number(rig, &a, n);
		pending = 2 * n - 1;
		turn(rig);
		turn(rig);
		assert_int_equal(pending, 0);
		assert_int_equal(hear_number(fd), n);
	}
	assert_int_equal(rig->nlost, 0);
	assert_int_equal(counted(rig, "error"), 0);
	close(fd);
}

/* Else a second daemon, started by mistake, took a part of our packets. */
static void
a_port_is_for_one_process(void **state)
{
	struct rig *rig = *state, other = { .loop = rig->loop };
	struct metrics *metrics = metrics_new();

	other.transport = transports_of(&other, metrics);
	assert_non_null(other.transport);
	assert_null(listen_at(other.transport, port_addr(rig->port)));
	assert_int_equal(errno, EADDRINUSE);
	transport_close(other.transport);
	metrics_free(metrics);
}

static void
a_taken_address_is_an_error(void **state)
{
	struct rig *rig = *state;
	struct addr a, nobodys = address("192.0.2.1", 0);
	int fd = peer("127.0.0.1", &a);		/* shares with nobody */

	assert_null(listen_at(rig->transport, &a));
	assert_int_equal(errno, EADDRINUSE);
	assert_null(listen_at(rig->transport, &nobodys));
	assert_int_equal(errno, EADDRNOTAVAIL);
	close(fd);
}

/* ---- runs */

static void
run_number(struct rig *rig, const struct addr *to, unsigned n)
{
	struct hop hop = { .port = rig->port, .addr = *to, .run = true };
	char text[16];

	snprintf(text, sizeof text, "%u", n);
	assert_int_equal(transport_send(rig->transport, &hop, text,
	    strlen(text), NULL), 0);
}

/* Each is a datagram there, and in order: with other lengths, another place
 * and what is no part of a run between them, and more than one run holds. */
static void
a_run_arrives_as_it_was_sent(void **state)
{
	struct rig *rig = *state;
	const char *host = addr_is_v4(port_addr(rig->port)) ? "127.0.0.1" :
	    "::1";
	struct addr a, b;
	int fd = peer(host, &a), other = peer(host, &b);

	for (unsigned n = 1; n < MANY; n++) {
		if (n % 50 == 0)
			send_number(rig, &a, n);
		else
			run_number(rig, &a, n);
		if (n % 70 == 0)
			run_number(rig, &b, n);
	}
	assert_true(rig->port->udp->count < 20);
	turn(rig);
	for (unsigned n = 1; n < MANY; n++)
		assert_int_equal(hear_number(fd), n);
	assert_true(is_silent(fd));
	assert_int_equal(hear_number(other), 70);
	assert_int_equal(hear_number(other), 140);
	assert_true(is_silent(other));
	assert_int_equal(counted(rig, "error"), 0);
	assert_int_equal(rig->port->udp->apart, 0);
	close(fd);
	close(other);
}

/* Though all are of one length, and there were runs in these places. */
static void
a_run_ends_at_what_is_none(void **state)
{
	struct rig *rig = *state;
	struct addr a, b;
	int fd = peer("127.0.0.1", &a), other = peer("127.0.0.1", &b);

	run_number(rig, &a, 11);
	run_number(rig, &b, 12);
	turn(rig);
	assert_int_equal(hear_number(fd), 11);
	assert_int_equal(hear_number(other), 12);
	run_number(rig, &a, 13);
	send_number(rig, &b, 14);
	run_number(rig, &a, 15);
	turn(rig);
	assert_int_equal(hear_number(fd), 13);
	assert_int_equal(hear_number(fd), 15);
	assert_int_equal(hear_number(other), 14);
	assert_true(is_silent(fd));
	assert_true(is_silent(other));
	close(fd);
	close(other);
}

static void
one_that_fills_the_buffer_is_no_end(void **state)
{
	static char text[1400];
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);
	struct hop hop = { .port = rig->port, .addr = a, .run = true };

	for (unsigned n = 0; n < MANY; n++) {
		text[0] = (char)n;
		assert_int_equal(transport_send(rig->transport, &hop, text,
		    sizeof text, NULL), 0);
	}
	turn(rig);
	/* what its socket has room for */
	for (unsigned n = 0; n < 64; n++) {
		assert_int_equal(recv(fd, text, sizeof text, 0), sizeof text);
		assert_int_equal(text[0], (char)n);
	}
	close(fd);
}

static void
set_checksums(struct rig *rig, bool on)
{
	int off = !on;

	assert_int_equal(setsockopt(rig->port->fd, SOL_SOCKET, SO_NO_CHECK,
	    &off, sizeof off), 0);
}

/* Where answers to strangers fill a half, the other one is for others. */
static void
runs_leave_room_for_others(void **state)
{
	struct rig *rig = *state;
	struct udp *udp = rig->port->udp;
	int room = udp->room, fd;
	struct addr a;
	struct hop hop = { .port = rig->port, .run = true };

	fd = peer("127.0.0.1", &a);
	hop.addr = a;
	assert_true(room > 0);
	udp->room = -1;				/* it is full */
	for (unsigned n = 1; n < 4; n++) {
		assert_int_equal(transport_send(rig->transport, &hop, "9", 1,
		    NULL), -ENOBUFS);
		send_number(rig, &a, n);
	}
	udp->room = room;
	turn(rig);
	run_number(rig, &a, 4);
	turn(rig);
	for (unsigned n = 1; n < 5; n++)
		assert_int_equal(hear_number(fd), n);
	assert_true(is_silent(fd));
	assert_int_equal(counted(rig, "full"), 3);
	close(fd);
}

/* How much what is gathered will take there is known when it has left. */
static void
much_leaves_before_there_is_more(void **state)
{
	static const char answer[5000] = "";
	struct rig *rig = *state;
	struct udp *udp = rig->port->udp;
	struct hop hop = { .port = rig->port, .run = true };
	int fd = peer("127.0.0.1", &hop.addr);

	udp->room = 50000;
	for (unsigned n = 0; n < 8; n++) {
		assert_int_equal(transport_send(rig->transport, &hop, answer,
		    sizeof answer, NULL), 0);
		assert_int_equal(udp->count, n % 3 + 1);
	}
	turn(rig);
	assert_int_equal(udp->count, 0);
	assert_int_equal(counted(rig, "full"), 0);
	close(fd);
}

/* Without checksums the kernel refuses runs. */
static void
what_is_refused_as_a_run_leaves_one_by_one(void **state)
{
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);

	set_checksums(rig, false);
	for (int again = 0; again < 2; again++) {
		for (unsigned n = 10; n < 20; n++)
			run_number(rig, &a, n);
		turn(rig);
		for (unsigned n = 10; n < 20; n++)
			assert_int_equal(hear_number(fd), n);
		assert_true(is_silent(fd));
		assert_true(rig->port->udp->apart > 0);	/* for a while */
	}
	set_checksums(rig, true);
	for (unsigned n = 0; rig->port->udp->apart > 0; n++) {
		assert_true(n < 2000);
		run_number(rig, &a, n);
		turn(rig);
		assert_int_equal(hear_number(fd), n);
	}
	run_number(rig, &a, 1);
	run_number(rig, &a, 2);
	assert_int_equal(rig->port->udp->count, 1);
	turn(rig);
	assert_int_equal(hear_number(fd), 1);
	assert_int_equal(hear_number(fd), 2);
	assert_int_equal(counted(rig, "error"), 0);
	assert_int_equal(rig->nlost, 0);
	close(fd);
}

/* errno of each sendto(); 0: it sends */
static int refusal;

ssize_t __real_sendto(int fd, const void *p, size_t len, int flags,
    const struct sockaddr *to, socklen_t tolen);
ssize_t __wrap_sendto(int fd, const void *p, size_t len, int flags,
    const struct sockaddr *to, socklen_t tolen);

ssize_t
__wrap_sendto(int fd, const void *p, size_t len, int flags,
    const struct sockaddr *to, socklen_t tolen)
{
	if (refusal == 0)
		return __real_sendto(fd, p, len, flags, to, tolen);
	errno = refusal;
	return -1;
}

/* One by one as well: only what is about the place is told of it. */
static void
what_has_no_room_says_nothing_of_the_place(void **state)
{
	static const struct {
		int		 error;
		const char	*counted;
		unsigned	 told;
	} cases[] = {
		{ ENOBUFS, "full", 0 }, { EAGAIN, "full", 0 },
		{ ENOMEM, "full", 0 }, { ECONNREFUSED, "error", 0 },
		{ EPERM, "error", 1 },
	};
	struct rig *rig = *state;
	struct addr a;
	int fd = peer("127.0.0.1", &a);

	set_checksums(rig, false);
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t before = counted(rig, cases[i].counted);

		for (unsigned n = 10; n < 15; n++)
			run_number(rig, &a, n);
		refusal = cases[i].error;
		turn(rig);
		turn(rig);
		refusal = 0;
		assert_int_equal(counted(rig, cases[i].counted), before + 5);
		assert_int_equal(rig->nlost, cases[i].told);
	}
	assert_true(is_silent(fd));
	close(fd);
}

/* A run to where nothing can be sent is lost, and told of once. */
static void
a_run_to_nowhere_is_told_of(void **state)
{
	struct rig *rig = *state;
	struct addr nowhere = address("255.255.255.255", 9), a;
	int fd = peer("127.0.0.1", &a);

	for (unsigned n = 10; n < 15; n++)
		run_number(rig, &nowhere, n);
	run_number(rig, &a, 15);
	turn(rig);
	turn(rig);
	assert_int_equal(counted(rig, "error"), 5);
	assert_int_equal(rig->nlost, 1);
	assert_true(addr_same(&rig->lost[0], &nowhere));
	assert_int_equal(hear_number(fd), 15);
	assert_int_equal(rig->port->udp->apart, 0);
	close(fd);
}

static bool
open_and_close(void *arg)
{
	struct rig *rig = arg;
	struct metrics *metrics = metrics_new();
	struct transports *t = NULL;
	struct addr a = { .port = 0 };
	bool ok;

	(void)addr_parse_host(&a, (struct str){ "127.0.0.1", 9 });
	if (metrics != NULL)
		t = transports_of(rig, metrics);
	ok = t != NULL && listen_at(t, &a) != NULL;
	transport_close(t);
	metrics_free(metrics);
	return ok;
}

static void
no_memory(void **state)
{
	assert_int_equal(failing_alloc_each(open_and_close, *state), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define T6(f) { #f " (IPv6)", f, set_up_v6, tear_down, NULL }
	const struct CMUnitTest tests[] = {
		T(batches_keep_their_order),
		T6(batches_keep_their_order),
		T(what_a_timer_sends_leaves_in_that_turn),
		T(another_port_sends_in_the_same_turn),
		T(sends_wait_for_the_end_of_the_turn),
		T(sizes),
		T(large_ones_in_a_row),
		T(what_is_no_message),
		T(stun_is_answered_if_asked_for),
		T(large_datagrams),
		T(who_is_denied_gets_nothing),
		T(a_balancer_says_who_is_behind),
		T(only_balancers_and_only_with_their_header),
		T(a_closed_port_is_told),
		T6(a_closed_port_is_told),
		T(an_error_that_was_not_kept_passes),
		T(many_errors_do_not_hold_the_loop),
		T(where_nothing_can_be_sent_is_told_at_the_end),
		T(so_many_places_are_told),
		T(errors_of_others_are_none_of_ours),
		T(a_port_is_for_one_process),
		T(a_taken_address_is_an_error),
		T(a_run_arrives_as_it_was_sent),
		T6(a_run_arrives_as_it_was_sent),
		T(a_run_ends_at_what_is_none),
		T(one_that_fills_the_buffer_is_no_end),
		T(what_is_refused_as_a_run_leaves_one_by_one),
		T(runs_leave_room_for_others),
		T(much_leaves_before_there_is_more),
		T(what_has_no_room_says_nothing_of_the_place),
		T(a_run_to_nowhere_is_told_of),
		T(no_memory),
	};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open(null, LOG_TEXT, LEVEL_ERROR);
	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
