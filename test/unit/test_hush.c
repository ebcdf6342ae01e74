/* How many lines strangers may cause. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/log.h"
#include "base/metrics.h"
#include "failing_alloc.h"
#include "pipeline/hush.h"

enum { SECOND = 1000000 };

/* At each time so many are asked for: how many are allowed, and what does the
 * log say? */
static const struct {
	const char		*what;
	struct conf_rate	 rate;
	struct {
		int64_t		 at_us;
		unsigned	 ask, allowed;
		const char	*said;		/* NULL: nothing */
	} step[4];
} cases[] = {
	{ "off", { 0, 0, 0 }, { { 1, 5000, 5000, NULL } } },
	{ "within", { 10, 1000, 5 }, { { 1, 5, 5, NULL } } },
	{ "the first beyond it is told", { 10, 1000, 5 },
	    { { 1, 6, 5, "lines=1" } } },
	{ "then once a second", { 1, 60000, 2 },
	    { { 1, 12, 2, "lines=1" }, { SECOND / 2, 10, 0, NULL },
	    { SECOND + 1, 1, 0, "lines=20" },
	    { 3 * SECOND, 3, 0, "lines=1" } } },
	{ "and no more when it is over", { 10, 1000, 5 },
	    { { 1, 7, 5, "lines=1" }, { 2 * SECOND, 4, 4, NULL } } },
};

static unsigned
ask(struct hush *h, const struct conf_rate *rate, int64_t now_us, unsigned n)
{
	unsigned allowed = 0;

	while (n-- > 0)
		allowed += hush_allows(h, HUSH_ANYBODY, rate, now_us);
	return allowed;
}

/* What the log says since the last time; at most a line. */
static void
read_log(int fd, char out[256])
{
	ssize_t n;

	log_flush();
	n = read(fd, out, 255);
	out[n < 0 ? 0 : n] = '\0';
}

static void
said_is(const char *line, const char *want)
{
	if (want == NULL) {
		assert_string_equal(line, "");
		return;
	}
	assert_non_null(strstr(line, "event=log.withheld"));
	assert_non_null(strstr(line, want));
	assert_ptr_equal(strchr(line, '\n'), strrchr(line, '\n'));
}

static void
add_withheld(void *arg, const struct metric *what, const char *value,
    uint64_t count)
{
	(void)value;
	if (strcmp(what->name, "log_withheld_total") == 0)
		*(uint64_t *)arg += count;
}

static void
so_many_are_written(void **state)
{
	char line[256];
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	log_open(fd[1], LOG_TEXT, LEVEL_INFO);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct metrics *m = metrics_new();
		struct hush *h = hush_new(m);
		uint64_t unwritten = 0, counted = 0;

		for (size_t k = 0; k < COUNT(cases[i].step); k++) {
			print_message("%s, step %zu\n", cases[i].what, k);
			assert_int_equal(ask(h, &cases[i].rate,
			    cases[i].step[k].at_us, cases[i].step[k].ask),
			    cases[i].step[k].allowed);
			unwritten += cases[i].step[k].ask -
			    cases[i].step[k].allowed;
			read_log(fd[0], line);
			said_is(line, cases[i].step[k].said);
		}
		metrics_each(m, add_withheld, &counted);
		assert_int_equal(counted, unwritten);
		hush_free(h);
		metrics_free(m);
	}
}

static void
each_kind_has_its_own(void **state)
{
	const struct conf_rate one = { 1, 1000, 1 };
	struct metrics *m = metrics_new();
	struct hush *h = hush_new(m);

	(void)state;
	log_open(2, LOG_TEXT, LEVEL_ERROR);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(hush_allows(h, HUSH_ANYBODY, &one, 1),
		    i == 0);
	assert_true(hush_allows(h, HUSH_ANSWERS, &one, 1));
	assert_true(hush_allows(h, HUSH_BANS, &one, 1));
	assert_false(hush_allows(h, HUSH_ANSWERS, &one, 1));
	hush_free(h);
	metrics_free(m);
}

static bool
work(void *arg)
{
	struct metrics *m = metrics_new();
	struct hush *h = m == NULL ? NULL : hush_new(m);
	bool made = h != NULL;

	(void)arg;
	hush_free(h);
	metrics_free(m);
	return made;
}

static void
lack_of_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_are_written),
		cmocka_unit_test(each_kind_has_its_own),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
