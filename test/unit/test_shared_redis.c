/* What instances share, by a real Redis: two of them on one loop. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/metrics.h"
#include "guard/shared.h"
#include "io/dns.h"
#include "io/loop.h"
#include "modules/kinds.h"
#include "redis_rig.h"

enum { WAIT_MS = 8000, HOUR_MS = 3600000, HEARD_MAX = 4096 };

struct instance {
	struct conf	*conf;
	struct metrics	*metrics;
	struct shared	*shared;
	unsigned	 ups;
	size_t		 nheard, nlifted;
	struct shared_ban lifted;
	struct shared_ban heard[HEARD_MAX];
};

struct rig {
	struct loop	*loop;
	struct dns	*dns;
	struct server	 server;
	struct instance	 a, b;
};

struct find { const char *name, *value; uint64_t count; };

static void
match(void *arg, const struct metric *what, const char *value,
    uint64_t count)
{
	struct find *f = arg;

	if (strcmp(what->name, f->name) == 0 && (f->value == NULL ||
	    strcmp(value, f->value) == 0))
		f->count += count;
}

static uint64_t
metric(const struct instance *i, const char *name, const char *value)
{
	struct find f = { name, value, 0 };

	metrics_each(i->metrics, match, &f);
	return f.count;
}

static void
banned(void *arg, const struct shared_ban *ban)
{
	struct instance *i = arg;

	if (i->nheard < HEARD_MAX)
		i->heard[i->nheard++] = *ban;
}

static void
lifted(void *arg, const struct shared_ban *ban)
{
	struct instance *i = arg;

	i->nlifted++;
	i->lifted = *ban;
}

static void
up(void *arg)
{
	((struct instance *)arg)->ups++;
}

static void
open_one(struct rig *r, struct instance *i, const char *more)
{
	struct shared_env env = { .loop = r->loop, .dns = r->dns };
	struct shared_hooks hooks = { banned, lifted, up, i };
	char text[512];
	void *filled;

	snprintf(text, sizeof text, "url = \"redis://%s:%u/0\";\n"
	    "timeout = \"300ms\";\n%s", RIG_HOST, r->server.port, more);
	memset(i, 0, sizeof *i);
	i->conf = conf_read_text("test", text);
	assert_non_null(i->conf);
	filled = conf_alloc(i->conf, nonce_redis_ops.conf_size);
	assert_int_equal(conf_fill(i->conf, conf_root(i->conf),
	    nonce_redis_ops.opts, filled), 0);
	env.metrics = i->metrics = metrics_new();
	assert_int_equal(shared_redis_open(&i->shared, filled, &env), 0);
	i->shared->ops->listen(i->shared, &hooks);
}

static void
close_one(struct instance *i)
{
	if (i->shared != NULL)
		i->shared->ops->close(i->shared);
	metrics_free(i->metrics);
	conf_free(i->conf);
	memset(i, 0, sizeof *i);
}

#define WAIT_FOR(r, is) do {						\
	int64_t until_ms_ = clock_mono_ms() + WAIT_MS;			\
	while (!(is)) {							\
		if (clock_mono_ms() > until_ms_)			\
			fail_msg("never: %s", #is);			\
		run_for((r)->loop, 5);					\
	}								\
} while (0)

static bool
is_up(const struct instance *i)
{
	return metric(i, "shared_up", NULL) == 1;
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	*state = r;
	if (!rig_has_redis())
		return 0;
	r->loop = loop_new();
	r->dns = dns_new(r->loop, NULL);
	server_start(&r->server);
	open_one(r, &r->a, "");
	open_one(r, &r->b, "");
	WAIT_FOR(r, r->a.ups == 1 && r->b.ups == 1);
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	close_one(&r->a);
	close_one(&r->b);
	if (r->server.dir[0] != '\0')
		server_end(&r->server);
	dns_free(r->dns);
	loop_free(r->loop);
	free(r);
	return 0;
}

/* ---- bans */

static struct shared_ban
ban_of(unsigned n, int64_t rest_ms)
{
	struct shared_ban ban = { .rest_ms = rest_ms,
		.reason = BAN_FAILURES };

	ban.source[0] = 0x20;
	put_u32(ban.source + 4, n);
	return ban;
}

