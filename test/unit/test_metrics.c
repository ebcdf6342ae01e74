/*
 * test_metrics.c -- counters and gauges.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "failing_alloc.h"

static const char *const verdicts[] = { "accept", "replay", "fenced" };

static const struct metric uses = {
	.name = "nonce_uses_total", .help = "Uses.", .kind = METRIC_COUNTER,
	.label = "verdict", .values = verdicts, .nvalues = 3
};

static const struct metric pending = {
	.name = "pending", .help = "Under way.", .kind = METRIC_GAUGE
};

struct seen { char text[256]; size_t n; };

static void
note(void *arg, const struct metric *what, const char *value, uint64_t count)
{
	struct seen *s = arg;

	s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n,
	    "%s %s %llu\n", what->name, value == NULL ? "-" : value,
	    (unsigned long long)count);
}

static void
cells_are_seen_in_order(void **state)
{
	struct metrics *m = metrics_new();
	struct seen s = { .n = 0 };
	uint64_t *u, *p;

	(void)state;
	assert_non_null(m);
	metrics_each(m, note, &s);
	assert_int_equal(s.n, 0);
	u = metrics_add(m, &uses);
	p = metrics_add(m, &pending);
	assert_non_null(u);
	assert_non_null(p);
	u[0] = 7;
	u[2]++;
	*p = UINT64_MAX;
	metrics_each(m, note, &s);
	assert_string_equal(s.text, "nonce_uses_total accept 7\n"
	    "nonce_uses_total replay 0\nnonce_uses_total fenced 1\n"
	    "pending - 18446744073709551615\n");
	metrics_free(m);
}

static const struct metric live = {
	.name = "target_up", .help = "Up.", .kind = METRIC_GAUGE,
	.label = "target"
};

/* Two values, then one: as a list that changed. */
static void
tell(void *owner, const struct metric *what, metrics_visit_f *visit, void *arg)
{
	const unsigned *n = owner;

	for (unsigned i = 0; i < *n; i++)
		visit(arg, what, verdicts[i], 10 + i);
}

static void
values_may_come_and_go(void **state)
{
	struct metrics *m = metrics_new();
	struct seen s = { .n = 0 };
	unsigned n = 2;

	(void)state;
	assert_non_null(metrics_add(m, &pending));
	assert_int_equal(metrics_add_live(m, &live, tell, &n), 0);
	assert_int_equal(metrics_add_live(m, &live, tell, &n), -EEXIST);
	assert_int_equal(metrics_add_live(m, &pending, tell, &n), -EEXIST);
	metrics_each(m, note, &s);
	n = 1;
	metrics_each(m, note, &s);
	assert_string_equal(s.text, "pending - 0\n"
	    "target_up accept 10\ntarget_up replay 11\n"
	    "pending - 0\ntarget_up accept 10\n");
	metrics_free(m);
}

static void
a_name_is_registered_once(void **state)
{
	struct metrics *m = metrics_new();
	struct metric again = pending;

	(void)state;
	assert_non_null(m);
	assert_non_null(metrics_add(m, &pending));
	again.help = "Another one.";
	assert_null(metrics_add(m, &again));
	again.name = "other";
	assert_non_null(metrics_add(m, &again));
	metrics_free(m);
	metrics_free(NULL);
}

static bool
build(void *arg)
{
	struct metrics *m = metrics_new();
	bool ok = m != NULL && metrics_add(m, &uses) != NULL &&
	    metrics_add(m, &pending) != NULL &&
	    metrics_add_live(m, &live, tell, NULL) == 0;

	(void)arg;
	metrics_free(m);
	return ok;
}

static void
lack_of_memory_is_said(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_count(build, NULL), 4);
	assert_int_equal(failing_alloc_each(build, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_seen_in_order),
		cmocka_unit_test(values_may_come_and_go),
		cmocka_unit_test(a_name_is_registered_once),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
