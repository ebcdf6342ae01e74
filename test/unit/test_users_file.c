/* The users file: what a line may say, what is found, and how it is edited. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "modules/users_edit.h"
#include "modules/users_file.h"

#define MD5_HEX "00112233445566778899aabbccddeeff"
#define SHA_HEX MD5_HEX "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X128 X64 X64
#define I8 "sip:a,sip:a,sip:a,sip:a,sip:a,sip:a,sip:a,sip:a"
#define I64 I8 "," I8 "," I8 "," I8 "," I8 "," I8 "," I8 "," I8

/* fault: NULL, or a part of the sentence. */
static const struct {
	const char	*text, *fault;
	size_t		 nidentities;
} lines[] = {
	{ "bob:r:md5=" MD5_HEX, NULL, 0 },
	{ "bob:r:MD5=" MD5_HEX ",SHA-256=" SHA_HEX, NULL, 0 },
	{ "bob:r:sha-512-256=" SHA_HEX ":", NULL, 0 },
	{ "bob:r:md5=" MD5_HEX ":sip:bob@example.com", NULL, 1 },
	{ "bob:r:md5=" MD5_HEX ":sip:*@a:5070, sips:b@b ,tel:+49?", NULL, 3 },
	{ "bob:r:md5=" MD5_HEX ":" I64, NULL, 64 },
	{ " bob:r:md5=" MD5_HEX " \r", NULL, 0 },
	{ "Mr Bob:a realm:md5=" MD5_HEX, NULL, 0 },
	{ "J\xc3\xa4s\xc3\xb8n:r:md5=" MD5_HEX, NULL, 0 },
	{ "\xf0\x9f\x93\x9e:r:md5=" MD5_HEX, NULL, 0 },
	{ X128 ":r:md5=" MD5_HEX, NULL, 0 },
	{ X128 "x:r:md5=" MD5_HEX, "name is longer", 0 },
	{ "bob:" X128 X64 X16 X16 X16 "yyyyyyyyyyyyyyy:md5=" MD5_HEX, NULL, 0 },
	{ "bob:" X128 X128 ":md5=" MD5_HEX, "realm is longer", 0 },
	{ "bob", "realm is empty", 0 },
	{ ":r:md5=" MD5_HEX, "name is empty", 0 },
	{ "bob::md5=" MD5_HEX, "realm is empty", 0 },
	{ "bob :r:md5=" MD5_HEX, "name begins or ends", 0 },
	{ "bob: r:md5=" MD5_HEX, "realm begins or ends", 0 },
	{ "bob:r", "no hashes", 0 },
	{ "bob:r::sip:bob@r", "no hashes", 0 },
	{ "bob:r:" MD5_HEX, "unknown hash", 0 },
	{ "bob:r:sha1=" MD5_HEX, "unknown hash", 0 },
	{ "bob:r:md5-sess=" MD5_HEX, "unknown hash", 0 },
	{ "bob:r:md5=" MD5_HEX ",md5=" MD5_HEX, "twice", 0 },
	{ "bob:r:md5=" SHA_HEX, "not hex, or", 0 },
	{ "bob:r:sha-256=" MD5_HEX, "not hex, or", 0 },
	{ "bob:r:md5=0011223344556677889 abbccddeeff", "not hex, or", 0 },
	{ "bob:r:md5=", "not hex, or", 0 },
	{ "b\tb:r:md5=" MD5_HEX, "control character", 0 },
	{ "b\x7f:r:md5=" MD5_HEX, "control character", 0 },
	{ "b\xc2\x85:r:md5=" MD5_HEX, "control character", 0 },
	{ "b\xc3:r:md5=" MD5_HEX, "not UTF-8", 0 },
	{ "b\xe4 b:r:md5=" MD5_HEX, "not UTF-8", 0 },
	{ "b\x80:r:md5=" MD5_HEX, "not UTF-8", 0 },
	{ "b\xc0\xaf:r:md5=" MD5_HEX, "not UTF-8", 0 },
	{ "b\xed\xa0\x80:r:md5=" MD5_HEX, "not UTF-8", 0 },
	{ "b\xf4\x90\x80\x80:r:md5=" MD5_HEX, "not UTF-8", 0 },
	{ "bob:r:md5=" MD5_HEX ":class=staff", NULL, 0 },
	{ "bob:r:md5=" MD5_HEX ":prefixes=+49|+43|0800,sip:a", NULL, 1 },
	{ "bob:r:md5=" MD5_HEX ":sip:a,class=a-B_1.x,prefixes=+", NULL, 1 },
	{ "bob:r:md5=" MD5_HEX ":class=", "class is empty", 0 },
	{ "bob:r:md5=" MD5_HEX ":class=a b", "more in the class", 0 },
	{ "bob:r:md5=" MD5_HEX ":class=" X16 X16 "x", "class is longer", 0 },
	{ "bob:r:md5=" MD5_HEX ":class=a,class=b", "second class", 0 },
	{ "bob:r:md5=" MD5_HEX ":prefixes=", "prefix is empty", 0 },
	{ "bob:r:md5=" MD5_HEX ":prefixes=+49||1", "prefix is empty", 0 },
	{ "bob:r:md5=" MD5_HEX ":prefixes=+49|", "prefix is empty", 0 },
	{ "bob:r:md5=" MD5_HEX ":prefixes=49+", "prefix is not digits", 0 },
	{ "bob:r:md5=" MD5_HEX ":prefixes=1,prefixes=2", "second list", 0 },
	{ "bob:r:md5=" MD5_HEX ":Class=a", "must begin with", 0 },
	{ "bob:r:md5=" MD5_HEX ":bob@example.com", "must begin with", 0 },
	{ "bob:r:md5=" MD5_HEX ":*", "must begin with", 0 },
	{ "bob:r:md5=" MD5_HEX ":sip:", "ends after", 0 },
	{ "bob:r:md5=" MD5_HEX ":sip:a b@c", "a space", 0 },
	{ "bob:r:md5=" MD5_HEX ":sip:a,,sip:b", "identity is empty", 0 },
	{ "bob:r:md5=" MD5_HEX ":sip:\x01@c", "control character", 0 },
	{ "bob:r:md5=" MD5_HEX ":" I64 ",sip:a", "more than 64", 0 },
};

