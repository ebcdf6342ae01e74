/*
 * test_conf.c -- tables of options against files, good and bad.
 */
#include "config.h"

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
#include "conf/conf.h"
#include "failing_alloc.h"
#include "put_file.h"

/* One of each kind, and some kinds inside others. */
struct inner_conf { int line; const char *is; int64_t n; };
struct entry_conf { int line; const char *name; int64_t n; };

struct all_conf {
	int		 line;
	const char	*text, *path, *secret;
	bool		 flag;
	int64_t		 number, time;
	int		 choice;
	struct conf_list list, paths;
	struct conf_choices choices;
	struct inner_conf group, brief;
	struct conf_groups groups;
	const struct conf_group *raw;
};

static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct conf_opt inner_opts[] = {
	CONF_LINE(struct inner_conf),
	{ "is", CONF_T_STR, offsetof(struct inner_conf, is), .dflt = "so" },
	{ "n", CONF_T_INT, offsetof(struct inner_conf, n), .dflt = "5",
	    .min = 1, .max = 9 },
	CONF_END
};

static const struct conf_opt entry_opts[] = {
	CONF_LINE(struct entry_conf),
	{ "name", CONF_T_STR, offsetof(struct entry_conf, name),
	    CONF_REQUIRED, .min = 1 },
	{ "n", CONF_T_INT, offsetof(struct entry_conf, n), .min = 1,
	    .max = 9 },
	CONF_END
};

#define AT(member) offsetof(struct all_conf, member)

static const struct conf_opt all_opts[] = {
	CONF_LINE(struct all_conf),
	{ "text", CONF_T_STR, AT(text), .min = 2, .max = 5,
	    .help = "Some text." },
	{ "path", CONF_T_PATH, AT(path), .help = "Some \\ path." },
	{ "secret", CONF_T_STR, AT(secret), CONF_SECRET, .dflt = "hush",
	    .help = "Never shown." },
	{ "flag", CONF_T_BOOL, AT(flag), .dflt = "true" },
	{ "number", CONF_T_INT, AT(number), CONF_OFF, .dflt = "7",
	    .min = -5, .max = 5000000000, .unit = "apples" },
	{ "time", CONF_T_TIME, AT(time), CONF_OFF, .dflt = "2s",
	    .min = 10, .max = 36 * 3600 * 1000,
	    .help = "First. Second.  .Third" },
	{ "choice", CONF_T_CHOICE, AT(choice), .dflt = "green",
	    .choices = colours },
	{ "list", CONF_T_LIST, AT(list), .dflt = "a, b", .min = 1,
	    .max = 3 },
	{ "paths", CONF_T_LIST, AT(paths), CONF_PATHS,
	    .help = "Some paths." },
	{ "choices", CONF_T_CHOICES, AT(choices), .dflt = "blue, red",
	    .choices = colours },
	{ "group", CONF_T_GROUP, AT(group), .opts = inner_opts },
	{ "brief", CONF_T_GROUP, AT(brief), CONF_SHORTHAND,
	    .opts = inner_opts },
	{ "groups", CONF_T_GROUPS, AT(groups), .opts = entry_opts,
	    .size = sizeof(struct entry_conf) },
	{ "raw", CONF_T_RAW, AT(raw), .help = "Any." },
	CONF_END
};

/* What was said, a line each. */
struct said { char text[8192]; size_t n; };

static void
note(void *arg, const struct conf_complaint *what)
{
	char line[CONF_COMPLAINT_MAX];
	struct said *s = arg;

	conf_complaint_text(line, what);
	s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n,
	    "%s\n", line);
	assert_true(s->n < sizeof s->text);
}

