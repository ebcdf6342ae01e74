/* Nonces: what goes in comes out, and nothing that was touched opens. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "auth/nonce.h"
#include "base/count.h"

#define NOW INT64_C(1767225600123)	/* 2026-01-01 00:00:00.123 UTC */

/* Made with Python (its hmac, and SipHash written there) for masters 00..1f and 20..3f, NOW, 192.0.2.1 and
 * realm example.com: what every instance must agree on. */
#define ONE_SHORT \
	"EwEHkL7vAHgBm3baqHtkZWZnaGlqa2xt3sr7rUbjS3fWKxNi6-RSh0ADlTZTGR3"
#define FIXED_FIRST ONE_SHORT "A"
#define FIXED_SECOND \
	"EwEHkL7vAHgBm3baqHtkZWZnaGlqa2xt3sr7rdtmWL12kCTZrb9CEOCwMT-bGW5A"

#define FOUR(s) s s s s

static const struct nonce terms = {
	.mode = NONCE_ONE_TIME | NONCE_LEGACY, .qops = NONCE_QOP_AUTH,
	.algs = 7, .instance = 0xbeef, .lifetime_s = 120,
	.store = 0xdecafbad,
};

/* Masters 32 * first .. and the one after it. */
static struct keys *
keys_from(uint8_t first, size_t n)
{
	uint8_t master[KEYS_MAX][MASTER_KEY_BYTES];
	struct keys *k;

	for (size_t i = 0; i < KEYS_MAX * MASTER_KEY_BYTES; i++)
		master[i / MASTER_KEY_BYTES][i % MASTER_KEY_BYTES] =
		    (uint8_t)(first * MASTER_KEY_BYTES + i);
	k = keys_new(master, n);
	assert_non_null(k);
	return k;
}

static struct addr
addr_of(const char *host, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse_host(&a, str_of(host)));
	a.port = port;
	return a;
}

static void
mint(struct keys *k, const struct nonce *n, int64_t now_ms,
    char out[NONCE_TEXT + 1])
{
	struct addr source = addr_of("192.0.2.1", 5060);

	nonce_mint(k, n, str_of("example.com"), &source, now_ms, out);
}

static bool
opens(struct keys *k, const char *text, struct nonce *n)
{
	return nonce_open(k, str_of(text), str_of("example.com"), n);
}

static void
every_field_comes_back(void **state)
{
	static const struct nonce cases[] = {
		{ .mode = 0, .qops = NONCE_QOP_AUTH, .algs = 1,
		    .lifetime_s = 1 },
		{ .mode = NONCE_LOCAL, .qops = NONCE_QOP_AUTH_INT, .algs = 2,
		    .instance = 1, .lifetime_s = 120, .store = 1 },
		{ .mode = NONCE_ONE_TIME | NONCE_LEGACY | NONCE_LOCAL,
		    .qops = NONCE_QOP_AUTH | NONCE_QOP_AUTH_INT, .algs = 7,
		    .instance = UINT16_MAX, .lifetime_s = UINT16_MAX,
		    .store = UINT32_MAX },
	};
	struct keys *k = keys_from(0, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct nonce *want = &cases[i];
		char text[NONCE_TEXT + 1];
		struct nonce got;

		mint(k, want, NOW, text);
		assert_int_equal(strlen(text), NONCE_TEXT);
		assert_true(opens(k, text, &got));
		assert_int_equal(got.mode, want->mode);
		assert_int_equal(got.qops, want->qops);
		assert_int_equal(got.algs, want->algs);
		assert_int_equal(got.instance, want->instance);
		assert_int_equal(got.lifetime_s, want->lifetime_s);
		assert_int_equal(got.store, want->store);
		assert_int_equal(got.issued_ms, NOW);
		assert_int_equal(got.master, 0);
	}
	keys_free(k);
}

static void
layout_is_the_documented_one(void **state)
{
	static const uint8_t id[NONCE_ID_BYTES] = {
		0x23, 0x32, 0x5e, 0x08, 0xf8, 0xdf, 0x14, 0xee,
		0xb0, 0xd5, 0xf4, 0xff, 0x42, 0x89, 0xac, 0xfd
	};
	struct keys *k = keys_from(0, 1);
	struct addr source = addr_of("192.0.2.1", 1);
	char opaque[OPAQUE_TEXT + 1];
	struct nonce n;

	(void)state;
	assert_true(opens(k, FIXED_FIRST, &n));
	assert_int_equal(n.mode, NONCE_ONE_TIME | NONCE_LEGACY);
	assert_int_equal(n.qops, NONCE_QOP_AUTH);
	assert_int_equal(n.algs, 7);
	assert_int_equal(n.instance, 0xbeef);
	assert_int_equal(n.lifetime_s, 120);
	assert_int_equal(n.issued_ms, NOW);
	assert_int_equal(n.store, 0xdecafbad);
	assert_int_equal(n.src, 0x46e34b77);
	assert_memory_equal(n.id, id, sizeof id);
	assert_true(nonce_is_from(k, &n, &source));
	nonce_opaque(k, n.master, str_of(FIXED_FIRST), opaque);
	assert_string_equal(opaque, "gwOAqlrnLYmN2NU5YEsPyg");
	keys_free(k);
}

