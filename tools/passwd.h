/*
 * passwd.h -- what the commands of sipbouncer-passwd share.
 */
#ifndef TOOLS_PASSWD_H
#define TOOLS_PASSWD_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/users_edit.h"
#include "tools/password.h"

/* How the program ends. */
enum {
	DONE = 0,
	NO = 1,			/* wrong password, or no such user */
	USAGE = 2,
	TROUBLE = 3
};

struct passwd_args {
	const char	*file, *realm;
	struct str	 identity[USER_IDENTITIES_MAX];
	size_t		 nidentities;
	struct str	 class;		/* p == NULL: not said */
	struct str	 prefix[USER_PREFIXES_MAX];
	size_t		 nprefixes;
	bool		 no_prefixes;
	bool		 from_stdin;
	const char	*subject;	/* USER or a file; NULL: none */
};

struct passwd_command {
	const char	*name;
	int		(*run)(const struct passwd_args *a);
	const char	*needs, *takes;	/* letters of options; S: --stdin */
	const char	*subject;	/* NULL: takes none */
};

/* The commands.  Each says itself what went wrong, and returns how the
 * program ends. */
int passwd_create(const struct passwd_args *a);
int passwd_delete(const struct passwd_args *a);
int passwd_list(const struct passwd_args *a);
int passwd_verify(const struct passwd_args *a);
int passwd_import(const struct passwd_args *a);

/* false: they are not what the command takes. */
bool passwd_args_parse(struct passwd_args *a, const struct passwd_command *c,
    int argc, char **argv);

/* Both return the code. */
int complain(int code, const char *what);
int complain_of(int code, const char *subject, const char *what);
/* arg: the path of the file. */
void say_fault(void *arg, int line, const char *what);

/* The file, complaints about which are said. */
struct users_reading passwd_reading(const struct passwd_args *a);
/* Save and end; rc is what came before. */
int passwd_finish(struct users_edit *e, const struct passwd_args *a, int rc);

#endif
