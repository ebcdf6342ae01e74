/* Addresses that get silence for a while. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "guard/bans.h"

enum { MAX = 100000 };

static const uint8_t key[MARK_KEY_BYTES] = { 7, 8, 9 };

static struct addr
address(const char *ip)
{
	struct addr a = { .port = 0 };

	assert_true(addr_parse_host(&a, str_of(ip)));
	a.port = 5060;
	return a;
}

static struct addr
numbered(uint32_t i)
{
	struct addr a = address("10.0.0.0");

	put_u32(a.ip + 12, 0x0a000000 + i);
	return a;
}

static int
ban(struct bans *b, const struct addr *a, int64_t until_ms, size_t max)
{
	struct ban new = { .until_ms = until_ms, .reason = BAN_FAILURES };

	bans_source(a, new.source);
	return bans_add(b, &new, max);
}

static bool
has(const struct bans *b, const char *ip)
{
	struct addr a = address(ip);

	return bans_has(b, &a);
}

static const struct {
	const char	*ip, *text, *too, *not;
} cases[] = {
	{ "192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6" },
	{ "2001:db8:1:2::7", "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1",
	    "2001:db8:1:3::7" },
	{ "::1", "::/64", "::2", "0.0.0.1" },
};

static void
an_address_is_banned(void **state)
{
	char text[ADDR_TEXT_MAX];
	uint8_t source[SOURCE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bans *b = bans_new(key);
		struct addr a = address(cases[i].ip), too, not;
		struct net silenced;

		assert_false(has(b, cases[i].ip));
		assert_int_equal(ban(b, &a, 100, MAX), 0);
		assert_true(has(b, cases[i].ip));
		assert_true(has(b, cases[i].too));
		assert_false(has(b, cases[i].not));
		bans_source(&a, source);
		assert_string_equal(bans_source_text(source, text),
		    cases[i].text);
		bans_source_net(&a, &silenced);
		too = address(cases[i].too);
		not = address(cases[i].not);
		assert_true(net_has(&silenced, &too));
		assert_false(net_has(&silenced, &not));
		assert_true(bans_remove(b, &a));
		assert_false(has(b, cases[i].ip));
		assert_false(bans_remove(b, &a));
		assert_int_equal(bans_count(b), 0);
		bans_free(b);
	}
	bans_free(NULL);
}

/* Thousands, in an order that is none; they end in time, each once. */
static void
bans_end_in_their_order(void **state)
{
	enum { N = 5000 };
	struct bans *b = bans_new(key);
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		a = numbered(i);
		assert_int_equal(ban(b, &a, 1 + i * 7919 % N, MAX), 0);
	}
	assert_int_equal(bans_count(b), N);
	for (int64_t now = 1; now <= N; now++) {
		assert_int_equal(bans_next_end_ms(b), now);
		bans_end(b, now);
		assert_int_equal(bans_count(b), N - now);
	}
	assert_int_equal(bans_next_end_ms(b), -1);
	for (uint32_t i = 0; i < N; i++) {
		a = numbered(i);
		assert_false(bans_has(b, &a));
	}
	bans_free(b);
}

/* Who asks once more soon lets others have the loop. */
static void
thousands_end_in_portions(void **state)
{
	struct bans *b = bans_new(key);
	size_t before = 5000;
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < before; i++) {
		a = numbered(i);
		assert_int_equal(ban(b, &a, 1, MAX), 0);
	}
	for (; before > 0; before = bans_count(b)) {
		assert_int_equal(bans_next_end_ms(b), 1);
		bans_end(b, 2);
		assert_in_range(before - bans_count(b), 1, 1000);
	}
	bans_free(b);
}

/* Taken out of the middle, the rest is still found and still in order. */
static void
any_may_be_taken_back(void **state)
{
	enum { N = 1000 };
	struct bans *b = bans_new(key);
	int64_t last = 0;
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		a = numbered(i);
		assert_int_equal(ban(b, &a, 1 + i * 617 % N, MAX), 0);
	}
	for (uint32_t i = 0; i < N; i += 3) {
		a = numbered(i);
		assert_true(bans_remove(b, &a));
	}
	for (uint32_t i = 0; i < N; i++) {
		a = numbered(i);
		assert_int_equal(bans_has(b, &a), i % 3 != 0);
	}
	while (bans_count(b) > 0) {
		assert_true(bans_next_end_ms(b) > last);
		last = bans_next_end_ms(b);
		bans_end(b, last);
	}
	bans_free(b);
}

/* What fills a gap may end before what stands above the gap. */
static void
a_gap_is_filled_in_order(void **state)
{
	static const int64_t until[] = { 1, 100, 2, 101, 102, 50, 5 },
	    left[] = { 1, 2, 5, 50, 100, 102 };
	struct bans *b = bans_new(key);
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < COUNT(until); i++) {
		a = numbered(i);
		assert_int_equal(ban(b, &a, until[i], MAX), 0);
	}
	a = numbered(3);
	assert_true(bans_remove(b, &a));
	for (size_t i = 0; i < COUNT(left); i++) {
		assert_int_equal(bans_next_end_ms(b), left[i]);
		bans_end(b, left[i]);
	}
	bans_free(b);
}

