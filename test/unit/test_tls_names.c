/* Who a certificate is about, and for which names it serves. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "base/count.h"
#include "io/tls_inner.h"
#include "pki.h"

/* RFC 5922 7.1, 9 */
static const struct {
	const char	*san;
	const char	*sip, *wildcards, *sni;
} lists[] = {
	{ NULL, "", "", "" },
	{ "DNS:a.example", "a.example", "a.example", "a.example" },
	{ "URI:sip:Example.COM", "example.com", "example.com",
	    "example.com" },
	{ "DNS:a.example,URI:sip:b.example", "b.example", "b.example",
	    "b.example a.example" },
	{ "URI:SIP:a.example:5061;transport=tls", "a.example", "a.example",
	    "a.example" },
	{ "URI:sip:alice@a.example,DNS:b.example", "b.example", "b.example",
	    "b.example" },
	{ "URI:sips:a.example,URI:https://b.example,DNS:c.example",
	    "c.example", "c.example", "c.example" },
	{ "DNS:*.a.example", "", "*.a.example", "*.a.example" },
	{ "DNS:w*.a.example,DNS:*,DNS:*.,DNS:.a", "", "", "" },
	{ "DNS:a b,DNS:a/b,URI:sip:a/b", "", "", "" },
	{ "IP:192.0.2.1,IP:2001:DB8::1", "192.0.2.1 [2001:db8::1]",
	    "192.0.2.1 [2001:db8::1]", "192.0.2.1 [2001:db8::1]" },
	{ "DNS:192.0.2.1", "", "", "" },
	{ "URI:sip:[2001:DB8:0::1]:5061", "[2001:db8::1]", "[2001:db8::1]",
	    "[2001:db8::1]" },
	{ "URI:sip:[,URI:sip:[::,URI:sip:,URI:sip::5060,URI:sip:]", "", "",
	    "" },
	{ "email:a@b.example", "", "", "" },
};

static void
is_list(const char *san, X509 *x, enum tls_names_of which, const char *want)
{
	struct tls_names n;
	char have[256] = "";

	assert_true(tls_names_read(&n, x, which));
	for (size_t i = 0; i < n.n; i++) {
		strcat(have, i > 0 ? " " : "");
		strcat(have, n.name[i]);
	}
	tls_names_fini(&n);
	if (strcmp(have, want) != 0)
		fail_msg("%s: %s, not %s", san, have, want);
}

static void
names_of_a_certificate(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct pki_cert c = pki_issue(NULL, &(struct pki_spec){
			.name = "cn.example", .san = lists[i].san });
		const char *san = lists[i].san != NULL ? lists[i].san : "-";

		is_list(san, c.x, TLS_NAMES_SIP, lists[i].sip);
		is_list(san, c.x, TLS_NAMES_WILDCARDS, lists[i].wildcards);
		is_list(san, c.x, TLS_NAMES_SNI, lists[i].sni);
		pki_free(&c);
	}
}

static void
a_nul_makes_it_no_name(void **state)
{
	static const char text[] = "bank.example\0.evil.example";
	X509 *x = X509_new();
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *a = ASN1_IA5STRING_new();

	(void)state;
	ASN1_STRING_set(a, text, sizeof text - 1);
	GENERAL_NAME_set0_value(g, GEN_DNS, a);
	sk_GENERAL_NAME_push(all, g);
	assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0,
	    0), 1);
	is_list("NUL", x, TLS_NAMES_SNI, "");
	GENERAL_NAMES_free(all);
	X509_free(x);
}

static const struct {
	const char	*san, *name;
	bool		 have, match;
} asked[] = {
	{ "DNS:a.example", "a.example", true, true },
	{ "DNS:a.example", "A.Example", true, true },
	{ "DNS:a.example", "b.a.example", false, false },
	{ "DNS:a.example", "example", false, false },
	{ "DNS:a.example", "", false, false },
	{ "DNS:*.example", "a.example", false, true },
	{ "DNS:*.example", "A.EXAMPLE", false, true },
	{ "DNS:*.example", "a.b.example", false, false },
	{ "DNS:*.example", ".example", false, false },
	{ "DNS:*.example", "example", false, false },
	{ "DNS:*.0.0.1", "127.0.0.1", false, false },
	{ "IP:2001:db8::1", "2001:DB8:0::1", true, true },
	{ "IP:2001:db8::1", "[2001:db8::1]", true, true },
	{ "IP:192.0.2.1", "192.0.2.1", true, true },
	{ "IP:192.0.2.1", "::ffff:192.0.2.1", true, true },
	{ "IP:192.0.2.1", "192.0.2.10", false, false },
};

static void
names_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct pki_cert c = pki_issue(NULL, &(struct pki_spec){
			.name = "cn", .san = asked[i].san });
		struct tls_names n;

		assert_true(tls_names_read(&n, c.x, TLS_NAMES_SNI));
		if (tls_names_have(&n, asked[i].name) != asked[i].have ||
		    tls_names_match(&n, asked[i].name) != asked[i].match)
			fail_msg("%s: %s", asked[i].san, asked[i].name);
		tls_names_fini(&n);
		pki_free(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_certificate),
		cmocka_unit_test(a_nul_makes_it_no_name),
		cmocka_unit_test(names_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