/* A file's text; who is found in it; where and how it is faulty. */
static const struct {
	const char	*what, *text;
	size_t		 users;
	int		 line;		/* of the fault; 0: none */
	const char	*fault;
} files[] = {
	{ "empty", "", 0, 0, NULL },
	{ "comments and blanks", "# a\n\n   \n  # b\n\t\n", 0, 0, NULL },
	{ "two users", "bob:r:md5=" MD5_HEX "\nann:r:md5=" MD5_HEX "\n",
	    2, 0, NULL },
	{ "no end of line", "bob:r:md5=" MD5_HEX, 1, 0, NULL },
	{ "ends of DOS", "#\r\nbob:r:md5=" MD5_HEX "\r\n\r\n", 1, 0, NULL },
	{ "same name, two realms",
	    "bob:r:md5=" MD5_HEX "\nbob:s:md5=" MD5_HEX "\n", 2, 0, NULL },
	{ "names differ by case",
	    "bob:r:md5=" MD5_HEX "\nBob:r:md5=" MD5_HEX "\n", 2, 0, NULL },
	{ "twice", "#\nbob:r:md5=" MD5_HEX "\nbob:r:md5=" MD5_HEX "\n",
	    0, 3, "has a line already" },
	{ "a fault", "\nbob:r:md5=" MD5_HEX "\nann:r:md5=1\n",
	    0, 3, "not hex, or" },
};

struct rig {
	char	folder[32];
	char	path[64];
	int	line, said;		/* the first complaint */
	char	what[128];
};

static void
note(void *arg, int line, const char *what)
{
	struct rig *rig = arg;

	if (rig->said++ > 0)
		return;
	rig->line = line;
	snprintf(rig->what, sizeof rig->what, "%s", what);
}