static void
ban(struct instance *i, unsigned n, int64_t rest_ms, size_t max)
{
	struct shared_ban one = ban_of(n, rest_ms);

	i->shared->ops->ban(i->shared, &one, max);
}

static bool
heard(const struct instance *i, unsigned n)
{
	struct shared_ban one = ban_of(n, 0);

	for (size_t k = 0; k < i->nheard; k++)
		if (memcmp(i->heard[k].source, one.source,
		    sizeof one.source) == 0)
			return true;
	return false;
}

static int
there(const struct rig *r)
{
	return atoi(server_do(&r->server, "ZCARD sipbouncer:{b}:u"));
}

static void
bans_are_heard(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	ban(&r->a, 1, 60000, 10);
	WAIT_FOR(r, heard(&r->b, 1));
	assert_int_equal(r->b.nheard, 1);
	assert_in_range(r->b.heard[0].rest_ms, 50000, 60000);
	assert_int_equal(r->b.heard[0].reason, BAN_FAILURES);
	/* what is no longer, or over, is no news */
	ban(&r->b, 1, 30000, 10);
	ban(&r->b, 1, 60500, 10);
	ban(&r->b, 2, 0, 10);
	ban(&r->b, 3, -5, 10);
	ban(&r->b, 4, 60000, 10);
	WAIT_FOR(r, heard(&r->a, 4));
	run_for(r->loop, 500);
	assert_int_equal(r->b.nheard, 2);
	assert_int_equal(there(r), 2);
	ban(&r->b, 1, 90000, 10);
	WAIT_FOR(r, r->a.nheard == 3);
	assert_in_range(r->a.heard[2].rest_ms, 80000, 90000);
}

/* So does he who comes later, before he tells of his own; a new ban counts
 * again. */
static void
what_is_taken_back_is_heard(void **state)
{
	struct rig *r = *state;
	struct shared_ban one = ban_of(1, 60000);

	NEED_REDIS();
	ban(&r->a, 1, 60000, 10);
	WAIT_FOR(r, heard(&r->b, 1));
	r->a.shared->ops->lift(r->a.shared, &one, 10);
	WAIT_FOR(r, r->b.nlifted == 1);
	assert_memory_equal(r->b.lifted.source, one.source,
	    sizeof one.source);
	assert_in_range(r->b.lifted.rest_ms, 50000, 60000);
	close_one(&r->b);
	open_one(r, &r->b, "");
	WAIT_FOR(r, r->b.ups == 1);
	assert_int_equal(r->b.nlifted, 1);
	assert_int_equal(r->b.nheard, 0);
	ban(&r->b, 1, 20000, 10);
	WAIT_FOR(r, r->a.nheard == 2);
}

/* Who takes back what he thinks to end sooner takes back all of it. */
static void
a_longer_one_is_taken_back_whole(void **state)
{
	struct rig *r = *state;
	struct shared_ban one = ban_of(1, 20000);

	NEED_REDIS();
	ban(&r->a, 1, 60000, 10);
	WAIT_FOR(r, heard(&r->b, 1));
	r->a.shared->ops->lift(r->a.shared, &one, 10);
	WAIT_FOR(r, r->b.nlifted == 1);
	assert_in_range(r->b.lifted.rest_ms, 50000, 60000);
}

static void
what_ends_first_makes_room(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	ban(&r->a, 1, 30000, 3);
	ban(&r->a, 2, 20000, 3);
	ban(&r->a, 3, 40000, 3);
	ban(&r->a, 4, 50000, 3);
	WAIT_FOR(r, heard(&r->b, 4));
	assert_false(heard(&r->b, 2));
	assert_int_equal(there(r), 3);
	ban(&r->a, 5, 60000, 1);		/* the limit was lowered */
	WAIT_FOR(r, heard(&r->b, 5));
	assert_int_equal(there(r), 1);
}

static void
bans_that_are_over_are_gone(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (unsigned n = 0; n < 50; n++)
		ban(&r->a, n, 100, 1000);
	WAIT_FOR(r, there(r) == 50);
	run_for(r->loop, 200);
	ban(&r->a, 99, 60000, 1000);
	WAIT_FOR(r, there(r) == 1);
	close_one(&r->b);
	open_one(r, &r->b, "");
	WAIT_FOR(r, r->b.ups == 1);
	assert_int_equal(r->b.nheard, 1);
}

