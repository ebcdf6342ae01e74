/* Who failed to prove himself, how often, and when is it too much? */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "guard/failures.h"

enum { ENTRIES = 1 << 10, WINDOW = 600, BAN = 100, BAN_MAX = 350 };

static const uint8_t key[MARK_KEY_BYTES] = { 4, 5, 6 };

static const struct limits_conf limits = {
	.ban_after = 8, .ban_window_ms = WINDOW * 1000,
	.ban_time_ms = BAN * 1000, .ban_max_ms = BAN_MAX * 1000,
};

/*
 * One step: at a time, a user (0: none) of a source, is wrong ('-') or right
 * ('+') so many times, or banned by another instance ('!'); how long is the ban that the last of them brings?
 * -SECONDS: the source is slowed instead.
 */
struct step {
	int64_t		at_s;
	uint64_t	source, user;
	char		what;
	unsigned	times;
	int64_t		ban_s;
};

static const struct {
	const char	*what;
	struct step	 step[9];
} cases[] = {
	{ "up to the limit and not before", {
	    { 10, 1, 5, '-', 7, 0 }, { 11, 1, 5, '-', 1, BAN } } },
	{ "sources are apart", {
	    { 10, 1, 5, '-', 7, 0 }, { 11, 2, 5, '-', 7, 0 },
	    { 12, 1, 5, '-', 1, BAN } } },
	{ "the window begins with the first and ends", {
	    { 10, 1, 5, '-', 7, 0 }, { 10 + WINDOW, 1, 5, '-', 7, 0 },
	    { 11 + WINDOW, 1, 5, '-', 1, BAN } } },
	{ "inside the window it counts", {
	    { 10, 1, 5, '-', 7, 0 }, { 9 + WINDOW, 1, 6, '-', 1, BAN } } },
	{ "who fails slowly gets nobody banned", {
	    { 10, 1, 5, '-', 1, 0 }, { 14, 1, 5, '-', 1, 0 },
	    { 40, 1, 5, '-', 1, 0 }, { 41, 1, 5, '-', 4, 0 },
	    { 70, 1, 5, '-', 20, 0 }, { 10 + WINDOW, 1, 5, '-', 1, 0 },
	    { 100 + WINDOW, 1, 5, '-', 20, 0 } } },
	{ "a share of each does count, however slow", {
	    { 10, 1, 5, '-', 2, 0 }, { 40, 1, 5, '-', 3, 0 },
	    { 50, 1, 6, '-', 2, 0 }, { 80, 1, 6, '-', 3, 0 },
	    { 90, 1, 7, '-', 2, 0 }, { 100, 1, 7, '-', 3, 0 },
	    { 110, 1, 8, '-', 1, 0 }, { 111, 1, 8, '-', 1, BAN } } },
	{ "one in two seconds is slow, faster is not", {
	    { 10, 1, 5, '-', 2, 0 }, { 14, 1, 5, '-', 1, 0 },
	    { 15, 1, 5, '-', 3, 0 }, { 22, 1, 5, '-', 1, 0 },
	    { 22, 1, 6, '-', 2, 0 }, { 22, 1, 7, '-', 1, BAN } } },
	{ "what others banned counts, and is forgotten as ours", {
	    { 10, 1, 0, '!', 1, 0 }, { 10 + BAN, 1, 0, '-', 8, 2 * BAN },
	    { 20, 2, 0, '!', 2, 0 }, { 20 + BAN, 2, 0, '-', 8, BAN_MAX },
	    { 30, 3, 0, '!', 1, 0 },
	    { 30 + BAN + BAN_MAX, 3, 0, '-', 8, BAN } } },
	{ "bans double, up to the longest", {
	    { 10, 1, 5, '-', 8, BAN }, { 120, 1, 5, '-', 8, 2 * BAN },
	    { 330, 1, 5, '-', 8, BAN_MAX }, { 700, 1, 5, '-', 8, BAN_MAX },
	    /* the end of that one, and ban_max beyond */
	    { 700 + 2 * BAN_MAX - 1, 1, 5, '-', 8, BAN_MAX } } },
	{ "and begin anew after a good while", {
	    { 10, 1, 5, '-', 8, BAN }, { 120, 1, 5, '-', 8, 2 * BAN },
	    { 120 + 2 * BAN + BAN_MAX, 1, 5, '-', 8, BAN } } },
	{ "many users of a stranger's source", {
	    { 10, 1, 5, '-', 4, 0 }, { 10, 1, 6, '-', 3, 0 },
	    { 10, 1, 7, '-', 1, BAN } } },
	{ "an old password beside good ones", {
	    { 10, 1, 9, '+', 1, 0 }, { 11, 1, 5, '-', 300000, 0 },
	    { 12, 1, 6, '-', 2, 0 }, { 12, 1, 7, '-', 2, 0 },
	    { 12, 1, 8, '-', 1, 0 }, { 12, 1, 8, '-', 1, -BAN } } },
	{ "what came before the first good one counts for its share only", {
	    { 10, 1, 5, '-', 5, 0 }, { 11, 1, 9, '+', 1, 0 },
	    { 12, 1, 5, '-', 2, 0 }, { 13, 1, 6, '-', 2, 0 },
	    { 13, 1, 7, '-', 1, 0 }, { 13, 1, 7, '-', 1, -BAN } } },
	{ "a good one takes back, with a limit", {
	    { 10, 1, 5, '-', 2, 0 }, { 10, 1, 6, '-', 2, 0 },
	    { 11, 1, 9, '+', 20, 0 }, { 12, 1, 7, '-', 2, 0 },
	    { 12, 1, 8, '-', 2, 0 }, { 13, 1, 9, '+', 20, 0 },
	    { 14, 1, 10, '-', 1, 0 }, { 15, 1, 10, '-', 1, -BAN } } },
	{ "many good ones take back more", {
	    { 10, 1, 5, '-', 2, 0 }, { 10, 1, 6, '-', 2, 0 },
	    { 11, 1, 9, '+', 20, 0 }, { 12, 1, 7, '-', 2, 0 },
	    { 12, 1, 8, '-', 2, 0 }, { 13, 1, 4, '+', 20, 0 },
	    { 14, 1, 10, '-', 2, 0 }, { 15, 1, 11, '-', 2, -BAN } } },
	{ "a day later nobody speaks for the source", {
	    { 10, 1, 9, '+', 1, 0 }, { 10 + PROVED_S, 1, 5, '-', 8, BAN } } },
	{ "nobody's failures harm strangers only", {
	    { 10, 1, 0, '-', 7, 0 }, { 11, 1, 0, '-', 1, BAN } } },
	{ "and not where others are right", {
	    { 10, 1, 9, '+', 1, 0 }, { 11, 1, 0, '-', 1000, 0 },
	    { 12, 1, 5, '-', 5, 0 } } },
	{ "slowing is as long as a ban, and nothing counts meanwhile", {
	    { 10, 1, 9, '+', 1, 0 }, { 11, 1, 5, '-', 2, 0 },
	    { 11, 1, 6, '-', 2, 0 }, { 11, 1, 7, '-', 2, 0 },
	    { 11, 1, 8, '-', 2, -BAN }, { 12, 1, 10, '-', 50, 0 },
	    { 11 + BAN, 1, 11, '-', 50, 0 } } },
	{ "not even of many users", {
	    { 10, 1, 9, '+', 1, 0 }, { 11, 1, 5, '-', 2, 0 },
	    { 11, 1, 6, '-', 2, 0 }, { 11, 1, 7, '-', 2, 0 },
	    { 11, 1, 8, '-', 2, -BAN }, { 12, 1, 10, '-', 2, 0 },
	    { 12, 1, 11, '-', 2, 0 }, { 12, 1, 12, '-', 2, 0 },
	    { 12, 1, 13, '-', 2, 0 } } },
	{ "and doubles", {
	    { 10, 1, 9, '+', 1, 0 }, { 11, 1, 5, '-', 2, 0 },
	    { 11, 1, 6, '-', 2, 0 }, { 11, 1, 7, '-', 2, 0 },
	    { 11, 1, 8, '-', 2, -BAN },
	    { 112, 1, 10, '-', 2, 0 }, { 112, 1, 11, '-', 2, 0 },
	    { 112, 1, 12, '-', 2, 0 }, { 112, 1, 13, '-', 2, -2 * BAN } } },
};

