/* Real Redis servers for a test, on loopback and free ports. */
#include "config.h"

#include "redis_rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"

enum { START_MS = 10000, STEP_MS = 5 };

static void
nap(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

bool
rig_has_redis(void)
{
	return access("/usr/bin/redis-server", X_OK) == 0;
}

/* Free on all addresses. */
static bool
is_free(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 &&
	    bind(fd, (struct sockaddr *)&in, sizeof in) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Of those that the kernel gives to nobody; each test program begins at
 * another one, as several look for ports at the same time. */
uint16_t
server_free_port(void)
{
	static unsigned next;
	unsigned port;

	for (int i = 0; i < 1000; i++) {
		port = 10000 + ((unsigned)getpid() * 31 + next++) % 20000;
		if (is_free(port))
			return (uint16_t)port;
	}
	fail_msg("no free port");
	return 0;
}

static void
exec_sentinel(struct server *s)
{
	char port[8];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(port, sizeof port, "%u", s->port);
	if (chdir(s->dir) == 0)
		execl("/usr/bin/redis-server", "redis-sentinel",
		    "sentinel.conf", "--sentinel", "--port", port, "--bind",
		    RIG_HOST, "--logfile", "log", (char *)NULL);
	_exit(127);
}

static void
exec_server(struct server *s)
{
	char port[8];
	const char *argv[40] = { "redis-server", "--port", port, "--bind",
		RIG_HOST, "--dir", s->dir, "--save", "", "--appendonly",
		"no", "--daemonize", "no", "--logfile", "log" };
	size_t n = 15;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(port, sizeof port, "%u", s->port);
	for (size_t i = 0; i < 16 && s->args[i] != NULL; i++)
		argv[n++] = s->args[i];
	execv("/usr/bin/redis-server", (char **)argv);
	_exit(127);
}

static bool
answers(const struct server *s)
{
	redisContext *c = redisConnectWithTimeout(RIG_HOST, s->port,
	    (struct timeval){ 1, 0 });
	bool ok = c != NULL && c->err == 0;
	redisReply *r = ok ? redisCommand(c, "PING") : NULL;

	/* With a password an error is an answer, too. */
	ok = r != NULL;
	if (r != NULL)
		freeReplyObject(r);
	if (c != NULL)
		redisFree(c);
	return ok;
}

void
server_start(struct server *s)
{
	int64_t until_ms = clock_mono_ms() + START_MS;

	if (s->dir[0] == '\0') {
		snprintf(s->dir, sizeof s->dir, "/tmp/test_redis.XXXXXX");
		assert_non_null(mkdtemp(s->dir));
	}
	if (s->port == 0)
		s->port = server_free_port();
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0 && s->sentinel)
		exec_sentinel(s);
	if (s->pid == 0)
		exec_server(s);
	while (!answers(s)) {
		if (clock_mono_ms() > until_ms)
			fail_msg("redis-server does not start");
		nap(STEP_MS);
	}
}

void
server_signal(struct server *s, int signo)
{
	kill(s->pid, signo);
}

void
server_kill(struct server *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

void
server_end(struct server *s)
{
	char command[128];

	server_kill(s);
	if (s->dir[0] != '\0') {
		snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
		if (system(command) != 0)
			fail_msg("cannot remove %s", s->dir);
	}
	memset(s, 0, sizeof *s);
}

const char *
server_do(const struct server *s, const char *fmt, ...)
{
	static char text[65536];
	char command[1024];
	redisContext *c = redisConnectWithTimeout(RIG_HOST, s->port,
	    (struct timeval){ 2, 0 });
	redisReply *r;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	if (c == NULL || c->err != 0)
		fail_msg("cannot reach redis-server");
	r = redisCommand(c, command);
	text[0] = '\0';
	if (r == NULL)
		fail_msg("no answer to %s", command);
	if (r->type == REDIS_REPLY_INTEGER)
		snprintf(text, sizeof text, "%lld", r->integer);
	else if (r->str != NULL)
		snprintf(text, sizeof text, "%s", r->str);
	freeReplyObject(r);
	redisFree(c);
	return text;
}

struct look {
	struct loop		*loop;
	struct loop_timer	*timer;
};

/* Always with a timer to come, for the loop looks whether it shall stop only
 * after it has slept. */
static void
look(void *arg)
{
	struct look *k = arg;

	loop_timer_start(k->timer, STEP_MS);
	loop_stop(k->loop);
}

bool
run_until(struct loop *l, const bool *flag, int64_t most_ms)
{
	int64_t until_ms = clock_mono_ms() + most_ms;
	struct look k = { .loop = l };

	k.timer = loop_timer_new(l, look, &k);
	loop_timer_start(k.timer, STEP_MS);
	while (!*flag && clock_mono_ms() < until_ms)
		loop_run(l);
	loop_timer_free(k.timer);
	return *flag;
}

void
run_for(struct loop *l, int64_t ms)
{
	bool never = false;

	run_until(l, &never, ms);
}
