/* Challenges of others: what is read, what is chosen, what is answered. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/answer.h"
#include "base/count.h"

static struct answer_as
who(const char *user, const char *realm, const char *password)
{
	struct answer_as as = { .user = user, .realm = realm };

	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		as.ha1.has[alg] = true;
		digest_ha1(as.ha1.ha1[alg], (enum digest_alg)alg,
		    str_of(user), str_of(realm), str_of(password));
	}
	return as;
}

/* The answer to one challenge, as text. */
static const char *
answer(const struct answer_as *as, const char *challenge,
    const struct answer_request *r)
{
	static char text[4096];
	struct writer w = writer_on(text, sizeof text - 1);
	struct answer_nonce n = { .live = false };
	struct challenge c;

	assert_int_equal(challenge_parse(&c, str_of(challenge), as),
	    CHALLENGE_OK);
	answer_learn(&n, &c);
	answer_write(&w, &n, as, r);
	assert_false(w.full);
	text[w.len] = '\0';
	return text;
}

/* RFC 7616 sections 3.9.1 (SHA-256, MD5) and 3.9.2 (SHA-512-256, with the
 * corrected value of erratum 4897), RFC 2069 erratum 749. */
static const struct {
	const char	*what, *user, *realm, *password, *challenge, *method,
			*uri, *cnonce, *response;
} vectors[] = {
	{ "SHA-256", "Mufasa", "http-auth@example.org", "Circle of Life",
	    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
	    "algorithm=SHA-256, "
	    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
	    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	    "GET", "/dir/index.html",
	    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
	},
	{ "MD5", "Mufasa", "http-auth@example.org", "Circle of Life",
	    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
	    "algorithm=MD5, "
	    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
	    "GET", "/dir/index.html",
	    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	    "8ca523f5e9506fed4657c9700eebdbec" },
	{ "MD5 by default, no qop", "Mufasa", "testrealm@host.com",
	    "CircleOfLife", "digest realm=\"testrealm@host.com\","
	    "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\","
	    "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	    "GET", "/dir/index.html", "",
	    "1949323746fe6a43ef61f9606e7febea" },
};

static void
published_vectors_are_met(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct answer_as as = who(vectors[i].user, vectors[i].realm,
		    vectors[i].password);
		struct answer_request r = {
			.method = str_of(vectors[i].method),
			.uri = str_of(vectors[i].uri),
			.cnonce = str_of(vectors[i].cnonce) };
		char want[100];

		as.legacy = true;
		snprintf(want, sizeof want, "response=\"%s\"",
		    vectors[i].response);
		if (strstr(answer(&as, vectors[i].challenge, &r), want) ==
		    NULL)
			fail_msg("%s", vectors[i].what);
	}
}

#define OURS "Digest realm=\"r\", nonce=\"n\", "

static void
everything_is_written(void **state)
{
	struct answer_as as = who("bob", "r", "p");
	struct answer_request q = { .method = str_of("INVITE"),
		.uri = str_of("sip:a@b"), .cnonce = str_of("c1") };

	(void)state;
	assert_string_equal(answer(&as, OURS "qop=\"auth\", opaque=\"\", "
	    "algorithm=md5", &q), "Digest username=\"bob\", realm=\"r\", "
	    "nonce=\"n\", uri=\"sip:a@b\", "
	    "response=\"72d40b6dd9e477989356a49d9f910580\", algorithm=MD5, "
	    "qop=auth, nc=00000001, cnonce=\"c1\", opaque=\"\"");
}

/* RFC 7616 section 3.9.2. */
static void
names_are_hashed_if_asked(void **state)
{
	struct answer_as as = who("J\303\244s\303\270n Doe",
	    "api@example.org", "Secret, or not?");
	struct answer_request r = { .method = str_of("GET"),
		.uri = str_of("/doe.json"), .cnonce =
		str_of("NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v") };
	const char *text = answer(&as, "Digest realm=\"api@example.org\", "
	    "qop=\"auth\", algorithm=SHA-512-256, nonce="
	    "\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", opaque="
	    "\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", "
	    "charset=UTF-8, userhash=true", &r);

	(void)state;
	assert_non_null(strstr(text, "userhash=true"));
	assert_non_null(strstr(text, "username=\"793263caabb707a56211940d90411"
	    "ea4a575adeccb7e360aeb624ed06ece9b0b\""));
	assert_non_null(strstr(text, "response=\"3798d4131c277846293534c3edc11"
	    "bd8a5e4cdcbff78b05db9d95eeb1cec68a5\""));
}

/* What a server says in quotes comes back in quotes. */
static void
quotes_are_kept_shut(void **state)
{
	struct answer_as as = who("a\"b\\", "r", "p");
	struct answer_request r = { .method = str_of("INVITE"),
		.uri = str_of("sip:a\"@b"), .cnonce = str_of("c") };
	const char *text = answer(&as, "Digest realm=\"r\", "
	    "nonce=\"x\\\", uri=\\\"y\", qop=auth, opaque=\"\\\\\"", &r);

	(void)state;
	assert_non_null(strstr(text, "username=\"a\\\"b\\\\\""));
	assert_non_null(strstr(text, "nonce=\"x\\\", uri=\\\"y\", uri="));
	assert_non_null(strstr(text, "uri=\"sip:a\\\"@b\""));
	assert_non_null(strstr(text, "opaque=\"\\\\\""));
}

