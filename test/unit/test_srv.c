/* The order of SRV targets (RFC 2782), with the lots given. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "io/srv.h"

enum { MOST = 6 };

struct lots {
	uint32_t	lot[MOST];	/* handed out in turn */
	uint32_t	most[MOST];	/* what was asked for */
	unsigned	n;
};

static uint32_t
hand_out(void *arg, uint32_t most)
{
	struct lots *l = arg;

	assert_true(l->n < MOST);
	assert_true(l->lot[l->n] <= most);
	l->most[l->n] = most;
	return l->lot[l->n++];
}

/* Hosts are single letters: "a" is that of the first row. */
static const struct {
	const char	*what;
	struct { int rank, priority, weight; } srv[MOST];
	size_t		 n;
	uint32_t	 lot[MOST];
	unsigned	 nlots;
	uint32_t	 most;		/* of the first drawing */
	const char	*want;
} cases[] = {
	{ "one needs no lot", { { 0, 5, 7 } }, 1, { 0 }, 0, 0, "a" },
	{ "priority alone", { { 0, 30, 0 }, { 0, 10, 0 }, { 0, 20, 0 } }, 3,
	    { 0 }, 0, 0, "bca" },
	{ "lowest lot", { { 0, 1, 30 }, { 0, 2, 10 }, { 0, 1, 10 } }, 3,
	    { 0 }, 1, 40, "?" },
	{ "rank before priority", { { 1, 1, 0 }, { 0, 9, 0 } }, 2, { 0 }, 0, 0,
	    "ba" },
	{ "weight 0 by lot 0", { { 0, 1, 9 }, { 0, 1, 0 } }, 2, { 0 }, 1, 9,
	    "ba" },
	{ "weight 0 else last", { { 0, 1, 9 }, { 0, 1, 0 } }, 2, { 1 }, 1, 9,
	    "ab" },
	{ "all of weight 0", { { 0, 1, 0 }, { 0, 1, 0 } }, 2, { 0 }, 1, 0,
	    "?" },
	{ "largest weights", { { 0, 1, 65535 }, { 0, 2, 65535 },
	    { 0, 1, 65535 }, { 0, 1, 65535 } }, 4, { 196605, 131070 }, 2,
	    196605, "?" },
};

static void
order_follows_rfc2782(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct srv v[MOST] = { 0 };
		struct lots lots = { .n = 0 };
		char got[MOST + 1] = "";

		memcpy(lots.lot, cases[i].lot, sizeof lots.lot);
		for (size_t k = 0; k < cases[i].n; k++) {
			v[k].rank = (uint16_t)cases[i].srv[k].rank;
			v[k].priority = (uint16_t)cases[i].srv[k].priority;
			v[k].weight = (uint16_t)cases[i].srv[k].weight;
			v[k].host = 'a' + (unsigned)k;
		}
		srv_order(v, cases[i].n, hand_out, &lots);
		for (size_t k = 0; k < cases[i].n; k++)
			got[k] = (char)v[k].host;
		for (size_t k = 1; k < cases[i].n; k++)
			if (srv_before(&v[k], &v[k - 1]))
				fail_msg("%s: %s", cases[i].what, got);
		if (lots.n != cases[i].nlots || (lots.n > 0 &&
		    lots.most[0] != cases[i].most))
			fail_msg("%s: %u lots", cases[i].what, lots.n);
		if (cases[i].want[0] != '?' &&
		    strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].what, got);
	}
	srv_order(NULL, 0, hand_out, NULL);
}

static void
what_comes_before_whatever_the_lot(void **state)
{
	static const struct srv least = { .rank = 1, .priority = 5 };
	static const struct {
		struct srv	other;
		bool		before, after;	/* is least */
	} pairs[] = {
		{ { .rank = 1, .priority = 5, .weight = 9 }, false, false },
		{ { .rank = 1, .priority = 6 }, true, false },
		{ { .rank = 2, .priority = 0 }, true, false },
		{ { .rank = 0, .priority = 65535 }, false, true },
		{ { .rank = 1, .priority = 4 }, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		assert_int_equal(srv_before(&least, &pairs[i].other),
		    pairs[i].before);
		assert_int_equal(srv_before(&pairs[i].other, &least),
		    pairs[i].after);
	}
}

/* Each lot from 0 to the sum, once: first come those of 3 in w + 1 of the
 * lots at most, and never fewer than w. */
static void
weights_are_shares_of_the_lots(void **state)
{
	unsigned first[3] = { 0 };
	static const unsigned weight[3] = { 5, 20, 75 };

	(void)state;
	for (uint32_t lot = 0; lot <= 100; lot++) {
		struct srv v[3] = { 0 };
		struct lots lots = { .lot = { lot, 0 } };

		for (size_t k = 0; k < 3; k++) {
			v[k].weight = (uint16_t)weight[k];
			v[k].host = 'a' + (unsigned)k;
		}
		srv_order(v, 3, hand_out, &lots);
		first[v[0].host - 'a']++;
		assert_int_equal(v[0].host + v[1].host + v[2].host,
		    'a' + 'b' + 'c');
	}
	for (size_t k = 0; k < 3; k++)
		assert_in_range(first[k], weight[k], weight[k] + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_follows_rfc2782),
		cmocka_unit_test(what_comes_before_whatever_the_lot),
		cmocka_unit_test(weights_are_shares_of_the_lots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
