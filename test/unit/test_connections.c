/*
 * test_connections.c -- connections on loopback: how many one may have, how
 * long each may keep us waiting, which of them serves whom, what becomes of
 * bytes that cannot go out, and who is behind a balancer.
 */
#include "config.h"

#include "transport_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "failing_alloc.h"

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
	assert_int_equal(rig->lost, 0);	/* nobody heard of it */
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
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, rig->last.connection);
	close(fd);
}

static void
keep_alive_in_pieces_is_no_message(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd;

	conf.whole_message_ms = 100;
	transport_set_conf(rig->transport, &conf);
	fd = call(rig);
	say(fd, "\r\n\r", 3);
	run(rig, 20);
	say(fd, "\n", 1);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 2);
	assert_false(is_closed(rig, fd, 200));
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

/* Also for those that were there before. */
static void
limits_may_change(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd = call(rig);

	conf.idle_ms = 0;		/* off */
	transport_set_conf(rig->transport, &conf);
	assert_false(is_closed(rig, fd, 50));
	conf.idle_ms = 100;
	transport_set_conf(rig->transport, &conf);
	assert_true(is_closed(rig, fd, 500));
	close(fd);
}

/* A listener whose queue is full answers no SYN: nothing comes back. */
static void
connecting_is_ended(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	struct sockaddr_storage ss;
	int deaf = listener(0, &h.addr), crowd[4];
	uint32_t id = 0, again = 0;
	int64_t began;

	conf.connect_ms = 300;
	transport_set_conf(rig->transport, &conf);
	for (size_t i = 0; i < COUNT(crowd); i++) {
		crowd[i] = peer(SOCK_STREAM, "127.0.0.1");
		(void)connect(crowd[i], (struct sockaddr *)&ss,
		    addr_to_sockaddr(&h.addr, &ss));
	}
	began = clock_mono_ms();
	assert_int_equal(send_to(rig, h, "OPTIONS", &id), 0);
	assert_int_equal(send_to(rig, h, "OPTIONS", &again), 0);
	assert_true(id != 0 && again == id);
	assert_true(transport_is_open(rig->transport, id));
	assert_int_equal(counted(rig, "transport_unsent_bytes"), 14);
	for (int i = 0; i < 300 && rig->lost == 0; i++)
		run(rig, 10);
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, id);
	assert_in_range(clock_mono_ms() - began, 250, 1500);
	assert_int_equal(counted(rig, "connect"), 1);
	assert_int_equal(counted(rig, "transport_unsent_bytes"), 0);
	close_all(crowd, COUNT(crowd));
	close(deaf);
}

static void
nobody_listens(void **state)
{
	struct rig *rig = *state;
	struct hop h = { 0 };
	uint32_t id = 0;
	int rc;

	close(listener(1, &h.addr));
	rc = send_to(rig, h, "OPTIONS", &id);
	assert_int_equal(rig->lost, 0);
	run(rig, 20);
	assert_int_equal(rc, 0);
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, id);
	assert_int_equal(counted(rig, "connect"), 1);
	assert_int_equal(counted(rig, "outgoing"), 0);
}

/* Our own connection outlives the deadline for connecting and for a first
 * message, and an answer may take its time. */
static void
connected_is_not_ended(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(1, &h.addr), fd;

	conf.connect_ms = conf.first_message_ms = 100;
	transport_set_conf(rig->transport, &conf);
	assert_int_equal(send_to(rig, h, "OPTIONS", NULL), 0);
	run(rig, 300);
	fd = take_call(rig, listening);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 7);
	assert_string_equal(buf, "OPTIONS");
	assert_false(is_closed(rig, fd, 100));
	assert_int_equal(counted(rig, "outgoing"), 1);
	assert_int_equal(counted(rig, "accepted"), 0);
	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	close(fd);
	close(listening);
	run(rig, 20);
	assert_int_equal(counted(rig, "outgoing"), 0);
	assert_int_equal(rig->lost, 1);
}

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
	while (counted(rig, "accepted") > 0)
		turn(rig, 10);
	fd[0] = call(rig);		/* their places are free again */
	fd[1] = call(rig);
	assert_int_equal(open_ones(rig, fd, 2), 2);
	close_all(fd, 2);
}