#define LONG_128 "0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef"
#define LONG_512 LONG_128 LONG_128 LONG_128 LONG_128

static const struct {
	const char *text;
	enum challenge_verdict want;
	const char *fault;
} texts[] = {
	{ "", CHALLENGE_OTHER, NULL },
	{ "Digest", CHALLENGE_OTHER, NULL },
	{ "Digest ", CHALLENGE_OTHER, NULL },
	{ "Basic realm=\"r\"", CHALLENGE_OTHER, NULL },
	{ "Digest nonce=\"n\", qop=auth", CHALLENGE_OTHER, NULL },
	{ "Digest realm=\"R\", nonce=\"n\", qop=auth", CHALLENGE_OTHER, NULL },
	{ "Digest realm=\"r \", nonce=\"n\", qop=auth", CHALLENGE_OTHER,
	    NULL },
	{ "Digest realm=\"r, nonce=\"n\", qop=auth", CHALLENGE_OTHER, NULL },
	{ "Digest realm=\"other\", realm=\"r\", nonce=\"n\", qop=auth",
	    CHALLENGE_OTHER, NULL },
	{ "Digest realm=\"r\", realm=\"other\", nonce=\"n\", qop=auth",
	    CHALLENGE_UNFIT, "doubled parameter" },
	{ OURS "qop=auth, Digest realm=\"x\", nonce=\"m\"", CHALLENGE_UNFIT,
	    "malformed" },
	{ OURS "qop=auth, opaque=\"open", CHALLENGE_UNFIT, "malformed" },
	{ OURS "qop=", CHALLENGE_UNFIT, "malformed" },
	{ "Digest realm=\"r\", qop=auth", CHALLENGE_UNFIT, "no nonce" },
	{ "Digest realm=\"r\", qop=auth, nonce=\"\"", CHALLENGE_UNFIT,
	    "no nonce" },
	{ "Digest realm=\"r\", qop=auth, nonce=\"a\tb\"", CHALLENGE_UNFIT,
	    "control character" },
	{ "Digest realm=\"r\", qop=auth, nonce=\"a\\\r\nX: y\"",
	    CHALLENGE_UNFIT, "control character" },
	{ "Digest realm=\"r\", qop=auth, nonce=\"\300\200\"", CHALLENGE_UNFIT,
	    "not UTF-8" },
	{ "Digest realm=\"r\", qop=auth, nonce=\"" LONG_512 "\"",
	    CHALLENGE_OK, NULL },
	{ "Digest realm=\"r\", qop=auth, nonce=\"" LONG_512 "0\"",
	    CHALLENGE_UNFIT, "too long" },
	{ OURS "qop=auth, opaque=\"" LONG_512 "0\"", CHALLENGE_UNFIT,
	    "too long" },
	{ OURS "qop=auth, x=\"" LONG_512 LONG_512 LONG_512 LONG_512 "\"",
	    CHALLENGE_OTHER, NULL },
	{ OURS "qop=auth, algorithm=MD5-sess", CHALLENGE_UNFIT,
	    "algorithm" },
	{ OURS "qop=auth, algorithm=SHA-1", CHALLENGE_UNFIT,
	    "unknown algorithm" },
	{ OURS "qop=auth, algorithm=\"sha-256\"", CHALLENGE_OK, NULL },
	{ "Digest realm=\"r\", nonce=\"n\"", CHALLENGE_UNFIT, "no qop" },
	{ OURS "qop=\"\"", CHALLENGE_UNFIT, "unknown qop" },
	{ OURS "qop=\"authentic\"", CHALLENGE_UNFIT, "unknown qop" },
	{ OURS "qop=\" ,, AUTH-INT ,\"", CHALLENGE_OK, NULL },
	{ OURS "qop=\"auth-int,auth\"", CHALLENGE_OK, NULL },
	{ ",, Digest realm=\"r\"", CHALLENGE_OTHER, NULL },
	{ "Digest ,, realm=\"r\" ,\r\n  nonce = \"n\",,qop=auth,",
	    CHALLENGE_OK, NULL },
};

static void
hostile_text_is_told_apart(void **state)
{
	struct answer_as as = who("bob", "r", "p");
	struct challenge c;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		enum challenge_verdict got = challenge_parse(&c,
		    str_of(texts[i].text), &as);

		if (got != texts[i].want)
			fail_msg("%s: %d", texts[i].text, (int)got);
		if (texts[i].fault == NULL)
			assert_null(c.fault);
		else
			assert_string_equal(c.fault, texts[i].fault);
	}
}

