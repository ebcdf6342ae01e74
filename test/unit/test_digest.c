/* Digest arithmetic against published vectors, and against sums made with
 * another implementation (Python's hashlib) where none are published. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "auth/digest.h"
#include "base/count.h"

#define NONCE_7616 "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE_7616 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define NONCE_2617 "dcd98b7102dd2f0e8b11d0f600bfb0c093"
#define JASON "J\xc3\xa4s\xc3\xb8n Doe"

struct vector {
	const char	*what;
	enum digest_alg	 alg;
	bool		 sess;
	enum digest_qop	 qop;
	const char	*user, *realm, *password;
	const char	*method, *uri, *nonce, *nc, *cnonce, *body;
	const char	*response;
};

static const struct vector published[] = {
	{ "RFC 7616 3.9.1, MD5", DIGEST_MD5, false, QOP_AUTH,
	    "Mufasa", "http-auth@example.org", "Circle of Life",
	    "GET", "/dir/index.html", NONCE_7616, "00000001", CNONCE_7616, "",
	    "8ca523f5e9506fed4657c9700eebdbec" },
	{ "RFC 7616 3.9.1, SHA-256", DIGEST_SHA256, false, QOP_AUTH,
	    "Mufasa", "http-auth@example.org", "Circle of Life",
	    "GET", "/dir/index.html", NONCE_7616, "00000001", CNONCE_7616, "",
	    "753927fa0e85d155564e2e272a28d180"
	    "2ca10daf4496794697cf8db5856cb6c1" },
	/* The RFC prints sums of a cut SHA-512; these are erratum 4897's. */
	{ "RFC 7616 3.9.2, SHA-512-256", DIGEST_SHA512_256, false, QOP_AUTH,
	    JASON, "api@example.org", "Secret, or not?",
	    "GET", "/doe.json", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
	    "00000001", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", "",
	    "3798d4131c277846293534c3edc11bd8"
	    "a5e4cdcbff78b05db9d95eeb1cec68a5" },
	{ "RFC 2617 3.5", DIGEST_MD5, false, QOP_AUTH,
	    "Mufasa", "testrealm@host.com", "Circle Of Life",
	    "GET", "/dir/index.html", NONCE_2617, "00000001", "0a4f113b", "",
	    "6629fae49393a05397450978507c4ef1" },
	/* The RFC prints another sum; this is erratum 749's. */
	{ "RFC 2069 2.4", DIGEST_MD5, false, QOP_NONE,
	    "Mufasa", "testrealm@host.com", "CircleOfLife",
	    "GET", "/dir/index.html", NONCE_2617, "", "", "",
	    "1949323746fe6a43ef61f9606e7febea" },
};

#define ALICE "alice", "example.com", "wonderland", "INVITE", \
	"sip:bob@example.com", "n0nce", "0000000a", "c0"

