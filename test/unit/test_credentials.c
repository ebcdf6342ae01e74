/* The text of Digest credentials: what is read, and what is refused why. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/credentials.h"
#include "base/count.h"

#define MD5_HEX "8ca523f5e9506fed4657c9700eebdbec"
#define SHA_HEX MD5_HEX "2ca10daf4496794697cf8db5856cb6c1"

/* All but the realm; each test adds or changes something. */
#define BARE "username=\"bob\", nonce=\"n1\", uri=\"sip:a@b\", " \
	"response=\"" MD5_HEX "\""
#define OURS "Digest realm=\"r\", "
#define COUNTED ", qop=auth, nc=00000001, cnonce=\"c1\""

static enum credentials_verdict
parse(struct credentials *c, const char *text)
{
	struct str s = str_of(text);
	enum credentials_verdict v = credentials_parse(c, s, str_of("r"));

	assert_int_equal(credentials_are_for(s, str_of("r")),
	    v == CREDENTIALS_OK || v == CREDENTIALS_BAD);
	return v;
}

static void
same(const char *what, struct str got, const char *want)
{
	if (want == NULL ? got.p != NULL :
	    got.p == NULL || !str_is(got, want))
		fail_msg("%s: \"%.*s\"", what, (int)got.len,
		    got.p == NULL ? "" : got.p);
}

static void
everything_is_read(void **state)
{
	struct credentials c;

	(void)state;
	assert_int_equal(parse(&c, "Digest username=\"bob\",realm=\"r\","
	    "nonce=\"n1\",uri=\"sip:a@b;x=y\",response=\"" SHA_HEX "\","
	    "algorithm=SHA-256-sess,cnonce=\"c,=1\",opaque=\"\",qop=auth-int,"
	    "nc=0000aBcD,userhash=false,auts=\"unknown\""), CREDENTIALS_OK);
	same("username", c.username, "bob");
	same("realm", c.realm, "r");
	same("nonce", c.nonce, "n1");
	same("uri", c.uri, "sip:a@b;x=y");
	same("response", c.response, SHA_HEX);
	same("cnonce", c.cnonce, "c,=1");
	same("opaque", c.opaque, "");
	same("nc", c.nc_text, "0000aBcD");
	assert_int_equal(c.nc, 0xabcd);
	assert_int_equal(c.alg, DIGEST_SHA256);
	assert_true(c.sess);
	assert_int_equal(c.qop, QOP_AUTH_INT);
	assert_false(c.userhash);
	assert_false(c.utf8_name);
	assert_null(c.fault);
}

static void
what_is_absent_is_empty(void **state)
{
	struct credentials c;

	(void)state;
	memset(&c, 0xff, sizeof c);
	assert_int_equal(parse(&c, OURS BARE), CREDENTIALS_OK);
	same("cnonce", c.cnonce, NULL);
	same("opaque", c.opaque, NULL);
	same("nc", c.nc_text, NULL);
	assert_int_equal(c.nc, 0);
	assert_int_equal(c.alg, DIGEST_MD5);
	assert_int_equal(c.qop, QOP_NONE);
	assert_false(c.sess);
}

static void
every_spelling_is_read(void **state)
{
	static const char *const cases[] = {
		"dIgEsT ReAlM=\"r\", " BARE,
		"DIGEST\tREALM = \"r\"\t,\t" BARE,
		"Digest  realm \r\n = \r\n \"r\",\r\n\t" BARE "  ",
		"Digest\r\n realm=\"r\",\r\n " BARE "\r\n ",
		"Digest , ,realm=\"r\",, ," BARE ", ,",
		"Digest realm=r, " BARE,
		OURS BARE ", qop=\"auth\", nc=00000001, cnonce=c1",
		OURS BARE ", QOP=AUTH, NC=\"00000001\", CNONCE=\"c1\"",
		OURS BARE ", algorithm=\"MD5\"",
		OURS BARE ", algorithm=md5",
		OURS BARE ", cnonce=\"without qop\"",
		OURS BARE ", stale=x, stale=y, a!#$%&'*+-.^_`|~1=b",
		OURS BARE ", x=\"a, realm=\\\"q\\\", b\"",
	};
	struct credentials c;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (parse(&c, cases[i]) != CREDENTIALS_OK)
			fail_msg("%s: %s", cases[i], c.fault);
		same(cases[i], c.username, "bob");
		same(cases[i], c.uri, "sip:a@b");
	}
}

