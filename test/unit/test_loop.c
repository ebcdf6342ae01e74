/* The event loop: timers in order, descriptors, signals, and callbacks that
 * free what they were called for. */
#include "config.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sofia-sip/su_wait.h>

#include "base/clock.h"
#include "base/count.h"
#include "io/loop.h"

enum { TRACE_MAX = 64, GIVE_UP_MS = 5000 };

struct rig {
	struct loop		*loop;
	struct loop_timer	*give_up;
	char			 trace[TRACE_MAX];
	size_t			 ntrace;
	bool			 late;
};

struct mark {
	struct rig		*rig;
	char			 letter;
	struct loop_timer	*timer;
	struct loop_timer	*other;
	struct loop_fd		*fd;
	struct loop_hook	*hook;
	int			 sock;
	unsigned		 events;
	unsigned		 calls;
};

static void
too_late(void *arg)
{
	struct rig *rig = arg;

	rig->late = true;
	loop_stop(rig->loop);
}

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig->loop = loop_new();
	assert_non_null(rig->loop);
	rig->give_up = loop_timer_new(rig->loop, too_late, rig);
	loop_timer_start(rig->give_up, GIVE_UP_MS);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	loop_timer_free(rig->give_up);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

static void
leave_mark(void *arg)
{
	struct mark *m = arg;

	m->calls++;
	m->rig->trace[m->rig->ntrace++] = m->letter;
	if (m->letter == 'z')
		loop_stop(m->rig->loop);
}

static void
start_mark(struct rig *rig, struct mark *m, char letter, int64_t after_ms)
{
	m->rig = rig;
	m->letter = letter;
	m->timer = loop_timer_new(rig->loop, leave_mark, m);
	assert_non_null(m->timer);
	loop_timer_start(m->timer, after_ms);
}

static void
timers_fire_in_order(void **state)
{
	struct rig *rig = *state;
	struct mark m[5] = { 0 };
	int64_t t0 = clock_mono_ms();

	start_mark(rig, &m[0], 'z', 60);
	start_mark(rig, &m[1], 'b', 30);
	start_mark(rig, &m[2], 'a', -1);
	start_mark(rig, &m[3], 'c', 10);
	loop_timer_start(m[3].timer, 45);		/* moved */
	start_mark(rig, &m[4], 'x', 20);
	loop_timer_stop(m[4].timer);
	loop_timer_stop(m[4].timer);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "abcz");
	assert_true(clock_mono_ms() - t0 >= 55);
	assert_false(rig->late);
	for (size_t i = 0; i < 5; i++)
		loop_timer_free(m[i].timer);
	loop_timer_free(NULL);
}

static void
free_both(void *arg)
{
	struct mark *m = arg;

	m->calls++;
	loop_timer_free(m->timer);
	loop_timer_free(m->other);
	loop_stop(m->rig->loop);
}

static void
a_timer_may_free_itself_and_others(void **state)
{
	struct rig *rig = *state;
	struct mark m = { .rig = rig };

	m.timer = loop_timer_new(rig->loop, free_both, &m);
	m.other = loop_timer_new(rig->loop, free_both, &m);
	loop_timer_start(m.timer, 5);
	loop_timer_start(m.other, 5);
	loop_run(rig->loop);
	assert_int_equal(m.calls, 1);
	assert_false(rig->late);
}

static void
start_again(void *arg)
{
	struct mark *m = arg;

	if (++m->calls < 3)
		loop_timer_start(m->timer, 0);
	else
		loop_stop(m->rig->loop);
}

static void
a_timer_may_start_itself_again(void **state)
{
	struct rig *rig = *state;
	struct mark m = { .rig = rig };

	m.timer = loop_timer_new(rig->loop, start_again, &m);
	loop_timer_start(m.timer, 0);
	loop_run(rig->loop);
	assert_int_equal(m.calls, 3);
	assert_false(rig->late);
	loop_timer_free(m.timer);
}

static void
note_events(void *arg, unsigned events)
{
	struct mark *m = arg;

	m->calls++;
	m->events = events;
	loop_stop(m->rig->loop);
}