#define ALG(name, nonce) "Digest realm=\"r\", nonce=\"" nonce "\", " \
	"qop=\"auth\", algorithm=" name

static const struct {
	const char *text[4], *want;	/* the nonce; NULL: none fits */
} choices[] = {
	{ { ALG("MD5", "1"), ALG("SHA-256", "2"), ALG("SHA-512-256", "3") },
	    "3" },
	{ { ALG("SHA-512-256", "3"), ALG("SHA-256", "2"), ALG("MD5", "1") },
	    "3" },
	{ { ALG("MD5", "1"), ALG("MD5", "2") }, "1" },
	{ { ALG("SHA-256-sess", "1"), ALG("MD5", "2"), ALG("X", "3") }, "2" },
	{ { "Digest realm=\"r\", nonce=\"1\"", ALG("MD5", "2") }, "2" },
	{ { "Digest realm=\"x\", nonce=\"1\", qop=auth, algorithm=SHA-256",
	    ALG("MD5", "2"), "Basic realm=\"r\"" }, "2" },
	{ { ALG("MD5-sess", "1") }, NULL },
};

static void
the_strongest_that_fits_is_taken(void **state)
{
	struct answer_as as = who("bob", "r", "p");

	(void)state;
	as.legacy = true;
	for (size_t i = 0; i < COUNT(choices); i++) {
		struct challenges all = { .seen = false };

		for (size_t k = 0; choices[i].text[k] != NULL; k++)
			challenges_add(&all, str_of(choices[i].text[k]), &as);
		assert_true(all.seen);
		assert_int_equal(all.fit, choices[i].want != NULL);
		if (all.fit && !str_is(all.c[all.best].nonce,
		    choices[i].want))
			fail_msg("choice %zu", i);
	}
}

static void
an_algorithm_that_is_missing_is_not_chosen(void **state)
{
	struct answer_as as = who("bob", "r", "p");
	struct challenges all = { .seen = false };

	(void)state;
	as.ha1.has[DIGEST_SHA256] = false;
	challenges_add(&all, str_of(ALG("SHA-256", "1")), &as);
	assert_true(all.seen);
	assert_false(all.fit);
	challenges_add(&all, str_of(ALG("MD5", "2")), &as);
	assert_true(all.fit);
}

/* The count that stands in the next answer; 0: there is none. */
static unsigned
next_count(struct answer_nonce *n, const struct answer_as *as)
{
	char text[1024];
	struct writer w = writer_on(text, sizeof text - 1);
	struct answer_request r = { .method = str_of("INVITE"),
		.uri = str_of("sip:a@b"), .cnonce = str_of("c") };
	unsigned nc = 0;
	const char *p;

	answer_write(&w, n, as, &r);
	text[w.len] = '\0';
	p = strstr(text, "nc=");
	assert_true(p == NULL || sscanf(p, "nc=%8x", &nc) == 1);
	return nc;
}

static void
uses_are_counted(void **state)
{
	struct answer_as as = who("bob", "r", "p");
	struct answer_nonce n = { .live = false };
	struct challenge c;

	(void)state;
	assert_int_equal(next_count(&n, &as), 0);
	assert_int_equal(challenge_parse(&c, str_of(ALG("MD5", "1")), &as),
	    CHALLENGE_OK);
	answer_learn(&n, &c);
	assert_int_equal(next_count(&n, &as), 1);
	assert_int_equal(next_count(&n, &as), 2);
	answer_learn(&n, &c);			/* the same one again */
	assert_int_equal(next_count(&n, &as), 3);
	challenge_parse(&c, str_of(ALG("MD5", "2")), &as);
	answer_learn(&n, &c);
	assert_int_equal(next_count(&n, &as), 1);
	n.nc = UINT32_MAX - 1;
	assert_int_equal(next_count(&n, &as), UINT32_MAX);
	assert_int_equal(next_count(&n, &as), 0);	/* used up */
}

static void
no_room_is_told(void **state)
{
	struct answer_as as = who("bob", "r", "p");
	struct answer_request r = { .method = str_of("INVITE"),
		.uri = str_of("sip:a@b"), .cnonce = str_of("c") };
	struct challenge c;
	char text[256];

	(void)state;
	challenge_parse(&c, str_of(ALG("SHA-256", "1")), &as);
	for (size_t room = 0; room < 150; room++) {
		struct answer_nonce n = { .live = false };
		struct writer w = writer_on(text, room);

		answer_learn(&n, &c);
		answer_write(&w, &n, &as, &r);
		assert_true(w.full);
		assert_true(w.len <= room);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_are_met),
		cmocka_unit_test(everything_is_written),
		cmocka_unit_test(names_are_hashed_if_asked),
		cmocka_unit_test(quotes_are_kept_shut),
		cmocka_unit_test(hostile_text_is_told_apart),
		cmocka_unit_test(the_strongest_that_fits_is_taken),
		cmocka_unit_test(an_algorithm_that_is_missing_is_not_chosen),
		cmocka_unit_test(uses_are_counted),
		cmocka_unit_test(no_room_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
