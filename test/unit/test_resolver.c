/* Questions put to name servers of the test's own, of which each has its way
 * to fail. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "io/loop.h"
#include "io/resolver.h"

enum { SERVERS = 2, MARKS = 16, MANY = 5000, CHANNELS = 128, QUESTIONS = 4096 };

/* What a server does. */
enum manner {
	ANSWERS,
	IS_SILENT,
	IS_CLOSED,		/* nobody is there: ICMP */
	REFUSES,
	FAILS,
	TRUNCATES,		/* and answers over TCP */
	TRUNCATES_TCP_TOO,
	TRUNCATES_TCP_CLOSED,
	TRUNCATES_TCP_CUT,	/* hangs up after half of it */
	TRUNCATES_AND_COMPLAINS,	/* that it knows no such format */
	POINTS_ELSEWHERE,	/* neither its zone nor did it ask around */
	POINTS_TO_ITSELF,	/* the name in the question does */
	FORGES_FIRST,		/* wrong number, wrong name, and then right */
	TALKS_NONSENSE,
	SAYS_ALIAS,		/* of a longer name, and knows what that is */
	RUNS_IN_CIRCLES,	/* each name is an alias of itself */
	SAYS_NONE,		/* in a zone whose SOA says a second */
	LIVES_SHORTLY,		/* its answers: a second */
	LIVES_NOT		/* TTL 0 */
};

struct server {
	struct loop	*loop;
	enum manner	 manner;
	int		 udp, tcp, conn;	/* -1: closed */
	struct loop_fd	*udp_watch, *tcp_watch, *conn_watch;
	unsigned	 asked, asked_tcp;
	uint16_t	 port[MARKS], id[MARKS];	/* of the first ones */
};

struct rig {
	struct loop	*loop;
	struct resolver	*resolver;
	char		 path[64];
	uint16_t	 port;
	struct server	 server[SERVERS];
	unsigned	 waiting;	/* askers */
};

/* Somebody who asks. */
struct one {
	struct asker	 asker;		/* first: see told() */
	struct rig	*rig;
	unsigned	 calls;
	bool		 failed;
	size_t		 n;
	uint8_t		 last_byte;	/* of the first address */
};


static const char *
server_host(size_t i)
{
	static const char *const host[SERVERS] = { "127.83.74.1",
		"127.83.74.2" };

	return host[i];
}

static int
open_socket(size_t i, int type, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, server_host(i), &in.sin_addr);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0 &&
	    (type == SOCK_DGRAM || listen(fd, 16) == 0))
		return fd;
	close(fd);
	return -1;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof in;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

/* Where the question of a message ends. */
static size_t
question_end(const uint8_t *m, size_t len)
{
	size_t at = 12;

	while (at < len && m[at] != 0)
		at += m[at] + 1u;
	return at + 5;
}

static void
set_flags(uint8_t *m, unsigned flags, unsigned answers, unsigned authorities)
{
	put_u16(m + 2, (uint16_t)flags);
	put_u16(m + 6, (uint16_t)answers);
	put_u16(m + 8, (uint16_t)authorities);
	put_u16(m + 10, 0);
}

static size_t
add_record(uint8_t *m, size_t at, const char *record, size_t len)
{
	memcpy(m + at, record, len);
	return at + len;
}
#define ADD(m, at, s) add_record(m, at, s, sizeof s - 1)

/* 192.0.2.X: the last byte says which server it was. */
static size_t
add_address(uint8_t *m, size_t at, uint32_t ttl_s, uint8_t last)
{
	set_flags(m, 0x8180, 1, 0);
	at = ADD(m, at, "\300\14" "\0\1" "\0\1" "\0\0\0\0" "\0\4"
	    "\300\0\2\0");
	put_u32(m + at - 10, ttl_s);
	m[at - 1] = last;
	return at;
}

