/*
 * test_proxy_header.c -- the PROXY protocol: what is taken, what needs more
 * bytes, and which byte shows that a header is broken.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "transport/proxy_header.h"

#define BYTES(s) s, sizeof (s) - 1

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x01" "\xc6\x33\x64\x07" "\x9c\x40" "\x13\xc4"
#define V4_TOLD "192.0.2.1:40000", "198.51.100.7:5060"
#define V6_IP(last) "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last
#define V6 V6_IP("\1") V6_IP("\2") "\x9c\x40" "\x13\xc5"
#define V6_TOLD "[2001:db8::1]:40000", "[2001:db8::2]:5061"
/* The sums were made by another program, which knows the vectors of RFC 3720
 * B.4. */
#define SUMMED SIGNATURE "\x21\x11\0\x17" V4 \
	"\3\0\4" "\x84\xd9\x3d\xa9" "\4\0\1\0"
#define X10 "xxxxxxxxxx"
#define X90 X10 X10 X10 X10 X10 X10 X10 X10 X10

enum { STREAM = false, DATAGRAM = true };

static const struct {
	const char	*what, *bytes;
	size_t		 len;
	bool		 datagram;
	const char	*source, *target;	/* NULL: not told */
} valid[] = {
	{ "v1 IPv4", BYTES("PROXY TCP4 192.0.2.1 198.51.100.7 40000 5060\r\n"),
	    STREAM, V4_TOLD },
	{ "v1 IPv4, widest", BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 "
	    "65535 65535\r\n"), STREAM,
	    "255.255.255.255:65535", "255.255.255.255:65535" },
	{ "v1 IPv6", BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 40000 5061\r\n"),
	    STREAM, V6_TOLD },
	{ "v1 IPv6, widest", BYTES("PROXY TCP6 "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), STREAM,
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ "v1 IPv6, groups", BYTES("PROXY TCP6 1:2:3:4:5:6:7:8 1::7:8 1 2\r\n"),
	    STREAM, "[1:2:3:4:5:6:7:8]:1", "[1::7:8]:2" },
	{ "v1 IPv4 in IPv6", BYTES("PROXY TCP6 ::ffff:192.0.2.1 "
	    "0:0:0:0:0:ffff:198.51.100.7 40000 5060\r\n"), STREAM, V4_TOLD },
	{ "v1 unknown", BYTES("PROXY UNKNOWN\r\n"), STREAM, NULL, NULL },
	{ "v1 unknown, more", BYTES("PROXY UNKNOWN what \0 ever\r\n"), STREAM,
	    NULL, NULL },
	{ "v1 unknown, longest", BYTES("PROXY UNKNOWN " X90 "x\r\n"), STREAM,
	    NULL, NULL },
	{ "v2 IPv4", BYTES(SIGNATURE "\x21\x11\0\x0c" V4), STREAM, V4_TOLD },
	{ "v2 IPv6", BYTES(SIGNATURE "\x21\x21\0\x24" V6), STREAM, V6_TOLD },
	{ "v2 IPv4 UDP", BYTES(SIGNATURE "\x21\x12\0\x0c" V4), DATAGRAM,
	    V4_TOLD },
	{ "v2 IPv6 UDP", BYTES(SIGNATURE "\x21\x22\0\x24" V6), DATAGRAM,
	    V6_TOLD },
	{ "v2 TLVs", BYTES(SIGNATURE "\x21\x11\0\x16" V4 "\xe0\0\0"
	    "\4\0\4abcd"), STREAM, V4_TOLD },
	{ "v2 sum", BYTES(SIGNATURE "\x21\x11\0\x18" V4 "\1\0\2h2"
	    "\3\0\4" "\x61\xe6\x7d\x71"), STREAM, V4_TOLD },
	{ "v2 sum, then more", BYTES(SUMMED), STREAM, V4_TOLD },
	{ "v2 local", BYTES(SIGNATURE "\x20\0\0\0"), STREAM, NULL, NULL },
	{ "v2 local, block ignored", BYTES(SIGNATURE "\x20\xff\0\3\3\0\4"),
	    STREAM, NULL, NULL },
	{ "v2 local UDP", BYTES(SIGNATURE "\x20\0\0\0"), DATAGRAM,
	    NULL, NULL },
	{ "v2 no family", BYTES(SIGNATURE "\x21\0\0\2ab"), STREAM,
	    NULL, NULL },
	{ "v2 UNIX", BYTES(SIGNATURE "\x21\x31\0\xd8" X90 X90 X10 X10 X10
	    "xxxxxx"), STREAM, NULL, NULL },
	{ "v2 UNIX datagram", BYTES(SIGNATURE "\x21\x32\0\0"), DATAGRAM,
	    NULL, NULL },
};