static struct users_reading
reading(struct rig *rig)
{
	rig->said = 0;
	rig->line = -1;
	return (struct users_reading){
		.path = rig->path, .algs = 7, .say = note, .arg = rig
	};
}

static void
write_text(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void
assert_text(const char *path, const char *want)
{
	char text[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	assert_string_equal(text, want);
}

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	strcpy(rig->folder, "/tmp/users.XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->path, sizeof rig->path, "%s/users", rig->folder);
	*state = rig;
	return 0;
}

/* rmdir() also says whether a temporary file was left behind. */
static int
tear_down(void **state)
{
	struct rig *rig = *state;
	int rc;

	unlink(rig->path);
	rc = rmdir(rig->folder);
	free(rig);
	return rc;
}

static void
lines_are_judged(void **state)
{
	struct user_line u;
	const char *fault;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		fault = user_line_parse(&u, str_of(lines[i].text));
		if ((fault == NULL) != (lines[i].fault == NULL) ||
		    (fault != NULL && strstr(fault, lines[i].fault) == NULL))
			fail_msg("%s: %s", lines[i].text, fault);
		if (fault == NULL)
			assert_int_equal(u.nidentities, lines[i].nidentities);
	}
}

static void
a_line_has_a_longest(void **state)
{
	char text[USER_LINE_MAX + 2] = "bob:r:md5=" MD5_HEX ":sip:";
	struct user_line u;

	(void)state;
	memset(text + strlen(text), 'x', USER_LINE_MAX + 1 - strlen(text));
	assert_non_null(user_line_parse(&u, str_of(text)));
	text[USER_LINE_MAX] = '\0';
	assert_null(user_line_parse(&u, str_of(text)));
}

static void
what_is_written_is_what_is_read(void **state)
{
	static const char text[] = "bob:r:md5=" MD5_HEX ",sha-256=" SHA_HEX
	    ":sip:*@a:5070,tel:+49?,class=staff,prefixes=+49|0";
	char out[USER_LINE_MAX + 1], longer[USER_LINE_MAX];
	struct user_line u;

	(void)state;
	assert_null(user_line_parse(&u, str_of(text)));
	assert_int_equal(user_line_format(out, &u), sizeof text - 1);
	assert_string_equal(out, text);
	memset(longer, 'x', sizeof longer);
	u.identity[1] = (struct str){ longer, sizeof longer };
	assert_int_equal(user_line_format(out, &u), 0);
}

static void
files_are_judged(void **state)
{
	struct rig *rig = *state;
	struct users *us;
	int rc;

	for (size_t i = 0; i < COUNT(files); i++) {
		struct users_reading r = reading(rig);

		write_text(rig->path, files[i].text, strlen(files[i].text));
		rc = users_read(&r, &us);
		if (rc != (files[i].line > 0 ? -EINVAL : 0))
			fail_msg("%s: %d %s", files[i].what, rc, rig->what);
		if (rc != 0) {
			assert_int_equal(rig->line, files[i].line);
			assert_non_null(strstr(rig->what, files[i].fault));
			continue;
		}
		assert_int_equal(users_count(us), files[i].users);
		users_free(us);
	}
}

static void
only_so_many_faults_are_said(void **state)
{
	struct rig *rig = *state;
	struct users_reading r = reading(rig);
	char text[2000];
	struct users *us;

	memset(text, '\n', sizeof text);
	for (size_t i = 0; i < sizeof text; i += 2)
		text[i] = 'x';
	write_text(rig->path, text, sizeof text);
	assert_int_equal(users_read(&r, &us), -EINVAL);
	assert_int_equal(rig->said, 21);
}

static void
others_have_no_access(void **state)
{
	static const struct { mode_t mode; int rc; } modes[] = {
		{ 0600, 0 }, { 0640, 0 }, { 0660, 0 }, { 0400, 0 },
		{ 0644, -EPERM }, { 0602, -EPERM }
	};
	struct rig *rig = *state;
	struct users *us;

	write_text(rig->path, "\n", 1);
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct users_reading r = reading(rig);

		assert_int_equal(chmod(rig->path, modes[i].mode), 0);
		assert_int_equal(users_read(&r, &us), modes[i].rc);
		if (modes[i].rc == 0)
			users_free(us);
		else
			assert_non_null(strstr(rig->what, "chmod"));
	}
}