/* "a.test" is an alias of "x.a.test", and that one of itself. */
static size_t
add_alias(uint8_t *m, size_t at)
{
	set_flags(m, 0x8180, 1, 0);
	return ADD(m, at, "\300\14" "\0\5" "\0\1" "\0\0\0\2" "\0\4"
	    "\1x\300\14");
}

static size_t
add_circle(uint8_t *m, size_t at)
{
	set_flags(m, 0x8180, 1, 0);
	return ADD(m, at, "\300\14" "\0\5" "\0\1" "\0\0\0\74" "\0\2"
	    "\300\14");
}

static size_t
add_soa(uint8_t *m, size_t at)
{
	set_flags(m, 0x8183, 0, 1);
	return ADD(m, at, "\300\14" "\0\6" "\0\1" "\0\0\0\74" "\0\26" "\0\0"
	    "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1" "\0\0\0\1");
}

static size_t
say(uint8_t *m, size_t at, unsigned flags)
{
	set_flags(m, flags, 0, 0);
	return at;
}

static bool
is_named(const uint8_t *m, const char *first_label)
{
	size_t n = strlen(first_label);

	return m[12] == n && memcmp(m + 13, first_label, n) == 0;
}

/* Makes an answer of a question; 0: none is given. */
static size_t
make_answer(const struct server *s, uint8_t *m, size_t len, uint8_t number)
{
	size_t at = question_end(m, len);

	switch (s->manner) {
	case REFUSES:
		return say(m, at, 0x8185);
	case FAILS:
		return say(m, at, 0x8182);
	case TRUNCATES:
	case TRUNCATES_TCP_TOO:
	case TRUNCATES_TCP_CLOSED:
	case TRUNCATES_TCP_CUT:
	case TRUNCATES_AND_COMPLAINS:
		return say(m, at, 0x8380);
	case POINTS_ELSEWHERE:
		return say(m, at, 0x8100);
	case SAYS_ALIAS:
		if (is_named(m, "a"))
			return add_alias(m, at);
		break;
	case RUNS_IN_CIRCLES:
		return add_circle(m, at);
	case SAYS_NONE:
		return add_soa(m, at);
	case LIVES_SHORTLY:
		return add_address(m, at, 1, number);
	case LIVES_NOT:
		return add_address(m, at, 0, number);
	default:
		break;
	}
	return add_address(m, at, 60, number);
}

/* What stands before or instead of the answer. */
static void
misbehave(struct server *s, uint8_t *m, size_t len,
    const struct sockaddr_in *to)
{
	const struct sockaddr *sa = (const struct sockaddr *)to;

	if (s->manner == FORGES_FIRST) {
		m[len - 1] = 66;
		m[0] ^= 1;
		sendto(s->udp, m, len, 0, sa, sizeof *to);
		m[0] ^= 1;
		m[13] ^= 3;
		sendto(s->udp, m, len, 0, sa, sizeof *to);
		m[13] ^= 3;
		m[len - 1] = 1;
		sendto(s->udp, m, 0, 0, sa, sizeof *to);
	} else if (s->manner == TRUNCATES_AND_COMPLAINS) {
		sendto(s->udp, m, len, 0, sa, sizeof *to);
		put_u16(m + 2, 0x8181);
	} else if (s->manner == TALKS_NONSENSE) {
		put_u16(m + 6, 200);
	} else if (s->manner == POINTS_TO_ITSELF) {
		put_u16(m + 12, 0xc00c);
	}
}

static void
note_marks(struct server *s, const uint8_t *m, const struct sockaddr_in *from)
{
	if (s->asked >= MARKS)
		return;
	s->port[s->asked] = from->sin_port;
	s->id[s->asked] = get_u16(m);
}