static void
banned_are_not_heard(void **state)
{
	struct rig *rig = *state;
	int fd, other;

	assert_true(addr_parse_host(&rig->banned, str_of("127.0.0.3")));
	fd = call_from(rig, "127.0.0.3");
	other = call(rig);
	assert_true(is_closed(rig, fd, ANSWER_MS));
	assert_false(is_closed(rig, other, 20));
	assert_int_equal(counted(rig, "banned"), 1);
	close(fd);
	close(other);
}

/* Who calls must not stay in the queue, and wake the loop for ever. */
static void
out_of_descriptors(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct rlimit old, tight;
	struct sockaddr_storage ss;
	int fd = peer(SOCK_STREAM, "127.0.0.1"), after, steps = 0, lowest;
	int64_t end;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	lowest = dup(fd);
	close(lowest);
	tight = (struct rlimit){ (rlim_t)lowest, old.rlim_max };
	assert_int_equal(connect(fd, (struct sockaddr *)&ss,
	    addr_to_sockaddr(port_addr(rig->tcp), &ss)) == -1 &&
	    errno != EINPROGRESS, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_true(is_closed(rig, fd, ANSWER_MS));
	end = clock_mono_ms() + 100;
	for (; clock_mono_ms() < end; steps++)
		turn(rig, 10);
	assert_int_equal(send_to(rig, (struct hop){
	    .addr = *port_addr(rig->tcp) }, "OPTIONS", NULL), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(steps < 50);
	assert_int_equal(counted(rig, "descriptors"), 1);

	after = call(rig);
	say(after, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, after, ANSWER_MS), 200);
	close(after);
	close(fd);
}

static void
connection_is_found_by_its_id(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = call(rig), second = call(rig);
	uint32_t id, taken = 0;

	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	id = rig->last.connection;
	assert_true(id != 0 && transport_is_open(rig->transport, id));
	assert_int_equal(send_to(rig, (struct hop){ .connection = id }, "NOTE",
	    &taken), 0);
	assert_int_equal(taken, id);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 4);

	say(second, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, second, ANSWER_MS), 200);
	assert_true(rig->last.connection != 0 && rig->last.connection != id);

	close(fd);
	run(rig, 20);
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, id);
	assert_false(transport_is_open(rig->transport, id));
	assert_int_equal(send_to(rig, (struct hop){ .connection = id,
	    .addr = rig->last.reach }, "NOTE", NULL), -ENOTCONN);
	assert_true(transport_is_open(rig->transport, rig->last.connection));
	assert_false(transport_is_open(rig->transport, 0));
	close(second);
}

static void
connections_are_used_again(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct hop h = { 0 };
	struct port *other = listen_on(rig, (struct port_conf){
	    .transport = TRANSPORT_TCP });
	int listening = listener(4, &h.addr), fd, second;
	uint32_t id[5];

	for (size_t i = 0; i < 3; i++) {	/* before it stands, and then */
		assert_int_equal(send_to(rig, h, "abc", &id[i]), 0);
		run(rig, 5);
	}
	assert_true(id[0] == id[1] && id[1] == id[2]);
	fd = take_call(rig, listening);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 9);

	h.tls.name = "other.example.com";	/* means nothing without TLS */
	assert_int_equal(send_to(rig, h, "abc", &id[3]), 0);
	assert_int_equal(id[3], id[0]);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 3);

	h.port = other;			/* leaves from elsewhere */
	assert_int_equal(send_to(rig, h, "abc", &id[3]), 0);
	assert_true(id[3] != id[0]);
	second = take_call(rig, listening);

	close(fd);			/* gone: the next one is new */
	run(rig, 20);
	h.port = NULL;
	assert_int_equal(send_to(rig, h, "xyz", &id[4]), 0);
	assert_true(id[4] != id[0] && id[4] != id[3]);
	fd = take_call(rig, listening);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 3);
	assert_int_equal(rig->lost, 1);
	close(fd);
	close(second);
	close(listening);
}

