/* Numbers and names as a peer wants them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "file_text.h"
#include "route/rewrite.h"

static void
what_is_a_number(void **state)
{
	static const struct { struct str text; bool want; } cases[] = {
#define T(s) { s, sizeof (s) - 1 }
		{ T("1"), true }, { T("+4930123"), true },
		{ T("030-123.45"), true }, { T("(030)123"), true },
		{ T(""), false }, { T("+"), false }, { T("-.()"), false },
		{ T("4+9"), false }, { T("++49"), false },
		{ T("alice"), false }, { T("12a"), false },
		{ T("*31#"), false }, { T("12 3"), false },
		{ T("1\0002"), false }, { T("%30"), false },
		{ T("12;ext=3"), false },
#undef T
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (rewrite_is_number(cases[i].text) != cases[i].want)
			fail_msg("case %zu", i);
}

static void
users_are_rewritten(void **state)
{
	static const char *const zeros[] = { "00", "0" };
	static const char *const plus[] = { "+49" };
	static const struct rewrite none,
	    strip = { zeros, 2, NULL, NULL, NULL },
	    abroad = { zeros, 1, "+", NULL, NULL },
	    home = { plus, 1, "0", NULL, NULL },
	    front = { NULL, 0, "9", NULL, NULL },
	    fixed = { zeros, 2, "9", "+4930100", NULL };
	static const struct {
		const struct rewrite *r;
		const char	*user, *want;
	} cases[] = {
		{ &none, "0049", "0049" }, { &none, "", "" },
		{ &strip, "0049", "49" }, { &strip, "030", "30" },
		{ &strip, "112", "112" }, { &strip, "+4900", "+4900" },
		/* something is left to call */
		{ &strip, "00", "0" }, { &strip, "0", "0" },
		{ &strip, "00-49", "-49" },
		{ &strip, "00alice", "00alice" },
		{ &abroad, "0049", "+49" }, { &abroad, "112", "+112" },
		{ &abroad, "+49", "+49" },
		{ &home, "+493012", "03012" }, { &home, "+4420", "+4420" },
		{ &front, "112", "9112" }, { &front, "+112", "+112" },
		{ &front, "alice", "alice" }, { &front, "", "" },
		{ &fixed, "0049", "+4930100" }, { &fixed, "alice",
		    "+4930100" }, { &fixed, "", "+4930100" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64];
		struct writer w = writer_on(text, sizeof text);

		rewrite_put_user(cases[i].r, str_of(cases[i].user), &w);
		if (!str_is((struct str){ w.p, w.len }, cases[i].want))
			fail_msg("case %zu: %.*s", i, (int)w.len, w.p);
	}
}

/* What is too long is not written over the end. */
static void
a_full_buffer_is_said(void **state)
{
	static const struct rewrite front = { NULL, 0, "99", NULL, NULL };
	char text[4] = "xxx";
	struct writer w = writer_on(text, 3);

	(void)state;
	rewrite_put_user(&front, str_of("12"), &w);
	assert_true(w.full);
	assert_int_equal(text[3], '\0');
}

static void
nothing_and_something(void **state)
{
	static const char *const one[] = { "0" };

	(void)state;
	assert_false(rewrite_is_any(&(struct rewrite){ .nstrip = 0 }));
	assert_true(rewrite_is_any(&(struct rewrite){ one, 1, NULL, NULL,
	    NULL }));
	assert_true(rewrite_is_any(&(struct rewrite){ .prefix = "1" }));
	assert_true(rewrite_is_any(&(struct rewrite){ .user = "1" }));
	assert_true(rewrite_is_any(&(struct rewrite){ .domain = "a" }));
}

static void
what_stands_in_no_uri_is_refused(void **state)
{
	static const char *const bad[] = { "0", ";" };
	static const struct {
		struct rewrite	 r;
		const char	*said;	/* NULL: it is good */
	} cases[] = {
		{ { bad, 1, "+49", "a.b-c", "x.example" }, NULL },
		{ { .domain = "192.0.2.1" }, NULL },
		{ { .domain = "[2001:db8::1]" }, NULL },
		{ { .domain = "2001:db8::1" }, "is not a host" },
		{ { .domain = "a:5060" }, "is not a host" },
		{ { .domain = "a;lr" }, "is not a host" },
		{ { .domain = "a>" }, "is not a host" },
		{ { bad, 2, NULL, NULL, NULL }, "\";\" holds what" },
		{ { .user = "a@b" }, "\"a@b\" holds what" },
		{ { .user = "a%62" }, "\"a%62\" holds what" },
		{ { .prefix = "\"" }, "holds what" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static const struct conf_opt none[] = { CONF_END };
		struct file_text f;
		int nothing;

		assert_int_equal(file_text_open(&f, "", none, &nothing), 0);
		rewrite_check(f.conf, 0, "x", &cases[i].r);
		if (cases[i].said == NULL ? f.said[0] != '\0' :
		    strstr(f.said, cases[i].said) == NULL)
			fail_msg("case %zu: %s", i, f.said);
		conf_free(f.conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_number),
		cmocka_unit_test(users_are_rewritten),
		cmocka_unit_test(a_full_buffer_is_said),
		cmocka_unit_test(nothing_and_something),
		cmocka_unit_test(what_stands_in_no_uri_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
