/* Classes of service: what the file may say, and what they judge. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "file_text.h"
#include "guard/classes.h"
#include "guard/hours.h"

struct file { struct conf_groups classes; };

static const struct conf_opt file_opts[] = {
	{ "classes", CONF_T_GROUPS, offsetof(struct file, classes),
	    .opts = class_opts, .size = sizeof(struct class_conf) },
	CONF_END
};

static struct classes *
load(struct file_text *f, const char *text)
{
	struct file file;

	if (file_text_open(f, text, file_opts, &file) != 0)
		return NULL;
	return classes_new(f->conf, &file.classes);
}

static struct classes *
load_one(struct file_text *f, const char *limits)
{
	char text[512];

	snprintf(text, sizeof text, "classes = ( { name = \"x\"; %s } );",
	    limits);
	return load(f, text);
}

/* Of each number: 1 is let through. */
static const char *const numbers[] = {
	"+4930", "+49900", "+499001", "110", "2", "29", "bob", "+4&9", ""
};

static const struct {
	const char	*limits, *want;
} judged[] = {
	{ "", "111111111" },
	{ "allow = \"+49\";", "111000000" },
	{ "deny = \"+49\";", "000111101" },
	{ "allow = [ \"+49\" ]; deny = [ \"+49900\" ];", "100000000" },
	{ "deny = [ \"+49\" ]; allow = [ \"+49900\" ];", "011000000" },
	{ "deny = [ \"+49\" ]; allow = [ \"+49900\", \"2\" ];",
	    "011011000" },
	{ "allow = \"2\"; deny = \"2\";", "000000000" },
	{ "allow = [ \"+49\", \"+499001\" ]; deny = \"+49900\";",
	    "101000000" },
	{ "allow = \"+4-9(9)00\";", "011000000" },
	{ "allow = [ \"b\", \"1\" ];", "000100100" },
	{ "deny = \"BOB\";", "111111011" },
	{ "allow = \"+\";", "111000000" },
};

static void
the_longest_prefix_counts(void **state)
{
	struct file_text f;

	(void)state;
	for (size_t i = 0; i < COUNT(judged); i++) {
		struct classes *cs = load_one(&f, judged[i].limits);
		char got[COUNT(numbers) + 1] = "";

		assert_non_null(cs);
		for (size_t k = 0; k < COUNT(numbers); k++) {
			struct number n;

			number_read(&n, str_of(numbers[k]));
			got[k] = class_lets(classes_by_name(cs, "x"), &n) ?
			    '1' : '0';
		}
		if (strcmp(got, judged[i].want) != 0)
			fail_msg("%s: %s", judged[i].limits, got);
		classes_free(cs);
		conf_free(f.conf);
	}
}

static const struct {
	const char	*text, *says;		/* NULL: it is good */
} files[] = {
	{ "", NULL },
	{ "classes = ( );", NULL },
	{ "classes = ( { name = \"a\"; }, { name = \"b\"; } );", NULL },
	{ "classes = ( { calls = 1; } );", "name: missing" },
	{ "classes = ( { name = \"\"; } );", "name" },
	{ "classes = ( { name = \"a\"; },\n { name = \"a\"; } );",
	    "test:2: classes.name: \"a\" is the name of another class" },
	{ "classes = ( { name = \"a\"; calls = 0; } );", "calls" },
	{ "classes = ( { name = \"a\"; calls = 100001; } );", "calls" },
	{ "classes = ( { name = \"a\"; calls_started = \"1/h\"; } );",
	    "calls_started" },
	{ "classes = ( { name = \"a\"; calls_forgotten = \"8d\"; } );",
	    "calls_forgotten" },
	{ "classes = ( { name = \"a\"; calls_forgotten = \"off\"; } );",
	    "calls_forgotten" },
	{ "classes = ( { name = \"a\";\n deny = [ \"1\",\n\"&\" ]; } );",
	    "test:3: classes.deny: \"&\" is nothing that" },
	{ "classes = ( { name = \"a\"; allow = [ \"1;x=y\" ]; } );",
	    "classes.allow: \"1;x=y\"" },
	{ "classes = ( { name = \"a\"; allow = [ ]; } );",
	    "classes.allow: is empty" },
	{ "classes = ( { name = \"a\"; hours = [ ]; } );",
	    "classes.hours: is empty" },
	{ "classes = ( { name = \"a\"; hours = [ \"Mon\" ]; } );",
	    "classes.hours: \"Mon\" does not begin with" },
};