static void
every_flipped_bit_is_refused(void **state)
{
	struct keys *k = keys_from(0, 2);
	uint8_t raw[NONCE_BYTES];
	char text[NONCE_TEXT + 1];
	struct nonce n;

	(void)state;
	mint(k, &terms, NOW, text);
	assert_int_equal(base64url_decode(raw, sizeof raw, str_of(text)),
	    NONCE_BYTES);
	for (size_t bit = 0; bit < NONCE_BYTES * 8; bit++) {
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		base64url_encode(text, raw, sizeof raw);
		if (opens(k, text, &n))
			fail_msg("bit %zu", bit);
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	base64url_encode(text, raw, sizeof raw);
	assert_true(opens(k, text, &n));
	keys_free(k);
}

/* A MAC that is right does not make up for a key id or version that is not:
 * signed here with the key itself. */
static void
signed_nonsense_is_refused(void **state)
{
	static const struct { size_t at; uint8_t value; bool want; } cases[] = {
		{ 0, 0x13, true }, { 0, 0x03, false }, { 0, 0x23, false },
		{ 3, 0x90, true }, { 3, 0x91, false }, { 3, 0x00, false },
	};
	struct keys *k = keys_from(0, 1);
	static const uint8_t realm_len[2] = { 0, 11 };
	uint8_t raw[NONCE_BYTES], mac[MAC_BYTES];
	struct mac_part part[] = {
		{ raw, 32 }, { realm_len, 2 }, { "example.com", 11 }
	};
	char text[NONCE_TEXT + 1];
	struct nonce n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		base64url_decode(raw, sizeof raw, str_of(FIXED_FIRST));
		raw[cases[i].at] = cases[i].value;
		keys_mac(k, 0, KEY_NONCE, (uint32_t)(NOW / 1000 / EPOCH_S),
		    part, COUNT(part), mac);
		memcpy(raw + 32, mac, 16);
		base64url_encode(text, raw, sizeof raw);
		if (opens(k, text, &n) != cases[i].want)
			fail_msg("byte %zu = %02x", cases[i].at,
			    cases[i].value);
	}
	keys_free(k);
}

static void
malformed_text_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "A", "QUFBQQ==",
		/* one short, one long */
		ONE_SHORT, FIXED_FIRST "A", FIXED_FIRST "=",
		FIXED_FIRST FIXED_FIRST,
		/* foreign characters in the place of the last */
		ONE_SHORT "=", ONE_SHORT "+", ONE_SHORT " ",
		ONE_SHORT "\xff",
		/* bytes that nobody signed */
		FOUR(FOUR(FOUR("="))), FOUR(FOUR(FOUR("A"))),
		FOUR(FOUR(FOUR("_"))),
	};
	struct keys *k = keys_from(0, 1);
	struct nonce n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (opens(k, cases[i], &n))
			fail_msg("%s", cases[i]);
	assert_false(nonce_open(k, (struct str){ NULL, 0 },
	    str_of("example.com"), &n));
	keys_free(k);
}

static void
realm_is_under_the_mac(void **state)
{
	static const char *const others[] = {
		"", "example.co", "example.com.", "Example.com", "example.org"
	};
	struct keys *k = keys_from(0, 1);
	struct nonce n;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		if (nonce_open(k, str_of(FIXED_FIRST), str_of(others[i]), &n))
			fail_msg("%s", others[i]);
	keys_free(k);
}

/* Add the new key as second everywhere, then swap, then remove the old. */
static void
both_masters_are_accepted_and_the_first_signs(void **state)
{
	static const struct {
		uint8_t		 first;
		size_t		 n;
		bool		 opens_first, opens_second;
	} cases[] = {
		{ 0, 1, true, false },
		{ 0, 2, true, true },
		{ 1, 1, false, true },
		{ 2, 2, false, false },
	};
	struct nonce n;
	char text[NONCE_TEXT + 1], opaque[OPAQUE_TEXT + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct keys *k = keys_from(cases[i].first, cases[i].n);

		assert_int_equal(opens(k, FIXED_FIRST, &n),
		    cases[i].opens_first);
		assert_int_equal(opens(k, FIXED_SECOND, &n),
		    cases[i].opens_second);
		mint(k, &terms, NOW, text);
		assert_true(opens(k, text, &n));
		assert_int_equal(n.master, 0);
		keys_free(k);
	}
	struct keys *k = keys_from(0, 2);
	struct addr source = addr_of("192.0.2.1", 0);
	assert_true(opens(k, FIXED_SECOND, &n));
	assert_int_equal(n.master, 1);
	assert_true(nonce_is_from(k, &n, &source));
	nonce_opaque(k, n.master, str_of(FIXED_SECOND), opaque);
	assert_string_equal(opaque, "LoBgazcw_Ci8EkdlcpfENA");
	keys_free(k);
}