/* RFC 5923: who called us from there is reached over his connection. */
static void
accepted_ones_serve_us(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct hop h = { 0 };
	uint32_t id = 0;
	int fd = call(rig);

	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	h.addr = rig->last.source;
	assert_int_equal(send_to(rig, h, "NOTIFY", &id), 0);
	assert_int_equal(id, rig->last.connection);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 6);
	assert_int_equal(counted(rig, "outgoing"), 0);
	close(fd);
}

/* The peer is gone, but nobody told us yet: the message finds a new way, and
 * the loss of the old one is told once, later. */
static void
broken_is_found_out_by_sending(void **state)
{
	static char buf[BUF];
	struct linger at_once = { .l_onoff = 1 };
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), fd;
	uint32_t first, second, again;

	assert_int_equal(send_to(rig, h, "abc", &first), 0);
	fd = take_call(rig, listening);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 3);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof at_once), 0);
	close(fd);
	assert_int_equal(send_to(rig, h, "def", &second), 0);
	assert_true(second != first);
	assert_false(transport_is_open(rig->transport, first));
	assert_int_equal(send_to(rig, h, "ghi", &again), 0);
	assert_int_equal(again, second);
	assert_int_equal(send_to(rig, (struct hop){ .connection = first },
	    "ghi", NULL), -ENOTCONN);
	assert_int_equal(rig->lost, 0);
	run(rig, 20);
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, first);
	fd = take_call(rig, listening);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 6);
	assert_string_equal(buf, "defghi");
	close(fd);
	close(listening);
}

enum { PIECE = 10000 };

static const char *
piece(unsigned i)
{
	static char text[PIECE + 1];

	memset(text, 'a' + (int)(i % 26), PIECE);
	return text;
}

static void
deaf_ones_are_given_up(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), fd, rc = 0;
	uint32_t id = 0;

	conf.unsent_bytes = 100000;
	transport_set_conf(rig->transport, &conf);
	assert_int_equal(send_to(rig, h, "abc", &id), 0);
	fd = take_call(rig, listening);
	h.connection = id;
	for (int i = 0; i < 5000 && rc == 0; i++) {
		rc = send_to(rig, h, piece(0), NULL);
		turn(rig, 0);
		assert_true(counted(rig, "transport_unsent_bytes") <= 100000);
	}
	assert_int_equal(rc, -ENOBUFS);
	assert_int_equal(counted(rig, "unsent-bytes"), 1);
	assert_false(transport_is_open(rig->transport, id));
	run(rig, 20);
	assert_int_equal(rig->lost, 1);
	assert_int_equal(counted(rig, "transport_unsent_bytes"), 0);
	assert_int_equal(counted(rig, "outgoing"), 0);
	close(fd);
	close(listening);
}

/* Nor another connection, to fill that as well. */
static void
deaf_ones_get_no_second_chance(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), rc = 0;

	conf.unsent_bytes = PIECE / 2;
	transport_set_conf(rig->transport, &conf);
	/* one may always wait */
	assert_int_equal(send_to(rig, h, piece(0), NULL), 0);
	for (int i = 0; i < 5000 && rc == 0; i++) {
		rc = send_to(rig, h, piece(0), NULL);
		assert_int_equal(counted(rig, "outgoing"), 1);
		turn(rig, 0);
	}
	assert_int_equal(rc, -ENOBUFS);
	close(listening);
}

