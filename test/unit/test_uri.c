/*
 * test_uri.c -- which URIs everybody reads in the same way.
 */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "guard/uri.h"

/* Without a NUL behind it, so that a sanitizer sees who reads on. */
static enum uri_verdict
judge(const char *text, enum uri_place place)
{
	size_t len = strlen(text);
	char *copy = malloc(len == 0 ? 1 : len);
	enum uri_verdict v;

	assert_non_null(copy);
	memcpy(copy, text, len);
	v = uri_judge((struct str){ copy, len }, place);
	free(copy);
	return v;
}

struct row {
	const char	*uri;
	enum uri_verdict want;
};

static void
check_rows(const struct row *row, size_t n, enum uri_place place)
{
	for (size_t i = 0; i < n; i++)
		if (judge(row[i].uri, place) != row[i].want)
			fail_msg("%s: %d", row[i].uri,
			    judge(row[i].uri, place));
}

static void
sip_in_a_start_line(void **state)
{
	static const struct row rows[] = {
		{ "sip:example.com", URI_GOOD },
		{ "SIPS:bob@example.com:5061", URI_GOOD },
		{ "sip:bob:secret@example.com", URI_GOOD },
		{ "sip:bob:@example.com", URI_GOOD },
		{ "sip:b_b@a_host.example.com.", URI_GOOD },
		{ "sip:*21#@example.com", URI_GOOD },
		{ "sip:user;par=u%40example.net@example.com", URI_GOOD },
		{ "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+"
		    "has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
		    URI_GOOD },
		{ "sip:null-%00-null@example.com", URI_GOOD },
		{ "sip:bob@example.com;lr;%6Cr;x=[y]:z%25", URI_GOOD },
		{ "sip:bob@192.0.2.1;transport=udp;maddr=192.0.2.2",
		    URI_GOOD },
		{ "sip:192.0.2.1;thinfo=VG8+PoIU/D==;lr", URI_GOOD },
		{ "sip:bob@192.0.2.1;x-tiu=\"VGhkc3dh==\"", URI_GOOD },
		{ "sip:h;x=a=b", URI_BAD }, { "sip:h;x==", URI_BAD },
		{ "sip:h;x=\"", URI_BAD }, { "sip:h;x=\"\"", URI_BAD },
		{ "sip:h;x=\"a", URI_BAD }, { "sip:h;x=a\"", URI_BAD },
		{ "sip:h;x=\"a\"\"b\"", URI_BAD },
		{ "sip:h;x=\"a b\"", URI_BAD },
		{ "sip:h;transport=udp=", URI_BAD },
		{ "sip:h;transport=\"udp\"", URI_BAD },
		{ "", URI_BAD }, { "sip", URI_BAD }, { "sip:", URI_BAD },
		{ ":bob", URI_BAD }, { "*", URI_BAD }, { "1:x", URI_BAD },
		{ "sip:@example.com", URI_BAD }, { "sip:bob@", URI_BAD },
		{ "sip:a@b@c", URI_BAD }, { "sip:a:b:c@d", URI_BAD },
		{ "sip:bob@example.com;transport=udp;TRANSPORT=tcp",
		    URI_BAD },
		{ "sip:bob@example.com;lr;lr", URI_BAD },
		{ "sip:bob@example.com;", URI_GOOD },
		{ "sip:bob@example.com;x;", URI_GOOD },
		{ "sip:bob@example.com;;", URI_BAD },
		{ "sip:bob@example.com;;x", URI_BAD },
		{ "sip:bob@example.com;x=;y=1", URI_GOOD },
		{ "sip:bob@example.com;x=", URI_GOOD },
		{ "sip:bob@example.com;transport=", URI_BAD },
		{ "sip:bob@example.com;=x", URI_BAD },
		{ "sip:bob@example.com;x=a@b", URI_BAD },
		{ "sip:bob@example.com?", URI_BAD },
		{ "sip:bob@example.com?Route=%3Csip:x%3E", URI_BAD },
		{ "sip:b b@example.com", URI_BAD },
		{ "sip:b\tb@example.com", URI_BAD },
		{ "sip:bob@exa\x01mple.com", URI_BAD },
		{ "sip:b\xc3\xb6" "b@example.com", URI_GOOD },
		{ "sip:bob@ex\xc3\xa4mple.com", URI_BAD },
		{ "sip:bob@example.com;x=\xc3\xa4", URI_BAD },
		{ "<sip:bob@example.com>", URI_BAD },
		{ "sip:<bob@example.com", URI_BAD },
		{ "sip:bob>@example.com", URI_BAD },
		{ "sip:\"bob\"@example.com", URI_BAD },
		{ "sip:b\\b@example.com", URI_BAD },
		{ "sip:b%zzb@example.com", URI_BAD },
		{ "sip:b%4@example.com", URI_BAD },
		{ "sip:b%@example.com", URI_BAD },
		{ "sip:bob@ex%61mple.com", URI_BAD },
		{ "sip:bob@example.com/x", URI_BAD },
		{ "sip:bob@example.com#x", URI_BAD },
		{ "sip:bob@example.com\\x", URI_BAD },
	};

	(void)state;
	check_rows(rows, COUNT(rows), URI_REQUEST);
}

