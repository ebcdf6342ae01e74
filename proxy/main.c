#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/settings.h"

static int
usage(FILE *f)
{
	fputs("usage: sipbouncer [-c FILE] [-t | -T | -L | -V]\n"
	    "  -c FILE  configuration (default " SYSCONFDIR
	    "/sipbouncer/sipbouncer.cfg)\n"
	    "  -t       check it and exit\n"
	    "  -T       print the configuration in effect and exit\n"
	    "  -L       print what can stand in the log, and exit\n"
	    "  -V       print the version and the modules, and exit\n", f);
	return f == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *path = SYSCONFDIR "/sipbouncer/sipbouncer.cfg";
	int (*act)(const char *) = daemon_run;
	int c;

	while ((c = getopt(argc, argv, "c:hLMtTV")) != -1) {
		switch (c) {
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
	return act(path);
}