static const struct {
	const char	*file, *said;
} bad[] = {
	{ "text = 5;", "f:1: text: must be a text: \"...\"" },
	{ "\n\ntext = \"x\";", "f:3: text: out of range: 2 to 5 bytes" },
	{ "text = \"abcdef\";", "f:1: text: out of range: 2 to 5 bytes" },
	{ "text = \"\";", "f:1: text: may not be empty" },
	{ "text = \"a\\nb\";", "f:1: text: has a control character" },
	{ "path = \"\";", "f:1: path: may not be empty" },
	{ "path = 1;", "f:1: path: must be a text: \"...\"" },
	{ "flag = \"true\";", "f:1: flag: must be true or false" },
	{ "flag = 1;", "f:1: flag: must be true or false" },
	{ "number = true;",
	    "f:1: number: must be a whole number, without quotes, or \"off\"" },
	{ "number = 1.5;",
	    "f:1: number: must be a whole number, without quotes, or \"off\"" },
	{ "number = \"7\";",
	    "f:1: number: must be a whole number, without quotes, or \"off\"" },
	{ "number = -6;", "f:1: number: out of range: "
	    "-5 to 5000000000, or \"off\"" },
	{ "number = 5000000001L;", "f:1: number: out of range: "
	    "-5 to 5000000000, or \"off\"" },
	{ "time = 5;", "f:1: time: must be a time with its unit "
	    "(ms, s, m, h, d), like \"2s\", or \"off\"" },
	{ "time = \"5\";", "f:1: time: must be a time with its unit "
	    "(ms, s, m, h, d), like \"2s\", or \"off\"" },
	{ "time = \"-5s\";", "f:1: time: must be a time with its unit "
	    "(ms, s, m, h, d), like \"2s\", or \"off\"" },
	{ "time = \"5 s\";", "f:1: time: must be a time with its unit "
	    "(ms, s, m, h, d), like \"2s\", or \"off\"" },
	{ "time = \"9223372036854775807d\";", "f:1: time: must be a time "
	    "with its unit (ms, s, m, h, d), like \"2s\", or \"off\"" },
	{ "time = \"9ms\";",
	    "f:1: time: out of range: 10ms to 36h, or \"off\"" },
	{ "time = \"2d\";",
	    "f:1: time: out of range: 10ms to 36h, or \"off\"" },
	{ "choice = \"off\";", "f:1: choice: \"off\" is not one of "
	    "\"red\", \"green\", \"blue\"" },
	{ "choice = 1;", "f:1: choice: must be a text: \"...\"" },
	{ "list = 1;",
	    "f:1: list: must be a list of texts: [ \"...\", \"...\" ]" },
	{ "list = [\n\"a\",\n\"abcd\" ];",
	    "f:3: list: out of range: 1 to 3 bytes" },
	{ "paths = [ \"/a\",\n\"\" ];", "f:2: paths: may not be empty" },
	{ "paths = [ \"a\\nb\" ];", "f:1: paths: has a control character" },
	{ "list = ( \"a\",\n1 );",
	    "f:2: list: must be a list of texts: [ \"...\", \"...\" ]" },
	{ "choices = [ ];", "f:1: choices: names none" },
	{ "choices = [ \"red\", \"red\" ];",
	    "f:1: choices: \"red\" is named twice" },
	{ "choices = [ \"RED\" ];", "f:1: choices: \"RED\" is not one of "
	    "\"red\", \"green\", \"blue\"" },
	{ "group = \"so\";", "f:1: group: must be a group: { ... }" },
	{ "group = {\n n = 10; };", "f:2: group.n: out of range: 1 to 9" },
	{ "group = {\n m = 1; };",
	    "f:2: group.m: unknown option" },
	{ "group = { iss = \"x\"; };",
	    "f:1: group.iss: unknown option; did you mean is?" },
	{ "brief = 5;", "f:1: brief: must be a group: { ... }" },
	{ "groups = { };",
	    "f:1: groups: must be a list of groups: ( { ... }, { ... } )" },
	{ "groups = ( { name = \"a\"; },\n 5 );",
	    "f:2: groups: must be a group: { ... }" },
	{ "groups = ( { name = \"a\"; },\n { n = 3; } );",
	    "f:2: groups.name: missing" },
	{ "groups = ( { name = \"a\";\n n = 0; } );",
	    "f:2: groups.n: out of range: 1 to 9" },
	{ "raw = 5;", "f:1: raw: must be a group: { ... }" },
	{ "tiem = \"2s\";", "f:1: tiem: unknown option; did you mean time?" },
	{ "nmbr = 2;", "f:1: nmbr: unknown option; did you mean number?" },
	{ "numbering = 2;", "f:1: numbering: unknown option" },
	{ "xy = 2;", "f:1: xy: unknown option" },
	{ "n = 1;", "f:1: n: unknown option here; group has one of that "
	    "name" },
	{ "a_name_of_more_than_sixty_four_characters_that_nobody_would_"
	    "ever_mean_by_anything = 1;",
	    "f:1: a_name_of_more_than_sixty_four_characters_that_nobody_"
	    "would_ever_mean_by_anything: unknown option" },
	/* All of them in one run. */
	{ "text = 5;\nnumber = -9;\nflag = 1;\nwhat = 2;",
	    "f:4: what: unknown option\n"
	    "f:1: text: must be a text: \"...\"\n"
	    "f:3: flag: must be true or false\n"
	    "f:2: number: out of range: -5 to 5000000000, or \"off\"" },
};

