/* Numbers as whoever dials them may read them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "guard/number.h"

static const struct {
	const char	*called, *want;
	bool		 plain;
} cases[] = {
	{ "+4930123", "+4930123", true },
	{ "+49-(30).123", "+4930123", true },
	{ "110", "110", true },
	{ "*21*5#", "*21*5#", true },
	{ "+", "+", true },
	{ "", "", false },
	{ "-.()", "", false },
	{ ";110", "", false },
	{ "0900;x=y", "0900", true },
	{ "0900;phone-context=+1", "0900", true },
	{ "%30900", "0900", true },
	{ "%2b49", "+49", true },
	{ "%2530900", "0900", true },
	{ "%252530900", "0900", true },
	{ "0%2d900", "0900", true },
	{ "%000900", "0900", false },
	{ " 0900", "0900", false },
	{ "0%20900", "0900", false },
	{ "0%3b900", "0900", false },
	{ "0&900", "0900", false },
	{ "0+900", "0900", false },
	{ "++49", "+49", false },
	{ "0900%", "0900", false },
	{ "0900%4", "09004", false },
	{ "%zz0900", "zz0900", false },
	{ "\xef\xbc\x90""0900", "0900", false },
	{ "0900abc", "0900abc", true },
	{ "Bob", "Bob", true },
	{ "bob.smith_1!", "bob.smith_1!", true },
	{ "bob smith", "bobsmith", false },
	{ "bob+49", "bob+49", true },
	{ "%62ob", "bob", true },
	{ "_0900", "0900", false },
};

static void
compare(const struct number *n, const char *what, const char *want)
{
	if (n->len != strlen(want) || memcmp(n->text, want, n->len) != 0)
		fail_msg("%s: %.*s", what, (int)n->len, n->text);
}

static void
a_number_is_what_is_dialled(void **state)
{
	struct number n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		number_read(&n, str_of(cases[i].called));
		compare(&n, cases[i].called, cases[i].want);
		if (n.plain != cases[i].plain)
			fail_msg("%s: plain", cases[i].called);
	}
}

static const struct {
	const char	*called, *params;
	const char	*want;
} readings[] = {
	{ "", "", "" },
	{ "900", "", "900" },
	{ "900", "x=y", "900" },
	{ "900", "phone-context=example.com", "900" },
	{ "900", "phone-context=", "900" },
	{ "900", "phone-context", "900" },
	{ "900", "xphone-context=+49", "900" },
	{ "900", "phone-context=+49", "900 +49900" },
	{ "900", ";Phone-Context=+4-9;x=y", "900 +49900" },
	{ "900;phone-context=+49", ";phone-context=+49", "900 +49900" },
	{ "900", "x;phone-context=a.b;y=phone-context=+1", "900" },
	{ "900", "x;phone-context=%2B49", "900 +49900" },
	{ "900", "x;%70hone%2dcontext=+49", "900 +49900" },
	{ "900", "x=y%3bphone-context%3d+49", "900 +49900" },
	{ "900", "x=y%253bphone-context=+49", "900 +49900" },
	{ "900", "phone-context=a.b;phone-context=+49", "" },
	{ "900", "phone-context=+1;PHONE-context=+49", "" },
	{ "+4930", ";npdi;rn=+49900", "+4930 +49900" },
	{ "+4930", "RN=90-0;rn-context=+49", "+4930 900 +49900" },
	{ "30", "phone-context=+49;rn=900;rn-context=+1",
	    "30 +4930 900 +1900" },
	{ "30", "rn=", "30" },
	{ "30", "rn=1;rn=+2", "" },
	{ "30", "rn=1;rn-context=+4;rn-context=+2", "" },
	/* digits of other widths and scripts, which some dial */
	{ "\xef\xbc\x90""900", "", "900 0900" },
	{ "%EF%BC%90%25EF%BC%99""00", "", "00 0900" },
	{ "\xef\xbc\x8b""1900", "", "1900 +1900" },
	{ "\xd9\xa0\xdb\xb9""00", "", "00 0900" },
	{ "\xe0\xa5\xa6""900", "", "900 0900" },
	{ "\xe0\xa5\xa5""900", "", "900" },
	{ "\xe0\xa5""900", "", "900" },
	{ "\xef\xbc", "", "" },
	{ "\xf0\x9d\x9f\x8e""900", "", "900 0900" },
	{ "\xf0\x9d\x9f\xbf""00", "", "00 900" },
	{ "\xf0\x9d\x9f\x8d""900", "", "900" },
	{ "\xf5\x9d\x9f\x8e""900", "", "900" },
	{ "\xf0\x9d\x9f", "", "" },
	/* names, of letters alone */
	{ "j\xc3\xb6rg", "", "jrg" },
	{ "\xe5\xb1\xb1\xe7\x94\xb0", "", "" },
	{ "\xd0\xb0\xd0\xbd\xd0\xbd\xd0\xb0", "", "" },
	{ "\xf0\x9f\x98\x80", "", "" },
	{ "900", "phone-context=\xef\xbc\x8b""1", "900 900 +1900" },
	{ "30", "rn=%d9%a9""00;rn-context=+1", "30 00 +100 30 900 +1900" },
};

