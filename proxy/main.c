/*
 * main.c -- the command line.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/explain.h"
#include "daemon/settings.h"

static void
print_usage(FILE *f)
{
	fputs("usage: sipbouncer [-c FILE] [-t | -T | -L | -V]\n"
	    "       sipbouncer [-c FILE] -r REQUEST-FILE [--source "
	    "ADDR[:PORT][/TRANSPORT]]\n"
	    "                  [--listener NAME] [--user NAME]\n"
	    "  -c FILE  configuration (default " SYSCONFDIR
	    "/sipbouncer/sipbouncer.cfg)\n"
	    "  -t       check it and exit\n"
	    "  -T       print the configuration in effect and exit\n"
	    "  -L       print what can stand in the log, and exit\n"
	    "  -r FILE  say which route the request in it would take, and "
	    "exit\n"
	    "  -V       print the version and the modules, and exit\n", f);
}

static int
wrong_usage(void)
{
	print_usage(stderr);
	return EXIT_FAILURE;
}

enum { SOURCE = 256, LISTENER, USER };

static const struct option longer[] = {
	{ "source", required_argument, NULL, SOURCE },
	{ "listener", required_argument, NULL, LISTENER },
	{ "user", required_argument, NULL, USER },
	{ NULL, 0, NULL, 0 }
};

/* What the command line asks for. */
struct asked {
	const char	*path;
	int		(*act)(const char *path);
	struct explain_args explain;
};

/* What needs no file is done at once.  false: it is something else. */
static bool
print_now(int letter)
{
	switch (letter) {
	case 'L':
		daemon_print_log_words();
		return true;
	case 'V':
		daemon_print_version();
		return true;
	case 'M':			/* for the manual's maker */
		settings_print_manual(stdout);
		return true;
	case 'h':
		print_usage(stdout);
		return true;
	default:
		return false;
	}
}

static bool
take_option(struct asked *a, int letter)
{
	switch (letter) {
	case 'c':
		a->path = optarg;
		return true;
	case 't':
		a->act = daemon_check;
		return true;
	case 'T':
		a->act = daemon_print;
		return true;
	case 'r':
		a->explain.file = optarg;
		return true;
	case SOURCE:
		a->explain.source = optarg;
		return true;
	case LISTENER:
		a->explain.listener = optarg;
		return true;
	case USER:
		a->explain.user = optarg;
		return true;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	struct asked a = { SYSCONFDIR "/sipbouncer/sipbouncer.cfg",
		daemon_run, { .file = NULL } };
	int letter;

	while ((letter = getopt_long(argc, argv, "c:hLMr:tTV", longer,
	    NULL)) != -1) {
		if (print_now(letter))
			return EXIT_SUCCESS;
		if (!take_option(&a, letter))
			return wrong_usage();
	}
	if (optind != argc || (a.explain.file == NULL &&
	    (a.explain.source != NULL || a.explain.listener != NULL ||
	    a.explain.user != NULL)))
		return wrong_usage();
	return a.explain.file != NULL ? daemon_explain(a.path, &a.explain) :
	    a.act(a.path);
}
