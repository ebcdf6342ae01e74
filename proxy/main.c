#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/explain.h"
#include "daemon/settings.h"

static int
usage(FILE *f)
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
	return f == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

enum { SOURCE = 256, LISTENER, USER };

static const struct option longer[] = {
	{ "source", required_argument, NULL, SOURCE },
	{ "listener", required_argument, NULL, LISTENER },
	{ "user", required_argument, NULL, USER },
	{ NULL, 0, NULL, 0 }
};

int
main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/sipbouncer/sipbouncer.cfg";
	int (*act)(const char *) = daemon_run;
	struct explain_args explain = { .file = NULL };
	int c;

	while ((c = getopt_long(argc, argv, "c:hLMr:tTV", longer,
	    NULL)) != -1) {
		switch (c) {
		case 'r':
			explain.file = optarg;
			break;
		case SOURCE:
			explain.source = optarg;
			break;
		case LISTENER:
			explain.listener = optarg;
			break;
		case USER:
			explain.user = optarg;
			break;
		case 'c':
			path = optarg;
			break;
		case 't':
			act = daemon_check;
			break;
		case 'T':
			act = daemon_print;
			break;
		case 'L':
			daemon_print_log_words();
			return EXIT_SUCCESS;
		case 'V':
			daemon_print_version();
			return EXIT_SUCCESS;
		case 'M':		/* for the manual's maker */
			settings_print_manual(stdout);
			return EXIT_SUCCESS;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	if (optind != argc)
		return usage(stderr);
	return explain.file != NULL ? daemon_explain(path, &explain) :
	    act(path);
}