static void
parameters_may_be_another_number(void **state)
{
	struct number n[NUMBER_READINGS];
	char got[NUMBER_READINGS * (NUMBER_READ_MAX + 1)];

	(void)state;
	for (size_t i = 0; i < COUNT(readings); i++) {
		size_t count = number_readings(n, str_of(readings[i].called),
		    str_of(readings[i].params)), len = 0;

		got[0] = '\0';
		for (size_t k = 0; k < count; k++)
			len += (size_t)snprintf(got + len, sizeof got - len,
			    "%s%.*s", k == 0 ? "" : " ", (int)n[k].len,
			    n[k].text);
		if (strcmp(got, readings[i].want) != 0)
			fail_msg("%s;%s: %s", readings[i].called,
			    readings[i].params, got);
	}
}

static void
digits_are_no_letters(void **state)
{
	static const struct { const char *called; bool digits; } all[] = {
		{ "110", true }, { "+49", true }, { "0(9)0", true },
		{ "49bob", false }, { "bob", false }, { "*21", false },
		{ "0&9", false }, { "", false },
	};
	struct number n;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		number_read(&n, str_of(all[i].called));
		if (number_is_digits(&n) != all[i].digits)
			fail_msg("%s", all[i].called);
	}
}

static void
who_has_too_many_parameters_has_no_number(void **state)
{
	struct number n[NUMBER_READINGS];
	char params[2000];

	(void)state;
	memset(params, 'x', sizeof params);
	assert_int_equal(number_readings(n, str_of("30"),
	    (struct str){ params, 1024 }), 1);
	assert_int_equal(number_readings(n, str_of("30"),
	    (struct str){ params, 1025 }), 0);
}

static void
it_is_itself_behind_a_country_code(void **state)
{
	static const struct { const char *number; bool local; } all[] = {
		{ "112", true }, { "1-1-2", true }, { "+49112", true },
		{ "+1112", true }, { "+358112", true }, { "+112", true },
		{ "+4990112", false }, { "0112", false }, { "49112", false },
		{ "+49113", false }, { "12", false }, { "1120", false },
		{ "+49&112", false }, { "", false },
	};
	struct number n, emergency;

	(void)state;
	number_read(&emergency, str_of("112"));
	for (size_t i = 0; i < COUNT(all); i++) {
		number_read(&n, str_of(all[i].number));
		if (number_is_local(&n, &emergency) != all[i].local)
			fail_msg("%s", all[i].number);
	}
}

/* No more than fits is kept, and the front of it is right. */
static void
what_is_too_long_is_cut_off(void **state)
{
	char text[1000], *exact;
	struct number n;

	(void)state;
	memset(text, '7', sizeof text);
	text[0] = '0';
	number_read(&n, (struct str){ text, sizeof text });
	assert_int_equal(n.len, NUMBER_READ_MAX);
	assert_true(n.plain);
	assert_true(number_begins(&n, str_of("0777")));
	assert_false(number_begins(&n, (struct str){ text, 65 }));
	/* not a byte is read behind the end */
	exact = malloc(2);
	assert_non_null(exact);
	memcpy(exact, "%3", 2);
	number_read(&n, (struct str){ exact, 2 });
	assert_int_equal(n.len, 1);
	free(exact);
}

static void
prefixes_are_case_blind(void **state)
{
	struct number n;

	(void)state;
	number_read(&n, str_of("SOS1"));
	assert_true(number_begins(&n, str_of("sos")));
	assert_true(number_begins(&n, str_of("")));
	assert_false(number_begins(&n, str_of("sos12")));
	assert_false(number_begins(&n, str_of("x")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_what_is_dialled),
		cmocka_unit_test(parameters_may_be_another_number),
		cmocka_unit_test(digits_are_no_letters),
		cmocka_unit_test(who_has_too_many_parameters_has_no_number),
		cmocka_unit_test(it_is_itself_behind_a_country_code),
		cmocka_unit_test(what_is_too_long_is_cut_off),
		cmocka_unit_test(prefixes_are_case_blind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