static const struct {
	const char	*bytes;
	size_t		 len;
	size_t		 at;		/* bytes that show it */
	bool		 datagram;
} broken[] = {
	{ BYTES("I"), 1, STREAM },
	{ BYTES("INVITE sip:a@b SIP/2.0\r\n"), 1, STREAM },
	{ BYTES("PUBLISH sip:a@b SIP/2.0\r\n"), 2, STREAM },
	{ BYTES("proxy TCP4"), 1, STREAM },
	{ BYTES("PROXY\tTCP4"), 6, STREAM },
	{ BYTES("PROXY  TCP4"), 7, STREAM },
	{ BYTES("PROXY UDP4"), 8, STREAM },
	{ BYTES("PROXY TCP5"), 10, STREAM },
	{ BYTES("PROXY TCP4\t"), 11, STREAM },
	{ BYTES("PROXY TCP4 ::1"), 12, STREAM },
	{ BYTES("PROXY TCP4  1.2.3.4"), 12, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4  1.2.3.5"), 20, STREAM },
	{ BYTES("PROXY TCP4 01.2.3.4"), 13, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.256 "), 20, STREAM },
	{ BYTES("PROXY TCP4 1.2.3 "), 17, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4.5"), 19, STREAM },
	{ BYTES("PROXY TCP4 1..2"), 14, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4\0 "), 19, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4\r\n"), 19, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5\r\n"), 27, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n"), 29, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 -1 2\r\n"), 28, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 +1 2\r\n"), 28, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n"), 29, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5  1 2\r\n"), 28, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 65536 2\r\n"), 32, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 655350\r\n"), 35, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 \r\n"), 30, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 2 \r\n"), 31, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n"), 31, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\r"), 32, STREAM },
	{ BYTES("PROXY TCP6 1.2.3.4"), 13, STREAM },
	{ BYTES("PROXY TCP6 [::1]"), 12, STREAM },
	{ BYTES("PROXY TCP6 :a"), 13, STREAM },
	{ BYTES("PROXY TCP6 :::"), 14, STREAM },
	{ BYTES("PROXY TCP6 1::2::3"), 17, STREAM },
	{ BYTES("PROXY TCP6 12345:"), 16, STREAM },
	{ BYTES("PROXY TCP6 g::"), 12, STREAM },
	{ BYTES("PROXY TCP6 1:2:3:4:5:6:7:8:"), 27, STREAM },
	{ BYTES("PROXY TCP6 1:2 "), 15, STREAM },
	{ BYTES("PROXY TCP6 fe80::1%lo "), 19, STREAM },
	{ BYTES("PROXY UNKNOWING\r\n"), 13, STREAM },
	{ BYTES("PROXY UNKNOWNS\r\n"), 14, STREAM },
	{ BYTES("PROXY UNKNOWN a\n"), 16, STREAM },
	{ BYTES("PROXY UNKNOWN a\rb"), 17, STREAM },
	{ BYTES("PROXY UNKNOWN " X90 "xx\r\n"), 107, STREAM },
	{ BYTES("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\n"), 1, DATAGRAM },
	{ BYTES("\r\n\r\n\r\n"), 5, STREAM },
	{ BYTES("\r\n\r\n\0\r\nQUIT\r"), 12, STREAM },
	{ BYTES(SIGNATURE "\x11\x11\0\x0c" V4), 13, STREAM },
	{ BYTES(SIGNATURE "\x31\x11\0\x0c" V4), 13, STREAM },
	{ BYTES(SIGNATURE "\x22\x11\0\x0c" V4), 13, STREAM },
	{ BYTES(SIGNATURE "\x21\x10\0\x0c" V4), 14, STREAM },
	{ BYTES(SIGNATURE "\x21\x13\0\x0c" V4), 14, STREAM },
	{ BYTES(SIGNATURE "\x21\x01\0\x0c" V4), 14, STREAM },
	{ BYTES(SIGNATURE "\x21\x41\0\x0c" V4), 14, STREAM },
	{ BYTES(SIGNATURE "\x21\x12\0\x0c" V4), 14, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x0c" V4), 14, DATAGRAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x0b" V4), 16, STREAM },
	{ BYTES(SIGNATURE "\x21\x21\0\x23" V6), 16, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\2\x09" V4), 16, STREAM },
	{ BYTES(SIGNATURE "\x20\0\3\0"), 15, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x0e" V4 "\4\0"), 28, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\4\0\2a"), 31, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\4\1\1a"), 30, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x12" V4 "\3\0\3abc"), 29, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x14" V4 "\3\0\5abcde"), 31, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x14" V4 "\3\0\3abcde"), 31, STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x1a" V4 "\3\0\4abcd\3\0\4abcd"), 36,
	    STREAM },
	{ BYTES(SIGNATURE "\x21\x11\0\x13" V4 "\3\0\4abcd"), 35, STREAM },
	{ BYTES(SIGNATURE "\x21\x12\0\x13" V4 "\3\0\4abcd"), 14, STREAM },
};

