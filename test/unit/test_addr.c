/*
 * test_addr.c -- addresses and networks.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/count.h"

static const struct {
	const char	*text, *shown;	/* shown NULL: refused */
	bool		 v4, any, loopback;
} hosts[] = {
	{ "1.2.3.4", "1.2.3.4", true, false, false },
	{ "0.0.0.0", "0.0.0.0", true, true, false },
	{ "127.9.9.9", "127.9.9.9", true, false, true },
	{ "::", "[::]", false, true, false },
	{ "[::]", "[::]", false, true, false },
	{ "::1", "[::1]", false, false, true },
	{ "[2001:DB8::1]", "[2001:db8::1]", false, false, false },
	{ "::ffff:1.2.3.4", "1.2.3.4", true, false, false },
	{ "", NULL, false, false, false },
	{ "[]", NULL, false, false, false },
	{ "[1.2.3.4]", NULL, false, false, false },
	{ "[::1", NULL, false, false, false },
	{ "::1]", NULL, false, false, false },
	{ "1.2.3", NULL, false, false, false },
	{ "1.2.3.256", NULL, false, false, false },
	{ "01.2.3.4", NULL, false, false, false },
	{ "1.2.3.4:5060", NULL, false, false, false },
	{ " 1.2.3.4", NULL, false, false, false },
	{ "fe80::1%eth0", NULL, false, false, false },
	{ "example.com", NULL, false, false, false },
	{ "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
	    NULL, false, false, false },
};

static void
hosts_are_numbers(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		bool ok = addr_parse_host(&a, str_of(hosts[i].text));

		assert_int_equal(ok, hosts[i].shown != NULL);
		if (!ok)
			continue;
		assert_int_equal(a.port, 0);
		assert_string_equal(addr_host_text(&a, text), hosts[i].shown);
		assert_int_equal(addr_is_v4(&a), hosts[i].v4);
		assert_int_equal(addr_is_any(&a), hosts[i].any);
		assert_int_equal(addr_is_loopback(&a), hosts[i].loopback);
	}
	assert_false(addr_parse_host(&a, (struct str){ "1.2.3.4\0x", 9 }));
}