static void
slow_ones_get_it_all(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), fd;
	size_t want = 0, got = 0;
	ssize_t n;

	conf.unsent_bytes = 64 << 20;
	transport_set_conf(rig->transport, &conf);
	for (unsigned i = 0; counted(rig, "transport_unsent_bytes") < 1 << 20;
	    i++) {
		assert_int_equal(send_to(rig, h, piece(i), NULL), 0);
		want += PIECE;
		turn(rig, 0);
	}
	fd = take_call(rig, listening);
	while (got < want && (n = hear(rig, fd, buf, ANSWER_MS)) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			if (buf[i] != (char)('a' + got / PIECE % 26))
				fail_msg("byte %zu", got);
	assert_int_equal(got, want);
	assert_int_equal(counted(rig, "transport_unsent_bytes"), 0);
	assert_int_equal(rig->lost, 0);
	close(fd);
	close(listening);
}

/* So much waits for it then, besides what the kernel took; how much was it? */
static size_t
stuff(struct rig *rig, struct hop h, uint64_t bytes, uint32_t *id)
{
	size_t n = 0;

	for (; counted(rig, "transport_unsent_bytes") < bytes; n += PIECE) {
		assert_int_equal(send_to(rig, h, piece(0), id), 0);
		turn(rig, 0);
	}
	return n;
}

static void
nothing_overtakes_what_waits(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), fd;
	size_t left;
	ssize_t n;

	conf.unsent_bytes = 64 << 20;
	transport_set_conf(rig->transport, &conf);
	left = stuff(rig, h, 1 << 20, NULL);
	fd = take_call(rig, listening);
	/* so that the kernel would take it now */
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		left -= (size_t)n;
	assert_int_equal(send_to(rig, h, "z", NULL), 0);
	for (; left > 0; left -= (size_t)n) {
		n = hear(rig, fd, buf, ANSWER_MS);
		assert_true(n > 0);
		if (memchr(buf, 'z', (size_t)n) != NULL) {
			assert_int_equal(n, left + 1);
			assert_int_equal(buf[n - 1], 'z');
			n--;
			break;
		}
	}
	close(fd);
	close(listening);
}

/* Who does not read gets no answers to his keep-alives piled up. */
static void
deaf_ones_are_not_kept_alive(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 };
	int fd = call(rig);
	uint64_t before;

	conf.unsent_bytes = 64 << 20;
	transport_set_conf(rig->transport, &conf);
	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	h.connection = rig->last.connection;
	rig->mute = true;
	stuff(rig, h, 1 << 20, NULL);
	before = counted(rig, "transport_unsent_bytes");
	for (int i = 0; i < 10; i++)
		say(fd, "\r\n\r\n", 4);
	say(fd, buf, request(buf, "TCP", "", 0));
	while (rig->requests == 1)
		turn(rig, 10);
	assert_true(counted(rig, "transport_unsent_bytes") <= before);
	close(fd);
}

/* A first message that came is none that is waited for. */
static void
who_spoke_may_be_silent(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	int fd;

	fd = call(rig);
	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	conf.first_message_ms = 100;
	transport_set_conf(rig->transport, &conf);
	assert_false(is_closed(rig, fd, 300));
	assert_int_equal(counted(rig, "first-message"), 0);
	close(fd);
}

/* What is about to end, since nobody knows where a next message would begin,
 * takes nothing more; another one does, and is used again. */
static void
damaged_ones_are_not_used_again(void **state)
{
	static const char text[] = "OPTIONS sip:x SIP/2.0\r\n"
	    "Via: SIP/2.0/TCP 127.0.0.1:9\r\nFrom: <sip:a@b>;tag=1\r\n"
	    "To: <sip:x@y>\r\nl: 99999\r\n\r\n";
	static char buf[BUF];
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), fd;
	uint32_t id[3];

	assert_int_equal(send_to(rig, h, "abc", &id[0]), 0);
	fd = take_call(rig, listening);
	assert_int_equal(hear(rig, fd, buf, ANSWER_MS), 3);
	say(fd, text, strlen(text));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 413);
	assert_int_equal(send_to(rig, h, "abc", &id[1]), 0);
	assert_int_equal(send_to(rig, h, "abc", &id[2]), 0);
	assert_true(id[1] != id[0]);
	assert_int_equal(id[1], id[2]);
	close(fd);
	close(listening);
}