static int
fill_text(const char *file, struct said *said, struct all_conf *out,
    struct conf **keep)
{
	struct conf *c = conf_read_text("f", file);
	int rc;

	assert_non_null(c);
	said->n = 0;
	said->text[0] = '\0';
	conf_on_complaint(c, note, said);
	memset(out, 0xa5, sizeof *out);
	rc = conf_fill(c, conf_root(c), all_opts, out);
	assert_int_equal(rc != 0, conf_errors(c) != 0);
	*keep = c;
	return rc;
}

static void
bad_files_are_told_why(void **state)
{
	struct all_conf v;
	struct conf *c;
	struct said said;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_not_equal(fill_text(bad[i].file, &said, &v, &c),
		    0);
		assert_int_equal(said.text[said.n - 1], '\n');
		said.text[said.n - 1] = '\0';
		assert_string_equal(said.text, bad[i].said);
		conf_free(c);
	}
}

static void
what_is_not_given_is_the_default(void **state)
{
	struct all_conf v;
	struct conf *c;
	struct said said;

	(void)state;
	assert_int_equal(fill_text("", &said, &v, &c), 0);
	assert_null(v.text);
	assert_null(v.path);
	assert_string_equal(v.secret, "hush");
	assert_true(v.flag);
	assert_int_equal(v.number, 7);
	assert_int_equal(v.time, 2000);
	assert_int_equal(v.choice, 1);
	assert_int_equal(v.list.n, 2);
	assert_string_equal(v.list.v[0], "a");
	assert_string_equal(v.list.v[1], "b");
	assert_int_equal(v.choices.n, 2);
	assert_int_equal(v.choices.v[0], 2);
	assert_int_equal(v.choices.v[1], 0);
	assert_string_equal(v.group.is, "so");
	assert_int_equal(v.group.n, 5);
	assert_int_equal(v.group.line, 0);
	assert_string_equal(v.brief.is, "so");
	assert_int_equal(v.groups.n, 0);
	assert_null(v.raw);
	conf_free(c);
}

static const char good[] =
    "text = \"a\\\"\\\\b\"; path = \"x/y\"; secret = \"s3cret\";\n"
    "flag = false; number = 5000000000L; time = \"36h\";\n"
    "choice = \"blue\"; list = ( \"x\",\n"
    " \"yy\" ); paths = [ \"x/y\", \"/z\" ]; choices = [ \"red\", \"green\", \"blue\" ];\n"
    "group = { is = \"\"; n = 9; }; brief = \"short\";\n"
    "groups = ( { name = \"one\"; },\n"
    "           { name = \"two\"; n = 2; } );\n"
    "raw = { type = \"t\"; n = 3; };\n";

