/*
 * loop.c -- the event loop: timers, descriptors and signals on su_root.
 */
#include "config.h"

#include "io/loop.h"

#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"

enum {
	SLEEP_MAX_MS = 1000,		/* of one turn of the loop */
	TIMER_MAX_MS = INT32_MAX	/* 24 days; a longer wait is cut */
};

struct loop {
	su_root_t	*root;
	bool		 stop;
	int		 signal_fd;	/* -1: none yet */
	struct loop_fd	*signal_watch;
	loop_signal_f	*signal_fn;
	void		*signal_arg;
};

struct loop_timer {
	su_timer_t	*su;
	loop_timer_f	*fn;
	void		*arg;
};

struct loop_hook { struct loop_timer timer; };

struct loop_fd {
	struct loop	*loop;
	int		 fd;
	int		 index;		/* su_root's; 0: not registered */
	unsigned	 events;
	loop_fd_f	*fn;
	void		*arg;
};

struct loop *
loop_new(void)
{
	struct loop *l;

	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->signal_fd = -1;
	su_init();
	l->root = su_root_create(NULL);
	if (l->root == NULL) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	loop_fd_free(l->signal_watch);
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	su_root_destroy(l->root);
	su_deinit();
	free(l);
}

struct su_root_s *
loop_root(struct loop *l)
{
	return l->root;
}

void
loop_run(struct loop *l)
{
	/*
	 * Step by step rather than su_root_run(), whose prepoll hook comes
	 * before the timers: what they log would wait for the next event.
	 */
	while (!l->stop) {
		log_flush();
		su_root_step(l->root, SLEEP_MAX_MS);
	}
	l->stop = false;
	log_flush();
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}

static void
timer_expired(su_root_magic_t *magic, su_timer_t *su, su_timer_arg_t *arg)
{
	struct loop_timer *t = arg;

	(void)magic;
	(void)su;
	t->fn(t->arg);			/* may free t */
}

static bool
timer_init(struct loop_timer *t, struct loop *l, loop_timer_f *fn, void *arg)
{
	t->su = su_timer_create(su_root_task(l->root), 0);
	t->fn = fn;
	t->arg = arg;
	return t->su != NULL;
}

struct loop_timer *
loop_timer_new(struct loop *l, loop_timer_f *fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof *t);

	if (t != NULL && timer_init(t, l, fn, arg))
		return t;
	free(t);
	return NULL;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	su_timer_destroy(t->su);
	free(t);
}

void
loop_timer_start(struct loop_timer *t, int64_t after_ms)
{
	if (after_ms < 0)
		after_ms = 0;
	if (after_ms > TIMER_MAX_MS)
		after_ms = TIMER_MAX_MS;
	/* Without its deadline a wait could last for ever: no memory for the
	 * heap of timers ends the process, as in Sofia itself. */
	if (su_timer_set_interval(t->su, timer_expired, t,
	    (su_duration_t)after_ms) < 0)
		abort();
}

void
loop_timer_stop(struct loop_timer *t)
{
	su_timer_reset(t->su);
}

/* Deferrable timers have a queue of their own, which comes last in a turn; one
 * of the past does not touch the length of the sleep. */
struct loop_hook *
loop_hook_new(struct loop *l, loop_timer_f *fn, void *arg)
{
	struct loop_hook *h = calloc(1, sizeof *h);

	if (h != NULL && timer_init(&h->timer, l, fn, arg) &&
	    su_timer_deferrable(h->timer.su, 1) >= 0)
		return h;
	loop_hook_free(h);
	return NULL;
}

void
loop_hook_free(struct loop_hook *h)
{
	if (h == NULL)
		return;
	su_timer_destroy(h->timer.su);
	free(h);
}

void
loop_hook_start(struct loop_hook *h)
{
	static const su_time_t long_ago = { 1, 0 };

	if (su_timer_is_set(h->timer.su))
		return;
	/* No memory: as in loop_timer_start(). */
	if (su_timer_set_at(h->timer.su, timer_expired, &h->timer,
	    long_ago) < 0)
		abort();
}

static int
su_events(unsigned events)
{
	return ((events & LOOP_IN) ? SU_WAIT_IN : 0) |
	    ((events & LOOP_OUT) ? SU_WAIT_OUT : 0) |
	    ((events & LOOP_ERR) ? SU_WAIT_ERR : 0);
}

static int
fd_ready(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct loop_fd *w = arg;
	int got = su_wait_events(wait, w->fd);
	unsigned events = 0;

	(void)magic;
	if (got & SU_WAIT_IN)
		events |= LOOP_IN;
	if (got & SU_WAIT_OUT)
		events |= LOOP_OUT;
	/* An error is found by whoever next reads or writes. */
	if (got & (SU_WAIT_ERR | SU_WAIT_HUP))
		events |= w->events & ~(unsigned)LOOP_ERR;
	if (got & SU_WAIT_ERR)
		events |= LOOP_ERR;
	events &= w->events;
	if (events != 0)
		w->fn(w->arg, events);	/* may free w */
	return 0;
}

static int
fd_register(struct loop_fd *w, unsigned events)
{
	su_wait_t wait[1];
	int index;

	if (su_wait_create(wait, w->fd, su_events(events)) < 0)
		return -errno;
	index = su_root_register(w->loop->root, wait, fd_ready, w, 0);
	if (index <= 0) {
		int error = errno;

		su_wait_destroy(wait);
		return -error;
	}
	w->index = index;
	return 0;
}

static void
fd_deregister(struct loop_fd *w)
{
	if (w->index > 0)
		su_root_deregister(w->loop->root, w->index);
	w->index = 0;
}

struct loop_fd *
loop_fd_new(struct loop *l, int fd, unsigned events, loop_fd_f *fn, void *arg)
{
	struct loop_fd *w;

	w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->loop = l;
	w->fd = fd;
	w->fn = fn;
	w->arg = arg;
	if (loop_fd_events(w, events) < 0) {
		free(w);
		return NULL;
	}
	return w;
}

int
loop_fd_events(struct loop_fd *w, unsigned events)
{
	int rc = 0;

	if (events == w->events)
		return 0;
	/* Not registered at all while nothing is asked for: epoll would
	 * report a hang-up even then, for ever. */
	if (events == 0)
		fd_deregister(w);
	else if (w->index == 0)
		rc = fd_register(w, events);
	else if (su_root_eventmask(w->loop->root, w->index, w->fd,
	    su_events(events)) < 0)
		rc = -errno;
	if (rc == 0)
		w->events = events;
	return rc;
}

void
loop_fd_free(struct loop_fd *w)
{
	if (w == NULL)
		return;
	fd_deregister(w);
	free(w);
}

static void
signals_ready(void *arg, unsigned events)
{
	struct loop *l = arg;
	struct signalfd_siginfo si;

	(void)events;
	while (read(l->signal_fd, &si, sizeof si) == (ssize_t)sizeof si)
		l->signal_fn(l->signal_arg, (int)si.ssi_signo);
}

int
loop_signals(struct loop *l, const int *signo, unsigned n, loop_signal_f *fn,
    void *arg)
{
	sigset_t set;
	int error;

	if (l->signal_fd >= 0)
		return -EALREADY;
	sigemptyset(&set);
	for (unsigned i = 0; i < n; i++)
		sigaddset(&set, signo[i]);
	error = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (error != 0)
		return -error;
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd < 0)
		return -errno;
	l->signal_fn = fn;
	l->signal_arg = arg;
	l->signal_watch = loop_fd_new(l, l->signal_fd, LOOP_IN,
	    signals_ready, l);
	return l->signal_watch != NULL ? 0 : -ENOMEM;
}