static void
only_files_are_read(void **state)
{
	struct rig *rig = *state;
	struct users_reading r = reading(rig);
	struct users_stamp none = { .size = 0 };
	struct users *us;

	assert_int_equal(users_read(&r, &us), -ENOENT);
	assert_int_equal(rig->said, 1);
	assert_int_equal(rig->line, 0);
	assert_true(users_stamp_same(&r.stamp, &none));
	assert_int_equal(mkfifo(rig->path, 0600), 0);
	assert_int_equal(users_read(&r, &us), -EISDIR);
	r.path = rig->folder;
	assert_int_equal(users_read(&r, &us), -EISDIR);
}

static struct users *
read_users(struct rig *rig, const char *text)
{
	struct users_reading r = reading(rig);
	struct users *us = NULL;

	write_text(rig->path, text, strlen(text));
	if (users_read(&r, &us) != 0)
		fail_msg("%d: %s", rig->line, rig->what);
	return us;
}

static struct cred_answer
ask(const struct users *us, const char *user, const char *realm,
    enum digest_alg alg)
{
	struct cred_query q = {
		.user = str_of(user), .realm = str_of(realm),
		.digest = { .alg = alg }, .userhash = strlen(user) >= 32
	};
	struct cred_answer a;

	users_answer(us, &q, &a);
	return a;
}

static void
users_are_found(void **state)
{
	static const char text[] =
	    "bob:r:md5=" MD5_HEX ":prefixes=+49|0,sip:*@a,class=staff,"
	    "tel:+49*\n"
	    "bob:s:md5=ffffffffffffffffffffffffffffffff\n";
	static const struct {
		const char *user, *realm;
		enum digest_alg alg;
		enum cred_result want;
	} asked[] = {
		{ "bob", "r", DIGEST_MD5, CRED_SECRET },
		{ "bob", "r", DIGEST_SHA256, CRED_UNKNOWN },
		{ "bob", "t", DIGEST_MD5, CRED_UNKNOWN },
		{ "Bob", "r", DIGEST_MD5, CRED_UNKNOWN },
		{ "bo", "r", DIGEST_MD5, CRED_UNKNOWN },
		{ "", "r", DIGEST_MD5, CRED_UNKNOWN },
		{ "bob", "", DIGEST_MD5, CRED_UNKNOWN },
		{ "bob:r", "", DIGEST_MD5, CRED_UNKNOWN },
		{ "", "bob:r", DIGEST_MD5, CRED_UNKNOWN },
	};
	struct users *us = read_users(*state, text);
	static const uint8_t none[HA1_MAX];
	struct cred_answer a;

	for (size_t i = 0; i < COUNT(asked); i++) {
		a = ask(us, asked[i].user, asked[i].realm, asked[i].alg);
		if (a.result != asked[i].want)
			fail_msg("%s in %s", asked[i].user, asked[i].realm);
		if (a.result == CRED_UNKNOWN) {
			assert_int_equal(a.nidentities, 0);
			assert_int_equal(a.nprefixes, 0);
			assert_null(a.class);
			assert_memory_not_equal(a.ha1, none, sizeof none);
		}
	}
	a = ask(us, "bob", "r", DIGEST_MD5);
	assert_true(str_is(a.user, "bob"));
	assert_memory_equal(a.ha1, "\x00\x11\x22\x33\x44", 5);
	assert_int_equal(a.nidentities, 2);
	assert_string_equal(a.identity[0], "sip:*@a");
	assert_string_equal(a.identity[1], "tel:+49*");
	assert_string_equal(a.class, "staff");
	assert_int_equal(a.nprefixes, 2);
	assert_string_equal(a.prefix[0], "+49");
	assert_string_equal(a.prefix[1], "0");
	a = ask(us, "bob", "s", DIGEST_MD5);
	assert_null(a.class);
	assert_int_equal(a.nprefixes, 0);
	assert_memory_equal(a.ha1, "\xff\xff", 2);
	users_free(us);
}

