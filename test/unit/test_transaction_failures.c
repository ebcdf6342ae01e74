/* Transactions that fail: who is told, and when; and no memory. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "transaction_rig.h"

enum { MANY = 3000 };

/* ---- where nobody is any more ---- */

/* Who waits where: {connection or 0, number of the address}. */
static const struct {
	uint32_t	 connection;
	unsigned	 addr;
	bool		 lost, unreachable;
} waiting[] = {
	{ 7, 1, true, false },
	{ 8, 1, false, false },
	{ 0, 1, false, true },
	{ 7, 2, true, false },
	{ 0, 2, false, false },
	{ 0, 1, false, true },
};

static unsigned
wait_everywhere(struct rig *rig, bool lost)
{
	unsigned n = 0;

	for (size_t i = 0; i < COUNT(waiting); i++) {
		struct hop hop = { .addr = rig_addr(waiting[i].addr),
		    .connection = waiting[i].connection };

		assert_non_null(rig_ask(rig, i + 1, CLIENT_INVITE, hop));
		/* what rings waits for its connection, not for an address */
		if (lost)
			client_response(client_find(rig->ts, i + 1,
			    CLIENT_INVITE), 180);
		n += lost ? waiting[i].lost : waiting[i].unreachable;
	}
	return n;
}

static void
fails_who_waits_there(struct rig *rig, bool lost)
{
	struct addr to = rig_addr(1);

	rig->stop_at = wait_everywhere(rig, lost);
	rig->within = true;
	if (lost)
		transactions_lost(rig->ts, 7);
	else
		transactions_unreachable(rig->ts, NULL, &to);
	transactions_lost(rig->ts, 9);
	rig->within = false;
	assert_int_equal(rig->failed, 0);
	assert_true(rig_run(rig, 0));
	assert_int_equal(rig->failed_within, 0);
	assert_int_equal(rig->why, CLIENT_TRANSPORT);
	for (size_t i = 0; i < COUNT(waiting); i++) {
		bool gone = lost ? waiting[i].lost : waiting[i].unreachable;

		assert_true(gone == (client_find(rig->ts, i + 1,
		    CLIENT_INVITE) == NULL));
	}
}

static void
a_lost_connection_fails_who_waits_on_it(void **state)
{
	fails_who_waits_there(*state, true);
}

static void
an_unreachable_address_fails_who_waits_for_it(void **state)
{
	fails_who_waits_there(*state, false);
}

/* RFC 3261 17.1.1.2: nothing is sent any more that could fail. */
static void
what_rings_is_not_failed_by_an_address(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1) };

	assert_non_null(rig_ask(rig, 1, CLIENT_INVITE, hop));
	assert_non_null(rig_ask(rig, 2, CLIENT_OTHER, hop));
	client_response(client_find(rig->ts, 1, CLIENT_INVITE), 180);
	client_response(client_find(rig->ts, 2, CLIENT_OTHER), 180);
	rig->stop_at = 1;
	transactions_unreachable(rig->ts, NULL, &hop.addr);
	assert_true(rig_run(rig, 0));
	assert_non_null(client_find(rig->ts, 1, CLIENT_INVITE));
	assert_null(client_find(rig->ts, 2, CLIENT_OTHER));
}

static void
another_port_is_another_place(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1), .port = (struct port *)&hop };

	assert_non_null(rig_ask(rig, 1, CLIENT_OTHER, hop));
	transactions_unreachable(rig->ts, NULL, &hop.addr);
	assert_false(rig_run(rig, T1_MS));
	assert_int_equal(rig->failed, 0);
	transactions_unreachable(rig->ts, hop.port, &hop.addr);
	rig->stop_at = 1;
	assert_true(rig_run(rig, 0));
	assert_int_equal(rig->failed, 1);
}

/* Who fails lets another go that would be next, and a newcomer at the same
 * place is not meant. */
static void
failing_is_safe_for_the_others(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1), .connection = 7 };

	for (unsigned i = 1; i <= 3; i++)
		assert_non_null(rig_ask(rig, i, CLIENT_OTHER, hop));
	rig->release = client_find(rig->ts, 2, CLIENT_OTHER);
	rig->stop_at = 2;
	transactions_lost(rig->ts, 7);
	assert_non_null(rig_ask(rig, 4, CLIENT_OTHER, hop));
	assert_true(rig_run(rig, 0));
	assert_int_equal(rig->failed, 2);
	for (unsigned i = 1; i <= 3; i++)
		assert_null(client_find(rig->ts, i, CLIENT_OTHER));
	assert_non_null(client_find(rig->ts, 4, CLIENT_OTHER));
}