static void
a_descriptor_tells_what_was_asked(void **state)
{
	static const struct {
		unsigned ask, want;
		bool	 readable;
	} cases[] = {
		{ LOOP_OUT,		LOOP_OUT,		true },
		{ LOOP_IN,		LOOP_IN,		true },
		{ LOOP_IN | LOOP_OUT,	LOOP_IN | LOOP_OUT,	true },
		{ LOOP_IN | LOOP_OUT,	LOOP_OUT,		false },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mark m = { .rig = rig };
		int sv[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
		if (cases[i].readable)
			assert_int_equal(write(sv[1], "x", 1), 1);
		m.fd = loop_fd_new(rig->loop, sv[0], cases[i].ask,
		    note_events, &m);
		assert_non_null(m.fd);
		loop_run(rig->loop);
		assert_int_equal(m.events, cases[i].want);
		assert_false(rig->late);
		loop_fd_free(m.fd);
		close(sv[0]);
		close(sv[1]);
	}
}

static void
nothing_is_told_while_nothing_is_asked(void **state)
{
	struct rig *rig = *state;
	struct mark m = { .rig = rig }, end = { 0 };
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	m.fd = loop_fd_new(rig->loop, sv[0], LOOP_IN, note_events, &m);
	assert_int_equal(loop_fd_events(m.fd, 0), 0);
	assert_int_equal(loop_fd_events(m.fd, 0), 0);
	close(sv[1]);					/* hangs up */
	start_mark(rig, &end, 'z', 30);
	loop_run(rig->loop);
	assert_int_equal(m.calls, 0);

	/* Asked again, the hang-up is told as what was asked for. */
	assert_int_equal(loop_fd_events(m.fd, LOOP_IN), 0);
	loop_run(rig->loop);
	assert_int_equal(m.calls, 1);
	assert_int_equal(m.events, LOOP_IN);
	assert_false(rig->late);
	loop_fd_free(m.fd);
	loop_timer_free(end.timer);
	close(sv[0]);
}

static void
free_watch(void *arg, unsigned events)
{
	struct mark *m = arg;

	(void)events;
	m->calls++;
	loop_fd_free(m->fd);
	loop_stop(m->rig->loop);
}

static void
a_watch_may_free_itself(void **state)
{
	struct rig *rig = *state;
	struct mark m = { .rig = rig };
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	m.fd = loop_fd_new(rig->loop, sv[0], LOOP_OUT, free_watch, &m);
	loop_run(rig->loop);
	assert_int_equal(m.calls, 1);
	assert_false(rig->late);
	loop_fd_free(NULL);
	close(sv[0]);
	close(sv[1]);
}

/* A UDP socket with an error that it was not asked for yet. */
static int
socket_in_error(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *sa = (struct sockaddr *)&sin;
	socklen_t len = sizeof sin;
	int closed = socket(AF_INET, SOCK_DGRAM, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(closed, sa, len), 0);
	assert_int_equal(getsockname(closed, sa, &len), 0);
	close(closed);
	assert_int_equal(connect(fd, sa, len), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	return fd;
}

static void
an_error_is_told_besides_to_who_asks(void **state)
{
	static const unsigned cases[][2] = {	/* asked for, told */
		{ LOOP_IN, LOOP_IN },
		{ LOOP_IN | LOOP_ERR, LOOP_IN | LOOP_ERR },
		{ LOOP_ERR, LOOP_ERR },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mark m = { .rig = rig };
		int fd = socket_in_error();

		m.fd = loop_fd_new(rig->loop, fd, cases[i][0], note_events,
		    &m);
		assert_non_null(m.fd);
		loop_run(rig->loop);
		assert_int_equal(m.events, cases[i][1]);
		assert_false(rig->late);
		loop_fd_free(m.fd);
		close(fd);
	}
}

static void
what_is_no_error_is_not_told_as_one(void **state)
{
	struct rig *rig = *state;
	struct mark m = { .rig = rig };
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	m.fd = loop_fd_new(rig->loop, sv[0], LOOP_IN | LOOP_ERR, note_events,
	    &m);
	assert_int_equal(write(sv[1], "x", 1), 1);
	loop_run(rig->loop);
	assert_int_equal(m.events, LOOP_IN);
	close(sv[1]);					/* hangs up */
	loop_run(rig->loop);
	assert_int_equal(m.events, LOOP_IN);
	assert_false(rig->late);
	loop_fd_free(m.fd);
	close(sv[0]);
}

static void
mark_and_start_hook(void *arg)
{
	struct mark *m = arg;

	leave_mark(m);
	loop_hook_start(m->hook);
	loop_hook_start(m->hook);
}

static void
a_hook_runs_once_after_all_timers(void **state)
{
	struct rig *rig = *state;
	struct mark hook = { .rig = rig, .letter = 'h' };
	struct mark first = { .rig = rig, .letter = 'a' }, second = { 0 };

	first.hook = loop_hook_new(rig->loop, leave_mark, &hook);
	first.timer = loop_timer_new(rig->loop, mark_and_start_hook, &first);
	assert_non_null(first.hook);
	loop_timer_start(first.timer, -1);
	start_mark(rig, &second, 'b', 0);
	su_root_step(loop_root(rig->loop), 0);
	assert_string_equal(rig->trace, "abh");
	su_root_step(loop_root(rig->loop), 0);
	assert_string_equal(rig->trace, "abh");
	loop_timer_free(first.timer);
	loop_timer_free(second.timer);
	loop_hook_free(first.hook);
}

static void
read_and_start_hook(void *arg, unsigned events)
{
	struct mark *m = arg;
	char c;

	assert_int_equal(events, LOOP_IN);
	assert_int_equal(read(m->sock, &c, 1), 1);
	loop_hook_start(m->hook);
}

static void
a_hook_does_not_wait_for_the_sleep(void **state)
{
	struct rig *rig = *state;
	struct mark hook = { .rig = rig, .letter = 'h' };
	struct mark m = { .rig = rig };
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	m.sock = sv[0];
	m.hook = loop_hook_new(rig->loop, leave_mark, &hook);
	m.fd = loop_fd_new(rig->loop, sv[0], LOOP_IN, read_and_start_hook,
	    &m);
	assert_int_equal(write(sv[1], "x", 1), 1);
	su_root_step(loop_root(rig->loop), 0);
	assert_string_equal(rig->trace, "h");

	/* Nor does the loop sleep when it was started outside a turn. */
	hook.letter = 'z';
	loop_hook_start(m.hook);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "hz");
	assert_false(rig->late);
	loop_fd_free(m.fd);
	loop_hook_free(m.hook);
	close(sv[0]);
	close(sv[1]);
}

static void
start_hook_again(void *arg)
{
	struct mark *m = arg;

	if (++m->calls < 3)
		loop_hook_start(m->hook);
}

static void
free_hook(void *arg)
{
	struct mark *m = arg;

	m->calls++;
	loop_hook_free(m->hook);
}

static void
a_hook_may_start_again_and_be_freed(void **state)
{
	struct rig *rig = *state;
	struct mark again = { .rig = rig }, once = { .rig = rig };
	struct mark never = { .rig = rig };

	again.hook = loop_hook_new(rig->loop, start_hook_again, &again);
	once.hook = loop_hook_new(rig->loop, free_hook, &once);
	never.hook = loop_hook_new(rig->loop, free_hook, &never);
	loop_hook_start(again.hook);
	loop_hook_start(once.hook);
	loop_hook_start(never.hook);
	loop_hook_free(never.hook);
	loop_hook_free(NULL);
	su_root_step(loop_root(rig->loop), 0);
	assert_int_equal(again.calls, 3);
	assert_int_equal(once.calls, 1);
	assert_int_equal(never.calls, 0);
	loop_hook_free(again.hook);
}

static void
a_bad_descriptor_is_refused(void **state)
{
	struct rig *rig = *state;

	assert_null(loop_fd_new(rig->loop, -1, LOOP_IN, note_events, NULL));
}

static void
count_signal(void *arg, int signo)
{
	struct mark *m = arg;

	m->events |= signo == SIGUSR1 ? 1 : signo == SIGUSR2 ? 2 : 4;
	if (++m->calls == 2)
		loop_stop(m->rig->loop);
}

static void
signals_arrive_on_the_loop(void **state)
{
	static const int signo[] = { SIGUSR1, SIGUSR2 };
	struct rig *rig = *state;
	struct mark m = { .rig = rig };

	assert_int_equal(loop_signals(rig->loop, signo, 2, count_signal, &m),
	    0);
	assert_true(loop_signals(rig->loop, signo, 2, count_signal, &m) < 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	assert_int_equal(m.calls, 0);
	loop_run(rig->loop);
	assert_int_equal(m.events, 1 | 2);
	assert_false(rig->late);
}

static int interrupted[2];

static void
interrupt(int number)
{
	(void)number;
	(void)!write(interrupted[1], "x", 1);
}

/* By a signal that came together with it; SIGCONT has no handler. */
static void
what_came_is_seen_when_interrupted(void **state)
{
	const struct sigaction action = { .sa_handler = interrupt };
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct epoll_event in = { .events = EPOLLIN }, got;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(interrupted), 0);
	assert_int_equal(epoll_ctl(fd, EPOLL_CTL_ADD, interrupted[0], &in), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(epoll_wait(fd, &got, 1, GIVE_UP_MS), 1);
	signal(SIGALRM, SIG_DFL);
	close(interrupted[0]);
	close(interrupted[1]);
	close(fd);
}

static void
a_stop_before_the_run_counts(void **state)
{
	struct rig *rig = *state;

	loop_stop(rig->loop);
	loop_run(rig->loop);
	assert_false(rig->late);
}

int
main(void)
{
#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LOOP_TEST(timers_fire_in_order),
		LOOP_TEST(a_timer_may_free_itself_and_others),
		LOOP_TEST(a_timer_may_start_itself_again),
		LOOP_TEST(a_descriptor_tells_what_was_asked),
		LOOP_TEST(nothing_is_told_while_nothing_is_asked),
		LOOP_TEST(a_watch_may_free_itself),
		LOOP_TEST(an_error_is_told_besides_to_who_asks),
		LOOP_TEST(what_is_no_error_is_not_told_as_one),
		LOOP_TEST(a_hook_runs_once_after_all_timers),
		LOOP_TEST(a_hook_does_not_wait_for_the_sleep),
		LOOP_TEST(a_hook_may_start_again_and_be_freed),
		LOOP_TEST(a_bad_descriptor_is_refused),
		LOOP_TEST(signals_arrive_on_the_loop),
		LOOP_TEST(what_came_is_seen_when_interrupted),
		LOOP_TEST(a_stop_before_the_run_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
