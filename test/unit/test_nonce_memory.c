/* The memory nonce store: each count once, in any order, in bounded memory. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/metrics.h"
#include "base/text.h"
#include "failing_alloc.h"
#include "modules/kinds.h"

enum {
	SIZE = 100,			/* the least that the table allows */
	NC_MAX = 1024,
	LIFE_S = 100,
	ENDS_MS = 160000		/* life and 60 s */
};

/* Wall time of all these tests, about: 2023. */
#define T0 INT64_C(1700000000000)

struct rig {
	struct conf		*conf;
	void			*filled;
	struct metrics		*metrics;
	struct nonce_store	*store;
	bool			 spoilt;
};

/* Times are relative to T0. */
struct step {
	const char	*what;
	uint32_t	 n;		/* so many, with ids and times of
					 * issue one after the other */
	uint32_t	 id, nc;
	int64_t		 issued_ms, now_ms;
	enum use_verdict want;
};

static const struct step in_any_order[] = {
	{ "first",              1, 1,    1, 0, 10, USE_ACCEPT },
	{ "the same again",     1, 1,    1, 0, 11, USE_REPLAY },
	{ "ahead",              1, 1,   64, 0, 12, USE_ACCEPT },
	{ "second word",        1, 1,   65, 0, 13, USE_ACCEPT },
	{ "last",               1, 1, 1024, 0, 14, USE_ACCEPT },
	{ "back",               1, 1,    3, 0, 15, USE_ACCEPT },
	{ "between words",      1, 1,  513, 0, 16, USE_ACCEPT },
	{ "another nonce",      1, 2,    1, 0, 17, USE_ACCEPT },
	{ "replay inside",      1, 1,   64, 0, 18, USE_REPLAY },
	{ "replay outside",     1, 1,   65, 0, 19, USE_REPLAY },
	{ "replay of the last", 1, 1, 1024, 0, 20, USE_REPLAY },
	{ "replay between",     1, 1,  513, 0, 21, USE_REPLAY },
	{ "replay elsewhere",   1, 2,    1, 0, 22, USE_REPLAY },
	{ "still free",         1, 2,    2, 0, 23, USE_ACCEPT },
	{ .what = NULL }
};

static const struct step out_of_bounds[] = {
	{ "nc 0",           1, 1,          0, 0, 1, USE_REPLAY },
	{ "above nc_max",   1, 1,       1025, 0, 1, USE_REPLAY },
	{ "far above",      1, 1, UINT32_MAX, 0, 1, USE_REPLAY },
	{ "leaves nothing", 1, 1,          1, 0, 1, USE_ACCEPT },
	{ .what = NULL }
};

static const struct step to_the_end[] = {
	{ "used",              1, 1, 1,    0,           0, USE_ACCEPT },
	{ "younger",           1, 2, 1, 9000,        9000, USE_ACCEPT },
	{ "before the end",    1, 1, 1,    0, ENDS_MS - 1, USE_REPLAY },
	{ "at the end",        1, 1, 1,    0,     ENDS_MS, USE_FENCED },
	{ "a new count, late", 1, 1, 2,    0,     ENDS_MS, USE_FENCED },
	{ "never seen, late",  1, 3, 1,    0,     ENDS_MS, USE_FENCED },
	{ "younger lives",     1, 2, 1, 9000,     ENDS_MS, USE_REPLAY },
	{ "younger goes on",   1, 2, 2, 9000,     ENDS_MS, USE_ACCEPT },
	{ "clock back, gone",  1, 1, 1,    0,      110000, USE_FENCED },
	{ "as old as that",    1, 4, 1,    0,      110000, USE_FENCED },
	{ "younger than that", 1, 5, 1,    1,      110000, USE_ACCEPT },
	{ .what = NULL }
};

static const struct step full[] = {
	{ "fill",            100, 1000, 1, 1000, 5000, USE_ACCEPT },
	{ "the oldest goes",   1, 2000, 1, 2000, 5000, USE_ACCEPT },
	{ "a replay of it",    1, 1000, 1, 1000, 5000, USE_FENCED },
	{ "new count of it",   1, 1000, 2, 1000, 5000, USE_FENCED },
	{ "never seen, old",   1,    7, 1,  999, 5000, USE_FENCED },
	{ "next is there",     1, 1001, 1, 1001, 5000, USE_REPLAY },
	{ "next goes on",      1, 1001, 2, 1001, 5000, USE_ACCEPT },
	{ "older than all",    1,    8, 1, 1000, 5000, USE_FENCED },
	{ "between: goes",     1, 3000, 1, 1050, 5000, USE_ACCEPT },
	{ "so 1001 is gone",   1, 1001, 3, 1001, 5000, USE_FENCED },
	{ "1002 is there",     1, 1002, 1, 1002, 5000, USE_REPLAY },
	{ "as old as 1002",    1, 4000, 1, 1002, 5000, USE_FENCED },
	{ "so it is fenced",   1, 1002, 2, 1002, 5000, USE_FENCED },
	{ "1003 is there",     1, 1003, 2, 1003, 5000, USE_ACCEPT },
	{ .what = NULL }
};