static void
note_failures(void *arg)
{
	struct rig *rig = arg;

	rig->failed_within = rig->failed;
}

static void
many_failures_do_not_hold_the_loop(void **state)
{
	struct rig *rig = *state;
	struct loop_timer *meanwhile;
	struct hop hop = { .addr = rig_addr(1), .connection = 7 };

	for (unsigned i = 1; i <= MANY; i++)
		assert_non_null(rig_ask(rig, i, CLIENT_INVITE, hop));
	rig->stop_at = MANY;
	transactions_lost(rig->ts, 7);
	meanwhile = loop_timer_new(rig->loop, note_failures, rig);
	loop_timer_start(meanwhile, 0);
	rig->failed_within = UINT_MAX;
	assert_true(rig_run(rig, 0));
	loop_timer_free(meanwhile);
	assert_int_equal(rig->failed, MANY);
	assert_in_range(rig->failed_within, 0, MANY - 1);
	assert_int_equal(rig_open_now(rig), 0);
}

/* ---- what cannot be sent ---- */

static void
what_cannot_be_sent_is_told_at_once(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1) };
	struct client_conf conf = { 1, CLIENT_INVITE, hop, &rig_hooks, rig };
	int error = 0;

	rig->send_rc = -ENETUNREACH;
	assert_null(client_new(rig->ts, &conf, "x", 1, &error));
	assert_int_equal(error, -ENETUNREACH);
	assert_null(client_find(rig->ts, 1, CLIENT_INVITE));
	assert_int_equal(rig_open_now(rig), 0);
	assert_false(rig_run(rig, 3 * T1_MS));
	assert_int_equal(rig->failed, 0);
}

static void
what_cannot_be_sent_again_fails(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1) };

	assert_non_null(rig_ask(rig, 1, CLIENT_INVITE, hop));
	rig->send_rc = -ENOBUFS;		/* that passes */
	assert_false(rig_run(rig, 2 * T1_MS));
	assert_int_equal(rig->failed, 0);
	rig->send_rc = -EHOSTUNREACH;
	rig->stop_at = 1;
	assert_true(rig_run(rig, 0));
	assert_int_equal(rig->why, CLIENT_TRANSPORT);
	assert_int_equal(rig_count(rig, "transaction_timeouts_total", NULL),
	    0);
	assert_int_equal(rig_open_now(rig), 0);
}

static void
an_answer_finds_a_new_connection_once(void **state)
{
	struct rig *rig = *state;
	struct server_conf conf = { .key = 1, .kind = SERVER_INVITE, .back = {
	    .addr = rig_addr(1), .connection = 7 }, .again = rig_addr(5060) };
	struct server *s = server_new(rig->ts, &conf);

	assert_int_equal(server_respond(s, 100, "100", 3), 0);
	assert_int_equal(rig->last.connection, 7);
	rig->gone_rc = -ENOTCONN;
	rig->opens = 8;
	assert_int_equal(server_respond(s, 180, "180", 3), 0);
	assert_int_equal(rig->last.connection, 0);
	assert_int_equal(rig->last.addr.port, 5060);
	assert_int_equal(server_respond(s, 200, "200", 3), 0);
	assert_int_equal(rig->last.connection, 8);
	assert_int_equal(rig->sends, 3);
	rig->send_rc = -ENOTCONN;
	rig->calls = 0;
	assert_int_equal(server_respond(s, 200, "200", 3), -ENOTCONN);
	assert_int_equal(rig->calls, 1);
	server_release(s);
}

static void
an_answer_without_another_way_is_lost(void **state)
{
	struct rig *rig = *state;
	struct server_conf conf = { .key = 1, .kind = SERVER_OTHER, .back = {
	    .addr = rig_addr(1), .connection = 7 } };
	struct server *s = server_new(rig->ts, &conf);

	rig->gone_rc = -ENOTCONN;
	assert_int_equal(server_respond(s, 200, "200", 3), -ENOTCONN);
	assert_int_equal(server_state(s), SERVER_COMPLETED);
	server_release(s);
	assert_int_equal(rig_open_now(rig), 0);
}

/* What is sent later takes the connection that the first took. */
static void
a_client_keeps_its_connection(void **state)
{
	struct rig *rig = *state;
	struct hop hop = { .addr = rig_addr(1) };
	struct client *c;

	rig->opens = 12;
	c = rig_ask(rig, 1, CLIENT_INVITE, hop);
	assert_int_equal(client_hop(c)->connection, 12);
	assert_ptr_equal(client_owner(c), rig);
	client_ack(c, "ACK", 3);
	assert_int_equal(rig->last.connection, 12);
	assert_int_equal(client_response(c, 486), CLIENT_PASS);
	assert_int_equal(rig_open_now(rig), 0);
}