static void
what_cannot_be_is_told(void **state)
{
	struct file_text f;

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct classes *cs = load(&f, files[i].text);

		if ((cs != NULL) != (files[i].says == NULL))
			fail_msg("%s: %s", files[i].text, f.said);
		if (files[i].says != NULL &&
		    strstr(f.said, files[i].says) == NULL)
			fail_msg("%s: %s", files[i].text, f.said);
		classes_free(cs);
		conf_free(f.conf);
	}
}

static void
a_user_without_a_class_is_of_the_default(void **state)
{
	struct file_text f;
	struct classes *cs = load(&f, "classes = ( { name = \"default\"; "
	    "calls_forgotten = \"1h\"; }, { name = \"guest\"; } );");

	(void)state;
	assert_non_null(cs);
	assert_int_equal(classes_count(cs), 2);
	assert_string_equal(class_conf(classes_of_user(cs, ""))->name,
	    "default");
	assert_string_equal(class_conf(classes_of_user(cs, "guest"))->name,
	    "guest");
	assert_string_equal(class_conf(classes_of_user(cs, "gest"))->name,
	    "default");
	assert_null(classes_by_name(cs, ""));
	assert_int_equal(classes_forgotten_ms(cs), 7200 * 1000);
	classes_free(cs);
	conf_free(f.conf);
}

/* ---- hours */

enum { SUN, MON, TUE, WED, THU, FRI, SAT };

static const struct {
	const char	*text, *wrong;		/* NULL: it is good */
} texts[] = {
	{ "07:00-20:00", NULL },
	{ "Mon-Fri 07:00-20:00", NULL },
	{ "mon,WED,Fri-Sun 07:00-20:00", NULL },
	{ "Fri 22:00-06:00", NULL },
	{ "Sat 00:00-24:00", NULL },
	{ "Sat 22:00-00:00", NULL },
	{ "", "does not begin" },
	{ "07:00", "no time like" },
	{ "7:00-20:00", "no time like" },
	{ "07:00-20:0", "no time like" },
	{ "07:00-20:00 ", "no time like" },
	{ "07:60-20:00", "no time like" },
	{ "07:00-24:01", "no time like" },
	{ "07:00-25:00", "no time like" },
	{ "+7:00-20:00", "does not begin" },
	{ "Mon", "does not begin" },
	{ "Mon07:00-20:00", "does not begin" },
	{ "Mon- 07:00-20:00", "does not begin" },
	{ "Mon, 07:00-20:00", "does not begin" },
	{ "Monday 07:00-20:00", "does not begin" },
	{ "Mo 07:00-20:00", "does not begin" },
	{ "07:00-07:00", "no time at all" },
	{ "24:00-07:00", "no time at all" },
};

static void
hours_are_read(void **state)
{
	struct hours h;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		why = hours_parse(&h, texts[i].text);
		if ((why == NULL) != (texts[i].wrong == NULL) ||
		    (why != NULL && strstr(why, texts[i].wrong) == NULL))
			fail_msg("%s: %s", texts[i].text, why);
	}
}

