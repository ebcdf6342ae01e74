/* Who may call himself what. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "auth/identity.h"
#include "base/count.h"

static const char *const domains[] = { "example.com", "sip.example.com" };

struct claim { const char *scheme, *user, *host; };

static struct identity_uri
uri_of(const struct claim *c)
{
	return (struct identity_uri){
		str_of(c->scheme), str_of(c->user), str_of(c->host)
	};
}

static void
without_list_it_is_the_own_name_at_home(void **state)
{
	static const struct { struct claim claim; bool want; } cases[] = {
		{ { "sip", "alice", "example.com" }, true },
		{ { "sips", "alice", "example.com" }, true },
		{ { "SIP", "alice", "EXAMPLE.com" }, true },
		{ { "sip", "alice", "sip.example.com" }, true },
		{ { "sip", "Alice", "example.com" }, false },
		{ { "sip", "bob", "example.com" }, false },
		{ { "sip", "alice", "example.org" }, false },
		{ { "sip", "alice", "example.com.evil.org" }, false },
		{ { "sip", "alice", "" }, false },
		{ { "sip", "", "example.com" }, false },
		{ { "sip", NULL, "example.com" }, false },
		{ { "sip", "alice@example.com", "evil.org" }, false },
		{ { "tel", "alice", NULL }, false },
		{ { "tel", "alice", "example.com" }, false },
		{ { "http", "alice", "example.com" }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity_uri u = uri_of(&cases[i].claim);

		if (identity_is_allowed(&u, str_of("alice"), NULL, 0, domains,
		    COUNT(domains)) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

static void
a_user_without_name_is_nobody(void **state)
{
	struct identity_uri u = uri_of(&(struct claim){ "sip", "",
	    "example.com" });

	(void)state;
	assert_false(identity_is_allowed(&u, str_of(""), NULL, 0, domains,
	    COUNT(domains)));
	u.user = str_of("alice");
	assert_false(identity_is_allowed(&u, str_of("alice"), NULL, 0, NULL,
	    0));
}

static void
patterns_are_held_against_uris(void **state)
{
	static const struct {
		const char	*pattern;
		struct claim	 claim;
		bool		 want;
	} cases[] = {
		/* exact */
		{ "sip:bob@b.org", { "sip", "bob", "b.org" }, true },
		{ "sip:bob@b.org", { "sips", "bob", "B.ORG" }, true },
		{ "SIPS:bob@B.org", { "sip", "bob", "b.org" }, true },
		{ "sip:bob@b.org", { "sip", "Bob", "b.org" }, false },
		{ "sip:bob@b.org", { "sip", "bob", "b.org.evil" }, false },
		{ "sip:bob@b.org", { "sip", "xbob", "b.org" }, false },
		{ "sip:bob@b.org", { "sip", "", "b.org" }, false },
		{ "bob@b.org", { "sip", "bob", "b.org" }, true },
		{ "sip:b.org", { "sip", "", "B.org" }, true },
		{ "sip:b.org", { "sip", "bob", "b.org" }, false },
		/* wildcards on either side of the @ */
		{ "sip:*@b.org", { "sip", "bob", "B.org" }, true },
		{ "sip:*@b.org", { "sip", "", "b.org" }, false },
		{ "sip:*@b.org", { "sip", "bob", "c.org" }, false },
		{ "sip:b?b@b.org", { "sip", "bob", "b.org" }, true },
		{ "sip:b?b@b.org", { "sip", "bb", "b.org" }, false },
		{ "sip:B*@b.org", { "sip", "bob", "b.org" }, false },
		{ "sip:bob@*.org", { "sip", "bob", "b.ORG" }, true },
		{ "sip:bob@*.org", { "sip", "bob", "b.org.evil" }, false },
		{ "sip:+49*@*", { "sip", "+4930", "any" }, true },
		{ "sip:+49*@*", { "sip", "+4330", "any" }, false },
		{ "*@b.org", { "sips", "bob", "b.org" }, true },
		{ "sip:bob@[2001:db8::1]", { "sip", "bob", "[2001:DB8::1]" },
		    true },
		/* an @ in the user does not make another host */
		{ "sip:bob@*", { "sip", "bob@b.org", "evil" }, false },
		{ "sip:*@b.org", { "sip", "x@b.org", "evil" }, false },
		{ "sip:a@b@c", { "sip", "a@b", "c" }, true },
		/* without an @ */
		{ "*", { "sip", "bob", "b.org" }, true },
		{ "*", { "tel", "+4930", NULL }, true },
		{ "*", { "http", "bob", "b.org" }, false },
		{ "sip:*", { "sip", "bob", "b.org" }, true },
		{ "sip:*", { "sip", "", "b.org" }, true },
		{ "sip:*", { "tel", "+4930", NULL }, false },
		{ "sip:*.b.org", { "sip", "bob", "X.B.org" }, true },
		{ "sip:*.b.org", { "sip", "bob", "b.org" }, false },
		/* numbers */
		{ "tel:+49*", { "tel", "+4930", NULL }, true },
		{ "TEL:+4930", { "TEL", "+4930", NULL }, true },
		{ "tel:+4930", { "tel", "+49301", NULL }, false },
		{ "tel:+4930", { "sip", "+4930", "b.org" }, false },
		{ "+4930", { "tel", "+4930", NULL }, true },
		{ "", { "sip", "bob", "b.org" }, false },
		{ "sip:", { "sip", "bob", "b.org" }, false },
		{ "sip:@", { "sip", "bob", "b.org" }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity_uri u = uri_of(&cases[i].claim);

		if (identity_is_allowed(&u, str_of("bob"), &cases[i].pattern,
		    1, domains, COUNT(domains)) != cases[i].want)
			fail_msg("%s, %s:%s@%s", cases[i].pattern,
			    cases[i].claim.scheme, cases[i].claim.user,
			    cases[i].claim.host);
	}
}

