/* Token buckets in fixed memory. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "guard/mark.h"
#include "guard/rates.h"

enum { SECOND = 1000000, BUCKETS = 1 << 10 };

static const uint8_t key[MARK_KEY_BYTES] = { 1, 2, 3 };

/* At each time, so many are asked for: how many pass? */
static const struct {
	const char		*what;
	struct conf_rate	 rate;
	struct { int64_t at_us; unsigned ask, pass; } step[4];
} cases[] = {
	{ "off", { 0, 0, 0 }, { { 0, 1000, 1000 }, { 1, 1000, 1000 } } },
	{ "a burst at once, then by the rate", { 10, 1000, 5 },
	    { { 0, 8, 5 }, { SECOND / 10, 3, 1 }, { SECOND / 5, 3, 1 },
	    { 10 * SECOND, 8, 5 } } },
	{ "no more than one at once", { 2, 1000, 1 },
	    { { 0, 2, 1 }, { SECOND / 4, 2, 0 }, { SECOND / 2, 2, 1 },
	    { 9 * SECOND, 2, 1 } } },
	{ "by the minute", { 30, 60000, 30 },
	    { { 0, 40, 30 }, { SECOND, 5, 0 }, { 2 * SECOND, 5, 1 },
	    { 62 * SECOND, 40, 30 } } },
	{ "the fastest", { 1000000, 1000, 1000000 },
	    { { 7, 1000, 1000 }, { 8, 1000, 1000 } } },
};

static unsigned
take(struct rates *r, uint64_t mark, const struct conf_rate *rate,
    int64_t now_us, unsigned n)
{
	unsigned passed = 0;

	while (n-- > 0)
		passed += rates_take(r, mark, rate, now_us);
	return passed;
}

static void
so_many_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rates *r = rates_new(BUCKETS);

		for (size_t k = 0; k < COUNT(cases[i].step); k++)
			if (take(r, 42, &cases[i].rate,
			    cases[i].step[k].at_us, cases[i].step[k].ask) !=
			    cases[i].step[k].pass)
				fail_msg("%s: step %zu", cases[i].what, k);
		rates_free(r);
	}
}

static void
asking_takes_nothing(void **state)
{
	const struct conf_rate rate = { 1, 1000, 1 }, off = { 0, 0, 0 };
	struct rates *r = rates_new(BUCKETS);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(rates_would(r, 7, &rate, SECOND));
	assert_true(rates_would(r, 7, &off, SECOND));
	assert_true(rates_take(r, 7, &rate, SECOND));
	assert_false(rates_would(r, 7, &rate, SECOND));
	assert_true(rates_would(r, 7, &rate, 2 * SECOND));
	assert_true(rates_would(r, 8, &rate, SECOND));
	rates_free(r);
}

static uint64_t
mark(uint32_t source)
{
	return mark_of(key, MARK_SOURCE, &source, sizeof source);
}

/* Nobody who keeps to his rate is silenced by a million others, and who is
 * furthest over it is not forgotten. */
static void
a_million_sources_silence_nobody(void **state)
{
	const struct conf_rate rate = { 10, 1000, 100 };
	struct rates *r = rates_new(BUCKETS);
	unsigned passed = 0, refused = 0;

	(void)state;
	assert_int_equal(take(r, mark(0), &rate, SECOND, 200), 100);
	for (uint32_t i = 1; i <= 1000000; i++) {
		passed += rates_take(r, mark(i), &rate, SECOND);
		refused += !rates_would(r, mark(0), &rate, SECOND);
	}
	assert_int_equal(passed, 1000000);
	assert_int_equal(refused, 1000000);
	rates_free(r);
}

/* In a set that is full the one who used least makes room. */
static void
the_fullest_bucket_is_forgotten(void **state)
{
	const struct conf_rate rate = { 1, 1000, 8 };
	struct rates *r = rates_new(8);

	(void)state;
	for (uint64_t m = 1; m <= 8; m++)
		assert_int_equal(take(r, m, &rate, SECOND, (unsigned)m), m);
	assert_true(rates_take(r, 9, &rate, SECOND));
	assert_int_equal(take(r, 1, &rate, SECOND, 20), 8);
	assert_int_equal(take(r, 8, &rate, SECOND, 20), 0);
	assert_int_equal(take(r, 7, &rate, SECOND, 20), 1);
	rates_free(r);
}

static const struct {
	const char	*ip;
	unsigned	 v4_bits;
	const char	*same, *other;
} sources[] = {
	{ "192.0.2.7", 32, "192.0.2.7", "192.0.2.6" },
	{ "192.0.2.7", 24, "192.0.2.255", "192.0.3.7" },
	{ "192.0.2.7", 9, "192.127.0.1", "192.128.0.1" },
	{ "2001:db8:1:2::1", 32, "2001:db8:1:2:ffff::", "2001:db8:1:3::1" },
	{ "2001:db8:1:2::1", 8, "2001:db8:1:2::2", "2001:db8:1:3::1" },
	{ "0.0.0.1", 32, "0.0.0.1", "::1" },
};

static void
source(const char *ip, unsigned v4_bits, uint8_t out[SOURCE_BYTES])
{
	struct addr a = { .port = 0 };

	assert_true(addr_parse_host(&a, str_of(ip)));
	source_of(&a, v4_bits, out);
}

static void
addresses_are_sources(void **state)
{
	uint8_t a[SOURCE_BYTES], b[SOURCE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		source(sources[i].ip, sources[i].v4_bits, a);
		source(sources[i].same, sources[i].v4_bits, b);
		assert_memory_equal(a, b, sizeof a);
		source(sources[i].other, sources[i].v4_bits, b);
		assert_memory_not_equal(a, b, sizeof a);
	}
}

static void
marks_differ_by_kind_and_key(void **state)
{
	static const uint8_t other[MARK_KEY_BYTES] = { 9 };

	(void)state;
	assert_int_equal(mark_of(key, MARK_USER, "x", 1),
	    mark_of(key, MARK_USER, "x", 1));
	assert_int_not_equal(mark_of(key, MARK_USER, "x", 1),
	    mark_of(key, MARK_SOURCE, "x", 1));
	assert_int_not_equal(mark_of(key, MARK_USER, "x", 1),
	    mark_of(other, MARK_USER, "x", 1));
	assert_int_not_equal(mark_join(key, MARK_SHARE, 1, 2),
	    mark_join(key, MARK_SHARE, 2, 1));
}

static bool
work(void *arg)
{
	struct rates *r = rates_new(BUCKETS);

	(void)arg;
	rates_free(r);
	return r != NULL;
}

static void
lack_of_memory_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_pass),
		cmocka_unit_test(asking_takes_nothing),
		cmocka_unit_test(a_million_sources_silence_nobody),
		cmocka_unit_test(the_fullest_bucket_is_forgotten),
		cmocka_unit_test(addresses_are_sources),
		cmocka_unit_test(marks_differ_by_kind_and_key),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