static void
thousands_come_in_portions(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (unsigned n = 0; n < 3000; n++)
		ban(&r->a, n, 60000, 100000);
	WAIT_FOR(r, r->b.nheard == 3000);
	close_one(&r->b);
	open_one(r, &r->b, "");
	WAIT_FOR(r, r->b.nheard >= 3000);
	run_for(r->loop, 500);
	assert_int_equal(r->b.nheard, 3000);
}

/* What went wrong, and how often up() must have come at last. */
static const struct { const char *what, *command; } losses[] = {
	{ "everything", "FLUSHALL" },
	{ "the ledger", "DEL sipbouncer:{b}:m" },
	{ "its number", "HSET sipbouncer:{b}:m n 0" },
	{ "its epoch", "HSET sipbouncer:{b}:m epoch 0123456789abcdef" },
	{ "all links", "CLIENT KILL TYPE normal" },
};

static void
a_loss_is_noticed(void **state)
{
	struct rig *r = *state;
	unsigned ups;

	NEED_REDIS();
	for (size_t i = 0; i < COUNT(losses); i++) {
		print_message("# %s\n", losses[i].what);
		ban(&r->a, 1, 60000, 10);
		WAIT_FOR(r, there(r) == 1);
		run_for(r->loop, 900);
		ups = r->a.ups;
		server_do(&r->server, "%s", losses[i].command);
		WAIT_FOR(r, r->a.ups == ups + 1);
		WAIT_FOR(r, is_up(&r->a) && is_up(&r->b));
		run_for(r->loop, 900);
		assert_int_equal(r->a.ups, ups + 1);
	}
}

static void
prefixes_are_apart(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	close_one(&r->b);
	open_one(r, &r->b, "prefix = \"other\";");
	WAIT_FOR(r, r->b.ups == 1);
	ban(&r->a, 1, 60000, 10);
	run_for(r->loop, 900);
	assert_int_equal(r->b.nheard, 0);
	assert_int_equal(r->a.nheard, 1);
}

/* ---- calls */

struct try {
	struct calls_ask ask;
	bool		 over;
	enum calls_verdict v;
};

static void
judged(struct calls_ask *ask, enum calls_verdict v)
{
	struct try *t = ask->arg;

	assert_false(t->over);
	t->over = true;
	t->v = v;
}

/* Of account who, and of another one if also is not 0. */
static struct try
call_of(unsigned call, unsigned who, int64_t calls, unsigned also)
{
	struct try t = { .ask = { .naccounts = also == 0 ? 1 : 2,
		.lasts_ms = HOUR_MS, .done = judged } };

	put_u32(t.ask.call, call);
	put_u32(t.ask.account[0].id, who);
	put_u32(t.ask.account[1].id, also);
	t.ask.account[0].calls = calls;
	t.ask.account[1].calls = -1;
	return t;
}

static void
start(struct instance *i, struct try *t)
{
	t->ask.arg = t;
	t->v = i->shared->ops->calls_begin(i->shared, &t->ask);
	t->over = t->v != CALLS_PENDING;
}

static enum calls_verdict
begin(struct rig *r, struct instance *i, struct try t)
{
	start(i, &t);
	assert_true(run_until(r->loop, &t.over, WAIT_MS));
	return t.v;
}

static void
end(struct instance *i, unsigned call)
{
	uint8_t id[CALL_ID_BYTES] = { 0 };

	put_u32(id, call);
	i->shared->ops->calls_end(i->shared, id, CALLS_OVER);
}

static void
hang_up(struct instance *i, unsigned call)
{
	uint8_t id[CALL_ID_BYTES] = { 0 };

	put_u32(id, call);
	i->shared->ops->calls_end(i->shared, id, CALLS_BYE);
}

static void
answer(struct instance *i, unsigned call, int64_t lasts_ms)
{
	uint8_t id[CALL_ID_BYTES] = { 0 };

	put_u32(id, call);
	i->shared->ops->calls_answered(i->shared, id, lasts_ms);
}

