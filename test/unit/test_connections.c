/*
 * test_connections.c -- TCP under a real nta agent on loopback: how many
 * connections there may be, how long each may keep us waiting, and how it is
 * found by its name.
 */
#include "config.h"

#include "transport_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "base/clock.h"
#include "base/log.h"

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

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
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
	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
