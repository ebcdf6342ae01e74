/*
 * test_places.c -- who gets a place where connections or descriptors are all
 * taken, and in whose stead.
 */
#include "config.h"

#include "transport_rig.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/count.h"
#include "base/log.h"

/* A connection over which a request came. */
static int
call_and_ask(struct rig *rig, bool known)
{
	static char buf[BUF];
	int fd = call(rig);

	rig->known = known;
	say(fd, buf, request(buf, "TCP", "", 0));
	assert_int_equal(answer(rig, fd, ANSWER_MS), 200);
	return fd;
}

static void
allow_connections(struct rig *rig, int64_t n)
{
	struct transport_conf conf = generous;

	conf.connections = n;
	transport_set_conf(rig->transport, &conf);
}

static void
connections_in_all(void **state)
{
	struct rig *rig = *state;
	int fd[6];

	allow_connections(rig, 3);
	for (size_t i = 0; i < COUNT(fd); i++)
		fd[i] = i < 3 ? call_and_ask(rig, true) : call(rig);
	for (size_t i = 0; i < COUNT(fd); i++)
		assert_int_equal(is_closed(rig, fd[i], 20), i >= 3);
	assert_int_equal(counted(rig, "connections"), 3);
	assert_int_equal(counted(rig, "silent"), 0);
	assert_int_equal(counted(rig, "unproved"), 0);
	assert_int_equal(counted(rig, "accepted"), 3);

	close(fd[0]);			/* its place is free at once */
	turn(rig, 100);
	assert_int_equal(counted(rig, "accepted"), 2);
	fd[0] = call_and_ask(rig, true);
	close_all(fd, COUNT(fd));
	run(rig, 20);
	assert_int_equal(counted(rig, "accepted"), 0);
}

/* Each of them, from the third on, in the place of which one? */
static void
strangers_make_room(void **state)
{
	static const struct {
		bool	speaks, known, ends;
	} callers[] = {
		{ true, true, false },
		{ false, false, true },
		{ true, false, true },
		{ true, true, false },
		{ true, false, true },
		{ false, false, false },
	};
	struct rig *rig = *state;
	int fd[COUNT(callers)];

	allow_connections(rig, 3);
	for (size_t i = 0; i < COUNT(fd); i++)
		fd[i] = callers[i].speaks ?
		    call_and_ask(rig, callers[i].known) : call(rig);
	run(rig, 20);
	for (size_t i = 0; i < COUNT(fd); i++)
		if (is_closed(rig, fd[i], 20) != callers[i].ends)
			fail_msg("%zu is %s", i, callers[i].ends ? "open" :
			    "closed");
	assert_int_equal(counted(rig, "silent"), 1);
	assert_int_equal(counted(rig, "unproved"), 2);
	assert_int_equal(counted(rig, "connections"), 0);
	assert_int_equal(counted(rig, "accepted"), 3);
	assert_int_equal(rig->lost, 2);
	close_all(fd, COUNT(fd));
}

/* Many at once are too many for one turn, and no longer. */
static void
the_limit_is_exceeded_for_a_turn(void **state)
{
	struct rig *rig = *state;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(port_addr(rig->tcp), &ss);
	int fd[10];

	allow_connections(rig, 3);
	for (size_t i = 0; i < COUNT(fd); i++) {
		fd[i] = peer(SOCK_STREAM, "127.0.0.1");
		(void)connect(fd[i], (struct sockaddr *)&ss, len);
	}
	for (int i = 0; i < 100 && counted(rig, "silent") < 7; i++)
		turn(rig, 10);
	turn(rig, 10);
	assert_int_equal(counted(rig, "silent"), 7);
	assert_int_equal(counted(rig, "accepted"), 3);
	for (size_t i = 0; i < COUNT(fd); i++)
		assert_int_equal(is_closed(rig, fd[i], 20), i < 7);
	close_all(fd, COUNT(fd));
}

/* It is over, but for the last words; yet it takes a place. */
static void
lingering_strangers_make_room(void **state)
{
	static const char damaged[] =
	    "OPTIONS sip:x@example.com SIP/2.0\r\n"
	    "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n\r\n";
	struct rig *rig = *state;
	int fd, other;

	allow_connections(rig, 1);
	fd = call(rig);
	say(fd, damaged, sizeof damaged - 1);
	assert_int_equal(answer(rig, fd, ANSWER_MS), 400);
	assert_int_equal(counted(rig, "accepted"), 1);
	other = call_and_ask(rig, true);
	assert_int_equal(counted(rig, "unproved"), 1);
	assert_int_equal(counted(rig, "accepted"), 1);
	close(other);
	close(fd);
}