static void
ring(struct instance *i, unsigned call, int64_t lasts_ms)
{
	uint8_t id[CALL_ID_BYTES] = { 0 };

	put_u32(id, call);
	i->shared->ops->calls_rings(i->shared, id, lasts_ms);
}

static void
touch(struct instance *i, unsigned call, int64_t lasts_ms)
{
	uint8_t id[CALL_ID_BYTES] = { 0 };

	put_u32(id, call);
	i->shared->ops->calls_touch(i->shared, id, lasts_ms);
}

static void
calls_are_counted_together(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	assert_int_equal(begin(r, &r->a, call_of(1, 7, 2, 0)), CALLS_WITHIN);
	assert_int_equal(begin(r, &r->b, call_of(2, 7, 2, 0)), CALLS_WITHIN);
	assert_int_equal(begin(r, &r->a, call_of(3, 7, 2, 0)),
	    CALLS_TOO_MANY);
	assert_int_equal(begin(r, &r->a, call_of(4, 8, 2, 0)), CALLS_WITHIN);
	assert_int_equal(begin(r, &r->b, call_of(4, 8, 2, 0)), CALLS_TWICE);
	end(&r->b, 1);
	end(&r->b, 1000);
	run_for(r->loop, 50);
	assert_int_equal(begin(r, &r->a, call_of(3, 7, 2, 0)), CALLS_WITHIN);
	assert_int_equal(begin(r, &r->a, call_of(5, 9, 0, 0)),
	    CALLS_TOO_MANY);
	assert_int_equal(begin(r, &r->a, call_of(6, 9, -1, 0)),
	    CALLS_WITHIN);
	assert_int_equal(metric(&r->a, "shared_calls_total", "within"), 4);
	assert_int_equal(metric(&r->b, "shared_calls_total", "twice"), 1);
}

/* A BYE to one early dialog; of one account, and of two. */
static void
what_rings_is_not_hung_up(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (unsigned also = 0; also <= 8; also += 8) {
		assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, also)),
		    CALLS_WITHIN);
		hang_up(&r->b, 1);
		run_for(r->loop, 50);
		assert_int_equal(begin(r, &r->b, call_of(2, 7, 1, also)),
		    CALLS_TOO_MANY);
		answer(&r->a, 1, HOUR_MS);
		answer(&r->a, 1000, HOUR_MS);
		run_for(r->loop, 50);
		assert_int_equal(begin(r, &r->b, call_of(2, 7, 1, also)),
		    CALLS_TOO_MANY);
		hang_up(&r->b, 1);
		run_for(r->loop, 50);
		assert_int_equal(begin(r, &r->b, call_of(2, 7, 1, also)),
		    CALLS_WITHIN);
		end(&r->a, 2);
		run_for(r->loop, 50);
	}
}

/* Away, and back in any order. */
static void
both_come_back(struct rig *r)
{
	run_for(r->loop, 30);
	WAIT_FOR(r, is_up(&r->a) && is_up(&r->b));
	run_for(r->loop, 50);
}

/* The instance that knows of the answer tells it after the other one told the
 * BYE, or before it; the end counts, or the BYE was of an early dialog. */
static void
late_news_are_put_in_order(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (unsigned early = 0; early < 2; early++)
		for (unsigned swap = 0; swap < 2; swap++) {
			struct instance *first = swap ? &r->b : &r->a;
			struct instance *other = swap ? &r->a : &r->b;

			assert_int_equal(begin(r, first, call_of(1, 7, 1, 0)),
			    CALLS_WITHIN);
			server_do(&r->server, "CLIENT KILL TYPE normal");
			WAIT_FOR(r, !is_up(&r->a) && !is_up(&r->b));
			if (early)
				hang_up(other, 1);
			else
				answer(first, 1, HOUR_MS);
			run_for(r->loop, 15);
			if (early)
				answer(first, 1, HOUR_MS);
			else
				hang_up(other, 1);
			both_come_back(r);
			assert_int_equal(begin(r, &r->a, call_of(2, 7, 1, 0)),
			    early ? CALLS_TOO_MANY : CALLS_WITHIN);
			end(&r->a, early ? 1 : 2);
			run_for(r->loop, 50);
		}
}

