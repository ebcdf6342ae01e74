/* Whose calls are under way. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "guard/calls.h"

enum { HOUR_MS = 3600 * 1000 };

static void
name(uint8_t out[CALL_ID_BYTES], uint32_t n)
{
	memset(out, 0, CALL_ID_BYTES);
	memcpy(out, &n, sizeof n);
}

/* A call of one account, or of two. */
static struct calls_ask
ask_of(uint32_t call, uint32_t account, int64_t calls)
{
	struct calls_ask ask = { .naccounts = 1, .lasts_ms = HOUR_MS };

	name(ask.call, call);
	name(ask.account[0].id, account);
	ask.account[0].calls = calls;
	return ask;
}

static struct calls_ask
and_of(struct calls_ask ask, uint32_t account, int64_t calls)
{
	name(ask.account[1].id, account);
	ask.account[1].calls = calls;
	ask.naccounts = 2;
	return ask;
}

static void
end_call(struct calls *cs, uint32_t call)
{
	uint8_t id[CALL_ID_BYTES];

	name(id, call);
	calls_end(cs, id, CALLS_OVER);
}

static void
bye_call(struct calls *cs, uint32_t call)
{
	uint8_t id[CALL_ID_BYTES];

	name(id, call);
	calls_end(cs, id, CALLS_BYE);
}

static void
answer_call(struct calls *cs, uint32_t call, int64_t lasts_ms, int64_t now_ms)
{
	uint8_t id[CALL_ID_BYTES];

	name(id, call);
	calls_answered(cs, id, lasts_ms, now_ms);
}

static void
touch_call(struct calls *cs, uint32_t call, int64_t lasts_ms, int64_t now_ms)
{
	uint8_t id[CALL_ID_BYTES];

	name(id, call);
	calls_touch(cs, id, lasts_ms, now_ms);
}

static void
ring_call(struct calls *cs, uint32_t call, int64_t lasts_ms, int64_t now_ms)
{
	uint8_t id[CALL_ID_BYTES];

	name(id, call);
	calls_rings(cs, id, lasts_ms, now_ms);
}

/* B begins, R rings, A is answered, E ends, H hangs up, T touches; at a time in
 * ms, for this long. */
static const struct step {
	char		 what;
	uint32_t	 call;
	int64_t		 at_ms, lasts_ms;
	enum calls_verdict want;	/* of B */
	size_t		 under_way;	/* then */
} steps[] = {
	{ 'B', 1, 0, 1000, CALLS_WITHIN, 1 },
	{ 'B', 2, 0, 500, CALLS_WITHIN, 2 },
	{ 'B', 3, 0, 1000, CALLS_TOO_MANY, 2 },
	{ 'B', 1, 0, 1000, CALLS_TWICE, 2 },
	{ 'E', 9, 0, 0, 0, 2 },
	{ 'E', 1, 0, 0, 0, 1 },
	{ 'E', 1, 0, 0, 0, 1 },
	{ 'B', 3, 10, 1000, CALLS_WITHIN, 2 },
	{ 'B', 4, 499, 1000, CALLS_TOO_MANY, 2 },
	{ 'B', 4, 500, 1000, CALLS_WITHIN, 2 },		/* 2 is forgotten */
	{ 'R', 3, 600, 5000, 0, 2 },
	{ 'B', 5, 1499, 1000, CALLS_TOO_MANY, 2 },
	{ 'B', 5, 1500, 100, CALLS_WITHIN, 2 },		/* 4 is */
	{ 'T', 9, 1500, 5000, 0, 2 },
	{ 'R', 3, 1550, 10, 0, 2 },		/* no less than before */
	{ 'T', 3, 1550, 10, 0, 2 },		/* not while it rings */
	{ 'B', 6, 1560, 1000, CALLS_TOO_MANY, 2 },
	{ 'A', 9, 1550, 10, 0, 2 },
	{ 'A', 3, 1550, 5000, 0, 2 },
	{ 'T', 3, 1550, 10, 0, 2 },			/* sooner, too */
	{ 'B', 6, 1560, 1000, CALLS_WITHIN, 2 },
	{ 'B', 7, 1600, 1000, CALLS_WITHIN, 2 },
	{ 'E', 6, 1600, 0, 0, 1 },
	{ 'E', 7, 1600, 0, 0, 0 },
	{ 'B', 8, 1600, 1000, CALLS_WITHIN, 1 },
	{ 'H', 8, 1600, 0, 0, 1 },		/* one early dialog did */
	{ 'A', 8, 1600, 5000, 0, 1 },
	{ 'H', 9, 1600, 0, 0, 1 },
	{ 'H', 8, 1600, 0, 0, 0 },
	{ 'B', 9, 1700, 100, CALLS_WITHIN, 1 },
	{ 'T', 9, 1700, 5000, 0, 1 },		/* nor longer */
	{ 'R', 9, 1799, 0, 0, 1 },
	{ 'E', 1, 1800, 0, 0, 0 },
	{ 'B', 9, 1800, 100, CALLS_WITHIN, 1 },
	{ 'A', 9, 1800, 100, 0, 1 },
	{ 'R', 9, 1800, 5000, 0, 1 },		/* it was answered */
	{ 'E', 1, 1900, 0, 0, 0 },
};