/* Made with Python's hashlib. */
static const struct vector computed[] = {
	{ "MD5 auth-int", DIGEST_MD5, false, QOP_AUTH_INT, ALICE, "v=0\r\n",
	    "39ce5595724bb4d2e5647244eb2e5c12" },
	{ "MD5 auth-int, no body", DIGEST_MD5, false, QOP_AUTH_INT, ALICE, "",
	    "1e0bbc55684944b0159b1a0de142a396" },
	{ "MD5-sess auth", DIGEST_MD5, true, QOP_AUTH, ALICE, "",
	    "997631113eafc35ea8e743664d0397e3" },
	{ "MD5-sess auth-int", DIGEST_MD5, true, QOP_AUTH_INT, ALICE,
	    "v=0\r\n", "ab557e883eb53a5acd7cc8ac1db9f029" },
	{ "SHA-256 auth-int", DIGEST_SHA256, false, QOP_AUTH_INT, ALICE,
	    "v=0\r\n",
	    "b43923fe4aa6ce18fb94a2531ab0ea74"
	    "c2261c594d1ee2c0770ff0ca9a150452" },
	{ "SHA-256 auth-int, no body", DIGEST_SHA256, false, QOP_AUTH_INT,
	    ALICE, "",
	    "eb23e9d080ec749ae7588fdeb5377667"
	    "d57049bf7d2e78cc9db2cbb0a9f55100" },
	{ "SHA-256-sess auth", DIGEST_SHA256, true, QOP_AUTH, ALICE, "",
	    "83a2ab054dc88df4a23c91e4125591f4"
	    "03b9f5197cbc1ae1cf1e974ce9fc1337" },
	{ "SHA-256-sess auth-int", DIGEST_SHA256, true, QOP_AUTH_INT, ALICE,
	    "v=0\r\n",
	    "d1744696247610145afc75884927434e"
	    "75e90df80155e4805fa5b446bef7ef2c" },
	{ "SHA-512-256 auth-int", DIGEST_SHA512_256, false, QOP_AUTH_INT,
	    ALICE, "v=0\r\n",
	    "11643000582f47109bac04d630a73f95"
	    "5cab6fc85dc1c8e40856950246061685" },
	{ "SHA-512-256-sess auth", DIGEST_SHA512_256, true, QOP_AUTH, ALICE,
	    "",
	    "c87df4399725bd346833b70fd66f3991"
	    "58c38ae25a15f51536e41114103ccb04" },
	{ "SHA-512-256-sess auth-int", DIGEST_SHA512_256, true, QOP_AUTH_INT,
	    ALICE, "",
	    "47021cb141078434227617e2af86c62e"
	    "86524855b69f660f0678aaec58516845" },
};

static struct digest_input
input_of(const struct vector *v)
{
	return (struct digest_input){
		.alg = v->alg, .sess = v->sess, .qop = v->qop,
		.nonce = str_of(v->nonce), .nc = str_of(v->nc),
		.cnonce = str_of(v->cnonce), .uri = str_of(v->uri),
		.response = str_of(v->response),
		.method = str_of(v->method), .body = str_of(v->body),
	};
}

static void
ha1_of(const struct vector *v, uint8_t out[HA1_MAX])
{
	digest_ha1(out, v->alg, str_of(v->user), str_of(v->realm),
	    str_of(v->password));
}

static void
check_vector(const struct vector *v)
{
	struct digest_input in = input_of(v);
	uint8_t ha1[HA1_MAX];
	char response[DIGEST_HEX_MAX];

	ha1_of(v, ha1);
	digest_response(response, &in, ha1);
	if (strcmp(response, v->response) != 0)
		fail_msg("%s: %s", v->what, response);
	if (!digest_verify(&in, ha1))
		fail_msg("%s: refused", v->what);
}

static void
published_vectors_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(published); i++)
		check_vector(&published[i]);
}

static void
session_and_body_sums_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(computed); i++)
		check_vector(&computed[i]);
}

/* RFC 7616 3.9.2 with erratum 4897. */
static void
userhash_is_the_published_one(void **state)
{
	char out[DIGEST_HEX_MAX];

	(void)state;
	digest_userhash(out, DIGEST_SHA512_256, str_of(JASON),
	    str_of("api@example.org"));
	assert_string_equal(out, "793263caabb707a56211940d90411ea4"
	    "a575adeccb7e360aeb624ed06ece9b0b");
}

/* RFC 1321 A.5, FIPS 180-4: H("a:b:c") by hashlib. */
static void
ha1_joins_with_colons(void **state)
{
	uint8_t ha1[HA1_MAX];
	char hex[DIGEST_HEX_MAX];

	(void)state;
	digest_ha1(ha1, DIGEST_MD5, str_of("a"), str_of("b"), str_of("c"));
	hex_encode(hex, ha1, digest_alg_bytes(DIGEST_MD5));
	assert_string_equal(hex, "02cc8f08398a4f3113b554e8105ebe4c");
}