/* A call of who may have any number: nobody tells that it ended. */
static void
what_has_no_limit_is_not_kept(void **state)
{
	struct rig *r = *state;
	struct try t = call_of(1, 7, -1, 8);

	NEED_REDIS();
	t.ask.account[1].calls = 5;
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	assert_int_equal(atoi(server_do(&r->server, "EXISTS "
	    "sipbouncer:{c}:c:00000001000000000000000000000000")), 1);
	assert_int_equal(begin(r, &r->a, call_of(2, 7, -1, 0)), CALLS_WITHIN);
	assert_int_equal(atoi(server_do(&r->server, "EXISTS "
	    "sipbouncer:{c}:c:00000002000000000000000000000000")), 0);
}

/* An end goes before a begin of the same turn. */
static void
a_call_may_begin_again_at_once(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (int i = 0; i < 5; i++) {
		assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, 0)),
		    CALLS_WITHIN);
		end(&r->a, 1);
	}
}

static void
all_accounts_or_none(void **state)
{
	struct rig *r = *state;
	struct try t;

	NEED_REDIS();
	assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, 0)), CALLS_WITHIN);
	t = call_of(2, 8, 5, 7);
	t.ask.account[1].calls = 1;
	assert_int_equal(begin(r, &r->a, t), CALLS_TOO_MANY);
	assert_int_equal(atoi(server_do(&r->server, "EXISTS "
	    "sipbouncer:{c}:a:00000008000000000000000000000000")), 0);
	end(&r->a, 1);
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	assert_int_equal(begin(r, &r->a, call_of(3, 7, 1, 0)),
	    CALLS_TOO_MANY);
	end(&r->a, 2);
	assert_int_equal(begin(r, &r->a, call_of(3, 7, 1, 0)), CALLS_WITHIN);
}

static void
calls_are_forgotten_in_time(void **state)
{
	struct rig *r = *state;
	struct try t = call_of(1, 7, 1, 0);

	NEED_REDIS();
	t.ask.lasts_ms = 100;
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	run_for(r->loop, 200);
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	touch(&r->b, 1, 60000);			/* it rings */
	run_for(r->loop, 200);
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	ring(&r->b, 1, 60000);
	run_for(r->loop, 200);
	assert_int_equal(begin(r, &r->a, call_of(2, 7, 1, 0)),
	    CALLS_TOO_MANY);
	ring(&r->b, 1, 50);			/* no less than before */
	touch(&r->b, 1, 50);
	run_for(r->loop, 200);
	assert_int_equal(begin(r, &r->a, call_of(2, 7, 1, 0)),
	    CALLS_TOO_MANY);
	answer(&r->b, 1, 60000);
	touch(&r->b, 1, 50);
	touch(&r->b, 99, HOUR_MS);		/* which is not there */
	run_for(r->loop, 200);
	assert_int_equal(begin(r, &r->a, call_of(2, 7, 1, 0)), CALLS_WITHIN);
	assert_int_equal(begin(r, &r->a, call_of(99, 8, 1, 0)),
	    CALLS_WITHIN);
}

static void
starts_have_a_rate(void **state)
{
	struct rig *r = *state;
	unsigned call = 1;
	struct try t;

	NEED_REDIS();
	for (; call <= 4; call++) {
		t = call_of(call, 7, -1, 0);
		t.ask.account[0].starts = (struct conf_rate){ 10, 1000, 3 };
		assert_int_equal(begin(r, call % 2 ? &r->a : &r->b, t),
		    call <= 3 ? CALLS_WITHIN : CALLS_TOO_FAST);
		end(&r->a, call);
	}
	run_for(r->loop, 150);
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	/* one that was written under another rate is none */
	server_do(&r->server, "SET sipbouncer:{c}:s:"
	    "00000007000000000000000000000000 1e300");
	t = call_of(10, 7, -1, 0);
	t.ask.account[0].starts = (struct conf_rate){ 1, 60000, 1 };
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	put_u32(t.ask.call, 11);
	assert_int_equal(begin(r, &r->a, t), CALLS_TOO_FAST);
}

