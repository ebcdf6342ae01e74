/*
 * test_screen.c -- the raw screen: what is refused, and that it does not
 * matter in which pieces the bytes come.
 */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "guard/screen.h"

#define START "OPTIONS sip:a@example.com SIP/2.0\r\n"
#define BYTES(s) (s), sizeof (s) - 1

static const struct {
	const char		*what;
	const char		*p;
	size_t			 len;
	enum head_verdict	 want;
} cases[] = {
	{ "a request", BYTES(START "To: a\r\n\r\n"), HEAD_WHOLE },
	{ "a response", BYTES("SIP/2.0 200 OK\r\nTo: a\r\n\r\n"), HEAD_WHOLE },
	{ "no headers", BYTES(START "\r\n"), HEAD_WHOLE },
	{ "blank lines before", BYTES("\r\n\r\n" START "\r\n"), HEAD_WHOLE },
	{ "folded header", BYTES(START "To: a\r\n b\r\n\t\r\n\r\n"),
	    HEAD_WHOLE },
	{ "blanks before colon", BYTES(START "To \t: a\r\n\r\n"), HEAD_WHOLE },
	{ "empty value", BYTES(START "Subject:\r\n\r\n"), HEAD_WHOLE },
	{ "anything in the body", BYTES(START "\r\na\rb\nc\0d"), HEAD_WHOLE },
	{ "UTF-8 value", BYTES(START "Subject: \xc3\xa9\r\n\r\n"),
	    HEAD_WHOLE },
	{ "length", BYTES(START "Content-Length: 007 \r\n\r\n"), HEAD_WHOLE },

	{ "nothing", BYTES(""), HEAD_MORE },
	{ "keep-alive", BYTES("\r\n\r\n"), HEAD_MORE },
	{ "half a keep-alive", BYTES("\r\n\r"), HEAD_MORE },
	{ "no empty line", BYTES(START "To: a\r\n"), HEAD_MORE },
	{ "cut in a CRLF", BYTES(START "To: a\r"), HEAD_MORE },

	{ "NUL in a value", BYTES(START "To: a\0\r\n\r\n"), HEAD_NUL },
	{ "NUL in the start", BYTES("OPT\0ONS sip:a SIP/2.0\r\n\r\n"),
	    HEAD_NUL },
	{ "NUL first", BYTES("\0\0\0\0"), HEAD_NUL },
	{ "quoted NUL", BYTES(START "To: \"\\\0\" <sip:a>\r\n\r\n"),
	    HEAD_NUL },
	{ "bare CR", BYTES(START "To: a\rVia: b\r\n\r\n"), HEAD_BARE_CR },
	{ "two CR", BYTES(START "To: a\r\r\n\r\n"), HEAD_BARE_CR },
	{ "CR first", BYTES("\rOPTIONS"), HEAD_BARE_CR },
	{ "bare LF", BYTES(START "To: a\nVia: b\r\n\r\n"), HEAD_BARE_LF },
	{ "LF first", BYTES("\nOPTIONS"), HEAD_BARE_LF },
	{ "LF after start", BYTES("OPTIONS sip:a SIP/2.0\nTo: a\r\n\r\n"),
	    HEAD_BARE_LF },
	{ "ends with LF LF", BYTES(START "To: a\r\n\n"), HEAD_BARE_LF },
	{ "RTP", BYTES("\x80\x00\x12\x34\x00\x00\x00\x00"), HEAD_NOT_SIP },
	{ "blank first", BYTES(" " START "\r\n"), HEAD_NOT_SIP },
	{ "SigComp", BYTES("\xf8\x01\x02"), HEAD_NOT_SIP },
	{ "folded start", BYTES(START " To: a\r\n\r\n"), HEAD_FOLDED_START },
	{ "no colon", BYTES(START "To a\r\n\r\n"), HEAD_BAD_NAME },
	{ "no name", BYTES(START ": a\r\n\r\n"), HEAD_BAD_NAME },
	{ "blank in the name", BYTES(START "T o: a\r\n\r\n"), HEAD_BAD_NAME },
	{ "name of UTF-8", BYTES(START "T\xc3\xa9: a\r\n\r\n"),
	    HEAD_BAD_NAME },
	{ "second start line", BYTES(START START "\r\n"), HEAD_BAD_NAME },
	{ "length twice", BYTES(START "l: 1\r\nContent-Length: 1\r\n\r\n"),
	    HEAD_BAD_LENGTH },
	{ "length of two", BYTES(START "l: 1, 1\r\n\r\n"), HEAD_BAD_LENGTH },
	{ "length signed", BYTES(START "l: +1\r\n\r\n"), HEAD_BAD_LENGTH },
	{ "length empty", BYTES(START "l: \r\n\r\n"), HEAD_BAD_LENGTH },
	{ "length folded", BYTES(START "l: 1\r\n 2\r\n\r\n"),
	    HEAD_BAD_LENGTH },
	{ "length 2^31", BYTES(START "l: 2147483648\r\n\r\n"),
	    HEAD_BAD_LENGTH },
	{ "length 2^64", BYTES(START "l: 18446744073709551616\r\n\r\n"),
	    HEAD_BAD_LENGTH },
	{ "four headers", BYTES(START "A:\r\nB:\r\nC:\r\nD:\r\n\r\n"),
	    HEAD_TOO_MANY },
	{ "four lines", BYTES(START "A:\r\n b\r\n c\r\n d\r\n\r\n"),
	    HEAD_TOO_MANY },
	{ "101 bytes", BYTES(START "A: 89012345678901234567890123456789"
	    "012345678901234567890123456\r\n\r\n"), HEAD_TOO_LONG },
	{ "100 bytes", BYTES(START "A: 89012345678901234567890123456789"
	    "01234567890123456789012345\r\n\r\n"), HEAD_WHOLE },
	{ "100 bytes after blanks", BYTES("\r\n" START
	    "A: 89012345678901234567890123456789"
	    "01234567890123456789012345\r\n\r\n"), HEAD_WHOLE },
};