static void
quoted_pairs_and_folds_are_undone(void **state)
{
	static const struct { const char *quoted, *want; } cases[] = {
		{ "", "" },
		{ "b\\ob", "bob" },
		{ "b\\\\b", "b\\b" },
		{ "b\\\"b", "b\"b" },
		{ "\\\"\\\\", "\"\\" },
		{ "a b", "a b" },
		{ "a\r\n b", "a b" },
		{ "a\r\n\t \r\n  b", "a b" },
		{ "J\xc3\xa4s\xc3\xb8n", "J\xc3\xa4s\xc3\xb8n" },
		{ "\xf0\x9f\x93\x9e", "\xf0\x9f\x93\x9e" },
		{ "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80",
		    "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80" },
	};
	struct credentials c;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text, OURS "username=\"%s\", "
		    "nonce=\"n1\", uri=\"u\", response=\"" MD5_HEX "\"",
		    cases[i].quoted);
		if (parse(&c, text) != CREDENTIALS_OK)
			fail_msg("%s: %s", text, c.fault);
		same(text, c.username, cases[i].want);
		same(text, c.nonce, "n1");
	}
}

static void
what_is_not_for_us_is_told_apart(void **state)
{
	static const struct {
		const char			*text;
		enum credentials_verdict	 want;
	} cases[] = {
		{ "", CREDENTIALS_OTHER_SCHEME },
		{ " \r\n ", CREDENTIALS_OTHER_SCHEME },
		{ "Basic Ym9iOmJvYg==", CREDENTIALS_OTHER_SCHEME },
		{ "Digestive realm=\"r\", " BARE, CREDENTIALS_OTHER_SCHEME },
		{ "Diges realm=\"r\", " BARE, CREDENTIALS_OTHER_SCHEME },
		{ "\"Digest\" realm=\"r\", " BARE, CREDENTIALS_OTHER_SCHEME },
		{ "Digest realm=\"R\", " BARE, CREDENTIALS_OTHER_REALM },
		{ "Digest realm=\"\", " BARE, CREDENTIALS_OTHER_REALM },
		{ "Digest realm=\"rr\", " BARE, CREDENTIALS_OTHER_REALM },
		/* The realm of others: their faults are theirs to find. */
		{ "Digest realm=\"x\"", CREDENTIALS_OTHER_REALM },
		{ "Digest realm=\"x\", algorithm=FOO, nc=1, nc=2",
		    CREDENTIALS_OTHER_REALM },
		{ "Digest realm=\"x\", a=\"\x01\xff\"",
		    CREDENTIALS_OTHER_REALM },
		{ "Digest realm=\"x\", \"", CREDENTIALS_OTHER_REALM },
		{ "Digest realm=\"x\", realm=\"r\", " BARE,
		    CREDENTIALS_OTHER_REALM },
	};
	struct credentials c;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (parse(&c, cases[i].text) != cases[i].want)
			fail_msg("%s", cases[i].text);
}

#define NAMED(n) OURS n ", nonce=\"n1\", uri=\"u\", response=\"" MD5_HEX "\""

