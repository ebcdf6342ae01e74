/*
 * load.c -- callers and callees of scripts/bench in one process: calls through
 * a proxy, each as soon as another one ended, counted after a warm-up.
 *
 * Writes "begin" when the counting begins and "end" with what was counted, so
 * that its reader can look at the proxy at the same moments.
 */
#include "config.h"

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "argument.h"
#include "base/count.h"
#include "call.h"
#include "callee.h"
#include "message.h"
#include "wire.h"

enum { TICK_MS = 100, WINDOW_MAX = 100000, USERS_MAX = 1000000,
	SECONDS_MAX = 100000, REST_MAX_MS = 3600000 };

struct options {
	struct calls_conf calls;
	struct addr	 proxy, caller, callee;
	uint64_t	 warmup_s, seconds;
	bool		 sleeps;	/* while there is nothing to read */
};

struct load {
	struct wire	*callers, *callees;
	struct calls	*calls;
	int64_t		 now_ms;
};

static const char usage[] =
    "usage: load [--sleep] [--warmup N] [--seconds N] [--users N]\n"
    "            [--window N] [--rest MS] --realm NAME --proxy ADDR:PORT\n"
    "            --caller ADDR:PORT --callee ADDR:PORT\n"
    "            MESSAGE | CALL | STRANGERS\n";

/* ---- options */

static enum scenario
scenario(const char *name)
{
	static const char *const names[] = {
		[SCENARIO_MESSAGE] = "MESSAGE",
		[SCENARIO_CALL] = "CALL",
		[SCENARIO_STRANGERS] = "STRANGERS",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return (enum scenario)i;
	}
	fputs(usage, stderr);
	exit(2);
}

static const struct option known[] = {
	{ "sleep", no_argument, NULL, 's' },
	{ "warmup", required_argument, NULL, 'w' },
	{ "seconds", required_argument, NULL, 'd' },
	{ "users", required_argument, NULL, 'u' },
	{ "window", required_argument, NULL, 'n' },
	{ "rest", required_argument, NULL, 'z' },
	{ "realm", required_argument, NULL, 'r' },
	{ "proxy", required_argument, NULL, 'p' },
	{ "caller", required_argument, NULL, 'a' },
	{ "callee", required_argument, NULL, 'b' },
	{ NULL, 0, NULL, 0 }
};

static void
take(struct options *o, int letter, const char *name)
{
	switch (letter) {
	case 's': o->sleeps = true; break;
	case 'w': o->warmup_s = argument_number(name, 0, SECONDS_MAX); break;
	case 'd': o->seconds = argument_number(name, 1, SECONDS_MAX); break;
	case 'u':
		o->calls.users = (unsigned)argument_number(name, 1, USERS_MAX);
		break;
	case 'n':
		o->calls.window = (unsigned)argument_number(name, 1,
		    WINDOW_MAX);
		break;
	case 'z':
		o->calls.rest_ms = (unsigned)argument_number(name, 0,
		    REST_MAX_MS);
		break;
	case 'r': o->calls.realm = optarg; break;
	case 'p': o->proxy = argument_address(name); break;
	case 'a': o->caller = argument_address(name); break;
	case 'b': o->callee = argument_address(name); break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	int letter, which = 0;

	while ((letter = getopt_long(argc, argv, "", known, &which)) != -1)
		take(o, letter, known[which].name);
	if (optind != argc - 1 || o->calls.realm == NULL ||
	    o->proxy.port == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	o->calls.scenario = scenario(argv[optind]);
}

/* ---- the loop */

static void
on_caller(void *arg, const char *p, size_t len)
{
	struct load *l = arg;
	struct message m;

	if (message_parse(&m, p, len) && m.status != 0)
		calls_on_response(l->calls, &m, l->now_ms);
}

static void
on_callee(void *arg, const char *p, size_t len)
{
	struct load *l = arg;
	struct message m;

	if (!message_parse(&m, p, len) || m.status != 0)
		return;
	if (str_is(m.method, "ACK"))
		calls_on_ack(l->calls, &m);
	else
		callee_answer(l->callees, &m);
}

/* Spins, unless told to sleep: a sender that must wake another CPU pays for
 * it, so callers that sleep would be a cost of the proxy. */
static void
turn(struct load *l, bool sleeps)
{
	struct pollfd fds[] = {
		{ .fd = wire_fd(l->callers), .events = POLLIN },
		{ .fd = wire_fd(l->callees), .events = POLLIN },
	};
	unsigned n;

	l->now_ms = clock_mono_ms();
	n = wire_read(l->callers, on_caller, l);
	n += wire_read(l->callees, on_callee, l);
	wire_flush(l->callers);
	wire_flush(l->callees);
	if (n == 0 && sleeps)
		poll(fds, 2, TICK_MS / 2);
}

static void
run_until(struct load *l, int64_t end_ms, bool sleeps)
{
	int64_t tick_ms = l->now_ms + TICK_MS;

	while (l->now_ms < end_ms) {
		turn(l, sleeps);
		if (l->now_ms >= tick_ms) {
			calls_tick(l->calls, l->now_ms);
			tick_ms = l->now_ms + TICK_MS;
		}
	}
}

/* What a reader must see now. */
static void
say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void
measure(struct load *l, const struct options *o)
{
	struct tally before, after;
	int64_t began_ms;
	char text[256];

	l->now_ms = clock_mono_ms();
	calls_begin(l->calls, l->now_ms);
	run_until(l, l->now_ms + (int64_t)o->warmup_s * 1000, o->sleeps);
	before = calls_tally(l->calls);
	began_ms = l->now_ms;
	say("begin");
	run_until(l, began_ms + (int64_t)o->seconds * 1000, o->sleeps);
	after = calls_tally(l->calls);
	snprintf(text, sizeof text, "end done=%" PRIu64 " failed=%" PRIu64
	    " sent_again=%" PRIu64 " ms=%" PRId64, after.done - before.done,
	    after.failed - before.failed, after.sent_again -
	    before.sent_again, l->now_ms - began_ms);
	say(text);
}

int
main(int argc, char **argv)
{
	struct options o = { .seconds = 10,
		.calls = { .users = 1000, .window = 64 } };
	struct load l = { 0 };
	int status = 1;

	parse_options(&o, argc, argv);
	l.callers = wire_open(&o.caller, &o.proxy);
	l.callees = wire_open(&o.callee, &o.proxy);
	if (l.callers == NULL || l.callees == NULL) {
		perror("load: socket");
		goto out;
	}
	l.calls = calls_new(&o.calls, l.callers);
	if (l.calls == NULL) {
		fprintf(stderr, "load: no memory, or no MD5\n");
		goto out;
	}
	measure(&l, &o);
	status = 0;
out:
	calls_free(l.calls);
	wire_close(l.callees);
	wire_close(l.callers);
	return status;
}