static const struct step heap_keeps_order[] = {
	{ "young ones",      50, 5000, 1, 5000, 9000, USE_ACCEPT },
	{ "old ones later",  50, 1000, 1, 1000, 9000, USE_ACCEPT },
	{ "push 50 out",     50, 6000, 1, 6000, 9000, USE_ACCEPT },
	{ "last old is out",  1, 1049, 1, 1049, 9000, USE_FENCED },
	{ "first young",      1, 5000, 1, 5000, 9000, USE_REPLAY },
	{ "last young",       1, 5049, 1, 5049, 9000, USE_REPLAY },
	{ "one more",         1, 7000, 1, 7000, 9000, USE_ACCEPT },
	{ "first young out",  1, 5000, 1, 5000, 9000, USE_FENCED },
	{ "second young in",  1, 5001, 1, 5001, 9000, USE_REPLAY },
	{ .what = NULL }
};

static const struct step clock_goes_back[] = {
	{ "before",            1, 1, 1, 500000, 500000, USE_ACCEPT },
	{ "within stragglers", 1, 2, 1, 440000, 440000, USE_ACCEPT },
	{ "far: begins anew",  1, 1, 2, 430000, 430000, USE_FENCED },
	{ .what = NULL }
};

static const struct {
	const char		*what;
	const struct step	*step;
} stories[] = {
	{ "in any order", in_any_order },
	{ "out of bounds", out_of_bounds },
	{ "to the end", to_the_end },
	{ "full", full },
	{ "the heap keeps order", heap_keeps_order },
	{ "the clock goes back", clock_goes_back },
};

static bool
rig_open(struct rig *rig)
{
	struct nonce_store_env env = {
		.nc_max = NC_MAX, .lifetime_s = LIFE_S
	};

	rig->store = NULL;
	rig->metrics = metrics_new();
	env.metrics = rig->metrics;
	return rig->metrics != NULL &&
	    nonce_memory_ops.open(&rig->store, rig->filled, &env) == 0;
}

static void
rig_close(struct rig *rig)
{
	if (rig->store != NULL)
		rig->store->ops->close(rig->store);
	metrics_free(rig->metrics);
}

/* *state: the configuration. */
static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig->conf = conf_read_text("test", *state);
	assert_non_null(rig->conf);
	rig->filled = calloc(1, nonce_memory_ops.conf_size);
	assert_int_equal(conf_fill(rig->conf, conf_root(rig->conf),
	    nonce_memory_ops.opts, rig->filled), 0);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	free(rig->filled);
	conf_free(rig->conf);
	free(rig);
	return 0;
}

static uint32_t
generation(const struct rig *rig)
{
	struct nonce_terms terms = { .local = true };

	assert_true(rig->store->ops->terms(rig->store, &terms));
	assert_false(terms.local);
	return terms.generation;
}

static void
cell_add(void *arg, const struct metric *what, const char *value, uint64_t n)
{
	struct { const char *name, *value; uint64_t sum; } *want = arg;

	if (strcmp(what->name, want->name) == 0 && (value == NULL ||
	    strcmp(value, want->value) == 0))
		want->sum += n;
}

static uint64_t
cell(const struct rig *rig, const char *name, const char *value)
{
	struct { const char *name, *value; uint64_t sum; } want = {
		name, value, 0
	};

	metrics_each(rig->metrics, cell_add, &want);
	return want.sum;
}

static struct nonce_use
use_of(uint32_t id, uint32_t nc, int64_t issued_ms, uint32_t gen)
{
	struct nonce_use use = {
		.nc = nc, .issued_ms = T0 + issued_ms, .now_ms = T0 + issued_ms,
		.lifetime_s = LIFE_S, .generation = gen
	};

	put_u32(use.id, id);
	return use;
}

static void
play(struct rig *rig, const char *story, const struct step *s)
{
	uint32_t gen = generation(rig);
	struct nonce_use use;
	enum use_verdict v;

	for (; s->what != NULL; s++)
		for (uint32_t i = 0; i < s->n; i++) {
			use = use_of(s->id + i, s->nc, s->issued_ms + i, gen);
			use.now_ms = T0 + s->now_ms;
			v = nonce_use_start(rig->store, &use);
			if (v != s->want)
				fail_msg("%s: %s (+%u): %d, not %d", story,
				    s->what, i, v, s->want);
		}
}

static void
stories_end_as_told(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(stories); i++) {
		assert_true(rig_open(rig));
		play(rig, stories[i].what, stories[i].step);
		rig_close(rig);
	}
}