static void
udp_asked(void *arg, unsigned events)
{
	struct server *s = arg;
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	uint8_t m[600], number;
	ssize_t n = recvfrom(s->udp, m, 512, 0, (struct sockaddr *)&from,
	    &size);
	size_t len;

	(void)events;
	assert_true(n > 12);
	note_marks(s, m, &from);
	s->asked++;
	number = s->manner == ANSWERS ? (uint8_t)s->asked : 1;
	if (s->manner == IS_SILENT)
		return;
	len = make_answer(s, m, (size_t)n, number);
	misbehave(s, m, len, &from);
	sendto(s->udp, m, len, 0, (struct sockaddr *)&from, size);
}

static void
tcp_asked(void *arg, unsigned events)
{
	struct server *s = arg;
	uint8_t m[600];
	ssize_t n = recv(s->conn, m, 514, 0);
	enum manner manner = s->manner;
	size_t len;

	(void)events;
	if (n > 14) {
		s->asked_tcp++;
		assert_int_equal(get_u16(m), n - 2);
		if (s->manner == TRUNCATES)
			s->manner = ANSWERS;
		len = make_answer(s, m + 2, (size_t)n - 2, 1);
		s->manner = manner;
		put_u16(m, (uint16_t)len);
		/* In two parts: the length alone is no message. */
		send(s->conn, m, 1, MSG_NOSIGNAL);
		send(s->conn, m + 1, manner == TRUNCATES_TCP_CUT ? len / 2 :
		    len + 1, MSG_NOSIGNAL);
	}
	loop_fd_free(s->conn_watch);
	s->conn_watch = NULL;
	close(s->conn);
	s->conn = -1;
}

static void
tcp_called(void *arg, unsigned events)
{
	struct server *s = arg;
	int fd = accept(s->tcp, NULL, NULL);

	(void)events;
	assert_true(fd >= 0 && s->conn < 0);
	s->conn = fd;
	s->conn_watch = loop_fd_new(s->loop, fd, LOOP_IN, tcp_asked, s);
}

static void
close_fd(int *fd, struct loop_fd **watch)
{
	loop_fd_free(*watch);
	*watch = NULL;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* All on one port.  false: it is taken. */
static bool
open_servers(struct rig *rig)
{
	rig->port = 0;
	for (size_t i = 0; i < SERVERS; i++) {
		struct server *s = &rig->server[i];

		*s = (struct server){ .loop = rig->loop, .conn = -1 };
		s->udp = open_socket(i, SOCK_DGRAM, rig->port);
		if (s->udp < 0)
			return false;
		rig->port = port_of(s->udp);
		s->tcp = open_socket(i, SOCK_STREAM, rig->port);
		if (s->tcp < 0) {
			close_fd(&s->udp, &s->udp_watch);
			return false;
		}
		s->udp_watch = loop_fd_new(rig->loop, s->udp, LOOP_IN,
		    udp_asked, s);
		s->tcp_watch = loop_fd_new(rig->loop, s->tcp, LOOP_IN,
		    tcp_called, s);
	}
	return true;
}

static void
set_manner(struct server *s, enum manner manner)
{
	s->manner = manner;
	if (manner == IS_CLOSED)
		close_fd(&s->udp, &s->udp_watch);
	if (manner == IS_CLOSED || manner == TRUNCATES_TCP_CLOSED)
		close_fd(&s->tcp, &s->tcp_watch);
}

/* first: the server that is named first. */
static void
write_conf(const struct rig *rig, const char *options, size_t first)
{
	FILE *f = fopen(rig->path, "w");

	assert_non_null(f);
	fprintf(f, "port %u\noptions %s\n", rig->port, options);
	for (size_t i = first; i < SERVERS; i++)
		fprintf(f, "nameserver %s\n", server_host(i));
	fclose(f);
}

static void
open_rig(struct rig *rig, const char *options)
{
	int fd;

	strcpy(rig->path, "/tmp/test_resolver.XXXXXX");
	fd = mkstemp(rig->path);
	assert_true(fd >= 0);
	close(fd);
	rig->waiting = 0;
	rig->loop = loop_new();
	for (int i = 0; !open_servers(rig); i++)
		assert_true(i < 20);
	write_conf(rig, options, 0);
	rig->resolver = resolver_new(rig->loop, rig->path);
	assert_non_null(rig->resolver);
}

static void
close_rig(struct rig *rig)
{
	resolver_free(rig->resolver);
	for (size_t i = 0; i < SERVERS; i++) {
		struct server *s = &rig->server[i];

		close_fd(&s->udp, &s->udp_watch);
		close_fd(&s->tcp, &s->tcp_watch);
		close_fd(&s->conn, &s->conn_watch);
	}
	loop_free(rig->loop);
	unlink(rig->path);
}

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	open_rig(rig, "attempts:1");
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	close_rig(*state);
	free(*state);
	return 0;
}

