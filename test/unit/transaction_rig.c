/*
 * transaction_rig.c -- a loop, transactions, and a transport that records.
 */
#include "config.h"

#include "transaction_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
record(void *arg, const struct hop *h, const void *p, size_t len,
    uint32_t *connection)
{
	struct rig *rig = arg;

	rig->calls++;
	if (rig->gone_rc != 0 && h->connection == 7)
		return rig->gone_rc;
	if (rig->send_rc != 0)
		return rig->send_rc;
	rig->sends++;
	rig->last = *h;
	if (connection != NULL)
		*connection = h->connection != 0 ? h->connection : rig->opens;
	if (rig->on_send != NULL)
		rig->on_send(rig, h, p, len);
	return 0;
}

static void
too_late(void *arg)
{
	struct rig *rig = arg;

	rig->late = true;
	loop_stop(rig->loop);
}

struct transactions *
rig_open(struct rig *rig)
{
	struct transactions_env env = {
		.loop = rig->loop, .metrics = rig->metrics, .t1_ms = T1_MS,
		.send = record, .arg = rig
	};

	return transactions_new(&env);
}

int
rig_set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig->loop = loop_new();
	rig->metrics = metrics_new();
	rig->ts = rig_open(rig);
	assert_non_null(rig->ts);
	rig->give_up = loop_timer_new(rig->loop, too_late, rig);
	*state = rig;
	return 0;
}

int
rig_tear_down(void **state)
{
	struct rig *rig = *state;

	transactions_free(rig->ts);
	transactions_free(NULL);
	loop_timer_free(rig->give_up);
	metrics_free(rig->metrics);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

bool
rig_run(struct rig *rig, int64_t for_ms)
{
	rig->late = false;
	loop_timer_start(rig->give_up, for_ms > 0 ? for_ms : GIVE_UP_MS);
	loop_run(rig->loop);
	loop_timer_stop(rig->give_up);
	return !rig->late;
}

struct wanted {
	const char	*name, *value;
	uint64_t	 count;
};

static void
visit(void *arg, const struct metric *what, const char *value, uint64_t count)
{
	struct wanted *w = arg;

	if (strcmp(what->name, w->name) == 0 && (w->value == NULL ||
	    (value != NULL && strcmp(value, w->value) == 0)))
		w->count = count;
}

uint64_t
rig_count(const struct rig *rig, const char *name, const char *value)
{
	struct wanted w = { name, value, UINT64_MAX };

	metrics_each(rig->metrics, visit, &w);
	return w.count;
}

uint64_t
rig_open_now(const struct rig *rig)
{
	return rig_count(rig, "transactions", "server") +
	    rig_count(rig, "transactions", "client");
}

struct addr
rig_addr(unsigned n)
{
	struct addr a = { .ip = { [10] = 255, [11] = 255, 10 },
	    .port = (uint16_t)n };

	return a;
}

static void
on_failed(void *owner, enum client_failure why)
{
	struct rig *rig = owner;

	rig->why = why;
	rig->failed++;
	rig->failed_within += rig->within;
	if (rig->release != NULL)
		client_release(rig->release);
	rig->release = NULL;
	if (rig->failed == rig->stop_at)
		loop_stop(rig->loop);
}

const struct client_hooks rig_hooks = { on_failed };

struct client *
rig_ask(struct rig *rig, uint64_t key, enum client_kind kind, struct hop hop)
{
	struct client_conf conf = { key, kind, hop, &rig_hooks, rig };
	int error;

	return client_new(rig->ts, &conf, "text", 4, &error);
}
