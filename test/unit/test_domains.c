/* The hosts that we are responsible for. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "route/domains.h"

static void
a_host_is_known_in_every_spelling(void **state)
{
	static const char *const given[] = {
		"Example.COM.", "192.0.2.7", "[2001:DB8::1]", "2001:db8::2"
	};
	static const struct { const char *host; bool want; } cases[] = {
		{ "example.com", true }, { "EXAMPLE.com", true },
		{ "example.com.", true }, { "example.com..", false },
		{ "sip.example.com", false }, { "example.co", false },
		{ "xample.com", false }, { "", false }, { ".", false },
		{ "192.0.2.7", true }, { "192.0.2.70", false },
		{ "[::ffff:192.0.2.7]", true }, { "192.0.2.07", false },
		{ "[2001:db8::1]", true }, { "2001:db8::1", true },
		{ "[2001:0db8:0:0:0:0:0:1]", true },
		{ "[2001:db8::2]", true }, { "[2001:db8::3]", false },
		{ "pbx.local", false },
	};
	struct conf_list list = { .n = COUNT(given), .v = given };
	struct domains *d = domains_new(&list, "pbx.local");

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < COUNT(cases); i++)
		if (domains_has(d, str_of(cases[i].host)) != cases[i].want)
			fail_msg("%s", cases[i].host);
	assert_true(domains_has(d, (struct str){ "example.community", 11 }));
	domains_free(d);
}

static void
the_realm_stands_in_where_none_is_given(void **state)
{
	struct conf_list none = { 0 };
	struct domains *d = domains_new(&none, "Example.com");
	const char *const *list;
	size_t n;

	(void)state;
	assert_non_null(d);
	assert_int_equal(domains_add(d, "EXAMPLE.com."), 0);
	assert_int_equal(domains_add(d, "2001:DB8::7"), 0);
	assert_int_equal(domains_add(d, "[2001:db8:0::7]"), 0);
	assert_int_equal(domains_add(d, "Sip.Example.com."), 0);
	list = domains_list(d, &n);
	assert_int_equal(n, 3);
	assert_string_equal(list[0], "example.com");
	assert_string_equal(list[1], "[2001:db8::7]");
	assert_string_equal(list[2], "sip.example.com");
	domains_free(d);
	domains_free(NULL);
}

static bool
build(void *arg)
{
	struct conf_list none = { 0 };
	struct domains *d = domains_new(&none, "a.example");
	bool ok = d != NULL && domains_add(d, "b.example") == 0 &&
	    domains_has(d, str_of("b.example"));

	(void)arg;
	domains_free(d);
	return ok;
}

static void
lack_of_memory_is_said(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(build, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_known_in_every_spelling),
		cmocka_unit_test(the_realm_stands_in_where_none_is_given),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
