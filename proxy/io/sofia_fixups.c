/*
 * sofia_fixups.c -- faults of libsofia-sip-ua, cured from outside.
 *
 * Seen in Debian's 1.12.11+20110422.1+1e14eea~dfsg-6, the last state of that
 * line, and in 1.13.17, whose su_timer.c does the same.
 *
 * epoll_wait
 *	Fault: su_timer_expire() (su/su_timer.c) gives the time left until the
 *	next timer in whole milliseconds, rounded down, so in the last one the
 *	loop asks epoll_wait() for 0 again and again.
 *	Evidence: 557 us of CPU a call at 1,500 calls/s, 271 us without this.
 *	Effect of the cure: who asks for 0 and got nothing when he asked for 0
 *	the last time waits up to 1 ms; a ready descriptor still ends the wait.
 *	The first 0 stays a poll, as it is asked for when messages between
 *	tasks are waiting.
 *
 *	Fault: when it is interrupted, the loop takes that for "nothing came" and
 *	fires the timers that are due.  After the process stood still (SIGCONT,
 *	a thawed container) that is before it reads what came in the meantime.
 *	Evidence: held for 300 ms with Redis's answer in the socket, 18 of 20
 *	right answers were out of time; with the cure 2.
 *	Effect of the cure: it looks once more.
 *
 * su_now
 *	Fault: timers count the time of day (su/su_time.c), so while a clock
 *	that was set back by an hour catches up, none fires.
 *	Evidence: for that hour no ban ended, and no connection that was silent.
 *	Effect of the cure: they count a clock that nobody sets.
 */
#include "config.h"

#include "io/sofia_fixups.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>

#include <sofia-sip/su_time.h>
#include <sofia-sip/su_wait.h>

#include "base/log.h"

static _Thread_local bool polled_idle;
static _Thread_local unsigned waits, looks;	/* for the self-test */

int
epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	bool poll = timeout_ms == 0;
	int n;

	waits++;
	if (poll && polled_idle)
		timeout_ms = 1;
	n = epoll_pwait(epfd, events, max, timeout_ms, NULL);
	if (n == -1 && errno == EINTR)
		n = epoll_pwait(epfd, events, max, 0, NULL);
	polled_idle = poll && n == 0;
	return n;
}

/* Only differences count, so it need not be the time since 1900. */
su_time_t
su_now(void)
{
	struct timespec ts;

	looks++;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (su_time_t){ (unsigned long)ts.tv_sec + SU_TIME_EPOCH,
	    (unsigned long)ts.tv_nsec / 1000 };
}

static int
complain(const char *symbol)
{
	log_event(EV_FIXUPS_FAIL, kv_str("symbol", symbol));
	return -ENOTSUP;
}

/* Does a loop of the library wait, and look at the clock, by ours? */
int
sofia_fixups_check(void)
{
	unsigned waited = waits, looked = looks;
	su_root_t *root = su_root_create(NULL);

	if (root != NULL) {
		su_root_step(root, 0);
		su_root_destroy(root);
	}
	if (waits == waited)
		return complain("epoll_wait");
	return looks == looked ? complain("su_now") : 0;
}