static void
the_later_end_counts(void **state)
{
	struct bans *b = bans_new(key);
	struct addr a = numbered(1), other = numbered(2);
	uint8_t source[SOURCE_BYTES];

	(void)state;
	assert_int_equal(ban(b, &a, 100, MAX), 0);
	assert_int_equal(ban(b, &other, 150, MAX), 0);
	assert_int_equal(ban(b, &a, 50, MAX), 0);
	assert_int_equal(bans_next_end_ms(b), 100);
	assert_int_equal(ban(b, &a, 200, MAX), 0);
	bans_source(&a, source);
	assert_int_equal(bans_until_ms(b, source), 200);
	assert_int_equal(bans_count(b), 2);
	assert_int_equal(bans_next_end_ms(b), 150);
	bans_end(b, 199);
	assert_true(bans_has(b, &a));
	assert_false(bans_has(b, &other));
	bans_source(&other, source);
	assert_int_equal(bans_until_ms(b, source), -1);
	bans_free(b);
}

/* What was said to a listener, as text. */
struct told {
	char	text[512];
};

static void
hear(void *arg, const struct ban *ban, enum ban_change change)
{
	static const char *const words[] = { [BAN_BEGINS] = "+",
		[BAN_ENDS] = "-", [BAN_MAKES_ROOM] = "!",
		[BAN_TAKEN_BACK] = "x" };
	struct told *t = arg;
	char source[ADDR_TEXT_MAX];
	size_t n = strlen(t->text);

	snprintf(t->text + n, sizeof t->text - n, "%s%s@%d ", words[change],
	    bans_source_text(ban->source, source), (int)ban->until_ms);
}

static void
listeners_are_told(void **state)
{
	struct bans *b = bans_new(key);
	struct told one = { "" }, two = { "" };
	struct addr a[4];

	(void)state;
	for (uint32_t i = 0; i < COUNT(a); i++)
		a[i] = numbered(i);
	assert_true(bans_listen(b, hear, &one));
	assert_true(bans_listen(b, hear, &two));
	ban(b, &a[1], 10, 2);
	ban(b, &a[2], 5, 2);
	ban(b, &a[2], 5, 2);			/* nothing new */
	ban(b, &a[2], 4, 2);
	ban(b, &a[2], 20, 2);
	ban(b, &a[3], 30, 2);
	bans_end(b, 25);
	bans_remove(b, &a[3]);
	assert_string_equal(one.text, "+10.0.0.1@10 +10.0.0.2@5 "
	    "+10.0.0.2@20 !10.0.0.1@10 +10.0.0.3@30 -10.0.0.2@20 "
	    "x10.0.0.3@30 ");
	assert_string_equal(two.text, one.text);
	for (int i = 2; i < BANS_LISTENERS; i++)
		assert_true(bans_listen(b, hear, &two));
	assert_false(bans_listen(b, hear, &two));
	bans_free(b);
}

/* No more than there may be, also where there were more before. */
static void
their_number_is_bounded(void **state)
{
	struct bans *b = bans_new(key);
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		a = numbered(i);
		assert_int_equal(ban(b, &a, 1000 + i, 100), 0);
		assert_int_equal(bans_count(b), i < 100 ? i + 1 : 100);
	}
	assert_int_equal(bans_next_end_ms(b), 1900);
	a = numbered(5000);
	assert_int_equal(ban(b, &a, 5000, 10), 0);
	assert_int_equal(bans_count(b), 10);
	assert_int_equal(bans_next_end_ms(b), 1991);
	bans_free(b);
}

static void
count(void *arg, const struct ban *ban)
{
	int64_t *sum = arg;

	*sum += ban->until_ms;
}

/* A million at once would hold the loop for seconds. */
static void
very_many_go_by_and_by(void **state)
{
	struct bans *b = bans_new(key);
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		a = numbered(i);
		ban(b, &a, i, 5000);
	}
	for (uint32_t i = 0; i < 6; i++) {
		size_t before = bans_count(b);

		a = numbered(5000 + i);
		ban(b, &a, 5000 + i, 2);
		assert_true(bans_has(b, &a));
		assert_in_range(before - bans_count(b), 0, 1000);
	}
	assert_int_equal(bans_count(b), 2);
	bans_free(b);
}

static void
each_is_visited(void **state)
{
	struct bans *b = bans_new(key);
	int64_t sum = 0;
	struct addr a;

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		a = numbered(i);
		ban(b, &a, i, MAX);
	}
	bans_each(b, count, &sum);
	assert_int_equal(sum, 5050);
	bans_free(b);
}

/* Without memory one more is not banned, and the others still are. */
static bool
work(void *arg)
{
	struct bans *b = bans_new(key);
	struct addr a = { .port = 0 };
	bool good = true;
	size_t n = 0;

	(void)arg;
	if (b == NULL)
		return false;
	for (uint32_t i = 0; i < 200; i++) {
		put_u32(a.ip + 12, i);
		memset(a.ip + 10, 0xff, 2);
		if (ban(b, &a, i, MAX) == 0)
			n++;
		else
			good = false;
	}
	if (bans_count(b) != n)
		abort();
	bans_free(b);
	return good;
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
		cmocka_unit_test(an_address_is_banned),
		cmocka_unit_test(bans_end_in_their_order),
		cmocka_unit_test(thousands_end_in_portions),
		cmocka_unit_test(any_may_be_taken_back),
		cmocka_unit_test(a_gap_is_filled_in_order),
		cmocka_unit_test(the_later_end_counts),
		cmocka_unit_test(listeners_are_told),
		cmocka_unit_test(their_number_is_bounded),
		cmocka_unit_test(very_many_go_by_and_by),
		cmocka_unit_test(each_is_visited),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
