/* Regular expressions over hostile text: whole, bounded, escaped. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "route/pattern.h"

static struct pattern *
make(const char *text)
{
	char why[PATTERN_WHY_MAX];
	size_t at;
	struct pattern *p = pattern_new(text, why, &at);

	if (p == NULL)
		fail_msg("%s: %s", text, why);
	return p;
}

static void
what_matches(void **state)
{
	static const struct {
		const char		*pattern, *text;
		enum pattern_verdict	 want;
	} cases[] = {
		{ "sip:a@b", "sip:a@b", PATTERN_YES },
		{ "sip:a@b", "xsip:a@b", PATTERN_NO },
		{ "sip:a@b", "sip:a@bx", PATTERN_NO },
		{ "sip:a@b", "sip:a@b\n", PATTERN_NO },
		{ "a|ab", "ab", PATTERN_YES },
		{ "A", "a", PATTERN_NO },
		{ "(?i)A", "a", PATTERN_YES },
		{ ".*", "", PATTERN_YES },
		{ "[^@]*", "\xff\xfe", PATTERN_YES },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pattern *p = make(cases[i].pattern);

		if (pattern_match(p, str_of(cases[i].text)) != cases[i].want)
			fail_msg("%s over %s", cases[i].pattern,
			    cases[i].text);
		pattern_free(p);
	}
}

static void
too_much_is_given_up(void **state)
{
	static const char *const patterns[] = {
		"(a+)+b", "(a|a)*b", "(a|aa)+b", "((a*)*)*b", "(.*)*(.*)*b",
		"(?:a?){64}a{64}b", "(?R)?a*b"
	};
	char text[PATTERN_SUBJECT_MAX + 1];
	struct str s = { text, sizeof text - 1 };
	int64_t start_ms = clock_mono_ms();

	(void)state;
	memset(text, 'a', sizeof text);
	text[sizeof text - 2] = 'c';
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct pattern *p = make(patterns[i]);

		if (pattern_match(p, s) == PATTERN_YES)
			fail_msg("%s matches", patterns[i]);
		pattern_free(p);
	}
	assert_in_range(clock_mono_ms() - start_ms, 0, 1000);
}

static void
too_long_a_text_is_given_up(void **state)
{
	char text[PATTERN_SUBJECT_MAX + 1];
	struct pattern *p = make("a*");

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(pattern_match(p, (struct str){ text,
	    sizeof text - 1 }), PATTERN_YES);
	assert_int_equal(pattern_match(p, (struct str){ text, sizeof text }),
	    PATTERN_GAVE_UP);
	pattern_free(p);
}

static void
what_is_put_in_place(void **state)
{
	static const struct {
		const char *pattern, *text, *template, *want;
	} cases[] = {
		{ "(.*)", "abc", "sip:\\1@x", "sip:abc@x" },
		{ "(.)(.)", "ab", "\\2\\1\\0", "baab" },
		{ "(a)?b", "b", "[\\1]", "[]" },
		{ "(a)|(b)", "a", "[\\2]", "[]" },
		{ "(.*)", "a>b\r\nX: \"<", "\\1", "a%3Eb%0D%0AX:%20%22%3C" },
		{ "(.*)", "\xff", "\\1", "%FF" },
		{ "(.*)", "a", "plain", "plain" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str text = str_of(cases[i].text);
		struct pattern *p;
		char out[64];
		struct writer w = writer_on(out, sizeof out - 1);

		p = make(i == 4 ? "(?s)(.*)" : cases[i].pattern);
		assert_int_equal(pattern_match(p, text), PATTERN_YES);
		pattern_expand(p, text, cases[i].template, &w);
		out[w.len] = '\0';
		assert_string_equal(out, cases[i].want);
		pattern_free(p);
	}
}

static void
templates_are_judged(void **state)
{
	static const struct { const char *text; int want; } cases[] = {
		{ "", 0 }, { "sip:x", 0 }, { "\\1\\3\\2", 3 }, { "\\0", 0 },
		{ "a\\", -1 }, { "\\\\", -1 }, { "\\x", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(pattern_template_groups(cases[i].text),
		    cases[i].want);
}

static void
what_is_no_pattern(void **state)
{
	/* why NULL: the library's words differ from version to version */
	static const struct { const char *text, *why; size_t at; } cases[] = {
		{ "a(b", "missing closing parenthesis", 3 },
		{ "a\\", "\\ at end of pattern", 2 },
		{ "\\C", NULL, 2 },
		{ "(*UTF)a", NULL, 6 },
		{ "()()()()()()()()()()", "more than 9 groups", 0 },
	};
	char why[PATTERN_WHY_MAX];
	size_t at;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		why[0] = '\0';
		assert_null(pattern_new(cases[i].text, why, &at));
		assert_string_not_equal(why, "");
		if (cases[i].why != NULL)
			assert_string_equal(why, cases[i].why);
		if (at != cases[i].at)
			fail_msg("%s: at %zu", cases[i].text, at);
	}
	pattern_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matches),
		cmocka_unit_test(too_much_is_given_up),
		cmocka_unit_test(too_long_a_text_is_given_up),
		cmocka_unit_test(what_is_put_in_place),
		cmocka_unit_test(templates_are_judged),
		cmocka_unit_test(what_is_no_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
