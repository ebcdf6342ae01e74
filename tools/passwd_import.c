/*
 * passwd_import.c -- take over the users of a file of htdigest.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "tools/passwd.h"

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
import_lines(struct users_edit *e, const struct passwd_args *a, FILE *f)
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
import_from(const struct passwd_args *a, FILE *f)
{
	struct users_reading r = passwd_reading(a);
	struct users_edit *e;

	if (users_edit_open(&e, &r) != 0)
		return TROUBLE;
	if (import_lines(e, a, f) != 0) {
		users_edit_close(e);
		return TROUBLE;
	}
	return passwd_finish(e, a, 0);
}

int
passwd_import(const struct passwd_args *a)
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
