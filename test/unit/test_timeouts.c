/* Deadlines of one length: in order, movable, and safe while they fire. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/loop.h"
#include "io/timeouts.h"

enum { WAIT_MS = 20, GIVE_UP_MS = 5000, MANY = 1000 };

struct rig {
	struct loop		*loop;
	struct loop_timer	*give_up;
	struct timeouts		*q;
	bool			 late;
	unsigned		 fired, fired_meanwhile, stop_at;
	struct timeout		*order[MANY];
	struct timeout		*remove, *add;	/* done by the first */
	bool			 again;		/* each is added again */
	bool			 out_of_queue;	/* none was in the queue */
};

static void
fire(void *arg, struct timeout *t)
{
	struct rig *rig = arg;

	if (t->next != NULL || t->prev != NULL)
		rig->out_of_queue = false;
	rig->order[rig->fired++] = t;
	if (rig->remove != NULL)
		timeouts_remove(rig->q, rig->remove);
	if (rig->add != NULL)
		timeouts_add(rig->q, rig->add);
	rig->remove = rig->add = NULL;
	if (rig->again)
		timeouts_add(rig->q, t);
	if (rig->fired == rig->stop_at)
		loop_stop(rig->loop);
}

static void
too_late(void *arg)
{
	struct rig *rig = arg;

	rig->late = true;
	loop_stop(rig->loop);
}

static void
open_queue(struct rig *rig, int64_t after_ms)
{
	rig->q = timeouts_new(rig->loop, after_ms, fire, rig);
	assert_non_null(rig->q);
}

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig->loop = loop_new();
	rig->give_up = loop_timer_new(rig->loop, too_late, rig);
	loop_timer_start(rig->give_up, GIVE_UP_MS);
	rig->out_of_queue = true;
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	timeouts_free(rig->q);
	timeouts_free(NULL);
	loop_timer_free(rig->give_up);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

static void
all_fire_in_order_not_before_time(void **state)
{
	struct rig *rig = *state;
	struct timeout t[MANY] = { 0 };
	int64_t t0 = clock_mono_ms();

	open_queue(rig, WAIT_MS);
	for (size_t i = 0; i < MANY; i++)
		timeouts_add(rig->q, &t[i]);
	assert_int_equal(timeouts_count(rig->q), MANY);
	assert_ptr_equal(timeouts_first(rig->q), &t[0]);
	rig->stop_at = MANY;
	loop_run(rig->loop);
	assert_true(clock_mono_ms() - t0 >= WAIT_MS);
	assert_false(rig->late);
	assert_true(rig->out_of_queue);
	assert_int_equal(timeouts_count(rig->q), 0);
	assert_null(timeouts_first(rig->q));
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(rig->order[i], &t[i]);
}

static void
removed_and_renewed(void **state)
{
	struct rig *rig = *state;
	struct timeout t[4] = { 0 };

	open_queue(rig, WAIT_MS);
	for (size_t i = 0; i < 4; i++)
		timeouts_add(rig->q, &t[i]);
	timeouts_remove(rig->q, &t[0]);
	timeouts_remove(rig->q, &t[0]);
	timeouts_add(rig->q, &t[1]);			/* now the last */
	assert_int_equal(timeouts_count(rig->q), 3);
	rig->stop_at = 3;
	loop_run(rig->loop);
	assert_false(rig->late);
	assert_ptr_equal(rig->order[0], &t[2]);
	assert_ptr_equal(rig->order[1], &t[3]);
	assert_ptr_equal(rig->order[2], &t[1]);
}

static void
one_may_remove_and_add_others(void **state)
{
	struct rig *rig = *state;
	struct timeout t[3] = { 0 }, added = { 0 };

	open_queue(rig, WAIT_MS);
	for (size_t i = 0; i < 3; i++)
		timeouts_add(rig->q, &t[i]);
	rig->remove = &t[1];
	rig->add = &added;
	rig->stop_at = 3;
	loop_run(rig->loop);
	assert_false(rig->late);
	assert_ptr_equal(rig->order[0], &t[0]);
	assert_ptr_equal(rig->order[1], &t[2]);
	assert_ptr_equal(rig->order[2], &added);
}

static void
no_length_does_not_hold_the_loop(void **state)
{
	struct rig *rig = *state;
	static struct timeout t[2];	/* still waiting when this fails */

	open_queue(rig, 0);
	rig->again = true;
	rig->stop_at = 10;
	timeouts_add(rig->q, &t[0]);
	timeouts_add(rig->q, &t[1]);
	loop_run(rig->loop);
	assert_false(rig->late);
	/* The turn that was stopped goes on for as long as the clock, which
	 * counts microseconds, stands still. */
	assert_in_range(rig->fired, 10, MANY / 2);
	assert_int_equal(timeouts_count(rig->q), 2);
	timeouts_remove(rig->q, &t[0]);
	timeouts_remove(rig->q, &t[1]);
}

/* The timer was set for one that is gone; it serves the next all the same. */
static void
one_waits_its_time_after_another_went(void **state)
{
	struct rig *rig = *state;
	struct timeout gone = { 0 }, t = { 0 };
	int64_t t0;

	open_queue(rig, WAIT_MS);
	timeouts_add(rig->q, &gone);
	timeouts_remove(rig->q, &gone);
	loop_timer_start(rig->give_up, WAIT_MS / 2);
	loop_run(rig->loop);
	loop_timer_start(rig->give_up, GIVE_UP_MS);
	rig->late = false;
	rig->stop_at = 1;
	t0 = clock_mono_ms();
	timeouts_add(rig->q, &t);
	loop_run(rig->loop);
	assert_false(rig->late);
	assert_true(clock_mono_ms() - t0 >= WAIT_MS);
	assert_ptr_equal(rig->order[0], &t);
	assert_int_equal(rig->fired, 1);
}

static void
note_fired(void *arg)
{
	struct rig *rig = arg;

	rig->fired_meanwhile = rig->fired;
}

static void
very_many_do_not_hold_the_loop(void **state)
{
	struct rig *rig = *state;
	struct timeout t[MANY] = { 0 };
	struct loop_timer *meanwhile = loop_timer_new(rig->loop, note_fired,
	    rig);

	open_queue(rig, 0);
	for (size_t i = 0; i < MANY; i++)
		timeouts_add(rig->q, &t[i]);
	loop_timer_start(meanwhile, 0);
	rig->fired_meanwhile = MANY;
	rig->stop_at = MANY;
	loop_run(rig->loop);
	loop_timer_free(meanwhile);
	assert_false(rig->late);
	assert_int_equal(rig->fired, MANY);
	assert_in_range(rig->fired_meanwhile, 0, MANY - 1);
}

static void
freed_members_are_forgotten(void **state)
{
	struct rig *rig = *state;
	struct timeout t = { 0 };

	open_queue(rig, 0);
	timeouts_add(rig->q, &t);
	timeouts_free(rig->q);
	rig->q = NULL;
	assert_null(t.next);
	assert_null(t.prev);
	loop_timer_start(rig->give_up, 20);
	loop_run(rig->loop);
	assert_int_equal(rig->fired, 0);
}

int
main(void)
{
#define QUEUE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(all_fire_in_order_not_before_time),
		QUEUE_TEST(removed_and_renewed),
		QUEUE_TEST(one_may_remove_and_add_others),
		QUEUE_TEST(no_length_does_not_hold_the_loop),
		QUEUE_TEST(one_waits_its_time_after_another_went),
		QUEUE_TEST(very_many_do_not_hold_the_loop),
		QUEUE_TEST(freed_members_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