/* Sending is a use, also of what had to wait. */
static void
the_most_unused_makes_room(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h[6] = { { 0 } };
	int listening[COUNT(h)], fd[COUNT(h)];
	uint32_t id[COUNT(h)];
	size_t left;
	ssize_t n;

	conf.connections = 2;
	conf.unsent_bytes = 64 << 20;
	transport_set_conf(rig->transport, &conf);
	for (size_t i = 0; i < COUNT(h); i++)
		listening[i] = listener(4, &h[i].addr);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(send_to(rig, h[i], "abc", &id[i]), 0);
		fd[i] = take_call(rig, listening[i]);
		assert_int_equal(hear(rig, fd[i], buf, ANSWER_MS), 3);
	}
	assert_int_equal(send_to(rig, h[0], "abc", NULL), 0);
	assert_int_equal(send_to(rig, h[2], "abc", &id[2]), 0);
	assert_true(transport_is_open(rig->transport, id[0]));
	assert_false(transport_is_open(rig->transport, id[1]));
	fd[2] = take_call(rig, listening[2]);

	left = stuff(rig, h[0], 1 << 20, &id[0]) + 3;
	assert_int_equal(send_to(rig, h[2], "abc", NULL), 0);
	for (; left > 0; left -= (size_t)n) {
		n = hear(rig, fd[0], buf, ANSWER_MS);
		assert_true(n > 0);
	}
	assert_int_equal(send_to(rig, h[3], "abc", &id[3]), 0);
	assert_true(transport_is_open(rig->transport, id[0]));
	assert_false(transport_is_open(rig->transport, id[2]));

	/* what comes is a use, too */
	fd[3] = take_call(rig, listening[3]);
	assert_int_equal(hear(rig, fd[3], buf, ANSWER_MS), 3);
	rig->mute = true;
	say(fd[0], buf, request(buf, "TCP", "", 0));
	while (rig->requests == 0)
		turn(rig, 10);
	assert_int_equal(send_to(rig, h[4], "abc", &id[4]), 0);
	assert_true(transport_is_open(rig->transport, id[0]));
	assert_false(transport_is_open(rig->transport, id[3]));
	/* in the same turn, and before it stands */
	assert_int_equal(send_to(rig, h[5], "abc", &id[5]), 0);
	assert_false(transport_is_open(rig->transport, id[0]));
	assert_int_equal(send_to(rig, h[0], "abc", &id[0]), 0);
	assert_false(transport_is_open(rig->transport, id[4]));
	assert_true(transport_is_open(rig->transport, id[5]));
	assert_int_equal(counted(rig, "unused"), 5);
	close_all(fd, 4);
	close_all(listening, COUNT(h));
}

/* What still goes out where the other half is closed is not lost for it. */
static void
who_drains_makes_no_room(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct hop h = { 0 }, other = { 0 };
	int listening = listener(4, &h.addr), fd;
	int beside = listener(4, &other.addr);
	uint32_t id = 0;
	uint64_t before;

	conf.connections = 1;
	conf.unsent_bytes = 64 << 20;
	transport_set_conf(rig->transport, &conf);
	stuff(rig, h, 32 << 20, &id);
	fd = take_call(rig, listening);
	before = counted(rig, "transport_unsent_bytes");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	while (transport_is_open(rig->transport, id))
		turn(rig, 10);
	while (counted(rig, "transport_unsent_bytes") == before)
		assert_true(hear(rig, fd, buf, ANSWER_MS) > 0);
	assert_int_equal(send_to(rig, other, "abc", NULL), 0);
	assert_int_equal(counted(rig, "unused"), 0);
	close(fd);
	close(listening);
	close(beside);
}

