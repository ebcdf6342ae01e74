/* What is kept of the answers of name servers, and for how long. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "io/dns_cache.h"

enum { SIZE = 4, NOW = 1000000 };

static int
set_up(void **state)
{
	*state = dns_cache_new(SIZE);
	return *state == NULL;
}

static int
tear_down(void **state)
{
	dns_cache_free(*state);
	return 0;
}

/* An SRV record whose port says which one it is. */
static struct dns_answer
srv(uint16_t port, uint32_t ttl_s)
{
	return (struct dns_answer){ .type = DNS_SRV, .ttl_s = ttl_s, .n = 1,
		.v = { { .srv = { .port = port, .host = "host.test" } } } };
}

static void
put(struct dns_cache *c, const char *name, uint16_t port, int64_t now_ms)
{
	const struct dns_answer a = srv(port, 60);

	dns_cache_put(c, name, &a, now_ms);
}

/* The port that is kept; 0: none is. */
static int
found(struct dns_cache *c, const char *name, int64_t now_ms)
{
	const struct dns_answer *a = dns_cache_find(c, DNS_SRV, name, now_ms);

	return a == NULL ? 0 : a->v[0].srv.port;
}

static void
kept_for_its_ttl(void **state)
{
	struct dns_cache *c = *state;

	put(c, "a.test", 1, NOW);
	assert_int_equal(found(c, "a.test", NOW), 1);
	assert_int_equal(found(c, "a.test", NOW + 59999), 1);
	assert_int_equal(found(c, "a.test", NOW + 60000), 0);
	assert_int_equal(dns_cache_count(c), 0);
}

static void
found_by_name_and_type(void **state)
{
	struct dns_cache *c = *state;
	const struct dns_answer none = { .type = DNS_A, .ttl_s = 60 };
	const struct dns_answer *a;

	put(c, "a.test", 1, NOW);
	put(c, "b.test", 2, NOW);
	dns_cache_put(c, "a.test", &none, NOW);
	assert_int_equal(found(c, "a.test", NOW), 1);
	assert_int_equal(found(c, "A.Test", NOW), 1);
	assert_int_equal(found(c, "b.test", NOW), 2);
	assert_int_equal(found(c, "a.tes", NOW), 0);
	assert_int_equal(found(c, "a.test.x", NOW), 0);
	a = dns_cache_find(c, DNS_A, "a.test", NOW);
	assert_non_null(a);
	assert_int_equal(a->n, 0);
	assert_null(dns_cache_find(c, DNS_AAAA, "a.test", NOW));
}

static void
the_new_takes_the_place_of_the_old(void **state)
{
	struct dns_cache *c = *state;

	put(c, "a.test", 1, NOW);
	put(c, "A.test", 2, NOW + 30000);
	assert_int_equal(dns_cache_count(c), 1);
	assert_int_equal(found(c, "a.test", NOW + 70000), 2);
}

static void
the_text_is_a_copy(void **state)
{
	struct dns_cache *c = *state;
	char text[3][16] = { "one.test", "", "three.test" };
	struct dns_answer a = { .type = DNS_NAPTR, .ttl_s = 60, .n = 3 };
	const struct dns_answer *kept;

	for (size_t i = 0; i < a.n; i++) {
		a.v[i].naptr.order = (uint16_t)i;
		a.v[i].naptr.name = text[i];
	}
	dns_cache_put(c, "a.test", &a, NOW);
	memset(text, 'x', sizeof text);
	kept = dns_cache_find(c, DNS_NAPTR, "a.test", NOW);
	assert_non_null(kept);
	assert_string_equal(kept->v[0].naptr.name, "one.test");
	assert_string_equal(kept->v[1].naptr.name, "");
	assert_string_equal(kept->v[2].naptr.name, "three.test");
	assert_int_equal(kept->v[2].naptr.order, 2);
}

static void
what_was_not_used_for_longest_goes_first(void **state)
{
	static const char *const name[] = { "a", "b", "c", "d", "e", "f" };
	struct dns_cache *c = *state;

	for (uint16_t i = 0; i < SIZE; i++)
		put(c, name[i], i + 1, NOW);
	assert_int_equal(found(c, "a", NOW), 1);
	put(c, "e", 5, NOW);
	put(c, "f", 6, NOW);
	assert_int_equal(dns_cache_count(c), SIZE);
	assert_int_equal(found(c, "a", NOW), 1);
	assert_int_equal(found(c, "b", NOW), 0);
	assert_int_equal(found(c, "c", NOW), 0);
	assert_int_equal(found(c, "d", NOW), 4);
	assert_int_equal(found(c, "f", NOW), 6);
}

static void
more_than_the_table_begins_with(void **state)
{
	struct dns_cache *c = dns_cache_new(5000);
	char name[16];

	(void)state;
	for (uint16_t i = 1; i <= 5000; i++) {
		snprintf(name, sizeof name, "n%u.test", i);
		put(c, name, i, NOW);
	}
	assert_int_equal(dns_cache_count(c), 5000);
	assert_int_equal(found(c, "n1.test", NOW), 1);
	assert_int_equal(found(c, "n5000.test", NOW), 5000);
	dns_cache_free(c);
}

static bool
keep_one(void *arg)
{
	struct dns_cache *c = dns_cache_new(SIZE);
	bool kept = false;

	(void)arg;
	if (c != NULL) {
		put(c, "a.test", 1, NOW);
		kept = found(c, "a.test", NOW) == 1;
	}
	dns_cache_free(c);
	return kept;
}

static void
for_want_of_memory_it_is_not_kept(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(keep_one, NULL), 0);
}

int
main(void)
{
#define CACHE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CACHE_TEST(kept_for_its_ttl),
		CACHE_TEST(found_by_name_and_type),
		CACHE_TEST(the_new_takes_the_place_of_the_old),
		CACHE_TEST(the_text_is_a_copy),
		CACHE_TEST(what_was_not_used_for_longest_goes_first),
		cmocka_unit_test(more_than_the_table_begins_with),
		cmocka_unit_test(for_want_of_memory_it_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