static void
note(struct one *one, const struct dns_answer *answer)
{
	one->calls++;
	one->failed = answer == NULL;
	one->n = answer == NULL ? 0 : answer->n;
	one->last_byte = one->n == 0 ? 0 : answer->v[0].addr.ip[15];
}

static void
told(struct asker *a, const struct dns_answer *answer)
{
	struct one *one = (struct one *)a;

	note(one, answer);
	if (--one->rig->waiting == 0)
		loop_stop(one->rig->loop);
}

static enum ask_result
ask(struct rig *rig, struct one *one, const char *name)
{
	const struct dns_answer *answer;
	enum ask_result r;

	*one = (struct one){ .asker = { .fn = told }, .rig = rig };
	r = resolver_ask(rig->resolver, DNS_A, name, &one->asker, &answer);
	assert_int_equal(one->calls, 0);
	if (r == ASK_SENT)
		rig->waiting++;
	else
		note(one, r == ASK_KNOWN ? answer : NULL);
	return r;
}

static void
wait_for_all(struct rig *rig)
{
	if (rig->waiting > 0)
		loop_run(rig->loop);
	assert_int_equal(rig->waiting, 0);
}

/* Ask and wait.  true: it was put to a server. */
static bool
ask_now(struct rig *rig, struct one *one, const char *name)
{
	bool sent = ask(rig, one, name) == ASK_SENT;

	wait_for_all(rig);
	assert_int_equal(one->calls, 1);
	return sent;
}

static void
time_is_up(void *arg)
{
	loop_stop(arg);
}

/* Let the loop run for a while. */
static void
idle(struct rig *rig, int64_t ms)
{
	struct loop_timer *t = loop_timer_new(rig->loop, time_is_up,
	    rig->loop);

	loop_timer_start(t, ms);
	loop_run(rig->loop);
	loop_timer_free(t);
}

static void
leave(struct one *one)
{
	if (one->asker.question != NULL)
		one->rig->waiting--;
	resolver_leave(&one->asker);
}


