/* Names to addresses, against a real server (dnsmasq) that the test starts,
 * and against servers that are silent, absent or malicious. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "failing_alloc.h"
#include "io/dns.h"
#include "io/loop.h"

#define SERVER "127.83.73.1"
#define NAPTR(name, order, service, way)				       \
	"--naptr-record=" name ".test," order ",s," service ",," way ".test"

enum { TIMEOUT_MS = 5000, MANY = 20, DRAWS = 2000 };

enum {
	UDP = TRANSPORT_BIT(TRANSPORT_UDP),
	TCP = TRANSPORT_BIT(TRANSPORT_TCP),
	TLS = TRANSPORT_BIT(TRANSPORT_TLS),
	ALL = UDP | TCP | TLS
};

struct rig {
	struct loop		*loop;
	struct dns		*dns;
	char			 resolv_conf[64];
	unsigned		 transports;
	/* of the lookup that ended last */
	enum dns_result		 result;
	struct dns_target	 t[DNS_TARGETS_MAX];
	size_t			 n;
	unsigned		 calls;
};

static pid_t server_pid;
static uint16_t server_port;


static int
bind_port(uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	inet_pton(AF_INET, SERVER, &in.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof in) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		return -1;
	*port = ntohs(in.sin_port);
	return fd;
}

static void
run_dnsmasq(void)
{
	static const char *const fixed[] = {
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
		"--no-resolv", "--no-hosts", "--bind-interfaces",
		"--pid-file=", "--log-facility=-", "--local=/test/",
		"--local-ttl=60", "--listen-address", SERVER,
		"--host-record=v4.test,127.1.2.3",
		"--host-record=v6.test,2001:db8::6",
		"--host-record=both.test,127.1.2.4,2001:db8::4",
		"--cname=alias.test,v4.test",
		"--txt-record=text.test,hello",
		"--host-record=a.srv.test,127.2.0.1",
		"--host-record=b.srv.test,127.2.0.2",
		"--host-record=c.srv.test,127.2.0.3",
		"--host-record=srv.test,127.2.0.9",
		"--srv-host=_sip._udp.srv.test,c.srv.test,5083,20,0",
		"--srv-host=_sip._udp.srv.test,a.srv.test,5081,10,30",
		"--srv-host=_sip._udp.srv.test,b.srv.test,5082,10,10",
		"--srv-host=_sip._tcp.srv.test,a.srv.test,5091,1,1",
		"--srv-host=_sips._tcp.srv.test,a.srv.test,5061,1,1",
		"--srv-host=_sip._udp.gone.test",
		"--host-record=gone.test,127.2.0.8",
		"--srv-host=_sip._tcp.tcponly.test,a.srv.test,5091,1,1",
		"--srv-host=_sip._udp.lame.test,nowhere.test,5060,1,1",
		"--srv-host=_sip._udp.numeric.test,127.9.9.9,5060,1,1",
		"--srv-host=_sip._udp.heavy.test,a.srv.test,5010,1,10",
		"--srv-host=_sip._udp.heavy.test,a.srv.test,5020,1,20",
		"--srv-host=_sip._udp.heavy.test,a.srv.test,5070,1,70",
		"--srv-host=_sip._udp.light.test,a.srv.test,5000,1,0",
		"--srv-host=_sip._udp.light.test,a.srv.test,5009,1,9",
		"--host-record=naptr.test,127.2.0.7",
		NAPTR("naptr", "10,20", "SIP+D2U", "u.way"),
		NAPTR("naptr", "10,10", "SIP+D2T", "t.way"),
		NAPTR("naptr", "20,1", "SIPS+D2T", "s.way"),
		NAPTR("safe", "10,1", "sips+d2t", "s.way"),
		NAPTR("safe", "20,1", "SIP+D2T", "t.way"),
		NAPTR("sctp", "10,1", "SIP+D2S", "s.way"),
		"--host-record=sctp.test,127.2.0.6",
		"--naptr-record=enum.test,1,1,u,E2U+sip,!^.*$!sip:a@b!",
		"--naptr-record=enum.test,1,1,a,SIP+D2T,,t.way.test",
		"--naptr-record=enum.test,1,1,s,SIP+D2T,!a!b!,t.way.test",
		"--host-record=enum.test,127.2.0.5",
		NAPTR("bare", "1,1", "SIP+D2T", "nowhere"),
		"--host-record=bare.test,127.2.0.4",
		"--srv-host=u.way.test,b.srv.test,5085,1,1",
		"--srv-host=t.way.test,b.srv.test,5086,1,1",
		"--srv-host=s.way.test,b.srv.test,5087,1,1",
	};
	static char many[MANY][2][80], port[32];
	char *argv[COUNT(fixed) + 2 * MANY + 2];
	size_t n = 0;

	for (; n < COUNT(fixed); n++)
		argv[n] = (char *)(uintptr_t)fixed[n];
	for (int i = 0; i < MANY; i++) {
		snprintf(many[i][0], sizeof many[i][0],
		    "--host-record=h%d.many.test,127.3.0.%d", i, i + 1);
		snprintf(many[i][1], sizeof many[i][1],
		    "--srv-host=_sip._udp.many.test,h%d.many.test,5060,%d,1",
		    i, i);
		argv[n++] = many[i][0];
		argv[n++] = many[i][1];
	}
	snprintf(port, sizeof port, "--port=%u", server_port);
	argv[n++] = port;
	argv[n] = NULL;
	execvp("dnsmasq", argv);
	execv("/usr/sbin/dnsmasq", argv);
	_exit(127);
}

