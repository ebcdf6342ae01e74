/*
 * passwd_file.c -- the users file that is kept, and what is said of it.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/passwd.h"

int
complain(int code, const char *what)
{
	fprintf(stderr, "sipbouncer-passwd: %s\n", what);
	return code;
}

int
complain_of(int code, const char *subject, const char *what)
{
	fprintf(stderr, "sipbouncer-passwd: %s: %s\n", subject, what);
	return code;
}

void
say_fault(void *arg, int line, const char *what)
{
	const char *path = arg;

	if (line > 0)
		fprintf(stderr, "%s:%d: %s\n", path, line, what);
	else
		fprintf(stderr, "%s: %s\n", path, what);
}

struct users_reading
passwd_reading(const struct passwd_args *a)
{
	return (struct users_reading){
		.path = a->file, .say = say_fault, .arg = (void *)a->file
	};
}

int
passwd_finish(struct users_edit *e, const struct passwd_args *a, int rc)
{
	if (rc == 0)
		rc = users_edit_save(e);
	users_edit_close(e);
	if (rc == -E2BIG)
		return complain_of(TROUBLE, a->file, "the line is too long");
	if (rc != 0)
		return complain_of(TROUBLE, a->file, strerror(-rc));
	return DONE;
}
