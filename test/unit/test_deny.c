/* Addresses that get silence. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "file_text.h"
#include "guard/deny.h"

struct file {
	struct conf_list	deny;
};

static const struct conf_opt file_opts[] = {
	{ "deny", CONF_T_LIST, offsetof(struct file, deny), .min = 1 },
	CONF_END
};

static struct deny *
load(struct file_text *f, const char *text)
{
	struct file file;

	if (file_text_open(f, text, file_opts, &file) != 0)
		return NULL;
	return deny_new(f->conf, &file.deny);
}

static bool
has(const struct deny *d, const char *ip)
{
	struct addr a;

	assert_true(addr_parse_host(&a, str_of(ip)));
	a.port = 5060;
	return deny_has(d, &a);
}

static const struct {
	const char	*nets;
	struct { const char *ip; bool want; } ask[8];
} cases[] = {
	{ "", { { "127.0.0.1", false }, { "::1", false } } },
	{ "\"192.0.2.7\"", { { "192.0.2.7", true }, { "192.0.2.6", false },
	    { "192.0.2.8", false }, { "::192.0.2.7", false },
	    { "[::ffff:192.0.2.7]", true } } },
	/* Inside one another, in any order, and twice. */
	{ "\"10.1.2.0/24\", \"10.0.0.0/8\", \"10.1.0.0/16\", \"10.0.0.0/8\", "
	    "\"12.0.0.0/30\"",
	    { { "10.0.0.0", true }, { "10.255.255.255", true },
	    { "10.1.2.3", true }, { "9.255.255.255", false },
	    { "11.0.0.0", false }, { "12.0.0.3", true },
	    { "12.0.0.4", false } } },
	{ "\"0.0.0.0/0\"", { { "255.255.255.255", true }, { "0.0.0.0", true },
	    { "::1", false } } },
	{ "\"::/0\"", { { "::", true }, { "2001:db8::1", true },
	    { "192.0.2.7", false } } },
	{ "\"2001:db8::/33\", \"2001:db8:8000::/33\", \"::1\"",
	    { { "2001:db8:7fff:ffff::1", true }, { "2001:db8:8000::", true },
	    { "2001:db9::", false }, { "2001:db7:ffff::", false },
	    { "::1", true }, { "::2", false } } },
};

static void
what_lies_in_a_network_is_denied(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file_text f;
		struct deny *d;
		char text[256];

		snprintf(text, sizeof text, "deny = [ %s ];", cases[i].nets);
		d = load(&f, text);
		assert_non_null(d);
		for (size_t k = 0; k < COUNT(cases[i].ask) &&
		    cases[i].ask[k].ip != NULL; k++)
			if (has(d, cases[i].ask[k].ip) !=
			    cases[i].ask[k].want)
				fail_msg("%s: %s", text, cases[i].ask[k].ip);
		deny_free(d);
		conf_free(f.conf);
	}
	deny_free(NULL);
}

/* Against each network asked by itself. */
static void
a_long_list_answers_as_its_networks_do(void **state)
{
	enum { NETS = 300, ASKS = 3000 };
	struct net net[NETS];
	struct file_text f;
	static char text[NETS * 32 + 32];
	size_t n = (size_t)sprintf(text, "deny = [ ");
	uint32_t seed = 1;
	unsigned denied = 0;
	struct deny *d;

	(void)state;
	for (size_t i = 0; i < NETS; i++) {
		unsigned bits = 8 + (seed = seed * 1103515245 + 12345) % 17;
		uint32_t ip = (seed = seed * 1103515245 + 12345) & 0x0fffffff;
		char one[32];

		ip &= ~(uint32_t)0 << (32 - bits);
		sprintf(one, "%u.%u.%u.%u/%u", ip >> 24, ip >> 16 & 255,
		    ip >> 8 & 255, ip & 255, bits);
		assert_true(net_parse(&net[i], str_of(one)));
		n += (size_t)sprintf(text + n, "%s\"%s\"", i > 0 ? ", " : "",
		    one);
	}
	strcpy(text + n, " ];");
	d = load(&f, text);
	assert_non_null(d);
	for (size_t i = 0; i < ASKS; i++) {
		uint32_t ip = (seed = seed * 1103515245 + 12345) & 0x1fffffff;
		char one[32];
		struct addr a;
		bool want = false;

		sprintf(one, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
		    ip >> 8 & 255, ip & 255);
		assert_true(addr_parse_host(&a, str_of(one)));
		for (size_t k = 0; k < NETS; k++)
			want = want || net_has(&net[k], &a);
		denied += want;
		if (deny_has(d, &a) != want)
			fail_msg("%s", one);
	}
	assert_in_range(denied, 1, ASKS - 1);
	deny_free(d);
	conf_free(f.conf);
}

static void
what_is_no_network_is_refused(void **state)
{
	struct file_text f;

	(void)state;
	assert_null(load(&f, "deny = [ \"10.0.0.0/8\",\n\"10.0.0.1/8\",\n"
	    "\"example.com\" ];"));
	assert_string_equal(f.said,
	    "test:2: deny: \"10.0.0.1/8\" is not an address, and not a "
	    "network without host bits\n"
	    "test:3: deny: \"example.com\" is not an address, and not a "
	    "network without host bits\n");
	conf_free(f.conf);
}

static bool
work(void *arg)
{
	struct file_text f;
	struct deny *d = load(&f, arg);
	bool ok = d != NULL;

	deny_free(d);
	conf_free(f.conf);
	return ok;
}

static void
lack_of_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, (char *)(uintptr_t)
	    "deny = [ \"10.0.0.0/8\", \"::1\" ];"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_in_a_network_is_denied),
		cmocka_unit_test(a_long_list_answers_as_its_networks_do),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