static void
hosts_and_ports(void **state)
{
	static const struct row rows[] = {
		{ "sip:h", URI_GOOD }, { "sip:h:1", URI_GOOD },
		{ "sip:h:065535", URI_GOOD }, { "sip:127.0.0.1", URI_GOOD },
		{ "sip:3com.example", URI_GOOD }, { "sip:0xyz", URI_GOOD },
		{ "sip:[2001:db8::10]", URI_GOOD },
		{ "sip:[2001:db8::10]:5070", URI_GOOD },
		{ "sip:[2001:db8::10:5070]", URI_GOOD },
		{ "sip:[::ffff:192.0.2.1]:5060;lr", URI_GOOD },
		{ "sip:u@[::1]", URI_GOOD },
		{ "sip:2001:db8::10", URI_BAD },
		{ "sip:[2001:db8:::192.0.2.1]", URI_BAD },
		{ "sip:[2001:db8::10", URI_BAD },
		{ "sip:2001:db8::10]", URI_BAD }, { "sip:[]", URI_BAD },
		{ "sip:[[::1]]", URI_BAD }, { "sip:[fe80::1%25eth0]", URI_BAD },
		{ "sip:[::1]x", URI_BAD }, { "sip:[127.0.0.1]", URI_BAD },
		{ "sip:[::1]:", URI_BAD },
		{ "sip:[00000000000000000000000000000000000000000000000::1]",
		    URI_BAD },
		{ "sip:h:0", URI_BAD }, { "sip:h:65536", URI_BAD },
		{ "sip:h:", URI_BAD }, { "sip:h:x", URI_BAD },
		{ "sip:h:+1", URI_BAD }, { "sip:h:1:2", URI_BAD },
		{ "sip:.h", URI_BAD }, { "sip:h..h", URI_BAD },
		{ "sip:.", URI_BAD }, { "sip:h,i", URI_BAD },
		{ "sip:256.0.0.1", URI_BAD }, { "sip:127.1", URI_BAD },
		{ "sip:2130706433", URI_BAD }, { "sip:0x7f.1", URI_BAD },
		{ "sip:0x7f000001", URI_BAD }, { "sip:h.0x1.", URI_BAD },
	};

	(void)state;
	check_rows(rows, COUNT(rows), URI_REQUEST);
}

static void
tel(void **state)
{
	static const struct row rows[] = {
		{ "tel:+1-201-555-0123", URI_GOOD },
		{ "TEL:+49(30)1.2", URI_GOOD },
		{ "tel:+1;ext=12;isub=a%20b;x=[y]", URI_GOOD },
		{ "tel:7042;phone-context=example.com", URI_GOOD },
		{ "tel:863-1234;Phone-Context=+1-914-555", URI_GOOD },
		{ "tel:*21#;phone-context=+49", URI_GOOD },
		{ "tel:+1;rn=+1-202;npdi;cic=+16789", URI_GOOD },
		{ "tel:+1;rn=2029999;rn-context=+1", URI_GOOD },
		{ "tel:+1;isub=1?;rn=+1900", URI_BAD_TEL },
		{ "tel:2;isub=1#;rn=+1;phone-context=a", URI_BAD_TEL },
		{ "tel:7042", URI_NO_CONTEXT },
		{ "tel:aBc*#", URI_NO_CONTEXT },
		{ "tel:112;x=y", URI_NO_CONTEXT },
		{ "tel:", URI_BAD_TEL }, { "tel:+", URI_BAD_TEL },
		{ "tel:+-", URI_BAD_TEL }, { "tel:-.()", URI_BAD_TEL },
		{ "tel:+4a", URI_BAD_TEL }, { "tel:++4", URI_BAD_TEL },
		{ "tel:4+4", URI_BAD_TEL }, { "tel:%31", URI_BAD_TEL },
		{ "tel:g", URI_BAD_TEL }, { "tel:1 2", URI_BAD_TEL },
		{ "tel:+1@example.com", URI_BAD_TEL },
		{ "tel:+1?x=y", URI_BAD_TEL }, { "tel:+1;", URI_BAD_TEL },
		{ "tel:+1;;x", URI_BAD_TEL }, { "tel:+1;x=", URI_BAD_TEL },
		{ "tel:+1;x.y=1", URI_BAD_TEL },
		{ "tel:+1;x=\"y\"", URI_BAD_TEL },
		{ "tel:7;phone-context=", URI_BAD_TEL },
		{ "tel:7;phone-context", URI_BAD_TEL },
		{ "tel:7;phone-context=a;phone-context=b", URI_BAD_TEL },
		{ "tel:7;phone-context=a..b", URI_BAD_TEL },
		{ "tel:7;phone-context=+x", URI_BAD_TEL },
		{ "tel:+1;ext=", URI_BAD_TEL }, { "tel:+1;ext=x", URI_BAD_TEL },
		{ "tel:+1;ext=1;ext=2", URI_BAD_TEL },
		{ "tel:+1;rn=;npdi", URI_BAD_TEL },
		{ "tel:+1;npdi=yes", URI_GOOD },
		{ "tel:+1;npdi=no", URI_BAD_TEL },
		{ "tel:+1;npdi=", URI_BAD_TEL },
		{ "tel:+1;isub", URI_BAD_TEL }, { "tel:+1;rn=x", URI_BAD_TEL },
	};

	(void)state;
	check_rows(rows, COUNT(rows), URI_REQUEST);
}