/* RFC 7616 section 3.9.2, as corrected by erratum 4897. */
#define JASON "J\xc3\xa4s\xc3\xb8n Doe"
#define JASON_HASH \
    "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"

static void
users_are_found_by_hash(void **state)
{
	char upper[] = JASON_HASH, other[] = JASON_HASH;
	char shorter[] = JASON_HASH;
	struct users *us = read_users(*state,
	    "ann:api@example.org:sha-512-256=" SHA_HEX "\n"
	    JASON ":api@example.org:sha-512-256=" SHA_HEX "\n"
	    "bob:api@example.org:sha-512-256=" SHA_HEX "\n");
	struct cred_answer a;

	a = ask(us, JASON_HASH, "api@example.org", DIGEST_SHA512_256);
	assert_int_equal(a.result, CRED_SECRET);
	assert_true(str_is(a.user, JASON));
	upper[10] = 'B';
	a = ask(us, upper, "api@example.org", DIGEST_SHA512_256);
	assert_int_equal(a.result, CRED_SECRET);
	other[10] = 'c';
	a = ask(us, other, "api@example.org", DIGEST_SHA512_256);
	assert_int_equal(a.result, CRED_UNKNOWN);
	shorter[60] = '\0';
	a = ask(us, shorter, "api@example.org", DIGEST_SHA512_256);
	assert_int_equal(a.result, CRED_UNKNOWN);
	a = ask(us, JASON_HASH, "example.org", DIGEST_SHA512_256);
	assert_int_equal(a.result, CRED_UNKNOWN);
	a = ask(us, JASON_HASH, "api@example.org", DIGEST_SHA256);
	assert_int_equal(a.result, CRED_UNKNOWN);
	users_free(us);
}

static void
algorithms_are_what_all_have(void **state)
{
	struct users *us = read_users(*state,
	    "ann:r:md5=" MD5_HEX ",sha-256=" SHA_HEX "\n"
	    "bob:r:md5=" MD5_HEX "\n"
	    "ann:s:sha-256=" SHA_HEX "\n");
	struct users_lack lack;

	assert_int_equal(users_algs(us, str_of("r")), 1);
	assert_int_equal(users_algs(us, str_of("s")), 2);
	assert_int_equal(users_algs(us, str_of("none")), 7);
	lack = users_lacking(us, DIGEST_SHA512_256);
	assert_int_equal(lack.count, 3);
	assert_int_equal(lack.line, 1);
	assert_int_equal(users_lacking(us, DIGEST_SHA256).count, 1);
	assert_int_equal(users_lacking(us, DIGEST_SHA256).line, 2);
	assert_int_equal(users_lacking(us, DIGEST_MD5).line, 3);
	users_free(us);
}

static struct user_line
line_of(const char *text)
{
	struct user_line u;

	assert_null(user_line_parse(&u, str_of(text)));
	return u;
}

static void
edits_keep_the_rest(void **state)
{
	struct rig *rig = *state;
	struct users_reading r = reading(rig);
	struct user_line bob = line_of("bob:r:sha-256=" SHA_HEX),
	    new = line_of("new:r:md5=" MD5_HEX);
	static const char before[] = "# who\nann:r:md5=" MD5_HEX ":sip:a\n\n"
	    "bob:r:md5=" MD5_HEX "\n # end";
	struct users_edit *e;

	write_text(rig->path, before, sizeof before - 1);
	assert_int_equal(chmod(rig->path, 0640), 0);
	assert_int_equal(users_edit_open(&e, &r), 0);
	assert_int_equal(users_edit_put(e, &new), 0);
	assert_int_equal(users_edit_put(e, &bob), 0);
	assert_true(users_edit_remove(e, str_of("r"), str_of("ann")));
	assert_false(users_edit_remove(e, str_of("r"), str_of("ann")));
	assert_false(users_edit_remove(e, str_of("s"), str_of("bob")));
	assert_text(rig->path, before);
	assert_int_equal(users_edit_save(e), 0);
	users_edit_close(e);
	assert_text(rig->path, "# who\n\nbob:r:sha-256=" SHA_HEX "\n # end\n"
	    "new:r:md5=" MD5_HEX "\n");
}