/* Who closes his half still gets the answer; then it is over. */
static void
half_closed_ones_get_their_answer(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = call(rig);

	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_true(is_closed(rig, fd, ANSWER_MS));
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, rig->last.connection);
	close(fd);
}

/* ---- behind a balancer ---- */

#define PROXIED "PROXY TCP4 192.0.2.7 127.0.0.1 4711 5060\r\n"

static struct port *
balanced(struct rig *rig)
{
	static struct net nets[2];

	assert_true(net_parse(&nets[0], str_of("192.0.2.0/24")));
	assert_true(net_parse(&nets[1], str_of("127.0.0.1")));
	return listen_on(rig, (struct port_conf){ .transport = TRANSPORT_TCP,
	    .balancer = nets, .nbalancers = COUNT(nets) });
}

static void
balancer_tells_the_source(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	int fd = call_port(rig, balanced(rig), "127.0.0.1");
	char text[ADDR_TEXT_MAX];
	size_t len = strlen(PROXIED);

	memcpy(buf, PROXIED, len);
	len += request(buf + len, "TCP", "", 0);
	for (size_t i = 0; i < len; i++) {
		say(fd, buf + i, 1);
		turn(rig, 1);
	}
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_string_equal(addr_text(&rig->last.source, text),
	    "192.0.2.7:4711");
	assert_string_equal(addr_host_text(&rig->last.reach, text),
	    "127.0.0.1");
	say(fd, buf, request(buf, "TCP", "", 0));	/* no header again */
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_string_equal(addr_text(&rig->last.source, text),
	    "192.0.2.7:4711");
	close(fd);
}

