/*
 * test_transport.c -- the transports on loopback: what is refused in silence,
 * what reaches the callback, how streams are cut, and whether the
 * library polls in circles.
 */
#include "config.h"

#include "transport_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "io/sofia_fixups.h"

static void
fixups_are_in_force(void **state)
{
	(void)state;
	assert_int_equal(sofia_fixups_check(), 0);
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

/* via: the one that it is sent on by. */
#define RESPONSE(status, via)						\
	"SIP/2.0 " status " Word\r\nVia: " VIA "\r\nVia: " via "\r\n"	\
	"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"				\
	"From: <sip:a@example.com>;tag=1\r\n"				\
	"To: <sip:x@example.com>;tag=2\r\nl: 0\r\n\r\n"

/* Whatever the Via says, the answer must come back to who asked, and say
 * nothing of another way. */
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
	{ "two ttl", D(SOUND(VIA ";ttl=1;ttl=2") "\r\n"), 0, "via" },
	{ "two rport", D(SOUND(VIA ";rport") "\r\n"), 0, "via" },
	{ "two branches", D(SOUND(VIA ";branch=z9hG4bK2") "\r\n"), 0,
	    "via" },
	{ "response of too little", D(RESPONSE("099", VIA)), 0, "garbage" },
	{ "response of too much", D(RESPONSE("700", VIA)), 0, "garbage" },
	{ "response with two maddr", D(RESPONSE("200",
	    VIA ";maddr=127.0.0.9;maddr=127.0.0.8")), 0, "via" },
	{ "response with maddr", D(RESPONSE("200", VIA ";maddr=127.0.0.9")),
	    0, NULL },
	{ "ACK of another version", D(ACK("SIP/3.0") "\r\n"), 0, "garbage" },
	{ "ACK that is short", D(ACK("SIP/2.0") "l: 9\r\n\r\n"), 0,
	    "truncated" },
#undef D
};

static void
answers_to_datagrams(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(datagrams); i++) {
		const char *reason = datagrams[i].reason;
		uint64_t before = reason ? counted(rig, reason) : 0;
		unsigned heard = rig->requests + rig->responses;
		int64_t began = clock_mono_ms();
		int fd = peer(SOCK_DGRAM, "127.0.0.1");
		int status = 0;

		cast(rig, fd, datagrams[i].p, datagrams[i].len);
		(void)hear(rig, fd, buf, datagrams[i].status ? ANSWER_MS :
		    SILENCE_MS);
		(void)sscanf(buf, "SIP/2.0 %d", &status);
		if (status != datagrams[i].status)
			fail_msg("%s: %d", datagrams[i].what, status);
		if (strcasestr(buf, "maddr") != NULL)
			fail_msg("%s: maddr", datagrams[i].what);
		if (clock_mono_ms() - began > 500)
			fail_msg("%s: slow", datagrams[i].what);
		if (reason && counted(rig, reason) != before + 1)
			fail_msg("%s: not counted", datagrams[i].what);
		if (reason && status == 0 &&
		    rig->requests + rig->responses != heard)
			fail_msg("%s: handed over", datagrams[i].what);
		close(fd);
	}
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
	assert_true(rig->last.ifindex > 0);
	assert_int_equal(rig->last.connection, 0);

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

/* It is what counts, not the blank lines before it. */
static void
a_message_of_just_the_size(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd = peer(SOCK_DGRAM, "127.0.0.1");
	size_t len;

	memcpy(buf, "\r\n", 2);
	for (int more = 0; more <= 1; more++) {
		len = request(buf + 2, "UDP", "", 700);
		conf.message_size = (int64_t)len - more;
		transport_set_conf(rig->transport, &conf);
		cast(rig, fd, buf, 2 + len);
		assert_int_equal(answer(rig, fd, ANSWER_MS),
		    more == 0 ? 200 : 413);
	}
	close(fd);
}

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
		turn(rig, 1);
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
	{ "two lengths", HEAD("sip:x", "SIP/2.0", "SIP/2.0/TCP 127.0.0.1:9")
	    "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nl: 0\r\nl: 5\r\n\r\n",
	    400, "bad-content-length" },
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

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixups_are_in_force),
		cmocka_unit_test(polling_in_circles_waits),
		T(answers_to_datagrams),
		T(large_datagrams),
		T(a_message_of_just_the_size),
		T(byte_by_byte),
		T(cut_in_two_anywhere),
		T(pipelined),
		T(large_body),
		T(keep_alive_gets_its_pong),
		T(breaches_end_the_connection),
	};
#undef T
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open(null, LOG_TEXT, LEVEL_ERROR);
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
