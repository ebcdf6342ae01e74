/*
 * passwd_create.c -- write a user's line, in place of the one he has.
 */
#include "config.h"

#include "base/secret.h"
#include "tools/passwd.h"
#include "tools/password_hash.h"

/* Identities: those given, else those that the user has. */
static void
choose_identities(struct user_line *u, const struct passwd_args *a,
    const struct user *old)
{
	for (; u->nidentities < a->nidentities; u->nidentities++)
		u->identity[u->nidentities] = a->identity[u->nidentities];
	if (a->nidentities > 0 || old == NULL)
		return;
	for (; u->nidentities < old->nidentities; u->nidentities++)
		u->identity[u->nidentities] =
		    str_of(old->identity[u->nidentities]);
}

/* The same for class and prefixes; given and empty, there shall be none. */
static void
choose_rights(struct user_line *u, const struct passwd_args *a,
    const struct user *old)
{
	if (a->class.p != NULL)
		u->class = a->class;
	else if (old != NULL)
		u->class = str_of(old->class);
	for (; u->nprefixes < a->nprefixes; u->nprefixes++)
		u->prefix[u->nprefixes] = a->prefix[u->nprefixes];
	if (a->nprefixes > 0 || a->no_prefixes || old == NULL)
		return;
	for (; u->nprefixes < old->nprefixes; u->nprefixes++)
		u->prefix[u->nprefixes] = str_of(old->prefix[u->nprefixes]);
}

static int
put_user(const struct passwd_args *a, struct user_line *u)
{
	struct users_reading r = passwd_reading(a);
	struct users_edit *e;

	if (users_edit_open(&e, &r) != 0)
		return TROUBLE;
	choose_identities(u, a, users_edit_find(e, u->realm, u->name));
	choose_rights(u, a, users_edit_find(e, u->realm, u->name));
	return passwd_finish(e, a, users_edit_put(e, u));
}

static const char *
create_fault(const struct passwd_args *a)
{
	const char *fault = user_name_fault(str_of(a->subject));

	if (fault == NULL)
		fault = user_realm_fault(str_of(a->realm));
	for (size_t i = 0; fault == NULL && i < a->nidentities; i++)
		fault = user_identity_fault(a->identity[i]);
	if (fault == NULL && a->class.len > 0)
		fault = user_class_fault(a->class);
	for (size_t i = 0; fault == NULL && i < a->nprefixes; i++)
		fault = user_prefix_fault(a->prefix[i]);
	return fault;
}

int
passwd_create(const struct passwd_args *a)
{
	struct user_line u = {
		.name = str_of(a->subject), .realm = str_of(a->realm)
	};
	struct password p;
	const char *fault = create_fault(a);
	int code;

	if (fault != NULL)
		return complain(USAGE, fault);
	fault = password_get(&p, a->from_stdin, true);
	if (fault == NULL)
		password_hash(&u.ha1, &u, &p);
	secret_wipe(&p, sizeof p);
	code = fault == NULL ? put_user(a, &u) : complain(TROUBLE, fault);
	secret_wipe(&u.ha1, sizeof u.ha1);
	return code;
}
