/*
 * passwd_users.c -- the users of a file: without one, all, or is it one?
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "tools/passwd.h"
#include "tools/password_hash.h"

int
passwd_delete(const struct passwd_args *a)
{
	struct users_reading r = passwd_reading(a);
	struct users_edit *e;

	if (users_edit_open(&e, &r) != 0)
		return TROUBLE;
	if (!users_edit_remove(e, str_of(a->realm), str_of(a->subject))) {
		users_edit_close(e);
		return complain_of(NO, a->subject, "no such user");
	}
	return passwd_finish(e, a, 0);
}

static void
print_user(const struct user *u)
{
	const char *between = "";

	printf("%.*s\t%.*s\t", (int)u->name.len, u->name.p,
	    (int)u->realm.len, u->realm.p);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if (!u->ha1.has[alg])
			continue;
		printf("%s%s", between, digest_alg_name((enum digest_alg)alg));
		between = ",";
	}
	between = "\t";
	for (size_t i = 0; i < u->nidentities; i++) {
		printf("%s%s", between, u->identity[i]);
		between = ",";
	}
	if (u->class != NULL) {
		printf("%sclass=%s", between, u->class);
		between = ",";
	}
	for (size_t i = 0; i < u->nprefixes; i++) {
		printf("%s%s%s", i > 0 ? "|" : between, i > 0 ? "" :
		    "prefixes=", u->prefix[i]);
	}
	putchar('\n');
}

int
passwd_list(const struct passwd_args *a)
{
	struct users_reading r = passwd_reading(a);
	const struct user *u = NULL;
	struct users *us;

	if (users_read(&r, &us) != 0)
		return TROUBLE;
	while ((u = users_next(us, u)) != NULL)
		if (a->realm == NULL || str_is(u->realm, a->realm))
			print_user(u);
	users_free(us);
	return fflush(stdout) == 0 ? DONE :
	    complain(TROUBLE, strerror(errno));
}

static int
verify_user(const struct passwd_args *a, const struct user *user)
{
	struct password p;
	const char *fault;
	bool right;

	if (user == NULL)
		return complain_of(NO, a->subject, "no such user");
	fault = password_get(&p, a->from_stdin, false);
	right = fault == NULL && password_fits(user, &p);
	secret_wipe(&p, sizeof p);
	if (fault != NULL)
		return complain(TROUBLE, fault);
	return right ? DONE : complain_of(NO, a->subject, "wrong password");
}

int
passwd_verify(const struct passwd_args *a)
{
	struct users_reading r = passwd_reading(a);
	struct users *us;
	int code;

	if (users_read(&r, &us) != 0)
		return TROUBLE;
	code = verify_user(a, users_find(us, str_of(a->realm),
	    str_of(a->subject)));
	users_free(us);
	return code;
}