/* With a list only the list counts, from its first entry to its last. */
static void
a_list_stands_for_the_own_name(void **state)
{
	static const char *const list[] = { "sip:desk@b.org", "tel:+4930" };
	struct identity_uri own = uri_of(&(struct claim){ "sip", "alice",
	    "example.com" });
	struct identity_uri first = uri_of(&(struct claim){ "sip", "desk",
	    "b.org" });
	struct identity_uri last = uri_of(&(struct claim){ "tel", "+4930",
	    NULL });

	(void)state;
	assert_false(identity_is_allowed(&own, str_of("alice"), list, 2,
	    domains, COUNT(domains)));
	assert_true(identity_is_allowed(&first, str_of("alice"), list, 2,
	    domains, COUNT(domains)));
	assert_true(identity_is_allowed(&last, str_of("alice"), list, 2,
	    domains, COUNT(domains)));
	assert_false(identity_is_allowed(&last, str_of("alice"), list, 1,
	    domains, COUNT(domains)));
}

static void
long_names_have_a_bound(void **state)
{
	static const char *const any = "sip:*", *const split = "sip:*@*";
	static char user[70000];
	struct identity_uri u = { str_of("sip"), { user, 0 },
	    str_of("b.org") };

	(void)state;
	memset(user, 'a', sizeof user);
	u.user.len = 511 - 5;
	assert_true(identity_is_allowed(&u, u.user, &any, 1, NULL, 0));
	u.user.len++;
	assert_false(identity_is_allowed(&u, u.user, &any, 1, NULL, 0));
	u.user.len = sizeof user;
	assert_false(identity_is_allowed(&u, u.user, &any, 1, NULL, 0));
	assert_true(identity_is_allowed(&u, u.user, &split, 1, NULL, 0));
	u.user.len = 1;
	u.host = (struct str){ user, sizeof user };
	assert_false(identity_is_allowed(&u, u.user, &any, 1, NULL, 0));
}

static void
anonymous_is_known_by_its_host(void **state)
{
	static const struct { struct claim claim; bool want; } cases[] = {
		{ { "sip", "anonymous", "anonymous.invalid" }, true },
		{ { "sips", "", "Anonymous.Invalid" }, true },
		{ { "sip", "xyz", "anonymous.invalid" }, true },
		{ { "sip", "anonymous", "example.com" }, false },
		{ { "sip", "anonymous", "x.anonymous.invalid" }, false },
		{ { "tel", "anonymous", NULL }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity_uri u = uri_of(&cases[i].claim);

		if (identity_is_anonymous(&u) != cases[i].want)
			fail_msg("case %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_list_it_is_the_own_name_at_home),
		cmocka_unit_test(a_user_without_name_is_nobody),
		cmocka_unit_test(patterns_are_held_against_uris),
		cmocka_unit_test(a_list_stands_for_the_own_name),
		cmocka_unit_test(long_names_have_a_bound),
		cmocka_unit_test(anonymous_is_known_by_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