static bool
server_answers(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(server_port)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	inet_pton(AF_INET, SERVER, &in.sin_addr);
	ok = connect(fd, (struct sockaddr *)&in, sizeof in) == 0;
	close(fd);
	return ok;
}

static int
start_server(void **state)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	int fd = bind_port(&server_port), status;

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	server_pid = fork();
	if (server_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_dnsmasq();
	}
	for (int i = 0; i < 250; i++) {
		if (waitpid(server_pid, &status, WNOHANG) != 0) {
			print_error("dnsmasq is missing or does not start\n");
			server_pid = 0;
			return -1;
		}
		if (server_answers())
			return 0;
		nanosleep(&pause, NULL);
	}
	print_error("dnsmasq does not answer\n");
	return -1;
}

static int
stop_server(void **state)
{
	(void)state;
	if (server_pid > 0) {
		kill(server_pid, SIGTERM);
		waitpid(server_pid, NULL, 0);
	}
	return 0;
}


static void
open_dns(struct rig *rig, uint16_t port)
{
	FILE *f;
	int fd;

	strcpy(rig->resolv_conf, "/tmp/test_dns.XXXXXX");
	fd = mkstemp(rig->resolv_conf);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	fprintf(f, "port %u\nnameserver %s\n", port, SERVER);
	fclose(f);
	rig->transports = ALL;
	rig->loop = loop_new();
	rig->dns = dns_new(rig->loop, rig->resolv_conf);
	assert_non_null(rig->dns);
}

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	open_dns(rig, server_port);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	dns_free(rig->dns);
	loop_free(rig->loop);
	unlink(rig->resolv_conf);
	free(rig);
	return 0;
}

/* The rig's name server, but another one than dnsmasq. */
static void
change_server(struct rig *rig, uint16_t port)
{
	dns_free(rig->dns);
	loop_free(rig->loop);
	unlink(rig->resolv_conf);
	open_dns(rig, port);
}

static void
resolved(void *arg, enum dns_result r, const struct dns_target *t, size_t n)
{
	struct rig *rig = arg;

	rig->calls++;
	rig->result = r;
	rig->n = n;
	memcpy(rig->t, t, n * sizeof *t);
	loop_stop(rig->loop);
}

/* Start one; true: it was answered at once. */
static bool
start(struct rig *rig, const char *uri, int timeout_ms,
    struct dns_lookup **lookup)
{
	const struct dns_query q = { uri, rig->transports, timeout_ms,
		resolved, rig };

