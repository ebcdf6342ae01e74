/* The hosts file. */
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
#include "io/hosts.h"

static struct hosts *
load(const char *text)
{
	char path[] = "/tmp/test_hosts.XXXXXX";
	int fd = mkstemp(path);
	struct hosts *h;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	h = hosts_new(path);
	unlink(path);
	assert_non_null(h);
	return h;
}

static const char *
found(const struct hosts *h, const char *name)
{
	static char out[200];
	struct addr a[4];
	char text[ADDR_TEXT_MAX];
	size_t n = hosts_find(h, str_of(name), a, COUNT(a));

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(out, i == 0 ? "" : " ");
		strcat(out, addr_text(&a[i], text));
	}
	return out;
}

static void
names_of_the_file(void **state)
{
	static const char text[] =
	    "# nothing here\n"
	    "192.0.2.1\tpbx.example pbx   # 192.0.2.9 other\n"
	    "  2001:db8::1 pbx.example\r\n"
	    "not-an-address x.example\n"
	    "192.0.2.2\n"
	    "\n"
	    "192.0.2.3 bad/name dot.example.\n"
	    "192.0.2.66 localhost\n"
	    "127.0.0.5 localhost\n"
	    "192.0.2.4 last.example";
	static const struct { const char *name, *want; } cases[] = {
		{ "pbx.example", "192.0.2.1 [2001:db8::1]" },
		{ "PBX", "192.0.2.1" },
		{ "other", "" }, { "x.example", "" }, { "bad/name", "" },
		{ "dot.example", "192.0.2.3" },
		{ "last.example", "192.0.2.4" },
		{ "example", "" }, { "", "" },
		/* RFC 6761: never anywhere else. */
		{ "localhost", "127.0.0.5" },
		{ "a.localhost", "127.0.0.1 [::1]" },
		{ "notlocalhost", "" },
	};
	struct hosts *h = load(text);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (strcmp(found(h, cases[i].name), cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name,
			    found(h, cases[i].name));
	hosts_free(h);
}

static void
no_file_is_no_names(void **state)
{
	struct hosts *h = hosts_new("/nonexistent/hosts");

	(void)state;
	assert_non_null(h);
	assert_string_equal(found(h, "pbx.example"), "");
	assert_string_equal(found(h, "localhost"), "127.0.0.1 [::1]");
	hosts_free(h);
	hosts_free(NULL);
}

static void
names_and_answers_have_a_bound(void **state)
{
	char *text = malloc((HOSTS_MAX + 1) * 32);
	size_t n = 0;
	struct hosts *h;
	struct addr a[4];

	(void)state;
	for (int i = 0; i < HOSTS_MAX - 1; i++)
		n += (size_t)sprintf(text + n, "192.0.2.1 many.example\n");
	sprintf(text + n, "192.0.2.1 in.example out.example\n");
	h = load(text);
	assert_int_equal(hosts_find(h, str_of("many.example"), a, 3), 3);
	assert_string_equal(found(h, "in.example"), "192.0.2.1");
	assert_string_equal(found(h, "out.example"), "");
	hosts_free(h);
	free(text);
}

static bool
build(void *arg)
{
	struct hosts *h = hosts_new(arg);

	hosts_free(h);
	return h != NULL;
}

static void
lack_of_memory_is_said(void **state)
{
	char path[] = "/tmp/test_hosts.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	for (int i = 0; i < 40; i++)
		assert_int_equal(write(fd, "::1 a b\n", 8), 8);
	close(fd);
	assert_int_equal(failing_alloc_each(build, path), 0);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_file),
		cmocka_unit_test(no_file_is_no_names),
		cmocka_unit_test(names_and_answers_have_a_bound),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
