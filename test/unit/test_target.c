/* SIP URIs taken apart as far as reaching them needs. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "io/target.h"

#define LABEL63 "a23456789012345678901234567890"		       \
	"123456789012345678901234567890123"

static void
right_uris(void **state)
{
	static const struct {
		const char	*uri, *host;
		bool		 numeric, sips;
		uint16_t	 port;
		int		 transport;
	} cases[] = {
		{ "sip:example.com", "example.com", false, false, 0,
		    TARGET_OPEN },
		{ "SIP:Bob:pw@Example.com.:5062;transport=TCP;lr?Subject=x",
		    "Example.com", false, false, 5062, TRANSPORT_TCP },
		{ "sip:bob;day=1@example.com;user=phone", "example.com",
		    false, false, 0, TARGET_OPEN },
		{ "sips:example.com", "example.com", false, true, 0,
		    TRANSPORT_TLS },
		{ "sips:example.com;transport=tcp", "example.com", false,
		    true, 0, TRANSPORT_TLS },
		{ "sip:example.com;transport=tls", "example.com", false,
		    false, 0, TRANSPORT_TLS },
		{ "sip:_sip.x-y.example", "_sip.x-y.example", false, false,
		    0, TARGET_OPEN },
		{ "sip:192.0.2.1:65535;transport=udp", "192.0.2.1", true,
		    false, 65535, TRANSPORT_UDP },
		{ "sip:a@[2001:db8::1]:5070", "[2001:db8::1]", true, false,
		    5070, TARGET_OPEN },
		{ "sip:example.com;maddr=192.0.2.9", "192.0.2.9", true,
		    false, 0, TARGET_OPEN },
		{ "sip:192.0.2.9;maddr=example.com", "example.com", false,
		    false, 0, TARGET_OPEN },
		{ "sip:" LABEL63 ".example", LABEL63 ".example", false,
		    false, 0, TARGET_OPEN },
		{ "sip:example.com?a=b;transport=sctp", "example.com", false,
		    false, 0, TARGET_OPEN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target_uri t;
		char text[ADDR_TEXT_MAX];

		if (!target_parse(&t, str_of(cases[i].uri)))
			fail_msg("refused: %s", cases[i].uri);
		if (t.numeric != cases[i].numeric ||
		    t.sips != cases[i].sips || t.port != cases[i].port ||
		    t.transport != cases[i].transport ||
		    strcmp(t.numeric ? addr_host_text(&t.addr, text) :
		    t.host, cases[i].host) != 0)
			fail_msg("%s", cases[i].uri);
	}
}

static void
wrong_uris(void **state)
{
	static const char *const uri[] = {
		"", "sip", "sip:", ":", "http://example.com", "tel:+49",
		"sip:@", "sip:bob@", "sip:a@b@example.com", "sip:[::1",
		"sip:[::1]x", "sip:::1", "sip:[]", "sip:[192.0.2.1]",
		"sip:example.com:", "sip:example.com:0",
		"sip:example.com:65536", "sip:example.com:5060x",
		"sip:example.com:-1", "sip:a..b", "sip:.a", "sip:.",
		"sip:exa mple.com", "sip:example.com\r\n", "sip:exa\x01mple",
		"sip:m\xc3\xbcnchen.example", "sip:192.0.2.256", "sip:1.2.3",
		"sip:12345", "sip:example.com;transport=sctp",
		"sip:example.com;transport", "sip:example.com;transport=",
		"sip:example.com;transport=udp;transport=tcp",
		"sips:example.com;transport=udp", "sip:example.com;maddr=",
		"sip:example.com;maddr=a/b", "sip:a/b", "sip:a%62",
		"sip:" LABEL63 "4.example",
		"sip:" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63,
	};
	static const char with_nul[] = "sip:example.com\0.evil";

	(void)state;
	for (size_t i = 0; i < COUNT(uri); i++) {
		struct target_uri t;

		if (target_parse(&t, str_of(uri[i])))
			fail_msg("taken: %s", uri[i]);
	}
	assert_false(target_parse(&(struct target_uri){ 0 },
	    (struct str){ with_nul, sizeof with_nul - 1 }));
}

static void
whether_a_transport_was_said(void **state)
{
	static const struct {
		const char	*uri;
		bool		 given;
	} cases[] = {
		{ "sip:example.com", false },
		{ "sips:example.com", false },
		{ "sip:example.com;transport=udp", true },
		{ "sips:example.com;transport=tcp", true },
		{ "sip:example.com;lr", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target_uri t;

		assert_true(target_parse(&t, str_of(cases[i].uri)));
		assert_int_equal(t.transport_given, cases[i].given);
	}
}

static void
default_transports(void **state)
{
	enum {
		UDP = TRANSPORT_BIT(TRANSPORT_UDP),
		TCP = TRANSPORT_BIT(TRANSPORT_TCP),
		TLS = TRANSPORT_BIT(TRANSPORT_TLS)
	};
	static const struct {
		int		said;
		unsigned	spoken;
		enum transport	want;
	} cases[] = {
		{ TARGET_OPEN, UDP | TCP | TLS, TRANSPORT_UDP },
		{ TARGET_OPEN, UDP, TRANSPORT_UDP },
		{ TARGET_OPEN, TCP, TRANSPORT_TCP },
		{ TARGET_OPEN, TCP | TLS, TRANSPORT_TCP },
		/* Nobody asked for TLS: it is not taken for want of others. */
		{ TARGET_OPEN, TLS, TRANSPORT_UDP },
		{ TARGET_OPEN, 0, TRANSPORT_UDP },
		{ TRANSPORT_TLS, UDP, TRANSPORT_TLS },
		{ TRANSPORT_UDP, TCP, TRANSPORT_UDP },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct target_uri t = { .transport = cases[i].said };

		assert_int_equal(target_default_transport(&t,
		    cases[i].spoken), cases[i].want);
	}
}

static void
default_ports(void **state)
{
	(void)state;
	assert_int_equal(target_default_port(TRANSPORT_UDP), 5060);
	assert_int_equal(target_default_port(TRANSPORT_TCP), 5060);
	assert_int_equal(target_default_port(TRANSPORT_TLS), 5061);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_uris),
		cmocka_unit_test(wrong_uris),
		cmocka_unit_test(whether_a_transport_was_said),
		cmocka_unit_test(default_transports),
		cmocka_unit_test(default_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