static void
what_servers_do(void **state)
{
	static const struct {
		const char	*what;
		enum manner	 manner[SERVERS];
		bool		 failed;
		unsigned	 n;
		unsigned	 asked[SERVERS], asked_tcp[SERVERS];
		int		 least_ms, most_ms;
	} cases[] = {
		{ "answers", { ANSWERS }, false, 1, { 1, 0 }, { 0, 0 }, 0,
		    500 },
		{ "refuses", { REFUSES, ANSWERS }, false, 1, { 1, 1 },
		    { 0, 0 }, 0, 500 },
		{ "fails", { FAILS, ANSWERS }, false, 1, { 1, 1 }, { 0, 0 },
		    0, 500 },
		{ "both fail", { FAILS, REFUSES }, true, 0, { 1, 1 },
		    { 0, 0 }, 0, 500 },
		{ "is closed", { IS_CLOSED, ANSWERS }, false, 1, { 0, 1 },
		    { 0, 0 }, 0, 500 },
		{ "both are closed", { IS_CLOSED, IS_CLOSED }, true, 0,
		    { 0, 0 }, { 0, 0 }, 0, 500 },
		{ "truncated", { TRUNCATES }, false, 1, { 1, 0 }, { 1, 0 },
		    0, 500 },
		{ "truncated twice", { TRUNCATES_TCP_TOO, ANSWERS }, false,
		    1, { 1, 1 }, { 1, 0 }, 0, 500 },
		{ "TCP closed", { TRUNCATES_TCP_CLOSED, ANSWERS }, false, 1,
		    { 1, 0 }, { 0, 1 }, 0, 500 },
		{ "TCP cut", { TRUNCATES_TCP_CUT, ANSWERS }, false, 1,
		    { 1, 0 }, { 1, 1 }, 0, 500 },
		{ "truncated, and no such format",
		    { TRUNCATES_AND_COMPLAINS, ANSWERS }, false, 1, { 1, 1 },
		    { 0, 0 }, 0, 500 },
		{ "points elsewhere", { POINTS_ELSEWHERE, ANSWERS }, false,
		    1, { 1, 1 }, { 0, 0 }, 0, 500 },
		{ "both point elsewhere",
		    { POINTS_ELSEWHERE, POINTS_ELSEWHERE }, true, 0,
		    { 1, 1 }, { 0, 0 }, 0, 500 },
		{ "points to itself", { POINTS_TO_ITSELF, ANSWERS }, false,
		    1, { 1, 1 }, { 0, 0 }, 900, 2000 },
		{ "forgeries", { FORGES_FIRST, IS_CLOSED }, false, 1,
		    { 1, 0 }, { 0, 0 }, 0, 500 },
		{ "alias", { SAYS_ALIAS }, false, 1, { 2, 0 }, { 0, 0 }, 0,
		    500 },
		{ "circle", { RUNS_IN_CIRCLES }, false, 0, { 9, 0 },
		    { 0, 0 }, 0, 500 },
		{ "none", { SAYS_NONE }, false, 0, { 1, 0 }, { 0, 0 }, 0,
		    500 },
		{ "silence", { IS_SILENT, ANSWERS }, false, 1, { 1, 1 },
		    { 0, 0 }, 900, 2000 },
		{ "nonsense", { TALKS_NONSENSE, ANSWERS }, false, 1,
		    { 1, 1 }, { 0, 0 }, 0, 500 },
		{ "silence all round", { IS_SILENT, IS_SILENT }, true, 0,
		    { 1, 1 }, { 0, 0 }, 1900, 3500 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rig rig;
		struct one one;
		int64_t t0 = clock_mono_ms(), ms;

		open_rig(&rig, "attempts:1");
		for (size_t k = 0; k < SERVERS; k++)
			set_manner(&rig.server[k], cases[i].manner[k]);
		ask_now(&rig, &one, "a.test");
		ms = clock_mono_ms() - t0;
		if (one.failed != cases[i].failed || one.n != cases[i].n)
			fail_msg("%s: failed %d, %zu", cases[i].what,
			    one.failed, one.n);
		for (size_t k = 0; k < SERVERS; k++)
			if (rig.server[k].asked != cases[i].asked[k] ||
			    rig.server[k].asked_tcp != cases[i].asked_tcp[k])
				fail_msg("%s: server %zu asked %u, tcp %u",
				    cases[i].what, k, rig.server[k].asked,
				    rig.server[k].asked_tcp);
		if (one.last_byte > 1 || ms < cases[i].least_ms ||
		    ms > cases[i].most_ms)
			fail_msg("%s: %u after %d ms", cases[i].what,
			    one.last_byte, (int)ms);
		close_rig(&rig);
	}
}

static void
who_was_silent_is_asked_last(void **state)
{
	struct rig *rig = *state;
	struct one one;

	set_manner(&rig->server[0], IS_SILENT);
	ask_now(rig, &one, "a.test");
	ask_now(rig, &one, "b.test");
	assert_int_equal(one.n, 1);
	assert_int_equal(rig->server[0].asked, 1);
	assert_int_equal(rig->server[1].asked, 2);
}

static void
rotation_takes_turns(void **state)
{
	struct one one;
	struct rig rig;
	char name[16];

	(void)state;
	open_rig(&rig, "rotate");
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "n%d.test", i);
		ask_now(&rig, &one, name);
	}
	assert_int_equal(rig.server[0].asked, 3);
	assert_int_equal(rig.server[1].asked, 3);
	close_rig(&rig);
}