static void
balancer_and_message_at_once(void **state)
{
	static const char local[] =
	    "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
	static char buf[BUF];
	struct rig *rig = *state;
	struct port *port = balanced(rig);
	int fd = call_port(rig, port, "127.0.0.1");
	char text[ADDR_TEXT_MAX];
	size_t len = strlen(PROXIED);

	memcpy(buf, PROXIED, len);
	say(fd, buf, len + request(buf + len, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_string_equal(addr_text(&rig->last.source, text),
	    "192.0.2.7:4711");
	close(fd);

	fd = call_port(rig, port, "127.0.0.1");
	memcpy(buf, local, 16);
	say(fd, buf, 16 + request(buf + 16, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	assert_string_equal(addr_host_text(&rig->last.source, text),
	    "127.0.0.1");
	close(fd);
}

static const struct {
	const char	*what, *from, *text;
	const char	*reason;
} strangers[] = {
	{ "not listed", "127.0.0.2", PROXIED, "not-a-balancer" },
	{ "no header", "127.0.0.1", "OPTIONS sip:x SIP/2.0\r\n",
	    "proxy-header" },
	{ "broken header", "127.0.0.1", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
	    "proxy-header" },
	{ "no end", "127.0.0.1", "PROXY TCP4 192.0.2.7", "handshake" },
	{ "banned", "127.0.0.1", "PROXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n",
	    "banned" },
};

static void
strangers_at_the_balanced_port(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct port *port = balanced(rig);

	conf.handshake_ms = 150;
	transport_set_conf(rig->transport, &conf);
	assert_true(addr_parse_host(&rig->banned, str_of("192.0.2.9")));
	for (size_t i = 0; i < COUNT(strangers); i++) {
		int fd = call_port(rig, port, strangers[i].from);

		(void)send(fd, strangers[i].text, strlen(strangers[i].text),
		    MSG_NOSIGNAL);
		if (!is_closed(rig, fd, 1000))
			fail_msg("%s: open", strangers[i].what);
		if (counted(rig, strangers[i].reason) == 0)
			fail_msg("%s: not counted", strangers[i].what);
		close(fd);
	}
	assert_int_equal(counted(rig, "accepted"), 0);
}

static void
clients_behind_a_balancer_are_counted(void **state)
{
	static const char *const header[] = {
		PROXIED, PROXIED, PROXIED,
		"PROXY TCP4 192.0.2.8 127.0.0.1 4711 5060\r\n",
		/* a /64 is one source */
		"PROXY TCP6 2001:db8::1 2001:db8::9 4711 5060\r\n",
		"PROXY TCP6 2001:db8::2 2001:db8::9 4711 5060\r\n",
		"PROXY TCP6 2001:db8::3 2001:db8::9 4711 5060\r\n",
		"PROXY TCP6 2001:db8:0:1::3 2001:db8::9 4711 5060\r\n"
	};
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct port *port = balanced(rig);
	int fd[COUNT(header)];

	conf.connections_per_source = 2;
	transport_set_conf(rig->transport, &conf);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = call_port(rig, port, "127.0.0.1");
		say(fd[i], header[i], strlen(header[i]));
		run(rig, 5);
	}
	assert_int_equal(open_ones(rig, fd, COUNT(fd)), 6);
	assert_true(is_closed(rig, fd[2], 20));
	assert_true(is_closed(rig, fd[6], 20));
	assert_int_equal(counted(rig, "connections-per-source"), 2);
	close_all(fd, COUNT(fd));
}

/* ---- no memory ---- */

/* One connection in, one out, a message in pieces on the one and a wait on
 * the other. */
static bool
exercise(void *arg)
{
	static char buf[BUF];
	struct rig *rig = arg;
	struct hop h = { 0 };
	int listening = listener(4, &h.addr), fd = call(rig), out;
	size_t len = request(buf, "TCP", "", 300);
	bool ok;

	(void)send(fd, buf, 400, MSG_NOSIGNAL);
	ok = send_to(rig, h, "abc", NULL) == 0;
	run(rig, 5);
	(void)send(fd, buf + 400, len - 400, MSG_NOSIGNAL);
	ok &= answer(rig, fd, 20) == 200;
	out = accept(listening, NULL, NULL);
	if (out >= 0)
		close(out);
	close(fd);
	close(listening);
	run(rig, 10);
	return ok;
}

static void
without_memory_others_are_served(void **state)
{
	struct rig *rig = *state;
	unsigned n = failing_alloc_count(exercise, rig);

	assert_in_range(n, 5, 50);
	assert_true(failing_alloc_each(exercise, rig) < n);
	assert_int_equal(counted(rig, "accepted"), 0);
	assert_int_equal(counted(rig, "outgoing"), 0);
	assert_int_equal(counted(rig, "transport_unsent_bytes"), 0);
	assert_true(exercise(rig));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(silence_is_ended),
		T(dribble_is_ended),
		T(keep_alive_in_pieces_is_no_message),
		T(idleness_is_ended),
		T(limits_may_change),
		T(connecting_is_ended),
		T(nobody_listens),
		T(connected_is_not_ended),
		T(connections_per_source),
		T(banned_are_not_heard),
		T(out_of_descriptors),
		T(connection_is_found_by_its_id),
		T(connections_are_used_again),
		T(accepted_ones_serve_us),
		T(broken_is_found_out_by_sending),
		T(deaf_ones_are_given_up),
		T(deaf_ones_get_no_second_chance),
		T(slow_ones_get_it_all),
		T(nothing_overtakes_what_waits),
		T(deaf_ones_are_not_kept_alive),
		T(who_spoke_may_be_silent),
		T(damaged_ones_are_not_used_again),
		T(the_most_unused_makes_room),
		T(who_drains_makes_no_room),
		T(half_closed_ones_get_their_answer),
		T(balancer_tells_the_source),
		T(balancer_and_message_at_once),
		T(strangers_at_the_balanced_port),
		T(clients_behind_a_balancer_are_counted),
		T(without_memory_others_are_served),
	};
#undef T
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open(null, LOG_TEXT, LEVEL_ERROR);
	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