static const struct {
	const char	*hours;
	unsigned	 day, hour, minute;
	bool		 open;
} moments[] = {
	{ "Mon-Fri 07:00-20:00", MON, 6, 59, false },
	{ "Mon-Fri 07:00-20:00", MON, 7, 0, true },
	{ "Mon-Fri 07:00-20:00", FRI, 19, 59, true },
	{ "Mon-Fri 07:00-20:00", FRI, 20, 0, false },
	{ "Mon-Fri 07:00-20:00", SAT, 12, 0, false },
	{ "Mon-Fri 07:00-20:00", SUN, 12, 0, false },
	{ "Sat-Mon 07:00-20:00", SUN, 12, 0, true },
	{ "Sat-Mon 07:00-20:00", TUE, 12, 0, false },
	{ "Mon-Mon 07:00-20:00", TUE, 12, 0, false },
	{ "Mon,Wed 07:00-20:00", WED, 12, 0, true },
	{ "Mon,Wed 07:00-20:00", TUE, 12, 0, false },
	{ "07:00-20:00", SUN, 12, 0, true },
	{ "Fri 22:00-06:00", FRI, 21, 59, false },
	{ "Fri 22:00-06:00", FRI, 22, 0, true },
	{ "Fri 22:00-06:00", SAT, 5, 59, true },
	{ "Fri 22:00-06:00", SAT, 6, 0, false },
	{ "Fri 22:00-06:00", FRI, 5, 0, false },
	{ "Sat 22:00-06:00", SUN, 5, 0, true },
	{ "Sun 00:00-24:00", SUN, 0, 0, true },
	{ "Sun 00:00-24:00", SUN, 23, 59, true },
	{ "Sun 00:00-24:00", MON, 0, 0, false },
	{ "Sun 22:00-00:00", SUN, 23, 59, true },
	{ "Sun 22:00-00:00", MON, 0, 0, false },
};

static void
hours_are_of_the_week(void **state)
{
	struct hours h;

	(void)state;
	for (size_t i = 0; i < COUNT(moments); i++) {
		struct hours_moment m = { moments[i].day,
			moments[i].hour * 60 + moments[i].minute };

		assert_null(hours_parse(&h, moments[i].hours));
		if (hours_have(&h, m) != moments[i].open)
			fail_msg("%s: day %u, %u:%u", moments[i].hours,
			    moments[i].day, moments[i].hour,
			    moments[i].minute);
	}
}

/* 2038 and summer are no trouble: 2040-07-01 was a Sunday. */
static void
hours_are_of_the_zone(void **state)
{
	static const struct {
		const char	*zone;
		int64_t		 unix_s;
		unsigned	 day, minute;
	} walls[] = {
		{ "UTC", 0, THU, 0 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 1768478400, THU, 13 * 60 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 1784116800, WED, 14 * 60 },
		{ "UTC", 2224756800, SUN, 12 * 60 },
		{ "XXX+13", 0, WED, 11 * 60 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(walls); i++) {
		struct hours_moment m;

		setenv("TZ", walls[i].zone, 1);
		hours_zone();
		m = hours_local(walls[i].unix_s);
		if (m.day != walls[i].day || m.minute != walls[i].minute)
			fail_msg("%s: day %u, minute %u", walls[i].zone,
			    m.day, m.minute);
	}
}

static void
a_class_has_hours(void **state)
{
	struct file_text f;
	struct classes *cs;
	const struct class *c;

	(void)state;
	setenv("TZ", "UTC", 1);
	cs = load_one(&f, "hours = [ \"Thu 00:00-01:00\", \"Fri "
	    "23:00-01:00\" ];");
	assert_non_null(cs);
	c = classes_by_name(cs, "x");
	assert_true(class_is_open(c, 0));
	assert_false(class_is_open(c, 3600));
	assert_true(class_is_open(c, 2 * 86400));
	classes_free(cs);
	conf_free(f.conf);
}

static bool
work(void *arg)
{
	struct file_text f;
	struct classes *cs = load_one(&f, arg);
	bool ok = cs != NULL;

	classes_free(cs);
	conf_free(f.conf);
	return ok;
}

static void
lack_of_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, (char *)(uintptr_t)
	    "allow = [ \"1\", \"2\" ]; deny = \"12\"; hours = "
	    "\"00:00-01:00\";"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_counts),
		cmocka_unit_test(what_cannot_be_is_told),
		cmocka_unit_test(a_user_without_a_class_is_of_the_default),
		cmocka_unit_test(hours_are_read),
		cmocka_unit_test(hours_are_of_the_week),
		cmocka_unit_test(hours_are_of_the_zone),
		cmocka_unit_test(a_class_has_hours),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