/* ---- the end, and no memory ---- */

static bool
make_server(struct rig *rig, uint64_t key, int status, bool release)
{
	struct server_conf conf = { .key = key, .kind = SERVER_INVITE, .back = {
	    .addr = rig_addr(1) }, .owner = rig };
	struct server *s = server_new(rig->ts, &conf);

	if (s == NULL)
		return false;
	if (status > 0)
		server_respond(s, status, "text", 4);
	if (release)
		server_release(s);
	return true;
}

static bool
make_client(struct rig *rig, uint64_t key, int status, bool release)
{
	struct hop hop = { .addr = rig_addr(key % 3 + 1),
	    .connection = key % 2 };
	struct client *c = rig_ask(rig, key, CLIENT_INVITE, hop);

	if (c == NULL)
		return false;
	if (status >= 300)
		client_ack(c, "ack", 3);
	if (status > 0)
		client_response(c, status);
	if (release)
		client_release(c);
	return true;
}

/* The address sanitizer sees whether all goes. */
static bool
make_all(struct rig *rig)
{
	bool ok = true;
	uint64_t key = 0;

	for (int status = 0; status < 600; status += 100)
		for (int release = 0; release < 2; release++) {
			ok = make_server(rig, ++key, status, release) && ok;
			ok = make_client(rig, ++key, status, status < 200 &&
			    release) && ok;
		}
	return ok;
}

static void
all_states_end_with_the_rest(void **state)
{
	struct rig *rig = *state;

	assert_true(make_all(rig));
	transactions_lost(rig->ts, 1);		/* and before they fail */
	assert_true(rig_open_now(rig) > 15);
	transactions_free(rig->ts);
	rig->ts = NULL;
	assert_int_equal(rig_open_now(rig), 0);
	assert_int_equal(rig->failed, 0);
}

static bool
make_without_answers(struct rig *rig)
{
	return make_server(rig, 1, 0, true) && make_client(rig, 2, 0, false) &&
	    make_client(rig, 3, 180, false);
}

static bool
in_a_world(bool (*work)(struct rig *rig))
{
	struct rig rig = { .loop = loop_new(), .metrics = metrics_new() };
	bool ok = false;

	if (rig.loop != NULL && rig.metrics != NULL)
		rig.ts = rig_open(&rig);
	if (rig.ts != NULL)
		ok = work(&rig);
	transactions_free(rig.ts);
	metrics_free(rig.metrics);
	loop_free(rig.loop);
	return ok;
}

static bool
work_needed(void *arg)
{
	(void)arg;
	return in_a_world(make_without_answers);
}

static bool
work_all(void *arg)
{
	(void)arg;
	return in_a_world(make_all);
}

static void
no_memory_is_an_answer(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work_needed, NULL), 0);
	/* without the copy of an answer or an ACK it goes on */
	assert_in_range(failing_alloc_each(work_all, NULL), 1, 30);
}

static bool
work_growth(void *arg)
{
	struct rig *rig = arg;

	for (unsigned i = 1; i <= 200; i++)
		if (!make_server(rig, i, 0, true) && i > 1)
			return false;
	return true;
}

static void
no_memory_for_a_larger_table(void **state)
{
	struct rig *rig = *state;

	/* one for each server, and some for the table */
	assert_in_range(failing_alloc_count(work_growth, rig), 201, 210);
	for (unsigned i = 1; i <= 200; i++)
		assert_non_null(server_find(rig->ts, i, SERVER_INVITE));
}

int
main(void)
{
#define RIG_TEST(f) \
	cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_lost_connection_fails_who_waits_on_it),
		RIG_TEST(an_unreachable_address_fails_who_waits_for_it),
		RIG_TEST(what_rings_is_not_failed_by_an_address),
		RIG_TEST(another_port_is_another_place),
		RIG_TEST(failing_is_safe_for_the_others),
		RIG_TEST(many_failures_do_not_hold_the_loop),
		RIG_TEST(what_cannot_be_sent_is_told_at_once),
		RIG_TEST(what_cannot_be_sent_again_fails),
		RIG_TEST(an_answer_finds_a_new_connection_once),
		RIG_TEST(an_answer_without_another_way_is_lost),
		RIG_TEST(a_client_keeps_its_connection),
		RIG_TEST(all_states_end_with_the_rest),
		cmocka_unit_test(no_memory_is_an_answer),
		RIG_TEST(no_memory_for_a_larger_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