static void
every_part_counts(void **state)
{
	const struct vector *v = &computed[3];
	struct digest_input good = input_of(v), in;
	struct str other = str_of("other");
	uint8_t ha1[HA1_MAX];

	(void)state;
	ha1_of(v, ha1);
	struct str *part[] = { &in.nonce, &in.nc, &in.cnonce, &in.uri,
	    &in.method, &in.body };
	for (size_t i = 0; i < COUNT(part); i++) {
		in = good;
		*part[i] = other;
		assert_false(digest_verify(&in, ha1));
	}
	in = good;
	in.sess = false;
	assert_false(digest_verify(&in, ha1));
	in = good;
	in.qop = QOP_AUTH;
	assert_false(digest_verify(&in, ha1));
	assert_true(digest_verify(&good, ha1));
	for (size_t bit = 0; bit < 128; bit++) {
		ha1[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(digest_verify(&good, ha1));
		ha1[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
response_is_hex_of_either_case_and_exact_length(void **state)
{
	static const struct {
		const char	*what, *response;
		bool		 want;
	} cases[] = {
		{ "small", "8ca523f5e9506fed4657c9700eebdbec", true },
		{ "large", "8CA523F5E9506FED4657C9700EEBDBEC", true },
		{ "mixed", "8ca523F5e9506feD4657c9700eebdbeC", true },
		{ "first", "0ca523f5e9506fed4657c9700eebdbec", false },
		{ "last", "8ca523f5e9506fed4657c9700eebdbed", false },
		{ "short", "8ca523f5e9506fed4657c9700eebdb", false },
		{ "odd", "8ca523f5e9506fed4657c9700eebdbe", false },
		{ "long", "8ca523f5e9506fed4657c9700eebdbec00", false },
		{ "no hex", "8ca523f5e9506fed4657c9700eebdbeg", false },
		{ "empty", "", false },
	};
	struct digest_input in = input_of(&published[0]);
	uint8_t ha1[HA1_MAX];

	(void)state;
	ha1_of(&published[0], ha1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		in.response = str_of(cases[i].response);
		if (digest_verify(&in, ha1) != cases[i].want)
			fail_msg("%s", cases[i].what);
	}
}

static void
names_are_read_case_blind(void **state)
{
	static const struct {
		const char	*name;
		bool		 known;
		enum digest_alg	 alg;
		bool		 sess;
	} cases[] = {
		{ "MD5", true, DIGEST_MD5, false },
		{ "md5", true, DIGEST_MD5, false },
		{ "MD5-sess", true, DIGEST_MD5, true },
		{ "md5-SESS", true, DIGEST_MD5, true },
		{ "SHA-256", true, DIGEST_SHA256, false },
		{ "sha-256-sess", true, DIGEST_SHA256, true },
		{ "SHA-512-256", true, DIGEST_SHA512_256, false },
		{ "SHA-512-256-sess", true, DIGEST_SHA512_256, true },
		{ "SHA256", false, 0, false },
		{ "SHA-512", false, 0, false },
		{ "MD5-", false, 0, false },
		{ "MD5-sessx", false, 0, false },
		{ "AKAv1-MD5", false, 0, false },
		{ "", false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum digest_alg alg;
		bool sess;
		bool known = digest_alg_parse(str_of(cases[i].name), &alg,
		    &sess);

		if (known != cases[i].known || (known &&
		    (alg != cases[i].alg || sess != cases[i].sess)))
			fail_msg("%s", cases[i].name);
	}
	assert_string_equal(digest_alg_name(DIGEST_SHA512_256),
	    "SHA-512-256");
	assert_int_equal(digest_alg_bytes(DIGEST_MD5), 16);
	assert_int_equal(digest_alg_bytes(DIGEST_SHA256), 32);
	assert_true(digest_alg_usable(DIGEST_SHA256));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_hold),
		cmocka_unit_test(session_and_body_sums_hold),
		cmocka_unit_test(userhash_is_the_published_one),
		cmocka_unit_test(ha1_joins_with_colons),
		cmocka_unit_test(every_part_counts),
		cmocka_unit_test(
		    response_is_hex_of_either_case_and_exact_length),
		cmocka_unit_test(names_are_read_case_blind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