static void
check_good(const struct all_conf *v)
{
	const struct entry_conf *e = v->groups.v;

	assert_string_equal(v->text, "a\"\\b");
	assert_false(v->flag);
	assert_true(v->number == 5000000000);
	assert_int_equal(v->time, 36 * 3600 * 1000);
	assert_int_equal(v->choice, 2);
	assert_int_equal(v->list.n, 2);
	assert_string_equal(v->list.v[1], "yy");
	assert_int_equal(v->choices.n, 3);
	assert_int_equal(v->choices.v[1], 1);
	assert_string_equal(v->group.is, "");
	assert_int_equal(v->group.n, 9);
	assert_string_equal(v->brief.is, "short");
	assert_int_equal(v->brief.n, 5);
	assert_int_equal(v->groups.n, 2);
	assert_string_equal(e[1].name, "two");
	assert_int_equal(e[0].n, 0);
	assert_int_equal(e[1].n, 2);
}

static void
what_is_given_is_taken(void **state)
{
	struct all_conf v;
	struct conf *c;
	struct said said;
	char path[4096];

	(void)state;
	assert_int_equal(fill_text(good, &said, &v, &c), 0);
	assert_string_equal(said.text, "");
	check_good(&v);
	assert_string_equal(v.secret, "s3cret");
	assert_non_null(getcwd(path, sizeof path - 4));
	strcat(path, "/x/y");
	assert_string_equal(v.path, path);
	assert_int_equal(v.paths.n, 2);
	assert_string_equal(v.paths.v[0], path);
	assert_string_equal(v.paths.v[1], "/z");
	assert_int_equal(v.paths.line[1], 4);
	assert_int_equal(v.list.line[0], 3);
	assert_int_equal(v.list.line[1], 4);
	assert_int_equal(v.group.line, 5);
	assert_int_equal(((struct entry_conf *)v.groups.v)[1].line, 7);
	conf_free(c);
}

static void
a_group_is_filled_when_its_type_is_known(void **state)
{
	struct inner_conf in;
	struct all_conf v;
	struct conf *c;
	struct said said;
	int line = 0;

	(void)state;
	assert_int_equal(fill_text(good, &said, &v, &c), 0);
	assert_string_equal(conf_peek(c, v.raw, "type", &line), "t");
	assert_int_equal(line, 8);
	assert_int_equal(conf_group_line(c, v.raw), 8);
	assert_null(conf_peek(c, v.raw, "n", &line));
	assert_null(conf_peek(c, v.raw, "m", &line));
	assert_int_equal(conf_fill_typed(c, v.raw, inner_opts, &in), 0);
	assert_int_equal(in.n, 3);
	assert_int_not_equal(conf_fill(c, v.raw, inner_opts, &in), 0);
	assert_string_equal(said.text, "f:8: raw.type: unknown option\n");
	conf_free(c);
}

