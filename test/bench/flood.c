/*
 * flood.c -- attackers for the scenarios and scripts/flood: so many requests,
 * at such a rate, from so many addresses of loopback; then it ends by itself.
 *
 * Writes "begin" when it is ready and "end" with what was counted.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "argument.h"
#include "connects.h"
#include "message.h"
#include "sources.h"
#include "stranger.h"

enum { AT_ONCE = 32, REST_MS = 300, NAP_MS = 1, TOTAL_MAX = 100000000,
	RATE_MAX = 10000000, SECONDS_MAX = 3600, HELD_MAX = 20000,
	USERS_MAX = 1000000 };

struct options {
	struct sources_conf sources;
	struct stranger_conf stranger;
	uint64_t	 total, rate, seconds, held;
};

struct tally {
	uint64_t	 sent, answered, challenged, refused;
	uint64_t	 bytes_sent, bytes_got;
};

struct flood {
	struct options	 o;
	struct sources	*sources;
	struct stranger	*stranger;
	struct connects	*connects;	/* NULL: datagrams */
	struct tally	 tally;
	int64_t		 began_ms, heard_ms;
	char		 bytes[DATAGRAM_BYTES];
};

static const char usage[] =
    "usage: flood [--forged] [--sources N] [--total N] [--rate N]\n"
    "             [--seconds N] [--held N] [--users N] [--header LINE]\n"
    "             --realm NAME --proxy ADDR:PORT --from ADDR:PORT\n"
    "             METHOD | GUESS | MALFORMED | HUGE | RESPONSE | CONNECT\n";

/* ---- options */

static const struct option known[] = {
	{ "forged", no_argument, NULL, 'F' },
	{ "sources", required_argument, NULL, 's' },
	{ "total", required_argument, NULL, 't' },
	{ "rate", required_argument, NULL, 'r' },
	{ "seconds", required_argument, NULL, 'd' },
	{ "held", required_argument, NULL, 'h' },
	{ "users", required_argument, NULL, 'u' },
	{ "header", required_argument, NULL, 'H' },
	{ "realm", required_argument, NULL, 'R' },
	{ "proxy", required_argument, NULL, 'p' },
	{ "from", required_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 }
};