static void
any_epoch_opens(void **state)
{
	static const struct { const char *what; int64_t unix_s; } cases[] = {
		{ "1970", 0 },
		{ "last second of an epoch", 3599 },
		{ "first second of an epoch", 3600 },
		{ "key id wraps", INT64_C(256) * 3600 },
		{ "before 2038-01-19", INT32_MAX },
		{ "after 2038-01-19", (int64_t)INT32_MAX + 1 },
		{ "2100-01-01", INT64_C(4102444800) },
		{ "after 2106-02-07", (int64_t)UINT32_MAX + 1 },
		{ "the end of 48 bits", INT64_C(281474976710) },
	};
	struct keys *k = keys_from(0, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t now_ms = cases[i].unix_s * 1000;
		char text[NONCE_TEXT + 1];
		struct nonce n;

		mint(k, &terms, now_ms, text);
		if (!opens(k, text, &n) || n.issued_ms != now_ms ||
		    nonce_is_stale(&n, now_ms) ||
		    !nonce_is_stale(&n, now_ms + 120001))
			fail_msg("%s", cases[i].what);
	}
	keys_free(k);
}

static void
age_is_judged_by_the_lifetime(void **state)
{
	static const struct { int64_t age_ms; bool stale; } cases[] = {
		{ 0, false }, { 119999, false }, { 120000, false },
		{ 120001, true }, { INT64_C(4000000000000), true },
		{ -1, false }, { -5000, false }, { -5001, true },
		{ -1000000000000, true },
	};
	struct keys *k = keys_from(0, 1);
	struct nonce n;

	(void)state;
	assert_true(opens(k, FIXED_FIRST, &n));
	for (size_t i = 0; i < COUNT(cases); i++)
		if (nonce_is_stale(&n, NOW + cases[i].age_ms) !=
		    cases[i].stale)
			fail_msg("age %lld ms", (long long)cases[i].age_ms);
	keys_free(k);
}

static void
source_is_the_address_without_its_port(void **state)
{
	static const struct {
		const char	*host;
		uint16_t	 port;
		bool		 want;
	} cases[] = {
		{ "192.0.2.1", 5060, true }, { "192.0.2.1", 1, true },
		{ "::ffff:192.0.2.1", 5060, true },
		{ "192.0.2.2", 5060, false }, { "2001:db8::1", 5060, false },
	};
	struct keys *k = keys_from(0, 1), *other = keys_from(1, 1);
	char text[NONCE_TEXT + 1];
	struct nonce n, m;

	(void)state;
	mint(k, &terms, NOW, text);
	assert_true(opens(k, text, &n));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = addr_of(cases[i].host, cases[i].port);

		if (nonce_is_from(k, &n, &a) != cases[i].want)
			fail_msg("%s", cases[i].host);
	}
	/* Keyed: whoever has another key cannot tell the address. */
	mint(other, &terms, NOW, text);
	assert_true(opens(other, text, &m));
	assert_int_not_equal(n.src, m.src);
	keys_free(k);
	keys_free(other);
}

static void
each_nonce_has_a_name_of_its_own(void **state)
{
	enum { MANY = 200 };
	struct keys *k = keys_from(0, 1);
	uint8_t id[MANY][NONCE_ID_BYTES];
	char text[NONCE_TEXT + 1];
	struct nonce n;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		mint(k, &terms, NOW, text);
		assert_true(opens(k, text, &n));
		memcpy(id[i], n.id, sizeof id[i]);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(id[i], id[j], sizeof id[i]);
	}
	keys_free(k);
}

static void
opaque_belongs_to_one_nonce_and_key(void **state)
{
	struct keys *k = keys_from(0, 2);
	char a[OPAQUE_TEXT + 1], b[OPAQUE_TEXT + 1];

	(void)state;
	nonce_opaque(k, 0, str_of(FIXED_FIRST), a);
	assert_int_equal(strlen(a), OPAQUE_TEXT);
	nonce_opaque(k, 1, str_of(FIXED_FIRST), b);
	assert_string_not_equal(a, b);
	nonce_opaque(k, 0, str_of(FIXED_SECOND), b);
	assert_string_not_equal(a, b);
	keys_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(layout_is_the_documented_one),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(signed_nonsense_is_refused),
		cmocka_unit_test(malformed_text_is_refused),
		cmocka_unit_test(realm_is_under_the_mac),
		cmocka_unit_test(
		    both_masters_are_accepted_and_the_first_signs),
		cmocka_unit_test(any_epoch_opens),
		cmocka_unit_test(age_is_judged_by_the_lifetime),
		cmocka_unit_test(source_is_the_address_without_its_port),
		cmocka_unit_test(each_nonce_has_a_name_of_its_own),
		cmocka_unit_test(opaque_belongs_to_one_nonce_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
