/*
 * test_text.c -- text, bytes and what nobody may see.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/secret.h"
#include "base/text.h"
#include "failing_alloc.h"

/* RFC 4648 section 10, without its padding, and bytes that need - and _. */
static const struct {
	const char	*bytes;
	size_t		 len;
	const char	*text;
} base64url[] = {
	{ "", 0, "" },
	{ "f", 1, "Zg" },
	{ "fo", 2, "Zm8" },
	{ "foo", 3, "Zm9v" },
	{ "foob", 4, "Zm9vYg" },
	{ "fooba", 5, "Zm9vYmE" },
	{ "foobar", 6, "Zm9vYmFy" },
	{ "\xff\xff\xfe", 3, "___-" },
	{ "\xfb\xf0\x00", 3, "-_AA" },
};

static const char *const base64url_bad[] = {
	"Z",			/* no byte has so few bits */
	"Zg==", "Zm9vYg==",	/* padding */
	"Zh", "Zm9",		/* bits left over are not zero */
	"Zm+v", "Zm/v",		/* the other alphabet */
	"Zm 9v", "Zm9v\n", "Zm9v\xc3\xa4==",
};

static void
base64url_follows_rfc4648(void **state)
{
	char text[16];
	uint8_t bytes[16];
	int n;

	(void)state;
	for (size_t i = 0; i < COUNT(base64url); i++) {
		size_t len = base64url[i].len;

		assert_int_equal(base64url_encode(text,
		    (const uint8_t *)base64url[i].bytes, len),
		    BASE64URL_LEN(len));
		assert_string_equal(text, base64url[i].text);
		n = base64url_decode(bytes, len, str_of(base64url[i].text));
		assert_int_equal(n, len);
		assert_memory_equal(bytes, base64url[i].bytes, len);
	}
}

static void
base64url_refuses(void **state)
{
	uint8_t bytes[16];

	(void)state;
	for (size_t i = 0; i < COUNT(base64url_bad); i++)
		assert_int_equal(base64url_decode(bytes, sizeof bytes,
		    str_of(base64url_bad[i])), -1);
	/* One byte more than there is room for. */
	assert_int_equal(base64url_decode(bytes, 2, str_of("Zm9v")), -1);
	assert_int_equal(base64url_decode(bytes, 3,
	    (struct str){ "Zm\0v", 4 }), -1);
}

static const struct {
	const char	*text;
	bool		 ok;
	uint8_t		 bytes[3];
} hex[] = {
	{ "00ff7e", true, { 0x00, 0xff, 0x7e } },
	{ "00FF7e", true, { 0x00, 0xff, 0x7e } },
	{ "00ff7", false, { 0 } },
	{ "00ff7e00", false, { 0 } },
	{ "", false, { 0 } },
	{ "00ff7g", false, { 0 } },
	{ "0x00ff", false, { 0 } },
	{ "00 f7e", false, { 0 } },
};

static void
hex_is_exact(void **state)
{
	uint8_t bytes[3];
	char text[7];

	(void)state;
	for (size_t i = 0; i < COUNT(hex); i++) {
		assert_int_equal(hex_decode(bytes, 3, str_of(hex[i].text)),
		    hex[i].ok);
		if (hex[i].ok)
			assert_memory_equal(bytes, hex[i].bytes, 3);
	}
	hex_encode(text, hex[0].bytes, 3);
	assert_string_equal(text, "00ff7e");
	hex_encode(text, hex[0].bytes, 0);
	assert_string_equal(text, "");
}

static const struct {
	const char	*pattern, *text;
	bool		 plain, ignore_case;
} globs[] = {
	{ "", "", true, true },
	{ "", "a", false, false },
	{ "*", "", true, true },
	{ "*", "anything", true, true },
	{ "***", "x", true, true },
	{ "?", "", false, false },
	{ "?", "x", true, true },
	{ "?", "xy", false, false },
	{ "a*b", "ab", true, true },
	{ "a*b", "aXXb", true, true },
	{ "a*b", "aXXbc", false, false },
	{ "a*b*c", "abbbc", true, true },
	{ "*ab", "aab", true, true },
	{ "*a?c", "aabacadc", true, true },
	{ "*ab*cd*", "xxabyycdzz", true, true },
	{ "*ab*cd*", "xxcdyyabzz", false, false },
	{ "sip:+*@*", "sip:+49301234@example.com", true, true },
	{ "sip:+*@*", "sip:301234@example.com", false, false },
	{ "Bob", "bOB", false, true },
	{ "b*B", "BxxB", false, true },
	{ "[a]", "a", false, false },		/* no classes */
	{ "\\*", "*", false, false },		/* and no escapes */
};

