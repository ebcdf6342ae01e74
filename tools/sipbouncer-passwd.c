/*
 * sipbouncer-passwd.c -- keep a users file, and make keys.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "auth/keys.h"
#include "tools/passwd.h"

static int
run_key(const struct passwd_args *a)
{
	int rc = key_file_make(a->subject);

	return rc == 0 ? DONE :
	    complain_of(TROUBLE, a->subject, strerror(-rc));
}

static const struct passwd_command commands[] = {
	{ "create", passwd_create, "fr", "friSCP", "USER" },
	{ "delete", passwd_delete, "fr", "fr",   "USER" },
	{ "list",   passwd_list,   "f",  "fr",   NULL },
	{ "verify", passwd_verify, "fr", "frS",  "USER" },
	{ "import", passwd_import, "f",  "fr",   "HTDIGEST-FILE" },
	{ "key",    run_key,       "",   "",     "FILE" },
	{ NULL, NULL, NULL, NULL, NULL }
};

static int
usage(FILE *f, int code)
{
	fputs(
"usage: sipbouncer-passwd create -f FILE -r REALM [-i IDENTITY]...\n"
"                                [--class CLASS] [--prefix PREFIX]... [--stdin]\n"
"                                USER\n"
"       sipbouncer-passwd delete -f FILE -r REALM USER\n"
"       sipbouncer-passwd list   -f FILE [-r REALM]\n"
"       sipbouncer-passwd verify -f FILE -r REALM [--stdin] USER\n"
"       sipbouncer-passwd import -f FILE [-r REALM] HTDIGEST-FILE\n"
"       sipbouncer-passwd key    FILE\n", f);
	return code;
}

static const struct passwd_command *
command_by_name(const char *name)
{
	for (const struct passwd_command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	const struct passwd_command *c;
	struct passwd_args a = { .file = NULL };

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, DONE);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("sipbouncer-passwd " PACKAGE_VERSION);
		return DONE;
	}
	c = argc > 1 ? command_by_name(argv[1]) : NULL;
	if (c == NULL || !passwd_args_parse(&a, c, argc - 1, argv + 1))
		return usage(stderr, USAGE);
	setrlimit(RLIMIT_CORE, &no_core);	/* passwords are in here */
	return c->run(&a);
}
