/* Tools that look for open proxies and weak passwords. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "file_text.h"
#include "guard/scanners.h"

static const char *const agents[] = {
	"friendly-scanner", "Friendly-Scanner", "sipvicious", "sundayddr",
	"sipcli/v1.8", "VaxSIPUserAgent/3.1", "pplsip", "sip-scan 1.0",
	"smap 0.6.0", "Zoiper rv2.10", "snom821/873_19_20_130", "",
	"my sipcli", "sip-sca", "PJSUA v2.12", "x", "xy", "zzz-anything",
	"# pplsip"
};

static const struct {
	const char	*what, *file;		/* NULL: built in */
	const char	*want;			/* of agents, in their order */
} cases[] = {
	{ "built in", NULL, "1111111110000000000" },
	{ "nothing", "", "0000000000000000000" },
	{ "comments and blank lines", "# pplsip\n\n   \n\t# x\n",
	    "0000000000000000000" },
	{ "one", "pplsip\n", "0000001000000000000" },
	{ "without a last line end", "x?\npplsip", "0000001000000000100" },
	{ "trimmed, with CR", "  x\r\n\tzzz-*  \r\n", "0000000000000001010" },
	{ "anywhere", "*SIPCLI*", "0000100000001000000" },
	{ "everything", "*", "1111111111111111111" },
};

static struct scanners *
load(struct file_text *f, const char *text)
{
	struct guard_conf conf;

	if (file_text_open(f, text, guard_opts, &conf) != 0)
		return NULL;
	return scanners_new(f->conf, &conf);
}

/* Written as bytes, and named in a configuration. */
struct scratch {
	char	path[64], conf[128];
};

static void
scratch_make(struct scratch *s, const void *bytes, size_t len)
{
	int fd;

	strcpy(s->path, "/tmp/test_scanners.XXXXXX");
	fd = mkstemp(s->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	snprintf(s->conf, sizeof s->conf, "scanners = \"%s\";", s->path);
}

static void
compare(const struct scanners *s, const char *what, const char *want)
{
	char got[COUNT(agents) + 1] = "";

	assert_non_null(s);
	for (size_t i = 0; i < COUNT(agents); i++)
		got[i] = scanners_have(s, str_of(agents[i])) ? '1' : '0';
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s", what, got);
}

static void
patterns_tell_scanners(void **state)
{
	struct file_text f;
	struct scratch file;
	struct scanners *s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].file != NULL)
			scratch_make(&file, cases[i].file,
			    strlen(cases[i].file));
		s = load(&f, cases[i].file == NULL ? "" : file.conf);
		compare(s, cases[i].what, cases[i].want);
		scanners_free(s);
		conf_free(f.conf);
		if (cases[i].file != NULL)
			unlink(file.path);
	}
}

static void
off_is_nobody(void **state)
{
	struct file_text f;
	struct scanners *s = load(&f, "scanners = \"off\";");

	(void)state;
	compare(s, "off", "0000000000000000000");
	scanners_free(s);
	conf_free(f.conf);
}

/* Line by line, and no line more or less. */
static void
the_list_that_ships_is_the_one_built_in(void **state)
{
	static char list[65536], lines[65536];
	FILE *f = fopen(TEST_DATA "/../../etc/scanners.list", "r");
	size_t n = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(list, sizeof list, f) != NULL)
		if (*list != '#')
			n += (size_t)snprintf(lines + n, sizeof lines - n,
			    "%s", list);
	fclose(f);
	assert_string_equal(lines, scanners_built_in);
}

static void
unfit_files_are_refused(void **state)
{
	static char big[(1 << 20) + 1];
	struct file_text f;
	struct scratch file;

	(void)state;
	assert_null(load(&f, "scanners = \"/nowhere\";"));
	assert_non_null(strstr(f.said, "/nowhere: No such file"));
	conf_free(f.conf);
	scratch_make(&file, "a\0b\n", 4);
	assert_null(load(&f, file.conf));
	assert_non_null(strstr(f.said, "holds a NUL"));
	conf_free(f.conf);
	unlink(file.path);
	memset(big, 'x', sizeof big);
	scratch_make(&file, big, sizeof big);
	assert_null(load(&f, file.conf));
	assert_non_null(strstr(f.said, "too large"));
	conf_free(f.conf);
	unlink(file.path);
}

static bool
work(void *arg)
{
	struct file_text f;
	struct scanners *s = load(&f, arg);
	bool ok = s != NULL;

	scanners_free(s);
	conf_free(f.conf);
	return ok;
}

static void
lack_of_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, (char *)(uintptr_t)""), 0);
	assert_int_equal(failing_alloc_each(work, (char *)(uintptr_t)
	    "scanners = \"" TEST_DATA "/../../etc/scanners.list\";"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_tell_scanners),
		cmocka_unit_test(off_is_nobody),
		cmocka_unit_test(the_list_that_ships_is_the_one_built_in),
		cmocka_unit_test(unfit_files_are_refused),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