static void
globs_match_the_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(globs); i++) {
		struct str p = str_of(globs[i].pattern);
		struct str t = str_of(globs[i].text);

		assert_int_equal(glob_match(p, t, false), globs[i].plain);
		assert_int_equal(glob_match(p, t, true),
		    globs[i].ignore_case);
	}
}

/* A pattern that keeps naive matchers busy for longer than the sun lasts. */
static void
globs_stay_cheap(void **state)
{
	static char text[60000];
	struct str pattern = str_of("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b");

	(void)state;
	memset(text, 'a', sizeof text);
	assert_false(glob_match(pattern,
	    (struct str){ text, sizeof text }, true));
	text[sizeof text - 1] = 'b';
	assert_true(glob_match(pattern,
	    (struct str){ text, sizeof text }, true));
}

static const struct {
	const char	*text;
	uint64_t	 max;
	bool		 ok;
	uint64_t	 value;
} numbers[] = {
	{ "0", 10, true, 0 },
	{ "0010", 10, true, 10 },
	{ "11", 10, false, 0 },
	{ "9", 5, false, 0 },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "99999999999999999999999", UINT64_MAX, false, 0 },
	{ "", 10, false, 0 },
	{ "+1", 10, false, 0 },
	{ "-1", 10, false, 0 },
	{ " 1", 10, false, 0 },
	{ "1 ", 10, false, 0 },
	{ "0x1", 10, false, 0 },
};

static void
numbers_are_digits_in_bounds(void **state)
{
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		assert_int_equal(parse_uint(str_of(numbers[i].text),
		    numbers[i].max, &v), numbers[i].ok);
		if (numbers[i].ok)
			assert_true(v == numbers[i].value);
	}
}

static void
strings_compare(void **state)
{
	struct str abc = { "abcd", 3 };

	(void)state;
	assert_int_equal(str_of(NULL).len, 0);
	assert_true(str_is(abc, "abc"));
	assert_false(str_is(abc, "abcd"));
	assert_false(str_is(abc, "aBc"));
	assert_true(str_caseis(abc, "aBC"));
	assert_false(str_caseis(abc, "ab"));
	assert_false(str_caseis(abc, "abcd"));
	assert_false(str_caseis((struct str){ "ab\0c", 4 }, "ab"));
	assert_true(str_caseis(str_of(NULL), ""));
	assert_true(str_caseis(str_of(""), NULL));
	assert_false(str_caseis(abc, NULL));
	/* ASCII only: 0xc4 and 0xe4 are a letter in Latin 1 alone. */
	assert_false(str_caseis(str_of("\xc4"), "\xe4"));
	/* and @ ` [ { are no letters, though 32 apart */
	assert_false(str_caseis(str_of("@["), "`{"));
	assert_true(str_eq(str_of(NULL), str_of("")));
}

static void
strings_are_trimmed(void **state)
{
	(void)state;
	assert_true(str_is(str_trim(str_of(" \t\r\na b \n")), "a b"));
	assert_true(str_is(str_trim(str_of(" \t ")), ""));
	assert_true(str_is(str_trim(str_of("\va\v")), "\va\v"));
	assert_int_equal(str_trim(str_of(NULL)).len, 0);
}

/* RFC 3629 section 3 and 4: each first and last of a length, and neighbours
 * that are none; len 0: not UTF-8. */
static const struct {
	const char	*bytes;
	size_t		 len;
	uint32_t	 c;
} characters[] = {
	{ "", 0, 0 }, { "a\xff", 1, 'a' }, { "\x7f", 1, 0x7f },
	{ "\x80", 0, 0 }, { "\xbf", 0, 0 },
	{ "\xc1\xbf", 0, 0 }, { "\xc2\x80", 2, 0x80 },
	{ "\xdf\xbf-", 2, 0x7ff }, { "\xc2", 0, 0 }, { "\xc2-", 0, 0 },
	{ "\xe0\x9f\xbf", 0, 0 }, { "\xe0\xa0\x80", 3, 0x800 },
	{ "\xed\x9f\xbf", 3, 0xd7ff }, { "\xed\xa0\x80", 0, 0 },
	{ "\xed\xbf\xbf", 0, 0 }, { "\xee\x80\x80", 3, 0xe000 },
	{ "\xef\xbf\xbf", 3, 0xffff }, { "\xe2\x82", 0, 0 },
	{ "\xe2\x82-", 0, 0 },
	{ "\xf0\x8f\xbf\xbf", 0, 0 }, { "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff }, { "\xf4\x90\x80\x80", 0, 0 },
	{ "\xf5\x80\x80\x80", 0, 0 }, { "\xff", 0, 0 },
};

static void
characters_follow_rfc3629(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(characters); i++) {
		struct str s = str_of(characters[i].bytes);
		uint32_t c = 0;

		assert_int_equal(utf8_decode(s, &c), characters[i].len);
		assert_int_equal(c, characters[i].c);
		/* alone, and not only in front */
		if (s.len == characters[i].len || characters[i].len == 0)
			assert_int_equal(str_is_utf8(s), s.len ==
			    characters[i].len);
	}
	assert_true(str_is_utf8(str_of("M\xc3\xbcller")));
	assert_false(str_is_utf8(str_of("M\xfcller")));
}