	rig->calls = 0;
	rig->result = dns_resolve(rig->dns, &q, rig->t, &rig->n, lookup);
	assert_int_equal(rig->calls, 0);
	return *lookup == NULL;
}

static void
resolve(struct rig *rig, const char *uri, int timeout_ms)
{
	struct dns_lookup *lookup;

	if (start(rig, uri, timeout_ms, &lookup))
		return;
	assert_int_equal(rig->n, 0);
	loop_run(rig->loop);
	assert_int_equal(rig->calls, 1);
}

/* "udp 127.0.0.1:5060, tcp [::1]:5061" */
static const char *
targets(const struct rig *rig)
{
	static char out[2000];
	char text[ADDR_TEXT_MAX];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < rig->n; i++)
		len += (size_t)snprintf(out + len, sizeof out - len,
		    "%s%s %s", i == 0 ? "" : ", ",
		    transport_name(rig->t[i].transport),
		    addr_text(&rig->t[i].addr, text));
	return out;
}


static void
known_at_once(void **state)
{
	static const struct {
		const char	*uri;
		enum dns_result	 want;
		const char	*targets;
	} cases[] = {
		{ "sip:192.0.2.1", DNS_OK, "udp 192.0.2.1:5060" },
		{ "sip:bob@192.0.2.1:5080;transport=tcp", DNS_OK,
		    "tcp 192.0.2.1:5080" },
		{ "sips:192.0.2.1", DNS_OK, "tls 192.0.2.1:5061" },
		{ "sip:[2001:db8::1]:5070", DNS_OK,
		    "udp [2001:db8::1]:5070" },
		{ "sip:example.com;maddr=192.0.2.9", DNS_OK,
		    "udp 192.0.2.9:5060" },
		{ "sip:localhost:5070;transport=tcp", DNS_OK,
		    "tcp 127.0.0.1:5070" },
		{ "sip:LOCALHOST", DNS_OK, "udp 127.0.0.1:5060" },
		{ "http://192.0.2.1", DNS_NO_NAME, "" },
		{ "sip:", DNS_NO_NAME, "" },
		{ "", DNS_NO_NAME, "" },
		{ "sip:a..b", DNS_NO_NAME, "" },
		{ "sip:192.0.2.1;transport=sctp", DNS_NO_NAME, "" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dns_lookup *lookup;

		if (!start(rig, cases[i].uri, TIMEOUT_MS, &lookup))
			fail_msg("%s: not at once", cases[i].uri);
		assert_int_equal(rig->result, cases[i].want);
		/* The file may give localhost more than one address. */
		if (strncmp(targets(rig), cases[i].targets,
		    strlen(cases[i].targets)) != 0)
			fail_msg("%s: %s", cases[i].uri, targets(rig));
	}
}

static void
the_server_is_asked(void **state)
{
	static const struct {
		const char	*uri;
		enum dns_result	 want;
		const char	*targets;
	} cases[] = {
		{ "sip:v4.test", DNS_OK, "udp 127.1.2.3:5060" },
		{ "sip:bob@V4.Test.:5070", DNS_OK, "udp 127.1.2.3:5070" },
		{ "sip:v6.test:5080;transport=tcp", DNS_OK,
		    "tcp [2001:db8::6]:5080" },
		{ "sip:both.test", DNS_OK,
		    "udp 127.1.2.4:5060, udp [2001:db8::4]:5060" },
		{ "sips:both.test", DNS_OK,
		    "tls 127.1.2.4:5061, tls [2001:db8::4]:5061" },
		{ "sip:alias.test", DNS_OK, "udp 127.1.2.3:5060" },
		{ "sip:nobody.test", DNS_NO_NAME, "" },
		{ "sip:nobody.test:5060", DNS_NO_NAME, "" },
		{ "sip:text.test", DNS_NO_NAME, "" },
		/* RFC 3263 4.2: with a port there is no SRV. */
		{ "sip:srv.test:5060", DNS_OK, "udp 127.2.0.9:5060" },
		{ "sip:srv.test;transport=tcp", DNS_OK,
		    "tcp 127.2.0.1:5091" },
		{ "sips:srv.test", DNS_OK, "tls 127.2.0.1:5061" },
		{ "sip:srv.test;transport=tls", DNS_OK,
		    "tls 127.2.0.1:5061" },
		{ "sip:tcponly.test", DNS_OK, "tcp 127.2.0.1:5091" },
		/* RFC 2782: target "." is a refusal, in spite of the A. */
		{ "sip:gone.test;transport=udp", DNS_NO_NAME, "" },
		{ "sip:lame.test", DNS_NO_NAME, "" },
		/* RFC 2782: a target is a name. */
		{ "sip:numeric.test", DNS_NO_NAME, "" },
		/* The server refuses what is not its own: it cannot tell. */
		{ "sip:elsewhere.example", DNS_UNAVAILABLE, "" },
	};
	struct rig *rig = *state;

	/* The second time the cache answers, and says the same. */
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		size_t k = i % COUNT(cases);

		resolve(rig, cases[k].uri, TIMEOUT_MS);
		if (rig->result != cases[k].want ||
		    strcmp(targets(rig), cases[k].targets) != 0)
			fail_msg("%s: %d, %s", cases[k].uri, rig->result,
			    targets(rig));
	}
}

