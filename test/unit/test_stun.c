/* Which STUN messages are answered, and with what; addresses as in the sample
 * messages of RFC 5769. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "transport/stun.h"

#define BYTES(s) (s), sizeof (s) - 1

#define COOKIE	"\x21\x12\xa4\x42"
#define ID	"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
#define HEAD(type, length) type length COOKIE ID
#define REQUEST	"\0\1"
#define SOFTWARE "\x80\x22\0\5abcde\0\0\0"	/* padded to 12 bytes */

/* RFC 5769 2.1: for ICE, whose PRIORITY has to be understood. */
#define SAMPLE								\
	HEAD(REQUEST, "\0\x58")						\
	"\x80\x22\0\x10" "STUN test client"				\
	"\0\x24\0\4" "\x6e\0\1\xff"					\
	"\x80\x29\0\x8" "\x93\x2f\xf9\xb1\x51\x26\x3b\x36"		\
	"\0\6\0\x9" "evtj:h6vY" "   "					\
	"\0\x8\0\x14" "\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e"	\
	"\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2"			\
	"\x80\x28\0\4" "\xe5\x7a\x3b\xcf"

/* RFC 5769 2.2 and 2.3: what stands there for XOR-MAPPED-ADDRESS. */
static const struct {
	const char	*host;
	const char	*answer;
	size_t		 len;
} answers[] = {
	{ "192.0.2.1", BYTES(HEAD("\1\1", "\0\xc") "\0\x20\0\x8"
	    "\0\1\xa1\x47\xe1\x12\xa6\x43") },
	{ "2001:db8:1234:5678:11:2233:4455:6677",
	    BYTES(HEAD("\1\1", "\0\x18") "\0\x20\0\x14"
	    "\0\2\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79"
	    "\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9") },
};

static const struct {
	const char	*what;
	const char	*p;
	size_t		 len;
	bool		 answered;
} messages[] = {
	{ "bare", BYTES(HEAD(REQUEST, "\0\0")), true },
	{ "an optional attribute", BYTES(HEAD(REQUEST, "\0\xc") SOFTWARE),
	    true },
	{ "two of them", BYTES(HEAD(REQUEST, "\0\x18") SOFTWARE SOFTWARE),
	    true },
	{ "empty attribute", BYTES(HEAD(REQUEST, "\0\4") "\x80\0\0\0"),
	    true },

	{ "RFC 5769 2.1", BYTES(SAMPLE), false },
	{ "the last mandatory type", BYTES(HEAD(REQUEST, "\0\4")
	    "\x7f\xff\0\0"), false },
	{ "a mandatory one behind", BYTES(HEAD(REQUEST, "\0\x10") SOFTWARE
	    "\0\3\0\0"), false },
	{ "indication", BYTES(HEAD("\0\x11", "\0\0")), false },
	{ "success", BYTES(HEAD("\1\1", "\0\0")), false },
	{ "error", BYTES(HEAD("\1\x11", "\0\0")), false },
	{ "another method", BYTES(HEAD("\0\2", "\0\0")), false },
	{ "another cookie", BYTES(REQUEST "\0\0\x21\x12\xa4\x43" ID), false },
	{ "length too small", BYTES(HEAD(REQUEST, "\0\0") SOFTWARE), false },
	{ "length too large", BYTES(HEAD(REQUEST, "\0\x10") SOFTWARE),
	    false },
	{ "attribute too long", BYTES(HEAD(REQUEST, "\0\x8")
	    "\x80\x22\0\5abcd"), false },
	{ "longest attribute", BYTES(HEAD(REQUEST, "\0\x8")
	    "\x80\x22\xff\xff" "abcd"), false },
	{ "no padding", BYTES(HEAD(REQUEST, "\0\x9") "\x80\x22\0\5abcde"),
	    false },
	{ "half an attribute", BYTES(HEAD(REQUEST, "\0\2") "\x80\x22"),
	    false },
	{ "nothing", "", 0, false },
};

static struct addr
address(const char *host)
{
	struct addr a;

	assert_true(addr_parse_host(&a, (struct str){ host, strlen(host) }));
	a.port = 32853;
	return a;
}

/* From a copy of its very size, so that the sanitizer sees who reads on. */
static size_t
answer(char *out, const char *p, size_t len, const struct addr *from)
{
	char *copy = malloc(len > 0 ? len : 1);
	size_t n;

	assert_non_null(copy);
	memcpy(copy, p, len);
	n = stun_answer(out, copy, len, from);
	free(copy);
	return n;
}

static void
answers_tell_the_address(void **state)
{
	static const char request[] = HEAD(REQUEST, "\0\xc") SOFTWARE;
	char out[STUN_ANSWER_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct addr from = address(answers[i].host);

		assert_int_equal(answer(out, request, sizeof request - 1,
		    &from), answers[i].len);
		assert_memory_equal(out, answers[i].answer, answers[i].len);
	}
}

static void
only_requests_are_answered(void **state)
{
	struct addr from = address("192.0.2.1");
	char out[STUN_ANSWER_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		size_t n = answer(out, messages[i].p, messages[i].len, &from);

		if (n != (messages[i].answered ? 32 : 0))
			fail_msg("%s: %zu", messages[i].what, n);
	}
}

static void
no_part_of_a_request_is_answered(void **state)
{
	static const char request[] = HEAD(REQUEST, "\0\x18") SOFTWARE
	    SOFTWARE;
	struct addr from = address("192.0.2.1");
	char out[STUN_ANSWER_MAX];

	(void)state;
	for (size_t n = 0; n < sizeof request - 1; n++)
		assert_int_equal(answer(out, request, n, &from), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_tell_the_address),
		cmocka_unit_test(only_requests_are_answered),
		cmocka_unit_test(no_part_of_a_request_is_answered),
	};

	return cmocka_run_group_tests_name("stun", tests, NULL, NULL);
}
