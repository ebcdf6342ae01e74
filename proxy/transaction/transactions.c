/*
 * transactions.c -- what all transactions share, and their key.
 */
#include "config.h"

#include "transaction/inner.h"

#include <sodium/crypto_shorthash.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "base/secret.h"
#include "io/loop.h"

_Static_assert(sizeof ((struct transactions *)0)->key ==
    crypto_shorthash_KEYBYTES, "a key of SipHash");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES,
    "a hash of SipHash");

static const char *const sides[] = {
	[COUNT_SERVERS] = "server", [COUNT_CLIENTS] = "client"
};
static const char *const directions[] = {
	[COUNT_SENT] = "sent", [COUNT_ABSORBED] = "absorbed"
};

static const struct metric open_metric = {
	"transactions", "Transactions in memory, also those that only linger.",
	METRIC_GAUGE, "kind", sides, 2
};
static const struct metric again_metric = {
	"transaction_retransmissions_total",
	"Messages that were sent again, and that came again.",
	METRIC_COUNTER, "direction", directions, 2
};
static const struct metric timeouts_metric = {
	"transaction_timeouts_total",
	"Requests that were sent and that nobody answered (Timers B, F).",
	METRIC_COUNTER, NULL, NULL, 0
};

static bool
open_metrics(struct transactions *ts)
{
	struct metrics *m = ts->env.metrics;

	ts->open = metrics_add(m, &open_metric);
	ts->again = metrics_add(m, &again_metric);
	ts->timeouts = metrics_add(m, &timeouts_metric);
	return ts->open != NULL && ts->again != NULL && ts->timeouts != NULL;
}

static bool
open_timers(struct transactions *ts)
{
	for (unsigned i = 0; i < PACE_QUEUES; i++) {
		ts->queue[i] = timeouts_new(ts->env.loop,
		    ts->env.t1_ms << i, pace_turn, ts);
		if (ts->queue[i] == NULL)
			return false;
	}
	ts->failing = loop_timer_new(ts->env.loop, place_turn, ts);
	return ts->failing != NULL;
}

struct transactions *
transactions_new(const struct transactions_env *env)
{
	struct transactions *ts;

	ts = calloc(1, sizeof *ts);
	if (ts == NULL)
		return NULL;
	ts->env = *env;
	random_bytes(ts->key, sizeof ts->key);
	ts->servers.size = sizeof(struct server);
	ts->clients.size = sizeof(struct client);
	ts->spare_places.size = sizeof(struct place);
	LIST_INIT(&ts->failed);
	if (!table_init(&ts->all) || !table_init(&ts->places) ||
	    !open_timers(ts) || !open_metrics(ts)) {
		transactions_free(ts);
		return NULL;
	}
	return ts;
}

static void
end(struct entry *e)
{
	struct transaction *t = transaction_of(e);

	if (e->kind == KIND_SERVER_INVITE || e->kind == KIND_SERVER_OTHER)
		server_free((struct server *)t);
	else
		client_free((struct client *)t);
}

void
transactions_free(struct transactions *ts)
{
	if (ts == NULL)
		return;
	table_drain(&ts->all, end);
	table_fini(&ts->all);
	table_fini(&ts->places);
	free(ts->reserved);
	pool_fini(&ts->servers);
	pool_fini(&ts->clients);
	pool_fini(&ts->spare_places);
	for (unsigned i = 0; i < PACE_QUEUES; i++)
		timeouts_free(ts->queue[i]);
	loop_timer_free(ts->failing);
	secret_free(ts, sizeof *ts);
}

uint64_t
transactions_hash(const struct transactions *ts, const void *p, size_t len)
{
	uint64_t sum;

	crypto_shorthash((unsigned char *)&sum, p, len, ts->key);
	return sum;
}

/* Of each part its hash and its length, and a hash of these: nothing is put
 * together, however long the parts are. */
uint64_t
transaction_key(const struct transactions *ts, const struct transaction_id *id)
{
	const struct str *part[] = { &id->branch, &id->sent_by, &id->call_id };
	uint64_t in[7], key;

	for (unsigned i = 0; i < 3; i++) {
		in[2 * i] = transactions_hash(ts, part[i]->p, part[i]->len);
		in[2 * i + 1] = part[i]->len;
	}
	in[6] = id->cseq;
	key = transactions_hash(ts, in, sizeof in);
	return key != 0 ? key : 1;
}