static void
files_keep_their_mode(void **state)
{
	struct rig *rig = *state;
	struct users_reading r = reading(rig);
	struct user_line bob = line_of("bob:r:md5=" MD5_HEX);
	struct users_edit *e;
	struct stat st;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(users_edit_open(&e, &r), 0);
		assert_int_equal(users_edit_put(e, &bob), 0);
		assert_int_equal(users_edit_save(e), 0);
		users_edit_close(e);
		assert_int_equal(stat(rig->path, &st), 0);
		assert_int_equal(st.st_mode & 07777, i == 0 ? 0600 : 0640);
		assert_int_equal(chmod(rig->path, 0640), 0);
	}
}

static void
links_stay_links(void **state)
{
	struct rig *rig = *state;
	struct users_reading r = reading(rig);
	struct user_line bob = line_of("bob:r:md5=" MD5_HEX);
	struct users_edit *e;
	struct stat st;
	char link[80];

	snprintf(link, sizeof link, "%s/link", rig->folder);
	write_text(rig->path, "", 0);
	assert_int_equal(symlink("users", link), 0);
	r.path = link;
	assert_int_equal(users_edit_open(&e, &r), 0);
	assert_int_equal(users_edit_put(e, &bob), 0);
	assert_int_equal(users_edit_save(e), 0);
	users_edit_close(e);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_text(rig->path, "bob:r:md5=" MD5_HEX "\n");
	unlink(link);
}

static void
a_faulty_file_is_not_edited(void **state)
{
	struct rig *rig = *state;
	struct users_reading r = reading(rig);
	struct users_edit *e;

	write_text(rig->path, "bob\n", 4);
	assert_int_equal(users_edit_open(&e, &r), -EINVAL);
	assert_int_equal(rig->line, 1);
}

/* So many users that the tables have to grow. */
static bool
read_all(void *arg)
{
	struct users_reading r = reading(arg);
	struct users *us;

	if (users_read(&r, &us) != 0)
		return false;
	users_free(us);
	return true;
}

static bool
edit_all(void *arg)
{
	struct users_reading r = reading(arg);
	struct user_line u = { .name = str_of("zoe"), .realm = str_of("r") };
	struct users_edit *e;
	bool ok;

	u.ha1.has[DIGEST_MD5] = true;
	if (users_edit_open(&e, &r) != 0)
		return false;
	ok = users_edit_put(e, &u) == 0 && users_edit_save(e) == 0;
	users_edit_close(e);
	return ok;
}

static void
lack_of_memory_is_said(void **state)
{
	struct rig *rig = *state;
	FILE *f = fopen(rig->path, "w");

	assert_non_null(f);
	for (int i = 0; i < 400; i++)
		fprintf(f, "bob%d:r:md5=" MD5_HEX ":sip:a\n", i);
	fclose(f);
	assert_int_equal(chmod(rig->path, 0600), 0);
	assert_int_equal(failing_alloc_each(read_all, rig), 0);
	assert_int_equal(failing_alloc_each(edit_all, rig), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_judged),
		TEST(a_line_has_a_longest),
		TEST(what_is_written_is_what_is_read),
		TEST(files_are_judged),
		TEST(only_so_many_faults_are_said),
		TEST(others_have_no_access),
		TEST(only_files_are_read),
		TEST(users_are_found),
		TEST(users_are_found_by_hash),
		TEST(algorithms_are_what_all_have),
		TEST(edits_keep_the_rest),
		TEST(files_keep_their_mode),
		TEST(links_stay_links),
		TEST(a_faulty_file_is_not_edited),
		TEST(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