static void
without_redis_nobody_can_tell(void **state)
{
	struct rig *r = *state;
	struct try t = call_of(2, 7, 1, 0);

	NEED_REDIS();
	assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, 0)), CALLS_WITHIN);
	server_signal(&r->server, SIGSTOP);
	assert_int_equal(begin(r, &r->a, t), CALLS_UNAVAILABLE);
	WAIT_FOR(r, !is_up(&r->a));
	start(&r->a, &t);
	assert_true(t.over);
	assert_int_equal(t.v, CALLS_UNAVAILABLE);
	/* what ended meanwhile is told later; so is what may have begun */
	end(&r->a, 1);
	server_signal(&r->server, SIGCONT);
	WAIT_FOR(r, is_up(&r->a) && is_up(&r->b));
	assert_int_equal(begin(r, &r->a, call_of(3, 7, 1, 0)), CALLS_WITHIN);
	assert_int_equal(metric(&r->a, "shared_calls_total", "unavailable"),
	    2);
}

static void
many_ends_wait_for_redis(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (unsigned n = 1; n <= 100; n++)
		assert_int_equal(begin(r, &r->a, call_of(n, 7, 100, 0)),
		    CALLS_WITHIN);
	server_do(&r->server, "CLIENT KILL TYPE normal");
	WAIT_FOR(r, !is_up(&r->a));
	for (unsigned n = 1; n <= 5000; n++)
		end(&r->a, n > 4900 ? n - 4900 : n + 100000);
	WAIT_FOR(r, is_up(&r->a));
	assert_int_equal(begin(r, &r->a, call_of(200, 7, 1, 0)),
	    CALLS_WITHIN);
}

/* What only goes on gives way, and what is lost is said. */
static void
what_goes_on_pushes_out_no_end(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, 0)), CALLS_WITHIN);
	server_do(&r->server, "CLIENT KILL TYPE normal");
	WAIT_FOR(r, !is_up(&r->a));
	end(&r->a, 1);
	for (unsigned n = 0; n < 5000; n++)
		touch(&r->a, 1000 + n % 7, HOUR_MS);
	assert_in_range(metric(&r->a, "shared_lost_total", NULL), 2000, 4000);
	WAIT_FOR(r, is_up(&r->a));
	run_for(r->loop, 50);
	assert_int_equal(begin(r, &r->b, call_of(2, 7, 1, 0)), CALLS_WITHIN);
	server_do(&r->server, "CLIENT KILL TYPE normal");
	WAIT_FOR(r, !is_up(&r->a));
	for (unsigned n = 0; n < 4100; n++)
		end(&r->a, 1000 + n);
	assert_true(metric(&r->a, "shared_lost_total", NULL) > 2900);
}

/* More than may be under way at once: the rest follows, though nothing happens
 * any more. */
static void
all_of_a_long_queue_is_told(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	close_one(&r->a);
	open_one(r, &r->a, "in_flight = 200;\n");
	WAIT_FOR(r, is_up(&r->a));
	assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, 0)), CALLS_WITHIN);
	for (unsigned n = 0; n < 1000; n++)
		touch(&r->a, 1000 + n, HOUR_MS);
	end(&r->a, 1);
	run_for(r->loop, 1000);
	assert_int_equal(begin(r, &r->b, call_of(2, 7, 1, 0)), CALLS_WITHIN);
}

/* Without it no place would ever be free again. */
static void
what_the_acl_denies_of_an_end_shows_at_once(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	server_do(&r->server, "ACL SETUSER default -zrem");
	close_one(&r->a);
	open_one(r, &r->a, "");
	run_for(r->loop, 500);
	assert_false(is_up(&r->a));
	server_do(&r->server, "ACL SETUSER default +zrem");
	WAIT_FOR(r, is_up(&r->a));
}

static void
a_cancelled_call_is_not_counted(void **state)
{
	struct rig *r = *state;
	struct try t = call_of(1, 7, 1, 0);

	NEED_REDIS();
	start(&r->a, &t);
	assert_int_equal(t.v, CALLS_PENDING);
	r->a.shared->ops->calls_cancel(r->a.shared, &t.ask);
	run_for(r->loop, 100);
	assert_false(t.over);
	assert_int_equal(begin(r, &r->b, call_of(2, 7, 1, 0)), CALLS_WITHIN);
	end(&r->b, 2);
	/* one that is pending at the end is not told either */
	start(&r->a, &t);
	r->a.shared->ops->calls_cancel(r->a.shared, &t.ask);
	close_one(&r->a);
	assert_false(t.over);
}