static char *
print_all(const struct all_conf *v)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	conf_print(f, all_opts, v, 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
what_is_printed_reads_back(void **state)
{
	struct all_conf v, again;
	struct conf *c, *c2;
	struct said said;
	char *text, *text2;

	(void)state;
	assert_int_equal(fill_text(good, &said, &v, &c), 0);
	text = print_all(&v);
	assert_null(strstr(text, "s3cret"));
	assert_int_equal(fill_text(text, &said, &again, &c2), 0);
	check_good(&again);
	assert_string_equal(again.path, v.path);
	text2 = print_all(&again);
	assert_string_equal(text, text2);
	free(text);
	free(text2);
	conf_free(c);
	conf_free(c2);
}

static void
off_is_a_value(void **state)
{
	struct all_conf v;
	struct conf *c;
	struct said said;
	char *text;

	(void)state;
	assert_int_equal(fill_text("number = \"off\"; time = \"off\";", &said,
	    &v, &c), 0);
	assert_int_equal(v.number, -1);
	assert_int_equal(v.time, -1);
	text = print_all(&v);
	assert_non_null(strstr(text, "number = \"off\";\n"));
	assert_non_null(strstr(text, "time = \"off\";\n"));
	free(text);
	conf_free(c);
}

static void
complaints_have_one_form(void **state)
{
	struct conf *c = conf_read_text("f", "");
	struct said said = { .n = 0 };

	(void)state;
	assert_non_null(c);
	conf_on_complaint(c, note, &said);
	conf_warn(c, 3, "peers.auth", "peer \"%s\" is odd", "a\x1b[31m");
	assert_int_equal(conf_errors(c), 0);
	conf_error(c, 0, "realm", "missing");
	conf_error(c, 7, NULL, "bad");
	assert_int_equal(conf_errors(c), 2);
	assert_string_equal(said.text,
	    "f:3: peers.auth: warning: peer \"a?[31m\" is odd\n"
	    "f: realm: missing\nf:7: bad\n");
	conf_free(c);
	conf_free(NULL);
}

/* A folder with two files, one of which includes the other; and stderr in
 * a third. */
struct rig { char dir[64], outer[96], inner[96], err[96]; int stderr_was; };

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	strcpy(r->dir, "/tmp/test_conf.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->outer, sizeof r->outer, "%s/outer.cfg", r->dir);
	snprintf(r->inner, sizeof r->inner, "%s/inner.cfg", r->dir);
	snprintf(r->err, sizeof r->err, "%s/err", r->dir);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	unlink(r->outer);
	unlink(r->inner);
	unlink(r->err);
	rmdir(r->dir);
	free(r);
	return 0;
}

static void
complaints_name_the_included_file(void **state)
{
	struct rig *r = *state;
	struct said said = { .n = 0 };
	struct all_conf v;
	struct conf *c;
	char want[512];

	put_file(r->outer, "# first\n@include \"inner.cfg\"\nnumber = -9;\n");
	put_file(r->inner, "flag = true;\n\npath = \"x\";\ntext = \"x\";\n"
	    "group = { n = 3; };\n");
	c = conf_read(r->outer, note, &said);
	assert_non_null(c);
	assert_int_not_equal(conf_fill(c, conf_root(c), all_opts, &v), 0);
	conf_error(c, v.group.line, "group", "seen later");
	assert_int_equal(conf_line_number(v.group.line), 5);
	snprintf(want, sizeof want,
	    "%s:4: text: out of range: 2 to 5 bytes\n"
	    "%s:3: number: out of range: -5 to 5000000000, or \"off\"\n"
	    "%s:5: group: seen later\n", r->inner, r->outer, r->inner);
	assert_string_equal(said.text, want);
	/* Paths start where the file is that was asked for. */
	snprintf(want, sizeof want, "%s/x", r->dir);
	assert_string_equal(v.path, want);
	conf_free(c);
}

/* What conf_read() writes to stderr for a file with this text (NULL: none);
 * it must refuse it. */
static void
refused(struct rig *r, const char *text, char *out, size_t size)
{
	int was = dup(STDERR_FILENO);
	struct conf *c;
	FILE *f;

	assert_int_not_equal(was, -1);
	if (text != NULL)
		put_file(r->outer, text);
	fflush(stderr);
	assert_non_null(f = fopen(r->err, "w+"));
	dup2(fileno(f), STDERR_FILENO);
	c = conf_read(r->outer, NULL, NULL);
	fflush(stderr);
	dup2(was, STDERR_FILENO);
	close(was);
	rewind(f);
	out[fread(out, 1, size - 1, f)] = '\0';
	fclose(f);
	assert_null(c);
}

#define CUT ": is not read to its end: a comment that begins with /* does " \
    "not end, or there is a NUL\n"
#define SYNTAX ":2: syntax error: here or before it a quote, comma, " \
    "semicolon or bracket is missing or too many\n"

static const struct {
	const char	*text, *said;	/* said behind the file's name */
} unread[] = {
	{ NULL, ": cannot read: No such file or directory\n" },
	{ "flag = true;\nnumber = = 5;\n", SYNTAX },
	{ "flag = true;\nflag = false;\n", ":2: duplicate setting name\n" },
	{ "group = {\n", SYNTAX },
	{ "\n@include \"absent.cfg\"\n", ":2: cannot open include file\n" },
	{ "flag = true;\n/* number = 5;\n", CUT },
	{ "flag = true;\n/*/", CUT },
};

static void
unreadable_files_are_told_why(void **state)
{
	struct rig *r = *state;
	char said[512], want[512];

	for (size_t i = 0; i < COUNT(unread); i++) {
		refused(r, unread[i].text, said, sizeof said);
		snprintf(want, sizeof want, "%s%s", r->outer,
		    unread[i].said);
		assert_string_equal(said, want);
	}
	unlink(r->outer);
	assert_int_equal(mkdir(r->outer, 0700), 0);
	refused(r, NULL, said, sizeof said);
	snprintf(want, sizeof want, "%s: cannot read: Is a directory\n",
	    r->outer);
	assert_string_equal(said, want);
	rmdir(r->outer);
}

static void
a_file_may_end_in_the_middle_of_a_line(void **state)
{
	static const char *const texts[] = {
		"text = \"x\"; # end", "text = \"x\"; // end",
		"text = \"x\"; /* end */", "text = \"x\"", "# end", ""
	};
	struct rig *r = *state;
	struct conf *c;

	for (size_t i = 0; i < COUNT(texts); i++) {
		put_file(r->outer, texts[i]);
		c = conf_read(r->outer, NULL, NULL);
		assert_non_null(c);
		conf_free(c);
	}
}

static const char manual_of_time[] =
    ".It Ic x.time\n"
    "(time, 10ms to 36h or off; default: 2s)\n"
    ".br\n"
    "First.\n"
    "Second.\n"
    "\\&.Third\n";

static void
the_manual_says_all_of_a_row(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	conf_print_manual(f, all_opts, "x.");
	assert_int_equal(fclose(f), 0);
	assert_non_null(strstr(text, manual_of_time));
	assert_non_null(strstr(text, ".It Ic x.path\n(path)\n.br\n"
	    "Some \\e path.\n"));
	assert_non_null(strstr(text, ".It Ic x.paths\n(list of paths)\n"));
	assert_non_null(strstr(text, ".It Ic x.number\n(number, -5 to "
	    "5000000000 apples or off; default: 7)\n"));
	assert_non_null(strstr(text, ".It Ic x.choices\n(list of red, green, "
	    "blue; default: blue, red)\n"));
	assert_non_null(strstr(text, ".It Ic x.groups.name\n(text; "
	    "required)\n"));
	free(text);
}

static void
ignore(void *arg, const struct conf_complaint *what)
{
	(void)arg;
	(void)what;
}

static bool
read_and_fill(void *arg)
{
	struct conf *c = conf_read_text("f", good);
	struct all_conf v;
	bool ok;

	(void)arg;
	if (c == NULL)
		return false;
	conf_on_complaint(c, ignore, NULL);
	ok = conf_fill(c, conf_root(c), all_opts, &v) == 0;
	assert_int_equal(ok, conf_errors(c) == 0);
	conf_free(c);
	return ok;
}

static void
lack_of_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(read_and_fill, NULL), 0);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void
an_empty_list_takes_all(void **state)
{
	static const char *const text[] = { "INVITE", "BYE" };
	static const int line[] = { 1, 1 };
	const struct conf_list none = { 0 }, two = { 2, text, line };

	(void)state;
	assert_true(conf_list_takes(&none, str_of("BYE")));
	assert_true(conf_list_takes(&two, str_of("INVITE")));
	assert_true(conf_list_takes(&two, str_of("BYE")));
	assert_false(conf_list_takes(&two, str_of("Bye")));
	assert_false(conf_list_takes(&two, str_of("BY")));
	assert_false(conf_list_takes(&two, str_of("BYES")));
	assert_false(conf_list_takes(&two, str_of("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_files_are_told_why),
		cmocka_unit_test(what_is_not_given_is_the_default),
		cmocka_unit_test(what_is_given_is_taken),
		cmocka_unit_test(a_group_is_filled_when_its_type_is_known),
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(off_is_a_value),
		cmocka_unit_test(complaints_have_one_form),
		cmocka_unit_test(an_empty_list_takes_all),
		IN_FOLDER(complaints_name_the_included_file),
		IN_FOLDER(unreadable_files_are_told_why),
		IN_FOLDER(a_file_may_end_in_the_middle_of_a_line),
		cmocka_unit_test(the_manual_says_all_of_a_row),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