static void
take(struct options *o, int letter, const char *name)
{
	switch (letter) {
	case 'F': o->sources.forged = true; break;
	case 's':
		o->sources.n = (unsigned)argument_number(name, 1, SOURCES_MAX);
		break;
	case 't': o->total = argument_number(name, 1, TOTAL_MAX); break;
	case 'r': o->rate = argument_number(name, 1, RATE_MAX); break;
	case 'd': o->seconds = argument_number(name, 1, SECONDS_MAX); break;
	case 'h': o->held = argument_number(name, 1, HELD_MAX); break;
	case 'u':
		o->stranger.users = (unsigned)argument_number(name, 1,
		    USERS_MAX);
		break;
	case 'H': o->stranger.header = optarg; break;
	case 'R': o->stranger.realm = optarg; break;
	case 'p': o->sources.proxy = argument_address(name); break;
	case 'f': o->sources.first = argument_address(name); break;
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
	if (optind != argc - 1 || o->stranger.realm == NULL ||
	    o->sources.proxy.port == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	o->stranger.kind = argv[optind];
}

/* ---- the loop */

static void
send_text(struct flood *f, unsigned i, const struct text *out)
{
	if (out->full)
		return;
	f->tally.bytes_sent += out->len;
	sources_send(f->sources, i, out->p, out->len);
}

static void
ask(struct flood *f)
{
	unsigned i = (unsigned)(f->tally.sent % f->o.sources.n);
	struct addr from = sources_addr(f->sources, i);
	struct text out = { .p = f->bytes, .size = sizeof f->bytes };

	if (f->connects != NULL) {
		connects_make(f->connects, &from);
	} else {
		stranger_ask(f->stranger, &out, f->tally.sent, &from);
		send_text(f, i, &out);
	}
	f->tally.sent++;
}

static void
on_answer(void *arg, unsigned i, const char *p, size_t len)
{
	struct flood *f = arg;
	struct text out = { .p = f->bytes, .size = sizeof f->bytes };
	struct addr from = sources_addr(f->sources, i);
	struct message m;

	if (!message_parse(&m, p, len) || m.status == 0)
		return;
	f->heard_ms = clock_mono_ms();
	f->tally.answered++;
	f->tally.bytes_got += len;
	f->tally.challenged += m.status == 401 || m.status == 407;
	f->tally.refused += m.status == 503;
	if (stranger_goes_on(f->stranger, &out, &m, &from))
		send_text(f, i, &out);
}

/* How many were to be sent by now. */
static uint64_t
due(const struct flood *f, int64_t now_ms)
{
	uint64_t n = (uint64_t)(now_ms - f->began_ms) * f->o.rate / 1000;

	return n < f->o.total ? n : f->o.total;
}

static void
turn(struct flood *f, int64_t now_ms)
{
	struct pollfd fd = { .fd = sources_fd(f->sources), .events = POLLIN };
	uint64_t until = due(f, now_ms);
	int n = 0;

	for (; f->tally.sent < until && n < AT_ONCE; n++)
		ask(f);
	n += (int)sources_read(f->sources, on_answer, f);
	sources_flush(f->sources);
	if (n == 0)
		poll(&fd, 1, NAP_MS);
}

/* Until all is sent and nothing more comes; but not for ever. */
static void
run(struct flood *f)
{
	int64_t now_ms = clock_mono_ms(), end_ms;

	f->began_ms = f->heard_ms = now_ms;
	end_ms = now_ms + (int64_t)f->o.seconds * 1000;
	while (now_ms < end_ms && (f->tally.sent < f->o.total ||
	    now_ms - f->heard_ms < REST_MS)) {
		if (f->tally.sent < f->o.total)
			f->heard_ms = now_ms;
		turn(f, now_ms);
		now_ms = clock_mono_ms();
	}
}

static void
say_end(struct flood *f)
{
	const struct tally *t = &f->tally;
	struct connects_tally c = { 0 };

	if (f->connects != NULL)
		c = connects_end(f->connects);
	printf("end sent=%" PRIu64 " answered=%" PRIu64 " challenged=%" PRIu64
	    " refused=%" PRIu64 " bytes_sent=%" PRIu64 " bytes_got=%" PRIu64,
	    t->sent, t->answered, t->challenged, t->refused, t->bytes_sent,
	    t->bytes_got);
	printf(" open=%" PRIu64 " closed=%" PRIu64 " failed=%" PRIu64
	    " ms=%" PRId64 "\n", c.open, c.closed, c.failed,
	    clock_mono_ms() - f->began_ms);
}

static int
prepare(struct flood *f)
{
	f->sources = sources_open(&f->o.sources);
	if (f->sources == NULL) {
		fprintf(stderr, "flood: %s\n", strerror(errno));
		return -1;
	}
	f->stranger = stranger_new(&f->o.stranger);
	if (strcmp(f->o.stranger.kind, "CONNECT") == 0)
		f->connects = connects_new(&f->o.sources.proxy,
		    (unsigned)f->o.held);
	if (f->stranger != NULL && (f->connects != NULL ||
	    strcmp(f->o.stranger.kind, "CONNECT") != 0))
		return 0;
	fprintf(stderr, "flood: no memory, or no MD5\n");
	return -1;
}

int
main(int argc, char **argv)
{
	static struct flood f = { .o = {
		.sources.n = 1, .stranger.users = 1000, .total = 1000,
		.rate = 1000, .seconds = 60, .held = 500 } };
	int status = 1;

	parse_options(&f.o, argc, argv);
	if (prepare(&f) == 0) {
		puts("begin");
		fflush(stdout);
		run(&f);
		say_end(&f);
		status = 0;
	}
	connects_free(f.connects);
	stranger_free(f.stranger);
	sources_close(f.sources);
	return status;
}
