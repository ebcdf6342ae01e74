/* Targets that failed just now: for how long, and how many of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "route/grey.h"

static struct addr
addr_n(uint16_t n)
{
	struct addr a = { .port = 5060 };

	addr_parse_host(&a, str_of("10.0.0.1"));
	a.port = 5060;
	put_u16(a.ip + 14, n);
	return a;
}

enum act { FAIL, BUSY, SERVE, LOOK };

/* One address; at_s: when, since the test began. */
static const struct step {
	const char	*what;
	int64_t		 at_s;
	enum act	 act;
	int64_t		 retry_after_s;
	unsigned	 want;		/* seconds, or whether it is grey */
} steps[] = {
	{ "nothing is known",		   0, LOOK, 0, 0 },
	{ "the first failure",		   0, FAIL, 0, 10 },
	{ "grey",			   9, LOOK, 0, 1 },
	{ "it ends by itself",		  10, LOOK, 0, 0 },
	{ "soon again: twice as long",	  11, FAIL, 0, 20 },
	{ "others that failed with it",	  11, FAIL, 0, 20 },
	{ "and still",			  12, FAIL, 0, 20 },
	{ "three times",		  33, FAIL, 0, 40 },
	{ "no longer than a minute",	  80, FAIL, 0, 60 },
	{ "... ever",			 150, FAIL, 0, 60 },
	{ "after a quiet while",	 271, FAIL, 0, 10 },
	{ "it served",			 272, SERVE, 0, 0 },
	{ "so it is not grey",		 272, LOOK, 0, 0 },
	{ "and this is the first",	 273, FAIL, 0, 10 },
	{ "it served",			 274, SERVE, 0, 0 },
	{ "busy, without a time",	 275, BUSY, -1, 5 },
	{ "for five seconds",		 279, LOOK, 0, 1 },
	{ "and not six",		 280, LOOK, 0, 0 },
	{ "busy counts as no failure",	 281, FAIL, 0, 10 },
	{ "busy, and says how long",	 300, BUSY, 7, 7 },
	{ "a time without end has one",	 310, BUSY, INT32_MAX, 60 },
	{ "no time at all",		 310, BUSY, 0, 0 },
	{ "leaves it as it was",	 311, LOOK, 0, 1 },
	{ "it served",			 312, SERVE, 0, 0 },
	{ "twice is no harm",		 312, SERVE, 0, 0 },
	{ "nothing is known any more",	 312, LOOK, 0, 0 },
};

static unsigned
act(struct grey *g, const struct addr *a, const struct step *s)
{
	int64_t now_ms = 1000000 + s->at_s * 1000;

	switch (s->act) {
	case FAIL:
		return grey_failed(g, a, TRANSPORT_UDP, now_ms);
	case BUSY:
		return grey_busy(g, a, TRANSPORT_UDP, s->retry_after_s,
		    now_ms);
	case SERVE:
		grey_clear(g, a, TRANSPORT_UDP);
		return 0;
	default:
		return grey_has(g, a, TRANSPORT_UDP, now_ms);
	}
}

static void
marks_grow_and_end(void **state)
{
	struct grey *g = grey_new();
	struct addr a = addr_n(1);

	(void)state;
	assert_non_null(g);
	for (size_t i = 0; i < COUNT(steps); i++) {
		unsigned got = act(g, &a, &steps[i]);

		if (got != steps[i].want)
			fail_msg("%s (%zu): %u, not %u", steps[i].what, i,
			    got, steps[i].want);
	}
	grey_free(g);
}

static void
a_mark_is_of_one_address_port_and_transport(void **state)
{
	struct grey *g = grey_new();
	struct addr a = addr_n(1), port = a, other = addr_n(2);

	(void)state;
	port.port = 5080;
	grey_failed(g, &a, TRANSPORT_TCP, 1000);
	assert_true(grey_has(g, &a, TRANSPORT_TCP, 1000));
	assert_false(grey_has(g, &a, TRANSPORT_UDP, 1000));
	assert_false(grey_has(g, &port, TRANSPORT_TCP, 1000));
	assert_false(grey_has(g, &other, TRANSPORT_TCP, 1000));
	grey_clear(g, &port, TRANSPORT_TCP);
	assert_true(grey_has(g, &a, TRANSPORT_TCP, 1000));
	grey_free(g);
}

/* More than there is room for: the newest is always there. */
static void
a_full_table_takes_new_marks(void **state)
{
	struct grey *g = grey_new();
	unsigned kept = 0;

	(void)state;
	for (unsigned n = 0; n < 5000; n++) {
		struct addr a = addr_n((uint16_t)n);

		grey_failed(g, &a, TRANSPORT_UDP, 1000 + n);
		assert_true(grey_has(g, &a, TRANSPORT_UDP, 1000 + n));
	}
	for (unsigned n = 0; n < 5000; n++) {
		struct addr a = addr_n((uint16_t)n);

		kept += grey_has(g, &a, TRANSPORT_UDP, 6000);
		grey_clear(g, &a, TRANSPORT_UDP);
		assert_false(grey_has(g, &a, TRANSPORT_UDP, 6000));
	}
	assert_in_range(kept, 400, 512);
	grey_free(g);
}

/* As long as the caller likes, whatever stands there. */
static void
a_mark_of_a_given_length(void **state)
{
	struct grey *g = grey_new();
	struct addr a = addr_n(1);

	(void)state;
	for (int64_t now_ms = 1000; now_ms < 3000; now_ms += 1000) {
		grey_mark(g, &a, TRANSPORT_TCP, 300, now_ms);
		assert_true(grey_has(g, &a, TRANSPORT_TCP, now_ms + 299999));
		assert_false(grey_has(g, &a, TRANSPORT_TCP, now_ms + 300000));
	}
	grey_clear(g, &a, TRANSPORT_TCP);
	assert_false(grey_has(g, &a, TRANSPORT_TCP, 3000));
	grey_free(g);
}

static bool
make_one(void *arg)
{
	struct grey *g = grey_new();

	(void)arg;
	grey_free(g);
	return g != NULL;
}

static void
no_memory_is_an_answer(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(make_one, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_grow_and_end),
		cmocka_unit_test(a_mark_is_of_one_address_port_and_transport),
		cmocka_unit_test(a_full_table_takes_new_marks),
		cmocka_unit_test(a_mark_of_a_given_length),
		cmocka_unit_test(no_memory_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