static void
calls_come_and_go(void **state)
{
	struct calls *cs = calls_new(100);

	(void)state;
	assert_non_null(cs);
	for (size_t i = 0; i < COUNT(steps); i++) {
		const struct step *s = &steps[i];
		struct calls_ask ask = ask_of(s->call, 7, 2);

		ask.lasts_ms = s->lasts_ms;
		if (s->what == 'E')
			end_call(cs, s->call);
		else if (s->what == 'H')
			bye_call(cs, s->call);
		else if (s->what == 'A')
			answer_call(cs, s->call, s->lasts_ms, s->at_ms);
		else if (s->what == 'R')
			ring_call(cs, s->call, s->lasts_ms, s->at_ms);
		else if (s->what == 'T')
			touch_call(cs, s->call, s->lasts_ms, s->at_ms);
		else if (calls_begin(cs, &ask, s->at_ms) != s->want)
			fail_msg("step %zu: verdict", i);
		if (calls_count(cs, s->at_ms) != s->under_way)
			fail_msg("step %zu: %zu", i,
			    calls_count(cs, s->at_ms));
	}
	calls_free(cs);
}

/* All of the accounts count it, or none. */
static void
two_accounts_count_together(void **state)
{
	struct calls *cs = calls_new(100);
	struct calls_ask ask;

	(void)state;
	ask = and_of(ask_of(1, 7, 1), 8, 2);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	ask = ask_of(2, 8, 2);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	ask = and_of(ask_of(3, 6, 1), 8, 2);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_TOO_MANY);
	ask = ask_of(3, 6, 1);		/* was not counted then */
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	end_call(cs, 1);
	ask = and_of(ask_of(4, 7, 1), 8, 2);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	calls_free(cs);
}

static void
how_fast_is_of_each_account(void **state)
{
	struct calls *cs = calls_new(100);
	struct calls_ask ask = ask_of(1, 7, -1);

	(void)state;
	ask.account[0].starts = (struct conf_rate){ 60, 60000, 2 };
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	/* a call of any number is not kept, so it is no second one */
	assert_int_equal(calls_count(cs, 0), 0);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_TOO_FAST);
	assert_int_equal(calls_begin(cs, &ask, 999), CALLS_TOO_FAST);
	assert_int_equal(calls_begin(cs, &ask, 1000), CALLS_WITHIN);
	name(ask.account[0].id, 8);
	assert_int_equal(calls_begin(cs, &ask, 1000), CALLS_WITHIN);
	calls_free(cs);
}

/* What is refused takes nothing of the rate. */
static void
a_refusal_is_no_start(void **state)
{
	struct calls *cs = calls_new(100);
	struct calls_ask ask = ask_of(1, 7, 1), other;

	(void)state;
	ask.account[0].starts = (struct conf_rate){ 1, 60000, 2 };
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	other = ask;
	name(other.call, 2);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(calls_begin(cs, &other, 0), CALLS_TOO_MANY);
		assert_int_equal(calls_begin(cs, &ask, 0), CALLS_TWICE);
	}
	end_call(cs, 1);
	assert_int_equal(calls_begin(cs, &other, 0), CALLS_WITHIN);
	end_call(cs, 2);
	assert_int_equal(calls_begin(cs, &ask, 0), CALLS_TOO_FAST);
	calls_free(cs);
}

/* At the bound the one that would be forgotten first goes. */
static void
the_table_is_bounded(void **state)
{
	enum { MAX = 1000 };
	struct calls *cs = calls_new(MAX);
	struct calls_ask ask;

	(void)state;
	for (uint32_t i = 0; i < 3 * MAX; i++) {
		ask = ask_of(i, i % 10, 3 * MAX);
		/* in a mixed order */
		ask.lasts_ms = 1000 + i * 7919 % (3 * MAX);
		assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	}
	assert_int_equal(calls_count(cs, 0), MAX);
	/* those that last longest are there, and the latest */
	assert_in_range(calls_count(cs, 1000 + 2 * MAX - 1), MAX - 1, MAX);
	assert_int_equal(calls_count(cs, 1000 + 3 * MAX - 2), 1);
	assert_int_equal(calls_count(cs, 1000 + 3 * MAX), 0);
	calls_free(cs);
}

/* Whatever happens, they are forgotten in order, and none is lost. */
static void
the_order_holds(void **state)
{
	enum { N = 2000 };
	struct calls *cs = calls_new(N);
	int64_t ends[N];
	uint32_t lot = 1;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		struct calls_ask ask = ask_of(i, 1, N);

		lot = lot * 1664525 + 1013904223;
		ends[i] = ask.lasts_ms = 1 + (lot >> 8) % 10000;
		assert_int_equal(calls_begin(cs, &ask, 0), CALLS_WITHIN);
	}
	for (uint32_t i = 0; i < N; i++) {
		lot = lot * 1664525 + 1013904223;
		if (i % 3 == 0) {
			ends[i] = 1 + (lot >> 8) % 10000;
			answer_call(cs, i, ends[i], 0);
		} else if (i % 3 == 1) {
			ends[i] = 0;
			end_call(cs, i);
		}
	}
	for (int64_t now = 0; now <= 10000; now += 500) {
		size_t left = 0;

		for (uint32_t i = 0; i < N; i++)
			left += ends[i] > now;
		assert_int_equal(calls_count(cs, now), left);
	}
	calls_free(cs);
}

static bool
work(void *arg)
{
	struct calls *cs = calls_new(10);
	struct calls_ask one = and_of(ask_of(1, 7, 9), 8, 9);
	struct calls_ask two = and_of(ask_of(2, 7, 9), 9, 9);
	bool ok = cs != NULL && calls_begin(cs, &one, 0) == CALLS_WITHIN &&
	    calls_begin(cs, &two, 0) == CALLS_WITHIN;

	(void)arg;
	calls_free(cs);
	return ok;
}

static void
lack_of_memory_is_an_answer(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_come_and_go),
		cmocka_unit_test(two_accounts_count_together),
		cmocka_unit_test(how_fast_is_of_each_account),
		cmocka_unit_test(a_refusal_is_no_start),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(the_order_holds),
		cmocka_unit_test(lack_of_memory_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