/* What one more failure brings. */
static int64_t
add(struct failures *f, const struct limits_conf *l,
    const struct failures_who *who, int64_t now_s)
{
	int64_t lasts_s;

	switch (failures_add(f, l, who, now_s, &lasts_s)) {
	case FAILURES_BAN:
		return lasts_s;
	case FAILURES_SLOW:
		return -lasts_s;
	case FAILURES_WITHIN:
		break;
	}
	return lasts_s;
}

static int64_t
walk(struct failures *f, const struct step *s)
{
	const struct failures_who who = { s->source, s->user, s->user };
	int64_t ban_s = 0;

	for (unsigned i = 0; i < s->times; i++) {
		if (ban_s != 0)
			return INT64_MIN;	/* before the last one */
		if (s->what == '-')
			ban_s = add(f, &limits, &who, s->at_s);
		else if (s->what == '!')
			failures_told(f, &limits, &who, s->at_s);
		else
			failures_forgive(f, &limits, &who, s->at_s);
	}
	return ban_s;
}

static void
too_many_failures_are_a_ban(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct failures *f = failures_new(ENTRIES, key);

		for (size_t k = 0; k < COUNT(cases[i].step) &&
		    cases[i].step[k].times > 0; k++)
			if (walk(f, &cases[i].step[k]) !=
			    cases[i].step[k].ban_s)
				fail_msg("%s: step %zu", cases[i].what, k);
		failures_free(f);
	}
}