static void
generations_differ(void **state)
{
	struct rig a = *(struct rig *)*state, b = a;
	struct nonce_use use;

	assert_true(rig_open(&a));
	assert_true(rig_open(&b));
	assert_int_not_equal(generation(&a), generation(&b));
	use = use_of(1, 1, 0, generation(&a));
	assert_int_equal(nonce_use_start(b.store, &use), USE_FENCED);
	assert_int_equal(nonce_use_start(a.store, &use), USE_ACCEPT);
	use.generation++;
	assert_int_equal(nonce_use_start(a.store, &use), USE_FENCED);
	rig_close(&b);
	rig_close(&a);
}

static void
clock_set_back_makes_a_generation(void **state)
{
	struct rig *rig = *state;
	struct nonce_use use;
	uint32_t old;

	assert_true(rig_open(rig));
	old = generation(rig);
	use = use_of(1, 1, 900000, old);
	assert_int_equal(nonce_use_start(rig->store, &use), USE_ACCEPT);
	use = use_of(2, 1, 0, old);
	assert_int_equal(nonce_use_start(rig->store, &use), USE_FENCED);
	assert_int_not_equal(generation(rig), old);
	assert_int_equal(cell(rig, "nonce_memory_nonces", NULL), 0);
	use = use_of(3, 1, 0, generation(rig));
	assert_int_equal(nonce_use_start(rig->store, &use), USE_ACCEPT);
	rig_close(rig);
}

static void
memory_is_bounded_and_counted(void **state)
{
	struct rig *rig = *state;
	struct nonce_use use;

	assert_true(rig_open(rig));
	for (uint32_t i = 1; i <= 5000; i++) {
		use = use_of(i, NC_MAX, i, generation(rig));
		assert_int_equal(nonce_use_start(rig->store, &use), USE_ACCEPT);
		assert_int_equal(cell(rig, "nonce_memory_nonces", NULL),
		    i < SIZE ? i : SIZE);
	}
	assert_int_equal(nonce_use_start(rig->store, &use), USE_REPLAY);
	use = use_of(1, 1, 1, generation(rig));
	assert_int_equal(nonce_use_start(rig->store, &use), USE_FENCED);
	assert_int_equal(cell(rig, "nonce_memory_forgotten_total", NULL),
	    5000 - SIZE);
	assert_int_equal(cell(rig, "nonce_memory_uses_total", "accept"),
	    5000);
	assert_int_equal(cell(rig, "nonce_memory_uses_total", "replay"), 1);
	assert_int_equal(cell(rig, "nonce_memory_uses_total", "fenced"), 1);
	rig_close(rig);
}

static void
ended_nonces_make_room(void **state)
{
	struct rig *rig = *state;
	struct nonce_use use;

	assert_true(rig_open(rig));
	for (uint32_t i = 0; i < SIZE; i++) {
		use = use_of(i, 1, i, generation(rig));
		assert_int_equal(nonce_use_start(rig->store, &use), USE_ACCEPT);
	}
	for (uint32_t i = 0; i < SIZE; i++) {
		use = use_of(SIZE + i, 1, 2 * ENDS_MS + i, generation(rig));
		assert_int_equal(nonce_use_start(rig->store, &use), USE_ACCEPT);
	}
	assert_int_equal(cell(rig, "nonce_memory_nonces", NULL), SIZE);
	assert_int_equal(cell(rig, "nonce_memory_forgotten_total", NULL), 0);
	rig_close(rig);
}

/* A use that failed for lack of memory has used nothing. */
static bool
use_twice(struct rig *rig, uint32_t n, bool *failed)
{
	struct nonce_use use = use_of(n * 2654435761u, n, n, generation(rig));
	enum use_verdict v = nonce_use_start(rig->store, &use);

	*failed = v == USE_UNAVAILABLE;
	if (*failed)
		v = nonce_use_start(rig->store, &use);
	return v == USE_ACCEPT &&
	    nonce_use_start(rig->store, &use) == USE_REPLAY;
}

/* So many that the heap, the table and the counts have to grow. */
static bool
open_and_use_many(void *arg)
{
	struct rig *rig = arg;
	bool ok = rig_open(rig), failed = false;

	for (uint32_t n = 1; ok && !failed && n <= 500; n++)
		if (!use_twice(rig, n, &failed))
			rig->spoilt = true;
	rig_close(rig);
	return ok && !failed;
}

static void
lack_of_memory_is_unavailable(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(failing_alloc_each(open_and_use_many, rig), 0);
	assert_false(rig->spoilt);
}

#define TEST(f, conf) \
	cmocka_unit_test_prestate_setup_teardown(f, set_up, tear_down, conf)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stories_end_as_told, "size = 100;"),
		TEST(generations_differ, "size = 100;"),
		TEST(clock_set_back_makes_a_generation, "size = 100;"),
		TEST(memory_is_bounded_and_counted, "size = 100;"),
		TEST(ended_nonces_make_room, "size = 100;"),
		TEST(lack_of_memory_is_unavailable, "size = 1000;"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