/* What was said is known, in any spelling; then it is asked for anew. */
static void
answers_live_as_long_as_they_say(void **state)
{
	static const struct {
		const char	*name;
		enum manner	 manner;
		bool		 at_once, later;	/* still known */
	} cases[] = {
		{ "a.test", ANSWERS, true, true },
		{ "b.test", LIVES_SHORTLY, true, false },
		{ "c.test", LIVES_NOT, false, false },
		{ "d.test", SAYS_NONE, true, false },
		{ "e.test", FAILS, true, false },
	};
	struct rig *rig = *state;
	struct one one;

	set_manner(&rig->server[1], FAILS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		set_manner(&rig->server[0], cases[i].manner);
		assert_true(ask_now(rig, &one, cases[i].name));
		if (ask_now(rig, &one, cases[i].name) == cases[i].at_once)
			fail_msg("%s, at once", cases[i].name);
		assert_int_equal(one.failed, cases[i].manner == FAILS);
	}
	assert_false(ask_now(rig, &one, "A.Test"));
	idle(rig, 1100);
	for (size_t i = 0; i < COUNT(cases); i++)
		if (ask_now(rig, &one, cases[i].name) == cases[i].later)
			fail_msg("%s, later", cases[i].name);
}

static void
a_changed_file_is_read_again(void **state)
{
	struct rig *rig = *state;
	struct one one;

	ask_now(rig, &one, "a.test");
	assert_int_equal(rig->server[0].asked, 1);
	write_conf(rig, "attempts:2", 1);
	idle(rig, 1100);
	ask_now(rig, &one, "b.test");
	assert_int_equal(one.n, 1);
	assert_int_equal(rig->server[0].asked, 1);
	assert_int_equal(rig->server[1].asked, 1);
}

static void
the_same_question_is_put_once(void **state)
{
	struct rig *rig = *state;
	struct one one[3];

	assert_int_equal(ask(rig, &one[0], "a.test"), ASK_SENT);
	assert_int_equal(ask(rig, &one[1], "A.TEST"), ASK_SENT);
	assert_int_equal(ask(rig, &one[2], "a.test"), ASK_SENT);
	leave(&one[1]);
	wait_for_all(rig);
	assert_int_equal(rig->server[0].asked, 1);
	assert_int_equal(one[0].n, 1);
	assert_int_equal(one[1].calls, 0);
	assert_int_equal(one[2].n, 1);
}

static void
ask_for_each(struct rig *rig, struct one *one, int n)
{
	char name[16];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "n%d.test", i);
		ask(rig, &one[i], name);
	}
}

/* RFC 5452 section 9.2, also while others are under way. */
static void
each_question_has_its_port_and_number(void **state)
{
	struct rig *rig = *state;
	struct server *s = &rig->server[0];
	struct one one[MARKS];
	unsigned in_order = 0;

	ask_for_each(rig, one, MARKS);
	wait_for_all(rig);
	assert_int_equal(s->asked, MARKS);
	for (int i = 1; i < MARKS; i++) {
		for (int k = 0; k < i; k++)
			assert_int_not_equal(s->port[i], s->port[k]);
		in_order += (uint16_t)(s->id[i] - s->id[i - 1]) <= 1;
	}
	assert_true(in_order < MARKS / 4);
}

static void
who_has_left_is_not_told(void **state)
{
	struct rig *rig = *state;
	struct one one, again;

	ask(rig, &one, "a.test");
	leave(&one);
	leave(&one);
	idle(rig, 50);
	assert_int_equal(one.calls, 0);
	assert_true(ask_now(rig, &again, "a.test"));
	assert_int_equal(again.n, 1);
}