static struct limits_conf
limits_after(int64_t ban_after)
{
	struct limits_conf l = limits;

	l.ban_after = ban_after;
	return l;
}

static void
the_least_limit_is_one(void **state)
{
	(void)state;
	for (int64_t after = 1; after < 8; after++) {
		const struct limits_conf l = limits_after(after);
		const struct failures_who who = { 1, 2, 3 };
		struct failures *f = failures_new(ENTRIES, key);

		for (int64_t i = 1; i < after; i++)
			assert_int_equal(add(f, &l, &who, 10), 0);
		assert_int_equal(add(f, &l, &who, 10), BAN);
		failures_free(f);
	}
}

/* However much a source may, of one user only a few count. */
static void
a_share_has_a_bound(void **state)
{
	const struct limits_conf l = limits_after(1000);
	const struct failures_who good = { 1, 2, 3 };
	struct failures_who who = { 1, 0, 3 };
	struct failures *f = failures_new(ENTRIES, key);

	(void)state;
	failures_forgive(f, &l, &good, 10);
	for (who.user = 10; who.user < 210; who.user++)
		for (unsigned i = 1; i <= 2 * FAILURES_SHARE; i++)
			assert_int_equal(add(f, &l, &who, 10),
			    who.user == 209 && i == FAILURES_SHARE ? -BAN : 0);
	failures_free(f);
}

static void
off_is_never(void **state)
{
	struct limits_conf off = limits;
	const struct failures_who who = { 1, 2, 3 };
	struct failures *f = failures_new(ENTRIES, key);

	(void)state;
	off.ban_after = -1;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(add(f, &off, &who, 10), 0);
	failures_free(f);
}

static void
a_proof_is_of_a_user_and_a_source(void **state)
{
	const struct failures_who who = { 1, 2, 4 }, user = { 1, 3, 4 },
	    source = { 2, 2, 4 };
	struct failures *f = failures_new(ENTRIES, key);

	(void)state;
	assert_false(failures_proved(f, &who, 10));
	assert_false(failures_proved_any(f, &who, 10));
	failures_forgive(f, &limits, &who, 10);
	assert_true(failures_proved_any(f, &user, 9 + PROVED_S));
	assert_false(failures_proved_any(f, &user, 10 + PROVED_S));
	assert_false(failures_proved_any(f, &source, 10));
	assert_true(failures_proved(f, &who, 10));
	assert_true(failures_proved(f, &who, 9 + PROVED_S));
	assert_false(failures_proved(f, &who, 10 + PROVED_S));
	assert_false(failures_proved(f, &user, 10));
	assert_false(failures_proved(f, &source, 10));
	failures_forgive(f, &limits, &who, 100);
	assert_true(failures_proved(f, &who, 10 + PROVED_S));
	failures_free(f);
}

static void
a_flow_is_one_of_many_of_a_source(void **state)
{
	const struct failures_who who = { 1, 2, 3 }, flow = { 1, 2, 4 },
	    user = { 1, 5, 3 };
	struct failures *f = failures_new(ENTRIES, key);

	(void)state;
	assert_false(failures_proved_flow(f, &who, 10));
	failures_forgive(f, &limits, &who, 10);
	assert_true(failures_proved_flow(f, &who, 9 + PROVED_FLOW_S));
	assert_false(failures_proved_flow(f, &who, 10 + PROVED_FLOW_S));
	assert_false(failures_proved_flow(f, &flow, 10));
	assert_false(failures_proved_flow(f, &user, 10));
	assert_true(failures_proved(f, &flow, 10 + PROVED_FLOW_S));
	failures_free(f);
}