static void
the_cache_answers_at_once(void **state)
{
	struct rig *rig = *state;
	struct dns_lookup *lookup;

	assert_false(start(rig, "sip:both.test", TIMEOUT_MS, &lookup));
	loop_run(rig->loop);
	assert_true(start(rig, "sip:both.test", TIMEOUT_MS, &lookup));
	assert_int_equal(rig->result, DNS_OK);
	assert_int_equal(rig->n, 2);
}

/* RFC 3263 section 4.1. */
static void
naptr_chooses_the_transport(void **state)
{
	static const struct {
		const char	*uri;
		unsigned	 spoken;
		enum dns_result	 want;
		const char	*targets;
	} cases[] = {
		/* By order and, within it, preference. */
		{ "sip:naptr.test", ALL, DNS_OK,
		    "tcp 127.2.0.2:5086, udp 127.2.0.2:5085" },
		{ "sip:naptr.test", UDP, DNS_OK, "udp 127.2.0.2:5085" },
		{ "sip:naptr.test", TLS, DNS_OK, "tls 127.2.0.2:5087" },
		{ "sips:naptr.test", ALL, DNS_OK, "tls 127.2.0.2:5087" },
		/* Whoever can speak TLS is not led to less. */
		{ "sip:safe.test", ALL, DNS_OK, "tls 127.2.0.2:5087" },
		{ "sip:safe.test", UDP | TCP, DNS_OK,
		    "tcp 127.2.0.2:5086" },
		{ "sips:safe.test", UDP, DNS_OK, "tls 127.2.0.2:5087" },
		/* A transport or a port leave nothing to choose. */
		{ "sip:naptr.test;transport=udp", ALL, DNS_OK,
		    "udp 127.2.0.7:5060" },
		{ "sip:naptr.test:5071", ALL, DNS_OK, "udp 127.2.0.7:5071" },
		{ "sips:naptr.test;transport=tcp", ALL, DNS_OK,
		    "tls 127.2.0.7:5061" },
		/* None that we could use: as if there were none. */
		{ "sip:sctp.test", ALL, DNS_OK, "udp 127.2.0.6:5060" },
		{ "sip:enum.test", ALL, DNS_OK, "udp 127.2.0.5:5060" },
		/* 4.2: no SRV where it leads, so the name itself. */
		{ "sip:bare.test", ALL, DNS_OK, "tcp 127.2.0.4:5060" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		size_t k = i % COUNT(cases);

		rig->transports = cases[k].spoken;
		resolve(rig, cases[k].uri, TIMEOUT_MS);
		if (rig->result != cases[k].want ||
		    strcmp(targets(rig), cases[k].targets) != 0)
			fail_msg("%s: %d, %s", cases[k].uri, rig->result,
			    targets(rig));
	}
}

/* Without NAPTR: what is spoken is asked for, and is what is left for a name
 * without SRV. */
static void
transports_that_are_not_spoken_are_not_chosen(void **state)
{
	static const struct {
		const char	*uri;
		unsigned	 spoken;
		const char	*targets;
	} cases[] = {
		{ "sip:srv.test", TCP | TLS, "tcp 127.2.0.1:5091" },
		{ "sip:tcponly.test", TCP, "tcp 127.2.0.1:5091" },
		{ "sip:v4.test", TCP, "tcp 127.1.2.3:5060" },
		{ "sip:v4.test:5070", TCP, "tcp 127.1.2.3:5070" },
		{ "sip:192.0.2.1", TCP, "tcp 192.0.2.1:5060" },
		{ "sip:v4.test;transport=udp", TCP, "udp 127.1.2.3:5060" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		rig->transports = cases[i].spoken;
		resolve(rig, cases[i].uri, TIMEOUT_MS);
		assert_string_equal(targets(rig), cases[i].targets);
	}
}

static void
srv_goes_by_priority(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 50; i++) {
		bool heavy;

		resolve(rig, "sip:srv.test", TIMEOUT_MS);
		heavy = rig->t[0].addr.port == 5081;
		assert_string_equal(targets(rig), heavy ?
		    "udp 127.2.0.1:5081, udp 127.2.0.2:5082, "
		    "udp 127.2.0.3:5083, tcp 127.2.0.1:5091" :
		    "udp 127.2.0.2:5082, udp 127.2.0.1:5081, "
		    "udp 127.2.0.3:5083, tcp 127.2.0.1:5091");
	}
}

/* Chi squared of three ports that come first, with weights 10, 20, 70. */
static double
unevenness(const unsigned *first)
{
	double sum = 0;

	for (int port = 10; port <= 70; port++) {
		double expected = DRAWS * port / 100.0;
		double off = first[port] - expected;

		if (port == 10 || port == 20 || port == 70)
			sum += off * off / expected;
	}
	return sum;
}

/* RFC 2782: each look-up draws anew, though all but the first are answered
 * from the cache.  Beyond 30 is one run in three millions. */
static void
weights_are_shares(void **state)
{
	struct rig *rig = *state;
	unsigned first[100] = { 0 };
	struct dns_lookup *lookup;

	resolve(rig, "sip:heavy.test", TIMEOUT_MS);
	for (int i = 0; i < DRAWS; i++) {
		assert_true(start(rig, "sip:heavy.test", TIMEOUT_MS,
		    &lookup));
		assert_int_equal(rig->n, 3);
		first[rig->t[0].addr.port - 5000]++;
	}
	assert_int_equal(first[10] + first[20] + first[70], DRAWS);
	if (unevenness(first) > 30)
		fail_msg("%u, %u, %u", first[10], first[20], first[70]);
}

/* Weight 0 beside 9: one in ten, by the sums that RFC 2782 prescribes. */
static void
weight_zero_is_seldom_first(void **state)
{
	struct rig *rig = *state;
	unsigned first = 0;

	for (int i = 0; i < DRAWS; i++) {
		resolve(rig, "sip:light.test", TIMEOUT_MS);
		first += rig->t[0].addr.port == 5000;
	}
	/* 6 times the standard deviation to both sides */
	assert_in_range(first, DRAWS / 10 - 80, DRAWS / 10 + 80);
}

static void
targets_have_a_bound(void **state)
{
	struct rig *rig = *state;

	resolve(rig, "sip:many.test", TIMEOUT_MS);
	assert_int_equal(rig->result, DNS_OK);
	assert_int_equal(rig->n, DNS_TARGETS_MAX);
	for (size_t i = 0; i < rig->n; i++)
		assert_int_equal(rig->t[i].addr.ip[15], i + 1);
}

static void
nobody_listens(void **state)
{
	struct rig *rig = *state;
	uint16_t port;
	int fd = bind_port(&port);

	close(fd);
	change_server(rig, port);
	resolve(rig, "sip:v4.test", 1000);
	assert_int_equal(rig->result, DNS_UNAVAILABLE);
	assert_int_equal(rig->n, 0);
}

static void
silence_ends_with_the_deadline(void **state)
{
	struct rig *rig = *state;
	uint16_t port;
	int fd = bind_port(&port);
	int64_t t0 = clock_mono_ms();

	change_server(rig, port);
	resolve(rig, "sip:v4.test", 100);
	assert_int_equal(rig->result, DNS_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - t0, 95, 2000);
	close(fd);
}

static void
too_late(void *arg)
{
	loop_stop(arg);
}

/* Let the loop run for a while. */
static void
idle(struct rig *rig, int64_t ms)
{
	struct loop_timer *t = loop_timer_new(rig->loop, too_late, rig->loop);

	loop_timer_start(t, ms);
	loop_run(rig->loop);
	loop_timer_free(t);
}

static void
a_cancelled_lookup_is_silent(void **state)
{
	struct rig *rig = *state;
	struct dns_lookup *lookup[3];

	/* The answers come, and nobody is told. */
	assert_false(start(rig, "sip:v4.test", 50, &lookup[0]));
	dns_cancel(rig->dns, lookup[0]);
	assert_false(start(rig, "sip:both.test:5060", 50, &lookup[1]));
	assert_false(start(rig, "sip:srv.test", TIMEOUT_MS, &lookup[2]));
	dns_cancel(rig->dns, lookup[1]);
	dns_cancel(rig->dns, NULL);
	loop_run(rig->loop);
	assert_int_equal(rig->calls, 1);
	assert_int_equal(rig->n, 4);
	idle(rig, 100);
	assert_int_equal(rig->calls, 1);
}

static void
the_end_cancels_what_is_under_way(void **state)
{
	struct rig *rig = *state;
	struct dns_lookup *lookup[2];

	assert_false(start(rig, "sip:v4.test", TIMEOUT_MS, &lookup[0]));
	assert_false(start(rig, "sip:v4.test", TIMEOUT_MS, &lookup[1]));
	dns_free(rig->dns);
	rig->dns = NULL;
	idle(rig, 50);
	assert_int_equal(rig->calls, 0);
}

static void
lookups_have_a_bound(void **state)
{
	struct rig *rig = *state;
	struct dns_lookup *lookup, *first;
	uint16_t port;
	int fd = bind_port(&port);

	change_server(rig, port);
	assert_false(start(rig, "sip:v4.test:5060", TIMEOUT_MS, &first));
	for (int i = 1; i < 1000; i++)
		assert_false(start(rig, "sip:v4.test:5060", TIMEOUT_MS,
		    &lookup));
	assert_true(start(rig, "sip:v4.test:5060", TIMEOUT_MS, &lookup));
	assert_int_equal(rig->result, DNS_UNAVAILABLE);
	/* An address needs no lookup, and who gives up makes room. */
	assert_true(start(rig, "sip:192.0.2.1", TIMEOUT_MS, &lookup));
	assert_int_equal(rig->result, DNS_OK);
	dns_cancel(rig->dns, first);
	assert_false(start(rig, "sip:v4.test:5060", TIMEOUT_MS, &lookup));
	close(fd);
}


struct villain {
	int	 fd;
	bool	 garbage;	/* or else a circle of aliases */
	unsigned asked;
};

/* a.loop.test is an alias of b.loop.test, and that of a.loop.test. */
static size_t
alias_answer(uint8_t *m, size_t n)
{
	static const uint8_t alias[] = {
		0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 0, 0, 4, 1, 'x', 0xc0, 14
	};
	size_t end = 12;

	while (end < n && m[end] != 0)
		end += m[end] + 1u;
	end += 5;
	if (end > n)
		return 0;
	m[2] |= 0x80;				/* a response */
	m[7] = 1;				/* with one answer */
	m[11] = 0;
	memcpy(m + end, alias, sizeof alias);
	m[end + 13] = m[13] == 'a' ? 'b' : 'a';
	return end + sizeof alias;
}

static void
villain_answers(void *arg, unsigned events)
{
	struct villain *v = arg;
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	uint8_t m[600];
	ssize_t n = recvfrom(v->fd, m, 512, 0, (struct sockaddr *)&from,
	    &len);
	size_t size;

	(void)events;
	if (n < 12)
		return;
	v->asked++;
	size = v->garbage ? (size_t)n - 3 : alias_answer(m, (size_t)n);
	if (v->garbage)
		m[7] = 200;
	sendto(v->fd, m, size, 0, (struct sockaddr *)&from, len);
}

static void
with_villain(struct rig *rig, struct villain *v, const char *uri)
{
	struct loop_fd *w;
	uint16_t port;
	int64_t t0;

	v->fd = bind_port(&port);
	change_server(rig, port);
	w = loop_fd_new(rig->loop, v->fd, LOOP_IN, villain_answers, v);
	t0 = clock_mono_ms();
	resolve(rig, uri, 300);
	assert_in_range(clock_mono_ms() - t0, 0, 2000);
	assert_int_equal(rig->n, 0);
	assert_true(v->asked > 0);
	idle(rig, 50);
	loop_fd_free(w);
	close(v->fd);
}

static void
a_circle_of_aliases_ends(void **state)
{
	struct villain v = { .garbage = false };

	with_villain(*state, &v, "sip:a.loop.test:5060");
	assert_int_equal(((struct rig *)*state)->result, DNS_NO_NAME);
	assert_in_range(v.asked, 2, 20);
}

static void
garbage_is_no_answer(void **state)
{
	struct villain v = { .garbage = true };

	with_villain(*state, &v, "sip:a.loop.test:5060");
	assert_int_equal(((struct rig *)*state)->result, DNS_UNAVAILABLE);
}

static bool
build(void *arg)
{
	struct rig *rig = arg;
	struct loop *loop = loop_new();
	struct dns *d = loop == NULL ? NULL : dns_new(loop,
	    rig->resolv_conf);

	dns_free(d);
	loop_free(loop);
	return d != NULL;
}

static void
lack_of_memory_is_said(void **state)
{
	assert_int_equal(failing_alloc_each(build, *state), 0);
}

/* Of one question only: where there are several, others may be enough. */
static bool
look_up(void *arg)
{
	struct rig *rig = arg;
	struct dns *d = dns_new(rig->loop, rig->resolv_conf);
	struct dns_lookup *lookup;
	const struct dns_query q = { "sips:v4.test;transport=tls", ALL,
		TIMEOUT_MS, resolved, rig };

	if (d == NULL)
		return false;
	rig->result = dns_resolve(d, &q, rig->t, &rig->n, &lookup);
	dns_cancel(d, lookup);
	dns_free(d);
	return rig->result != DNS_UNAVAILABLE;
}

static void
without_memory_it_cannot_tell(void **state)
{
	assert_int_equal(failing_alloc_each(look_up, *state), 0);
}

int
main(void)
{
#define DNS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		DNS_TEST(known_at_once),
		DNS_TEST(the_server_is_asked),
		DNS_TEST(the_cache_answers_at_once),
		DNS_TEST(naptr_chooses_the_transport),
		DNS_TEST(transports_that_are_not_spoken_are_not_chosen),
		DNS_TEST(srv_goes_by_priority),
		DNS_TEST(weights_are_shares),
		DNS_TEST(weight_zero_is_seldom_first),
		DNS_TEST(targets_have_a_bound),
		DNS_TEST(nobody_listens),
		DNS_TEST(silence_ends_with_the_deadline),
		DNS_TEST(a_cancelled_lookup_is_silent),
		DNS_TEST(the_end_cancels_what_is_under_way),
		DNS_TEST(lookups_have_a_bound),
		DNS_TEST(a_circle_of_aliases_ends),
		DNS_TEST(garbage_is_no_answer),
		DNS_TEST(lack_of_memory_is_said),
		DNS_TEST(without_memory_it_cannot_tell),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