/* From memory that ends where the bytes end. */
static enum proxy_verdict
parse(struct proxy_header *h, const char *bytes, size_t len, bool datagram)
{
	enum proxy_verdict v;
	char *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	memset(h, 0xa5, sizeof *h);
	v = proxy_header_parse(h, copy, len, datagram);
	free(copy);
	return v;
}

static void
must_be(enum proxy_verdict got, enum proxy_verdict want, const char *what,
    size_t len)
{
	if (got != want)
		fail_msg("%s: %zu bytes are %d, not %d", what, len, got, want);
}

static void
headers_are_understood(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct proxy_header h;

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		must_be(parse(&h, valid[i].bytes, valid[i].len,
		    valid[i].datagram), PROXY_WHOLE, valid[i].what,
		    valid[i].len);
		assert_int_equal(h.len, valid[i].len);
		assert_int_equal(h.local, valid[i].source == NULL);
		if (h.local)
			continue;
		assert_string_equal(addr_text(&h.source, text),
		    valid[i].source);
		assert_string_equal(addr_text(&h.target, text),
		    valid[i].target);
	}
}

static void
a_part_of_a_header_needs_more(void **state)
{
	struct proxy_header h;

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		for (size_t n = 0; n < valid[i].len; n++)
			must_be(parse(&h, valid[i].bytes, n,
			    valid[i].datagram), valid[i].datagram ?
			    PROXY_BAD : PROXY_MORE, valid[i].what, n);
	}
}

static void
what_follows_is_not_looked_at(void **state)
{
	struct proxy_header h;
	char more[512];

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		memset(more, '\n', sizeof more);
		memcpy(more, valid[i].bytes, valid[i].len);
		must_be(parse(&h, more, sizeof more, valid[i].datagram),
		    PROXY_WHOLE, valid[i].what, sizeof more);
		assert_int_equal(h.len, valid[i].len);
	}
}

static void
the_first_wrong_byte_shows(void **state)
{
	struct proxy_header h;

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		for (size_t n = 1; n <= broken[i].len; n++)
			must_be(parse(&h, broken[i].bytes, n,
			    broken[i].datagram), n < broken[i].at &&
			    !broken[i].datagram ? PROXY_MORE : PROXY_BAD,
			    broken[i].bytes, n);
	}
}

/* But in the bytes that tell whether there is a sum: command, family, type of
 * the TLV. */
static void
the_sum_finds_each_flipped_bit(void **state)
{
	char bytes[] = SUMMED;
	const size_t len = sizeof bytes - 1;
	struct proxy_header h;

	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		if (bit / 8 == 12 || bit / 8 == 13 || bit / 8 == 28)
			continue;
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_not_equal(parse(&h, bytes, len, STREAM),
		    PROXY_WHOLE);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	must_be(parse(&h, bytes, len, STREAM), PROXY_WHOLE, "restored", len);
}

static void
the_longest_is_bounded(void **state)
{
	static const char head[] = SIGNATURE "\x21\x11\2\x08" V4 "\4\1\xf9";
	char bytes[PROXY_HEADER_MAX] = { 0 };
	struct proxy_header h;

	(void)state;
	memcpy(bytes, head, sizeof head - 1);
	must_be(parse(&h, bytes, sizeof bytes, STREAM), PROXY_WHOLE,
	    "longest", sizeof bytes);
	assert_int_equal(h.len, PROXY_HEADER_MAX);
	must_be(parse(&h, bytes, sizeof bytes - 1, STREAM), PROXY_MORE,
	    "longest", sizeof bytes - 1);
	bytes[15]++;
	must_be(parse(&h, bytes, 16, STREAM), PROXY_BAD, "longer", 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_understood),
		cmocka_unit_test(a_part_of_a_header_needs_more),
		cmocka_unit_test(what_follows_is_not_looked_at),
		cmocka_unit_test(the_first_wrong_byte_shows),
		cmocka_unit_test(the_sum_finds_each_flipped_bit),
		cmocka_unit_test(the_longest_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