static void
other_schemes(void **state)
{
	static const struct row rows[] = {
		{ "soap.beep://192.0.2.103:3002", URI_OTHER },
		{ "a+b-c.d:x", URI_OTHER },
		{ "isbn:2983792873", URI_OTHER },
		{ "mailto:a@b?subject=%20", URI_OTHER },
		{ "http:", URI_BAD }, { "http:a b", URI_BAD },
		{ "http:<x>", URI_BAD }, { "ht tp:x", URI_BAD },
		{ "http://x/%zz", URI_BAD }, { "ht\xc3\xa4tp:x", URI_BAD },
	};

	(void)state;
	check_rows(rows, COUNT(rows), URI_REQUEST);
	check_rows(rows, COUNT(rows), URI_ENCLOSED);
}

static void
services(void **state)
{
	static const struct row rows[] = {
		{ "urn:service:sos", URI_SERVICE },
		{ "URN:Service:sos.ambulance", URI_SERVICE },
		{ "urn:service:a", URI_SERVICE },
		{ "urn:service:a-1.b--c.3", URI_SERVICE },
		{ "urn:service:aaaaaaaaaaaaaaaaaaaaaaaaaaa.b", URI_SERVICE },
		{ "urn:service:aaaaaaaaaaaaaaaaaaaaaaaaaaaa", URI_OTHER },
		{ "urn:service", URI_OTHER }, { "urn:service:", URI_OTHER },
		{ "urn:service:.", URI_OTHER }, { "urn:service:a.", URI_OTHER },
		{ "urn:service:.a", URI_OTHER },
		{ "urn:service:a..b", URI_OTHER },
		{ "urn:service:-a", URI_OTHER }, { "urn:service:a-", URI_OTHER },
		{ "urn:service:a-.b", URI_OTHER },
		{ "urn:service:a_b", URI_OTHER },
		{ "urn:service:a:5060", URI_OTHER },
		{ "urn:service:a;x", URI_OTHER },
		{ "urn:service:a?x", URI_OTHER },
		{ "urn:service:a@b", URI_OTHER },
		{ "urn:service:%61", URI_OTHER },
		{ "urn:services:a", URI_OTHER }, { "urn:a", URI_OTHER },
		{ "urns:service:a", URI_OTHER },
		{ "urn:service:a b", URI_BAD },
	};

	(void)state;
	check_rows(rows, COUNT(rows), URI_REQUEST);
	check_rows(rows, COUNT(rows), URI_ENCLOSED);
}

static void
in_a_header(void **state)
{
	static const struct row enclosed[] = {
		{ "sip:user@example.com?Route=%3Csip:x%3E", URI_GOOD },
		{ "sip:user@example.com;lr?a=b&c=", URI_GOOD },
		{ "sip:user@example.com?a=<", URI_BAD },
		{ "tel:207", URI_NO_CONTEXT },
	};
	static const struct row bare[] = {
		{ "sip:user@example.com:5060", URI_GOOD },
		{ "sip:user@example.com?a=b", URI_BAD },
		{ "sip:us?er@example.com", URI_BAD },
		{ "sip:user@example.com;lr", URI_BAD },
		{ "http://x?y", URI_BAD }, { "tel:+1", URI_GOOD },
		{ "tel:+1;ext=1", URI_BAD_TEL },
	};

	(void)state;
	check_rows(enclosed, COUNT(enclosed), URI_ENCLOSED);
	check_rows(bare, COUNT(bare), URI_BARE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip_in_a_start_line),
		cmocka_unit_test(hosts_and_ports),
		cmocka_unit_test(tel),
		cmocka_unit_test(other_schemes),
		cmocka_unit_test(services),
		cmocka_unit_test(in_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