static void
forgotten_scripts_are_loaded_again(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	assert_int_equal(begin(r, &r->a, call_of(1, 7, 1, 0)), CALLS_WITHIN);
	server_do(&r->server, "SCRIPT FLUSH");
	end(&r->a, 1);
	run_for(r->loop, 200);
	assert_true(is_up(&r->a));
	assert_int_equal(begin(r, &r->a, call_of(2, 7, 1, 0)), CALLS_WITHIN);
}

static const struct { const char *what, *spoil, *cure; } faults[] = {
	{ "no scripts", "ACL SETUSER default -@scripting",
	    "ACL SETUSER default +@scripting" },
	{ "no zadd", "ACL SETUSER default -zadd",
	    "ACL SETUSER default +zadd" },
	{ "no keys", "ACL SETUSER default resetkeys ~x:*",
	    "ACL SETUSER default allkeys" },
	{ "out of memory", "CONFIG SET maxmemory 1",
	    "CONFIG SET maxmemory 0" },
	{ "a replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE" },
};

static void
an_unfit_server_is_away_until_it_is_cured(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	for (size_t i = 0; i < COUNT(faults); i++) {
		print_message("# %s\n", faults[i].what);
		server_do(&r->server, "FLUSHALL");
		server_do(&r->server, "%s", faults[i].spoil);
		run_for(r->loop, 500);
		ban(&r->a, (unsigned)i, 60000, 10);
		WAIT_FOR(r, !is_up(&r->a));
		server_do(&r->server, "%s", faults[i].cure);
		WAIT_FOR(r, is_up(&r->a) && is_up(&r->b));
		ban(&r->a, 100 + (unsigned)i, 60000, 10);
		WAIT_FOR(r, heard(&r->b, 100 + (unsigned)i));
	}
}

static void
all_keys_end(void **state)
{
	struct rig *r = *state;
	struct try t = call_of(1, 7, 4, 8);
	unsigned keys, expires;
	const char *found;

	NEED_REDIS();
	t.ask.account[0].starts = (struct conf_rate){ 1, 60000, 2 };
	assert_int_equal(begin(r, &r->a, t), CALLS_WITHIN);
	ban(&r->a, 1, 60000, 10);
	WAIT_FOR(r, heard(&r->b, 1));
	run_for(r->loop, 3300);
	/* what was tried at connect has ended, if it is looked at */
	server_do(&r->server, "EXISTS sipbouncer:{b}:tm sipbouncer:{b}:tn "
	    "sipbouncer:{b}:tu sipbouncer:{b}:tr sipbouncer:{c}:ts "
	    "sipbouncer:{c}:ta:00000000000000000000000000000000 "
	    "sipbouncer:{c}:ta:");
	found = strstr(server_do(&r->server, "INFO keyspace"), "db0:");
	assert_non_null(found);
	assert_int_equal(sscanf(found, "db0:keys=%u,expires=%u", &keys,
	    &expires), 2);
	assert_int_equal(expires, keys);
	/* four of bans; the call, its account and its bucket */
	assert_int_equal(keys, 7);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(bans_are_heard),
		T(what_is_taken_back_is_heard),
		T(a_longer_one_is_taken_back_whole),
		T(what_ends_first_makes_room),
		T(bans_that_are_over_are_gone),
		T(thousands_come_in_portions),
		T(a_loss_is_noticed),
		T(prefixes_are_apart),
		T(calls_are_counted_together),
		T(what_rings_is_not_hung_up),
		T(late_news_are_put_in_order),
		T(what_has_no_limit_is_not_kept),
		T(a_call_may_begin_again_at_once),
		T(all_accounts_or_none),
		T(calls_are_forgotten_in_time),
		T(starts_have_a_rate),
		T(without_redis_nobody_can_tell),
		T(many_ends_wait_for_redis),
		T(what_goes_on_pushes_out_no_end),
		T(all_of_a_long_queue_is_told),
		T(what_the_acl_denies_of_an_end_shows_at_once),
		T(a_cancelled_call_is_not_counted),
		T(forgotten_scripts_are_loaded_again),
		T(an_unfit_server_is_away_until_it_is_cured),
		T(all_keys_end),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
