/* So many in a time, and how many at once. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "file_text.h"

struct file {
	struct conf_rate	must, may, none;
};

static const struct conf_opt opts[] = {
	{ "must", CONF_T_RATE, offsetof(struct file, must), .dflt = "7/s" },
	{ "may", CONF_T_RATE, offsetof(struct file, may), CONF_OFF,
	    .dflt = "off" },
	{ "none", CONF_T_RATE, offsetof(struct file, none), CONF_OFF,
	    .dflt = NULL },
	CONF_END
};

static const struct {
	const char		*text;
	struct conf_rate	 want;
	const char		*printed;	/* NULL: as it came */
} good[] = {
	{ "50/s", { 50, 1000, 50 }, NULL },
	{ "600/m", { 600, 60000, 600 }, NULL },
	{ "50/s burst 200", { 50, 1000, 200 }, NULL },
	{ "50/s burst 1", { 50, 1000, 1 }, NULL },
	{ "50/s burst 50", { 50, 1000, 50 }, "50/s" },
	{ "1000000/m burst 1000000", { 1000000, 60000, 1000000 },
	    "1000000/m" },
	{ "off", { 0, 0, 0 }, NULL },
};

static const char *const bad[] = {
	"", "50", "/s", "0/s", "1000001/s", "50/h", "50/sec", "50 /s", "-5/s",
	"50/s burst", "50/s burst 0", "50/s burst 1000001", "50/s burst 5 ",
	"50/s  burst 5", "50/sburst 5", "50/s burst x", "5.5/s",
	"99999999999999999999/s", "OFF"
};

static void
rates_are_taken_and_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[128], want[128], *printed = NULL;
		struct file_text f;
		struct file file;
		size_t size;
		FILE *out = open_memstream(&printed, &size);

		snprintf(text, sizeof text, "may = \"%s\";", good[i].text);
		assert_int_equal(file_text_open(&f, text, opts, &file), 0);
		assert_memory_equal(&file.may, &good[i].want,
		    sizeof file.may);
		conf_print(out, opts, &file, 0);
		fclose(out);
		snprintf(want, sizeof want,
		    "must = \"7/s\";\nmay = \"%s\";\nnone = \"off\";\n",
		    good[i].printed == NULL ? good[i].text :
		    good[i].printed);
		assert_string_equal(printed, want);
		free(printed);
		conf_free(f.conf);
	}
}

static void
defaults_are_rates(void **state)
{
	const struct conf_rate seven = { 7, 1000, 7 }, off = { 0 };
	struct file_text f;
	struct file file;

	(void)state;
	assert_int_equal(file_text_open(&f, "", opts, &file), 0);
	assert_memory_equal(&file.must, &seven, sizeof seven);
	assert_memory_equal(&file.may, &off, sizeof off);
	assert_memory_equal(&file.none, &off, sizeof off);
	conf_free(f.conf);
}

static void
other_text_is_refused(void **state)
{
	struct file_text f;
	struct file file;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof text, "may = \"%s\";", bad[i]);
		if (file_text_open(&f, text, opts, &file) == 0)
			fail_msg("\"%s\"", bad[i]);
		assert_string_equal(f.said, "test:1: may: must be a rate "
		    "from 1 to 1000000, like \"50/s\", \"600/m\" or "
		    "\"50/s burst 200\", or \"off\"\n");
		conf_free(f.conf);
	}
	assert_int_not_equal(file_text_open(&f, "must = \"off\";", opts,
	    &file), 0);
	conf_free(f.conf);
	assert_int_not_equal(file_text_open(&f, "may = 50;", opts, &file), 0);
	conf_free(f.conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_taken_and_printed),
		cmocka_unit_test(defaults_are_rates),
		cmocka_unit_test(other_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