static const struct head limits = { .max_bytes = 100, .max_lines = 3 };

static void
verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct head h = limits;
		enum head_verdict v = screen_head(&h, cases[i].p,
		    cases[i].len);

		if (v != cases[i].want)
			fail_msg("%s: %s", cases[i].what,
			    screen_verdict_name(v));
	}
}

/* Byte by byte, each time in another place. */
static enum head_verdict
dribble(struct head *h, const char *p, size_t len)
{
	enum head_verdict v = HEAD_MORE;
	char copy[2][256];

	for (size_t n = 1; n <= len && v == HEAD_MORE; n++) {
		memcpy(copy[n % 2], p, n);
		memset(copy[1 - n % 2], 'x', sizeof copy[0]);
		v = screen_head(h, copy[n % 2], n);
	}
	return v;
}

static void
pieces_make_no_difference(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct head once = limits, dribbled = limits;
		enum head_verdict v = screen_head(&once, cases[i].p,
		    cases[i].len);

		assert_int_equal(dribble(&dribbled, cases[i].p,
		    cases[i].len), v);
		if (v != HEAD_WHOLE)
			continue;
		assert_int_equal(dribbled.len, once.len);
		assert_int_equal(dribbled.start, once.start);
		assert_int_equal(dribbled.body, once.body);
	}
}

static void
offsets(void **state)
{
	static const char text[] = "\r\n\r\n" START
	    "Content-Length \t:\t 5\r\nl-x: 9\r\n\r\nhello";
	struct head h = { 0 };

	(void)state;
	assert_int_equal(screen_head(&h, text, sizeof text - 1), HEAD_WHOLE);
	assert_int_equal(h.start, 4);
	assert_int_equal(h.len, sizeof text - 1 - 5);
	assert_int_equal(h.body, 5);
	assert_int_equal(h.lines, 2);

	h = (struct head){ 0 };
	assert_int_equal(screen_head(&h, BYTES(START "\r\n")), HEAD_WHOLE);
	assert_int_equal(h.body, -1);

	h = (struct head){ 0 };
	assert_int_equal(screen_head(&h, BYTES("\r\n\r\n\r")), HEAD_MORE);
	assert_int_equal(h.start, 4);
}

/* RFC 5769 2.1, the head of its sample request */
static void
stun(void **state)
{
	static const char request[] =
	    "\x00\x01\x00\x58\x21\x12\xa4\x42"
	    "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
	struct head h = limits;

	(void)state;
	assert_true(screen_is_stun(request, 20));
	assert_false(screen_is_stun(request, 19));
	assert_false(screen_is_stun(BYTES("OPTIONS\x21\x12\xa4\x42--------")));
	assert_int_equal(screen_head(&h, request, 20), HEAD_STUN);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(screen_verdict_name(HEAD_BARE_LF), "bare-lf");
	for (int v = 0; v < HEAD_VERDICT_COUNT; v++)
		assert_string_not_equal(screen_verdict_name(v), "?");
	assert_string_equal(screen_verdict_name(HEAD_VERDICT_COUNT), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(offsets),
		cmocka_unit_test(stun),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