static void
malformed_ones_are_refused_with_a_reason(void **state)
{
	static const struct { const char *text, *fault; } cases[] = {
		{ "Digest", "no realm" },
		{ "Digest ", "no realm" },
		{ "Digest " BARE, "no realm" },
		{ "Digest,realm=\"r\", " BARE, "malformed" },
		{ "Digest\"r\"", "malformed" },
		{ OURS BARE " x", "malformed" },
		{ OURS BARE ", x", "malformed" },
		{ OURS BARE ", x=", "malformed" },
		{ OURS BARE ", =x", "malformed" },
		{ OURS BARE ", x=y z=1", "malformed" },
		{ OURS BARE ", x=\"y\"z", "malformed" },
		{ OURS BARE ", x=\"y", "malformed" },
		{ OURS BARE ", x=\"y\\", "malformed" },
		{ OURS BARE ", x=\"y\\\"", "malformed" },
		{ OURS BARE "; x=y", "malformed" },
		{ OURS BARE ", x=sip:a", "malformed" },
		{ OURS BARE ",\nx=y", "malformed" },
		{ OURS BARE ",\rx=y", "malformed" },
		{ OURS BARE ",\r\nx=y", "malformed" },
		{ OURS BARE ", x\x01=y", "malformed" },
		{ OURS BARE ", x=\"\x01\"", "control character" },
		{ OURS BARE ", x=\"\t\"", "control character" },
		{ OURS BARE ", x=\"\x7f\"", "control character" },
		{ OURS BARE ", x=\"\n\"", "control character" },
		{ OURS BARE ", x=\"\r\"", "control character" },
		{ OURS BARE ", x=\"\r\n\"", "control character" },
		{ OURS BARE ", x=\"\\\r\n \"", "control character" },
		{ OURS BARE ", x=\"\xff\"", "not UTF-8" },
		{ OURS BARE ", x=\"\x80\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xc3\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xc3z\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xc0\xaf\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xe0\x80\xaf\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xe2\x82z\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xed\xa0\x80\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xf0\x80\x80\xaf\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xf4\x90\x80\x80\"", "not UTF-8" },
		{ OURS BARE ", x=\"\xf5\x80\x80\x80\"", "not UTF-8" },
		{ OURS BARE ", realm=\"r\"", "doubled parameter" },
		{ OURS BARE ", USERNAME=\"eve\"", "doubled parameter" },
		{ OURS BARE ", nonce=\"\"", "doubled parameter" },
		{ OURS BARE ", response=\"\"", "doubled parameter" },
		{ OURS BARE COUNTED ", nc=00000002", "doubled parameter" },
		{ OURS "nonce=\"n1\", uri=\"u\"", "no username" },
		{ OURS "username=\"\", uri=\"u\"", "no nonce" },
		{ OURS "username=\"\", nonce=\"\"", "no uri" },
		{ OURS "username=\"\", nonce=\"\", uri=\"\"", "no response" },
		{ OURS BARE ", algorithm=SHA1", "unknown algorithm" },
		{ OURS BARE ", algorithm=\"\"", "unknown algorithm" },
		{ OURS BARE ", algorithm=MD5-sess", "no cnonce" },
		{ OURS BARE ", algorithm=SHA-256", "response" },
		{ OURS "username=\"\", nonce=\"\", uri=\"\", response=\""
		    SHA_HEX "\"", "response" },
		{ OURS "username=\"\", nonce=\"\", uri=\"\", response="
		    "8ca523f5e9506fed4657c9700eebdbeg", "response" },
		{ OURS "username=\"\", nonce=\"\", uri=\"\", response=\"\"",
		    "response" },
		{ OURS BARE ", qop=auth-conf, nc=00000001, cnonce=\"\"",
		    "unknown qop" },
		{ OURS BARE ", qop=\"auth,auth-int\"", "unknown qop" },
		{ OURS BARE ", qop=\"\"", "unknown qop" },
		{ OURS BARE ", nc=00000001", "nc without qop" },
		{ OURS BARE ", qop=auth", "qop without nc or cnonce" },
		{ OURS BARE ", qop=auth, nc=00000001",
		    "qop without nc or cnonce" },
		{ OURS BARE ", qop=auth, cnonce=\"c\"",
		    "qop without nc or cnonce" },
		{ OURS BARE ", qop=auth, cnonce=\"c\", nc=00000000", "nc" },
		{ OURS BARE ", qop=auth, cnonce=\"c\", nc=1", "nc" },
		{ OURS BARE ", qop=auth, cnonce=\"c\", nc=000000001", "nc" },
		{ OURS BARE ", qop=auth, cnonce=\"c\", nc=0000000g", "nc" },
		{ OURS BARE ", qop=auth, cnonce=\"c\", nc=+0000001", "nc" },
		{ OURS BARE ", qop=auth, cnonce=\"c\", nc=\" 0000001\"",
		    "nc" },
		{ OURS BARE ", username*=UTF-8''eve",
		    "username and username*" },
		{ OURS BARE ", userhash=yes", "userhash" },
		{ OURS BARE ", userhash=true", "userhash" },
		{ NAMED("username*=UTF-8''bob, userhash=true"),
		    "userhash with username*" },
		{ NAMED("username*=\"UTF-8''bob\""), "username* in quotes" },
		{ NAMED("username*=bob"), "username* without charset" },
		{ NAMED("username*=ISO-8859-1''bob"),
		    "username* of another charset" },
		{ NAMED("username*=''bob"), "username* of another charset" },
		{ NAMED("username*=UTF-8'bob"),
		    "username* without language" },
		{ NAMED("username*=UTF-8''b%"),
		    "username* with a broken escape" },
		{ NAMED("username*=UTF-8''b%4"),
		    "username* with a broken escape" },
		{ NAMED("username*=UTF-8''b%4x"),
		    "username* with a broken escape" },
		{ OURS "nonce=\"\", uri=\"\", response=\"\", "
		    "username*=UTF-8''b%4", "username* with a broken escape" },
		{ NAMED("username*=UTF-8''%00"), "username* not clean" },
		{ NAMED("username*=UTF-8''%0d%0a"), "username* not clean" },
		{ NAMED("username*=UTF-8''%e4"), "username* not clean" },
	};
	/* What an earlier header left behind must not complete a later one. */
	static const int left_behind[] = { 0x80, '0' };
	struct credentials c;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const char *text = cases[i / 2].text;

		memset(&c, left_behind[i % 2], sizeof c);
		if (parse(&c, text) != CREDENTIALS_BAD)
			fail_msg("taken: %s", text);
		if (strcmp(c.fault, cases[i / 2].fault) != 0)
			fail_msg("%s: %s", text, c.fault);
	}
}

