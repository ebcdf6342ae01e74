/*
 * passwd_args.c -- what is asked for on the command line.
 */
#include "config.h"

#include <getopt.h>
#include <string.h>

#include "tools/passwd.h"

static bool
take_prefix(struct passwd_args *a, const char *value)
{
	if (*value == '\0') {
		a->no_prefixes = true;
		return true;
	}
	if (a->nprefixes == USER_PREFIXES_MAX)
		return false;
	a->prefix[a->nprefixes++] = str_of(value);
	return true;
}

static bool
take_option(struct passwd_args *a, int letter, const char *value)
{
	switch (letter) {
	case 'f':
		a->file = value;
		return true;
	case 'r':
		a->realm = value;
		return true;
	case 'S':
		a->from_stdin = true;
		return true;
	case 'i':
		if (a->nidentities == USER_IDENTITIES_MAX)
			return false;
		a->identity[a->nidentities++] = str_of(value);
		return true;
	case 'C':
		a->class = str_of(value);
		return true;
	case 'P':
		return take_prefix(a, value);
	default:
		return false;
	}
}

bool
passwd_args_parse(struct passwd_args *a, const struct passwd_command *c,
    int argc, char **argv)
{
	static const struct option longer[] = {
		{ "stdin", no_argument, NULL, 'S' },
		{ "class", required_argument, NULL, 'C' },
		{ "prefix", required_argument, NULL, 'P' },
		{ NULL, 0, NULL, 0 }
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "f:r:i:", longer, NULL)) != -1)
		if (strchr(c->takes, letter) == NULL ||
		    !take_option(a, letter, optarg))
			return false;
	if (c->subject != NULL && optind < argc)
		a->subject = argv[optind++];
	return optind == argc && (c->subject == NULL || a->subject != NULL) &&
	    (strchr(c->needs, 'f') == NULL || a->file != NULL) &&
	    (strchr(c->needs, 'r') == NULL || a->realm != NULL);
}