static void
the_longest_name_fits(void **state)
{
	struct rig *rig = *state;
	char name[TARGET_HOST_MAX + 1];
	struct one one;

	for (size_t i = 0; i < TARGET_HOST_MAX; i++)
		name[i] = i % 2 == 0 ? 'x' : '.';
	name[TARGET_HOST_MAX] = '\0';
	ask_now(rig, &one, name);
	assert_int_equal(one.n, 1);
}

static struct one *next;

static void
told_and_leaves(struct asker *a, const struct dns_answer *answer)
{
	leave(next);
	told(a, answer);
}

static void
told_and_asks(struct asker *a, const struct dns_answer *answer)
{
	ask(((struct one *)a)->rig, next, "b.test");
	told(a, answer);
}

/* The last to ask is told first. */
static void
being_told_is_no_bad_moment(void **state)
{
	struct rig *rig = *state;
	struct one one[2], more;

	ask(rig, &one[0], "a.test");
	ask(rig, &one[1], "a.test");
	one[1].asker.fn = told_and_leaves;
	next = &one[0];
	wait_for_all(rig);
	assert_int_equal(one[0].calls, 0);
	assert_int_equal(one[1].n, 1);

	ask(rig, &one[0], "c.test");
	one[0].asker.fn = told_and_asks;
	next = &more;
	wait_for_all(rig);
	assert_int_equal(one[0].n, 1);
	assert_int_equal(more.n, 1);
}

static int
open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Of those that are too many some wait for a channel, and the rest is told at
 * once. */
static void
questions_have_a_bound(void **state)
{
	struct one *one = calloc(MANY, sizeof *one);
	struct rig own, *rig = &own;
	int before;

	(void)state;
	/* Long enough that none turns to the second server meanwhile. */
	open_rig(rig, "timeout:30 attempts:1");
	before = open_files();
	set_manner(&rig->server[0], IS_SILENT);
	ask_for_each(rig, one, MANY);
	assert_int_equal(rig->waiting, QUESTIONS);
	assert_int_equal(one[QUESTIONS - 1].calls, 0);
	assert_true(one[QUESTIONS].failed);
	assert_int_equal(open_files() - before, CHANNELS);
	/* Who leaves, whether it had a channel or waited, makes room. */
	for (int i = 0; i < 100; i++) {
		leave(&one[i]);
		leave(&one[QUESTIONS - 1 - i]);
	}
	idle(rig, 20);
	assert_int_equal(open_files() - before, CHANNELS);
	assert_int_equal(ask(rig, &one[0], "another.test"), ASK_SENT);
	for (int i = 0; i < MANY; i++)
		leave(&one[i]);
	assert_int_equal(open_files(), before);
	close_rig(rig);
	free(one);
}

static void
who_waits_for_a_channel_is_answered(void **state)
{
	struct rig *rig = *state;
	struct one *one = calloc(CHANNELS + 200, sizeof *one);

	ask_for_each(rig, one, CHANNELS + 200);
	wait_for_all(rig);
	for (int i = 0; i < CHANNELS + 200; i++)
		assert_int_equal(one[i].n, 1);
	free(one);
}

int
main(void)
{
#define RESOLVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_servers_do),
		RESOLVER_TEST(who_was_silent_is_asked_last),
		cmocka_unit_test(rotation_takes_turns),
		RESOLVER_TEST(answers_live_as_long_as_they_say),
		RESOLVER_TEST(a_changed_file_is_read_again),
		RESOLVER_TEST(the_same_question_is_put_once),
		RESOLVER_TEST(each_question_has_its_port_and_number),
		RESOLVER_TEST(who_has_left_is_not_told),
		RESOLVER_TEST(the_longest_name_fits),
		RESOLVER_TEST(being_told_is_no_bad_moment),
		cmocka_unit_test(questions_have_a_bound),
		RESOLVER_TEST(who_waits_for_a_channel_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