/* RFC 5987 section 3.2.2 and RFC 7616 section 3.9.2. */
static void
extended_names_are_decoded(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ NAMED("username*=UTF-8''J%C3%A4s%c3%b8n%20Doe"),
		    "J\xc3\xa4s\xc3\xb8n Doe" },
		{ NAMED("USERNAME*=utf-8'en'%c2%a3%20rates"),
		    "\xc2\xa3 rates" },
		{ NAMED("username*=UTF-8''"), "" },
		{ NAMED("username*=UTF-8''a'b%25%2541"), "a'b%%41" },
	};
	struct credentials c;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (parse(&c, cases[i].text) != CREDENTIALS_OK)
			fail_msg("%s: %s", cases[i].text, c.fault);
		assert_true(c.utf8_name);
		same(cases[i].text, c.username, cases[i].want);
		same(cases[i].text, c.nonce, "n1");
	}
}

static void
hashed_names_are_hashes(void **state)
{
	struct credentials c;

	(void)state;
	assert_int_equal(parse(&c, NAMED("userhash=TRUE, username=\""
	    MD5_HEX "\"")), CREDENTIALS_OK);
	assert_true(c.userhash);
	same("username", c.username, MD5_HEX);
	assert_int_equal(parse(&c, NAMED("userhash=true, username=\""
	    SHA_HEX "\"")), CREDENTIALS_BAD);
	assert_string_equal(c.fault, "userhash");
}

/* A header that fills the room to the last byte, and one byte more. */
static void
length_has_a_bound(void **state)
{
	static const char head[] = OURS BARE ", x=";
	static char text[CREDENTIALS_TEXT_MAX + 1];
	struct credentials c;

	(void)state;
	memset(text, 'y', sizeof text);
	memcpy(text, head, sizeof head - 1);
	assert_int_equal(credentials_parse(&c, (struct str){ text,
	    sizeof text - 1 }, str_of("r")), CREDENTIALS_OK);
	assert_int_equal(credentials_parse(&c, (struct str){ text,
	    sizeof text }, str_of("r")), CREDENTIALS_BAD);
	assert_string_equal(c.fault, "too long");
	memcpy(text, "Basic ", 6);
	assert_int_equal(credentials_parse(&c, (struct str){ text,
	    sizeof text }, str_of("r")), CREDENTIALS_OTHER_SCHEME);
}

/* Nothing beyond the given length is looked at: every cut of a good one is
 * read without its rest, and only the whole is taken. */
static void
every_cut_is_refused(void **state)
{
	static const char whole[] = OURS "username=\"bob\", nonce=\"n1\", "
	    "uri=\"u\", qop=auth, cnonce=\"c1\", nc=00000001, "
	    "response=\"" MD5_HEX "\"";
	struct credentials c;
	char *exact;

	(void)state;
	for (size_t len = 0; len < sizeof whole; len++) {
		exact = test_malloc(len + 1);
		memcpy(exact, whole, len);
		if ((credentials_parse(&c, (struct str){ exact, len },
		    str_of("r")) == CREDENTIALS_OK) !=
		    (len == sizeof whole - 1))
			fail_msg("%zu bytes", len);
		test_free(exact);
	}
}

static void
nul_is_no_end(void **state)
{
	static const char text[] = OURS BARE ", x=\"a\0b\"";
	static const char bare[] = OURS BARE "\0, x=y";
	struct credentials c;

	(void)state;
	assert_int_equal(credentials_parse(&c, (struct str){ text,
	    sizeof text - 1 }, str_of("r")), CREDENTIALS_BAD);
	assert_string_equal(c.fault, "control character");
	assert_int_equal(credentials_parse(&c, (struct str){ bare,
	    sizeof bare - 1 }, str_of("r")), CREDENTIALS_BAD);
	assert_string_equal(c.fault, "malformed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(what_is_absent_is_empty),
		cmocka_unit_test(every_spelling_is_read),
		cmocka_unit_test(quoted_pairs_and_folds_are_undone),
		cmocka_unit_test(what_is_not_for_us_is_told_apart),
		cmocka_unit_test(malformed_ones_are_refused_with_a_reason),
		cmocka_unit_test(extended_names_are_decoded),
		cmocka_unit_test(hashed_names_are_hashes),
		cmocka_unit_test(length_has_a_bound),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(nul_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
