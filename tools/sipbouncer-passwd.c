/*
 * sipbouncer-passwd.c -- keep a users file, and make keys.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth/digest.h"
#include "auth/keys.h"
#include "base/secret.h"
#include "modules/users_edit.h"
#include "tools/password.h"

enum {
	DONE = 0,
	NO = 1,			/* wrong password, or no such user */
	USAGE = 2,
	TROUBLE = 3
};

struct args {
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

struct command {
	const char	*name;
	int		(*run)(const struct args *a);
	const char	*needs, *takes;	/* letters of options; S: --stdin */
	const char	*subject;	/* NULL: takes none */
};

static int
complain(int code, const char *what)
{
	fprintf(stderr, "sipbouncer-passwd: %s\n", what);
	return code;
}

static int
complain_of(int code, const char *subject, const char *what)
{
	fprintf(stderr, "sipbouncer-passwd: %s: %s\n", subject, what);
	return code;
}

static void
say_fault(void *arg, int line, const char *what)
{
	const char *path = arg;

	if (line > 0)
		fprintf(stderr, "%s:%d: %s\n", path, line, what);
	else
		fprintf(stderr, "%s: %s\n", path, what);
}

static struct users_reading
reading_of(const struct args *a)
{
	return (struct users_reading){
		.path = a->file, .say = say_fault, .arg = (void *)a->file
	};
}

static const char *
password_get(struct password *p, const struct args *a, bool twice)
{
	if (a->from_stdin || !isatty(STDIN_FILENO))
		return password_from_stdin(p);
	return password_from_terminal(p, twice);
}

static void
hash_password(struct ha1_set *set, const struct user_line *u,
    const struct password *p)
{
	struct str password = { p->text, p->len };

	memset(set, 0, sizeof *set);
	for (int i = 0; i < DIGEST_ALGS; i++) {
		enum digest_alg alg = (enum digest_alg)i;

		/* MD5 may be forbidden here (FIPS). */
		if (!digest_alg_usable(alg))
			continue;
		digest_ha1(set->ha1[alg], alg, u->name, u->realm, password);
		set->has[alg] = true;
	}
}

/* Identities: those given, else those that the user has. */
static void
choose_identities(struct user_line *u, const struct args *a,
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
choose_rights(struct user_line *u, const struct args *a,
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

/* Save and end; rc is what came before. */
static int
finish(struct users_edit *e, const struct args *a, int rc)
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

static int
put_user(const struct args *a, struct user_line *u)
{
	struct users_reading r = reading_of(a);
	struct users_edit *e;

	if (users_edit_open(&e, &r) != 0)
		return TROUBLE;
	choose_identities(u, a, users_edit_find(e, u->realm, u->name));
	choose_rights(u, a, users_edit_find(e, u->realm, u->name));
	return finish(e, a, users_edit_put(e, u));
}

static const char *
create_fault(const struct args *a)
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

static int
run_create(const struct args *a)
{
	struct user_line u = {
		.name = str_of(a->subject), .realm = str_of(a->realm)
	};
	struct password p;
	const char *fault = create_fault(a);
	int code;

	if (fault != NULL)
		return complain(USAGE, fault);
	fault = password_get(&p, a, true);
	if (fault == NULL)
		hash_password(&u.ha1, &u, &p);
	secret_wipe(&p, sizeof p);
	code = fault == NULL ? put_user(a, &u) : complain(TROUBLE, fault);
	secret_wipe(&u.ha1, sizeof u.ha1);
	return code;
}

static int
run_delete(const struct args *a)
{
	struct users_reading r = reading_of(a);
	struct users_edit *e;

	if (users_edit_open(&e, &r) != 0)
		return TROUBLE;
	if (!users_edit_remove(e, str_of(a->realm), str_of(a->subject))) {
		users_edit_close(e);
		return complain_of(NO, a->subject, "no such user");
	}
	return finish(e, a, 0);
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

static int
run_list(const struct args *a)
{
	struct users_reading r = reading_of(a);
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

/* Every hash that the user has must be that of the password. */
static bool
is_password(const struct user *user, const struct password *p)
{
	struct user_line u = { .name = user->name, .realm = user->realm };
	bool right = true;

	hash_password(&u.ha1, &u, p);
	for (int i = 0; i < DIGEST_ALGS; i++) {
		size_t len = digest_alg_bytes((enum digest_alg)i);

		if (user->ha1.has[i] && (!u.ha1.has[i] ||
		    !secret_eq(u.ha1.ha1[i], len, user->ha1.ha1[i], len)))
			right = false;
	}
	secret_wipe(&u.ha1, sizeof u.ha1);
	return right;
}

static int
verify_user(const struct args *a, const struct user *user)
{
	struct password p;
	const char *fault;
	bool right;

	if (user == NULL)
		return complain_of(NO, a->subject, "no such user");
	fault = password_get(&p, a, false);
	right = fault == NULL && is_password(user, &p);
	secret_wipe(&p, sizeof p);
	if (fault != NULL)
		return complain(TROUBLE, fault);
	return right ? DONE : complain_of(NO, a->subject, "wrong password");
}

static int
run_verify(const struct args *a)
{
	struct users_reading r = reading_of(a);
	struct users *us;
	int code;

	if (users_read(&r, &us) != 0)
		return TROUBLE;
	code = verify_user(a, users_find(us, str_of(a->realm),
	    str_of(a->subject)));
	users_free(us);
	return code;
}

/* A line of htdigest: name:realm:H(A1) with MD5. */
static const char *
htdigest_parse(struct user_line *u, struct str line)
{
	const char *end = line.p + line.len;
	const char *c1 = memchr(line.p, ':', line.len), *c2;
	const char *fault;

	memset(u, 0, sizeof *u);
	c2 = c1 == NULL ? NULL : memchr(c1 + 1, ':', (size_t)(end - c1 - 1));
	if (c2 == NULL)
		return "this is not NAME:REALM:HASH";
	u->name = (struct str){ line.p, (size_t)(c1 - line.p) };
	u->realm = (struct str){ c1 + 1, (size_t)(c2 - c1 - 1) };
	u->ha1.has[DIGEST_MD5] = true;
	if (!hex_decode(u->ha1.ha1[DIGEST_MD5], digest_alg_bytes(DIGEST_MD5),
	    (struct str){ c2 + 1, (size_t)(end - c2 - 1) }))
		return "the hash is not 32 hex digits";
	fault = user_name_fault(u->name);
	return fault != NULL ? fault : user_realm_fault(u->realm);
}

/* A user who stands in the file already keeps his line: it may hold a newer
 * password, and better hashes. */
static const char *
import_line(struct users_edit *e, struct str line, const char *realm)
{
	struct user_line u;
	const char *fault = htdigest_parse(&u, line);
	int rc = 0;

	if (fault == NULL && (realm == NULL || str_is(u.realm, realm))) {
		if (users_edit_find(e, u.realm, u.name) != NULL)
			fprintf(stderr, "%.*s:%.*s: left as it is\n",
			    (int)u.name.len, u.name.p,
			    (int)u.realm.len, u.realm.p);
		else
			rc = users_edit_put(e, &u);
	}
	secret_wipe(&u.ha1, sizeof u.ha1);
	return rc != 0 ? strerror(-rc) : fault;
}

/* All lines or none.  0, or -EINVAL after saying why. */
static int
import_lines(struct users_edit *e, const struct args *a, FILE *f)
{
	char text[1024];
	const char *fault = NULL;
	int n;

	for (n = 1; fault == NULL && fgets(text, sizeof text, f); n++) {
		struct str line = str_of(text);

		if (line.len == sizeof text - 1)
			fault = "the line is too long";
		else if (!user_line_is_blank(line))
			fault = import_line(e, str_trim(line), a->realm);
	}
	secret_wipe(text, sizeof text);
	if (fault == NULL && ferror(f))
		fault = strerror(errno);
	if (fault == NULL)
		return 0;
	say_fault((void *)a->subject, n - 1, fault);
	return -EINVAL;
}

static int
import_from(const struct args *a, FILE *f)
{
	struct users_reading r = reading_of(a);
	struct users_edit *e;

	if (users_edit_open(&e, &r) != 0)
		return TROUBLE;
	if (import_lines(e, a, f) != 0) {
		users_edit_close(e);
		return TROUBLE;
	}
	return finish(e, a, 0);
}

static int
run_import(const struct args *a)
{
	char buffer[BUFSIZ];		/* stdio's own would not be wiped */
	FILE *f = fopen(a->subject, "re");
	int code;

	if (f == NULL)
		return complain_of(TROUBLE, a->subject, strerror(errno));
	setvbuf(f, buffer, _IOFBF, sizeof buffer);
	code = import_from(a, f);
	fclose(f);
	secret_wipe(buffer, sizeof buffer);
	return code;
}

static int
run_key(const struct args *a)
{
	int rc = key_file_make(a->subject);

	return rc == 0 ? DONE :
	    complain_of(TROUBLE, a->subject, strerror(-rc));
}

static const struct command commands[] = {
	{ "create", run_create, "fr", "friSCP", "USER" },
	{ "delete", run_delete, "fr", "fr",   "USER" },
	{ "list",   run_list,   "f",  "fr",   NULL },
	{ "verify", run_verify, "fr", "frS",  "USER" },
	{ "import", run_import, "f",  "fr",   "HTDIGEST-FILE" },
	{ "key",    run_key,    "",   "",     "FILE" },
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

static const struct command *
command_by_name(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static bool
take_prefix(struct args *a, const char *value)
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
take_option(struct args *a, int letter, const char *value)
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

/* false: they are not what the command takes. */
static bool
parse_args(struct args *a, const struct command *c, int argc, char **argv)
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

int
main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	const struct command *c;
	struct args a = { .file = NULL };

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, DONE);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("sipbouncer-passwd " PACKAGE_VERSION);
		return DONE;
	}
	c = argc > 1 ? command_by_name(argv[1]) : NULL;
	if (c == NULL || !parse_args(&a, c, argc - 1, argv + 1))
		return usage(stderr, USAGE);
	setrlimit(RLIMIT_CORE, &no_core);	/* passwords are in here */
	return c->run(&a);
}
