/*
 * loop.h -- the one event loop of the process, on Sofia's su_root.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct su_root_s;		/* su_root_t, for Sofia's own objects */

struct loop *loop_new(void);
void loop_free(struct loop *l);
struct su_root_s *loop_root(struct loop *l);

/* Runs until loop_stop(), which also counts when it came before. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* One-shot timer; start again to move it.  stop is always safe. */
struct loop_timer;
typedef void loop_timer_f(void *arg);
struct loop_timer *loop_timer_new(struct loop *l, loop_timer_f *fn,
    void *arg);
void loop_timer_free(struct loop_timer *t);	/* NULL is allowed */
void loop_timer_start(struct loop_timer *t, int64_t after_ms);
void loop_timer_stop(struct loop_timer *t);

/* Once, at the end of this turn of the loop: after all that is due, right
 * before the process sleeps.  Costs no system call.  fn may start it again,
 * and is then called again before the sleep. */
struct loop_hook;
struct loop_hook *loop_hook_new(struct loop *l, loop_timer_f *fn, void *arg);
void loop_hook_free(struct loop_hook *h);	/* NULL is allowed */
void loop_hook_start(struct loop_hook *h);	/* again: nothing more */

/* A descriptor.  An error or a hang-up is told as whatever is waited for;
 * LOOP_ERR, for who asks for it, tells an error besides.
 * The callback may free the watch. */
enum { LOOP_IN = 1, LOOP_OUT = 2, LOOP_ERR = 4 };
struct loop_fd;
typedef void loop_fd_f(void *arg, unsigned events);
struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events,
    loop_fd_f *fn, void *arg);
/* Change what is waited for; 0: nothing.  0, or -errno: as it was before. */
int loop_fd_events(struct loop_fd *w, unsigned events);
/* NULL is allowed.  Does not close fd, but comes before its close(). */
void loop_fd_free(struct loop_fd *w);

/* Signals arrive on the loop (signalfd); blocked everywhere else, so call it
 * before threads are made, once.  0 or -errno. */
typedef void loop_signal_f(void *arg, int signo);
int loop_signals(struct loop *l, const int *signo, unsigned n,
    loop_signal_f *fn, void *arg);

#endif