static void
our_own_make_no_room(void **state)
{
	struct rig *rig = *state;
	struct hop h = { 0 };
	int listening = listener(1, &h.addr), ours, fd[3];
	uint32_t id = 0;

	allow_connections(rig, 1);
	assert_int_equal(send_to(rig, h, "OPTIONS", &id), 0);
	ours = take_call(rig, listening);
	fd[0] = call(rig);
	fd[1] = call_and_ask(rig, true);
	fd[2] = call(rig);
	assert_true(is_closed(rig, fd[0], ANSWER_MS));
	assert_false(is_closed(rig, fd[1], 20));
	assert_true(is_closed(rig, fd[2], ANSWER_MS));
	assert_true(transport_is_open(rig->transport, id));
	assert_int_equal(counted(rig, "outgoing"), 1);
	assert_int_equal(counted(rig, "connections"), 1);
	transport_vouch(rig->transport, id);	/* says nothing new */
	transport_vouch(rig->transport, id + 1);
	transport_vouch(rig->transport, 0);
	close_all(fd, COUNT(fd));
	close(ours);
	close(listening);
}

/* The descriptor of the stranger serves who comes; then there is none. */
static void
strangers_make_room_for_descriptors(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct rlimit old, tight;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(port_addr(rig->tcp), &ss);
	int known = call_and_ask(rig, true), stranger, fd[2], lowest;

	stranger = call_and_ask(rig, false);
	fd[0] = peer(SOCK_STREAM, "127.0.0.1");
	fd[1] = peer(SOCK_STREAM, "127.0.0.1");
	lowest = dup(known);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = (struct rlimit){ (rlim_t)lowest, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	rig->known = true;
	for (size_t i = 0; i < COUNT(fd); i++) {
		(void)connect(fd[i], (struct sockaddr *)&ss, len);
		run(rig, 20);
		(void)send(fd[i], buf, request(buf, "TCP", "", 0),
		    MSG_NOSIGNAL);
		run(rig, 20);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(counted(rig, "unproved"), 1);
	assert_int_equal(counted(rig, "silent"), 0);
	assert_int_equal(counted(rig, "descriptors"), 1);
	assert_true(is_closed(rig, stranger, ANSWER_MS));
	assert_false(is_closed(rig, known, 20));
	assert_int_equal(answer(rig, fd[0], ANSWER_MS), 200);
	assert_true(is_closed(rig, fd[1], ANSWER_MS));
	close_all(fd, COUNT(fd));
	close(stranger);
	close(known);
}

#define PROXIED "PROXY TCP4 192.0.2.7 127.0.0.1 4711 5060\r\n"

/* All come from one address, but each is known for itself. */
static void
clients_behind_a_balancer_are_known_apart(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct net balancer;
	struct port *port;
	size_t head = strlen(PROXIED);
	int fd[4];

	assert_true(net_parse(&balancer, str_of("127.0.0.1")));
	port = listen_on(rig, (struct port_conf){ .transport = TRANSPORT_TCP,
	    .balancer = &balancer, .nbalancers = 1 });
	allow_connections(rig, 2);
	memcpy(buf, PROXIED, head);
	for (size_t i = 0; i < COUNT(fd); i++) {
		rig->known = i == 1;
		fd[i] = call_port(rig, port, "127.0.0.1");
		say(fd[i], buf, head + request(buf + head, "TCP", "", 0));
		assert_int_equal(answer(rig, fd[i], ANSWER_MS), 200);
	}
	for (size_t i = 0; i < COUNT(fd); i++)
		assert_int_equal(is_closed(rig, fd[i], 20), i % 2 == 0);
	assert_int_equal(counted(rig, "unproved"), 2);
	close_all(fd, COUNT(fd));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(connections_in_all),
		T(strangers_make_room),
		T(the_limit_is_exceeded_for_a_turn),
		T(lingering_strangers_make_room),
		T(our_own_make_no_room),
		T(strangers_make_room_for_descriptors),
		T(clients_behind_a_balancer_are_known_apart),
	};
#undef T
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open(null, LOG_TEXT, LEVEL_ERROR);
	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