static void
slowing_is_of_a_source_and_ends(void **state)
{
	const struct failures_who good = { 1, 2, 3 }, bad = { 1, 0x50, 4 },
	    other = { 2, 2, 3 };
	struct failures_who guesser = bad;
	struct failures *f = failures_new(ENTRIES, key);

	(void)state;
	failures_forgive(f, &limits, &good, 10);
	for (int64_t i = 1; i < limits.ban_after; i++) {
		guesser.user++;
		assert_int_equal(add(f, &limits, &guesser, 10), 0);
	}
	assert_false(failures_slowed(f, &good, 10));
	assert_int_equal(add(f, &limits, &bad, 10), -BAN);
	assert_true(failures_slowed(f, &good, 10));
	assert_true(failures_slowed(f, &bad, 10 + BAN));
	assert_false(failures_slowed(f, &bad, 11 + BAN));
	assert_false(failures_slowed(f, &other, 10));
	failures_free(f);
}

/* A million sources that fail now and then: none is banned for another, and
 * who proved himself is forgotten last. */
static void
a_million_sources_harm_nobody(void **state)
{
	const struct failures_who good = { 77, 78, 79 };
	struct failures *f = failures_new(ENTRIES, key);

	(void)state;
	failures_forgive(f, &limits, &good, 10);
	for (uint64_t i = 1000; i < 1001000; i++) {
		const struct failures_who who = { i, i, i };

		for (int k = 0; k < 3; k++)
			assert_int_equal(add(f, &limits, &who, 20), 0);
	}
	assert_true(failures_proved(f, &good, 20));
	failures_free(f);
}

/* So many of nobody in particular, which take one entry of a source. */
static int64_t
add_nobodys(struct failures *f, uint64_t source, int64_t now_s, unsigned n)
{
	const struct failures_who who = { .source = source };
	int64_t ban_s = 0;

	while (n-- > 0)
		ban_s = add(f, &limits, &who, now_s);
	return ban_s;
}

/* Where there is room for eight. */
static void
what_ends_first_makes_room(void **state)
{
	static const int64_t at_s[] = { 14, 12, 17, 10, 16, 11, 13, 15 };
	struct failures *f = failures_new(COUNT(at_s), key);

	(void)state;
	for (size_t i = 0; i < COUNT(at_s); i++)
		assert_int_equal(add_nobodys(f, 1 + i, at_s[i], 7), 0);
	assert_int_equal(add_nobodys(f, 100, 20, 1), 0);
	for (size_t i = 0; i < COUNT(at_s); i++)
		if (at_s[i] > 10)
			assert_int_equal(add_nobodys(f, 1 + i, 20, 1), BAN);
	assert_int_equal(add_nobodys(f, 4, 20, 7), 0);
	failures_free(f);
}

/* A proof that pushes out what it wanted to lessen lessens nothing else. */
static void
a_share_takes_the_place_of_the_count(void **state)
{
	const struct step steps[] = {
	    { 30, 1, 9, '-', 2, 0 }, { 30, 1, 10, '-', 2, 0 },
	    { 30, 1, 11, '-', 2, 0 }, { 30, 1, 12, '-', 2, -BAN } };
	const struct failures_who good = { 1, 9, 9 };
	struct failures *f = failures_new(8, key);

	(void)state;
	assert_int_equal(add_nobodys(f, 1, 10, 1), 0);
	for (uint64_t i = 2; i < 9; i++)
		assert_int_equal(add_nobodys(f, i, 20, 1), 0);
	failures_forgive(f, &limits, &good, 30);
	for (size_t i = 0; i < COUNT(steps); i++)
		if (walk(f, &steps[i]) != steps[i].ban_s)
			fail_msg("step %zu", i);
	failures_free(f);
}

static bool
work(void *arg)
{
	struct failures *f = failures_new(ENTRIES, key);

	(void)arg;
	failures_free(f);
	return f != NULL;
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
		cmocka_unit_test(too_many_failures_are_a_ban),
		cmocka_unit_test(the_least_limit_is_one),
		cmocka_unit_test(a_share_has_a_bound),
		cmocka_unit_test(off_is_never),
		cmocka_unit_test(a_proof_is_of_a_user_and_a_source),
		cmocka_unit_test(a_flow_is_one_of_many_of_a_source),
		cmocka_unit_test(slowing_is_of_a_source_and_ends),
		cmocka_unit_test(a_million_sources_harm_nobody),
		cmocka_unit_test(what_ends_first_makes_room),
		cmocka_unit_test(a_share_takes_the_place_of_the_count),
		cmocka_unit_test(lack_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