static void
controls_are_found(void **state)
{
	static const char text[] = "a\0b";

	(void)state;
	assert_false(str_has_control(str_of("")));
	assert_false(str_has_control(str_of(" ~\x80\xff")));
	assert_true(str_has_control(str_of("a\tb")));
	assert_true(str_has_control(str_of("\x1f")));
	assert_true(str_has_control(str_of("ab\x7f")));
	assert_true(str_has_control((struct str){ text, 3 }));
	assert_false(str_has_control((struct str){ text, 1 }));
}

static void
fields_are_big_endian(void **state)
{
	uint8_t b[6];

	(void)state;
	put_u16(b, 0x0102);
	assert_memory_equal(b, "\1\2", 2);
	assert_int_equal(get_u16(b), 0x0102);
	put_u32(b, 0xf1020304);
	assert_memory_equal(b, "\xf1\2\3\4", 4);
	assert_true(get_u32(b) == 0xf1020304);
	put_u48(b, 0xfedcba987654);
	assert_memory_equal(b, "\xfe\xdc\xba\x98\x76\x54", 6);
	assert_true(get_u48(b) == 0xfedcba987654);
}

static void
secrets_compare_and_vanish(void **state)
{
	char s[] = "secret";

	(void)state;
	assert_true(secret_eq("abc", 3, "abc", 3));
	assert_false(secret_eq("abc", 3, "abd", 3));
	assert_false(secret_eq("abc", 3, "abc", 2));
	assert_true(secret_eq(NULL, 0, NULL, 0));
	secret_wipe(s, sizeof s);
	assert_memory_equal(s, "\0\0\0\0\0\0", sizeof s);
	secret_wipe(NULL, 0);
	secret_free(NULL, 5);
}

static void
random_bytes_fill_all(void **state)
{
	static uint8_t a[10000], b[10000];
	uint8_t any[2] = { 0, 0 };

	(void)state;
	random_bytes(a, sizeof a);
	random_bytes(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	/* Both halves of what is made in several goes. */
	for (size_t i = 0; i < sizeof a; i++)
		any[i >= sizeof a / 2] |= a[i];
	assert_true(any[0] == 0xff && any[1] == 0xff);
}

static void
random_hex_is_of_its_length(void **state)
{
	char a[33], b[33];
	uint8_t raw[16];

	(void)state;
	random_hex(a, 16);
	random_hex(b, 16);
	assert_int_equal(strlen(a), 32);
	assert_true(hex_decode(raw, sizeof raw, str_of(a)));
	assert_string_not_equal(a, b);
}

static void
random_numbers_have_both_ends(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t n = random_upto(3);

		assert_in_range(n, 0, 3);
		seen |= 1u << n;
	}
	assert_int_equal(seen, 0xf);
	assert_int_equal(random_upto(0), 0);
	assert_true(random_upto(INT64_MAX) >= 0);
}

static bool
use_text(void *arg)
{
	char text[16];
	uint8_t bytes[8];

	(void)arg;
	base64url_encode(text, (const uint8_t *)"foobar", 6);
	return base64url_decode(bytes, sizeof bytes, str_of(text)) == 6 &&
	    glob_match(str_of("Z*y"), str_of(text), true) &&
	    str_is(str_trim(str_of(" x ")), "x");
}

static void
text_never_allocates(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_count(use_text, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_follows_rfc4648),
		cmocka_unit_test(base64url_refuses),
		cmocka_unit_test(hex_is_exact),
		cmocka_unit_test(globs_match_the_whole),
		cmocka_unit_test(globs_stay_cheap),
		cmocka_unit_test(numbers_are_digits_in_bounds),
		cmocka_unit_test(strings_compare),
		cmocka_unit_test(strings_are_trimmed),
		cmocka_unit_test(characters_follow_rfc3629),
		cmocka_unit_test(controls_are_found),
		cmocka_unit_test(fields_are_big_endian),
		cmocka_unit_test(secrets_compare_and_vanish),
		cmocka_unit_test(random_bytes_fill_all),
		cmocka_unit_test(random_hex_is_of_its_length),
		cmocka_unit_test(random_numbers_have_both_ends),
		cmocka_unit_test(text_never_allocates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