static void
ports_are_shown(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	(void)state;
	assert_true(addr_parse_host(&a, str_of("1.2.3.4")));
	assert_string_equal(addr_text(&a, text), "1.2.3.4");
	a.port = 65535;
	assert_string_equal(addr_text(&a, text), "1.2.3.4:65535");
	assert_true(addr_parse_host(&a, str_of(
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
	a.port = 5060;
	assert_string_equal(addr_text(&a, text),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:5060");
}

static void
sockaddrs_go_both_ways(void **state)
{
	static const char *const text[] = { "192.0.2.1", "2001:db8::1" };
	static const int family[] = { AF_INET, AF_INET6 };
	struct sockaddr_storage ss;
	struct addr a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(text); i++) {
		assert_true(addr_parse_host(&a, str_of(text[i])));
		a.port = 5060;
		assert_int_equal(addr_to_sockaddr(&a, &ss), i == 0 ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		assert_int_equal(ss.ss_family, family[i]);
		assert_true(addr_from_sockaddr(&b, (struct sockaddr *)&ss));
		assert_true(addr_same(&a, &b));
		b.port++;
		assert_true(addr_same_ip(&a, &b));
		assert_false(addr_same(&a, &b));
	}
	ss.ss_family = AF_UNIX;
	assert_false(addr_from_sockaddr(&a, (struct sockaddr *)&ss));
}

static const struct {
	const char	*net;
	bool		 ok;
	const char	*in, *out;
} nets[] = {
	{ "10.0.0.0/8", true, "10.255.255.255", "11.0.0.0" },
	{ "10.0.0.0/8", true, "10.0.0.0", "9.255.255.255" },
	{ "192.0.2.128/25", true, "192.0.2.200", "192.0.2.127" },
	{ "192.0.2.7", true, "192.0.2.7", "192.0.2.6" },
	{ "192.0.2.6/31", true, "192.0.2.7", "192.0.2.8" },
	{ "0.0.0.0/0", true, "8.8.8.8", "2001:db8::1" },
	{ "2001:db8::/32", true, "2001:db8:ffff::1", "2001:db9::1" },
	{ "2001:db8::/33", true, "2001:db8:7fff::1", "2001:db8:8000::1" },
	{ "[2001:db8::1]", true, "2001:db8::1", "2001:db8::2" },
	{ "::/0", true, "2001:db8::1", "8.8.8.8" },
	{ "::1", true, "::1", "127.0.0.1" },
	{ "10.0.0.1/8", false, NULL, NULL },	/* host bits */
	{ "2001:db8::1/64", false, NULL, NULL },
	{ "10.0.0.0/33", false, NULL, NULL },
	{ "2001:db8::/129", false, NULL, NULL },
	{ "10.0.0.0/", false, NULL, NULL },
	{ "10.0.0.0/+8", false, NULL, NULL },
	{ "10.0.0.0/8/8", false, NULL, NULL },
	{ "/8", false, NULL, NULL },
	{ "", false, NULL, NULL },
	{ "10/8", false, NULL, NULL },
	{ "localhost", false, NULL, NULL },
};

static void
nets_hold_addresses(void **state)
{
	struct net n;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(nets); i++) {
		assert_int_equal(net_parse(&n, str_of(nets[i].net)),
		    nets[i].ok);
		if (!nets[i].ok)
			continue;
		assert_true(addr_parse_host(&a, str_of(nets[i].in)));
		assert_true(net_has(&n, &a));
		assert_true(addr_parse_host(&a, str_of(nets[i].out)));
		assert_false(net_has(&n, &a));
	}
	assert_false(net_parse(&n, str_of(NULL)));
}

static const struct {
	const char	*net;
	bool		 all;
} everybody[] = {
	{ "0.0.0.0/0", true }, { "::/0", true },
	{ "0.0.0.0/1", false }, { "128.0.0.0/1", false },
	{ "::/1", false }, { "2001:db8::/96", false },
	{ "0.0.0.0", false }, { "::", false },
};

static void
nets_meet(void **state)
{
	static const struct { const char *a, *b; bool meet; } net[] = {
		{ "10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "11.0.0.0/8", false },
		{ "10.0.0.0/9", "10.128.0.0/9", false },
		{ "0.0.0.0/0", "192.0.2.7", true },
		{ "0.0.0.0/0", "2001:db8::/64", false },
		{ "::/0", "192.0.2.7", false },
		{ "2001:db8::7", "2001:db8::/64", true },
		{ "2001:db8:0:1::7", "2001:db8::/64", false },
		{ "2001:db8::/32", "2001:db8:5::/64", true }
	};
	struct net a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(net); i++) {
		assert_true(net_parse(&a, str_of(net[i].a)));
		assert_true(net_parse(&b, str_of(net[i].b)));
		assert_int_equal(net_meets(&a, &b), net[i].meet);
		assert_int_equal(net_meets(&b, &a), net[i].meet);
	}
}

static void
everybody_is_a_whole_family(void **state)
{
	struct net n;

	(void)state;
	for (size_t i = 0; i < COUNT(everybody); i++) {
		assert_true(net_parse(&n, str_of(everybody[i].net)));
		assert_int_equal(net_is_everybody(&n), everybody[i].all);
	}
}

static void
private_nets_have_their_edges(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "10.0.0.0", "9.255.255.255" },
		{ "10.255.255.255", "11.0.0.0" },
		{ "172.16.0.0", "172.15.255.255" },
		{ "172.31.255.255", "172.32.0.0" },
		{ "192.168.0.0", "192.167.255.255" },
		{ "192.168.255.255", "192.169.0.0" },
		{ "100.64.0.0", "100.63.255.255" },
		{ "100.127.255.255", "100.128.0.0" },
		{ "fc00::1", "fbff::1" }, { "fdff::1", "fe00::1" },
		{ "fec0::1", "febf::1" }, { "64:ff9b:1::", "64:ff9b:2::" },
		{ "::ffff:10.1.2.3", "127.0.0.1" }, { "feff::", "::1" },
	};
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(addr_parse_host(&a, str_of(cases[i].in)));
		if (!addr_is_private(&a))
			fail_msg("%s is private", cases[i].in);
		assert_true(addr_parse_host(&a, str_of(cases[i].out)));
		if (addr_is_private(&a))
			fail_msg("%s is not private", cases[i].out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_numbers),
		cmocka_unit_test(ports_are_shown),
		cmocka_unit_test(sockaddrs_go_both_ways),
		cmocka_unit_test(nets_hold_addresses),
		cmocka_unit_test(nets_meet),
		cmocka_unit_test(everybody_is_a_whole_family),
		cmocka_unit_test(private_nets_have_their_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
