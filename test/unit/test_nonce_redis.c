/* The nonce store `redis`: two instances on one loop, a real server, and
 * every way in which it can be away. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "io/dns.h"
#include "io/loop.h"
#include "modules/kinds.h"
#include "redis_rig.h"

enum { NC_MAX = 1024, LIFE_S = 120, WAIT_MS = 8000, MANY = 200 };

struct instance {
	struct conf		*conf;
	struct metrics		*metrics;
	struct keys		*keys;
	struct nonce_store	*store;
};

struct rig {
	struct loop		*loop;
	struct dns		*dns;
	struct server		 server;
	struct instance		 a, b;
};

/* One use, waited for. */
struct try {
	struct nonce_use	 use;
	struct loop		*loop;
	bool			 over;
	enum use_verdict	 v;
};

struct find { const char *name; uint64_t count; };

static void
match(void *arg, const struct metric *what, const char *value,
    uint64_t count)
{
	struct find *f = arg;

	(void)value;
	if (strcmp(what->name, f->name) == 0)
		f->count += count;
}

static uint64_t
metric(const struct instance *i, const char *name)
{
	struct find f = { name, 0 };

	metrics_each(i->metrics, match, &f);
	return f.count;
}

static struct keys *
keys_of(uint8_t first)
{
	uint8_t master[1][MASTER_KEY_BYTES];

	memset(master, first, sizeof master);
	return keys_new(master, 1);
}

static int
open_with(struct rig *r, struct instance *i, uint16_t id, const char *text)
{
	void *filled = NULL;
	struct nonce_store_env env = { .loop = r->loop, .dns = r->dns,
		.nc_max = NC_MAX, .lifetime_s = LIFE_S, .instance = id };

	i->conf = conf_read_text("test", text);
	assert_non_null(i->conf);
	filled = conf_alloc(i->conf, nonce_redis_ops.conf_size);
	assert_int_equal(conf_fill(i->conf, conf_root(i->conf),
	    nonce_redis_ops.opts, filled), 0);
	i->metrics = metrics_new();
	if (i->keys == NULL)
		i->keys = keys_of(1);
	env.metrics = i->metrics;
	env.keys = i->keys;
	return nonce_redis_ops.open(&i->store, filled, &env);
}

static void
instance_close(struct instance *i)
{
	if (i->store != NULL)
		nonce_redis_ops.close(i->store);
	metrics_free(i->metrics);
	keys_free(i->keys);
	conf_free(i->conf);
	memset(i, 0, sizeof *i);
}

static bool
wait_up(struct rig *r, struct instance *i, bool up)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;

	while ((metric(i, "nonce_redis_up") == 1) != up) {
		if (clock_mono_ms() > until_ms)
			return false;
		run_for(r->loop, 5);
	}
	return true;
}

static void
open_plain(struct rig *r, struct instance *i, uint16_t id, const char *more)
{
	char text[512];

	snprintf(text, sizeof text, "url = \"redis://%s:%u/0\";\n"
	    "timeout = \"300ms\";\n%s", RIG_HOST, r->server.port, more);
	assert_int_equal(open_with(r, i, id, text), 0);
}

static void
rig_open(struct rig *r)
{
	r->loop = loop_new();
	r->dns = dns_new(r->loop, NULL);
	server_start(&r->server);
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	*state = r;
	if (!rig_has_redis())
		return 0;
	rig_open(r);
	open_plain(r, &r->a, 1, "");
	open_plain(r, &r->b, 2, "");
	assert_true(wait_up(r, &r->a, true));
	assert_true(wait_up(r, &r->b, true));
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	instance_close(&r->a);
	instance_close(&r->b);
	if (r->server.dir[0] != '\0')
		server_end(&r->server);
	dns_free(r->dns);
	loop_free(r->loop);
	free(r);
	return 0;
}

/* A nonce as an instance would issue it now. */
static struct nonce_use
issue(struct instance *i)
{
	struct nonce_use u = { .nc = 1, .lifetime_s = LIFE_S };
	struct nonce_terms t;

	assert_true(i->store->ops->terms(i->store, &t));
	u.generation = t.generation;
	u.local = t.local;
	u.issued_ms = u.now_ms = clock_unix_ms();
	random_bytes(u.id, sizeof u.id);
	return u;
}

static void
judged(struct nonce_use *use, enum use_verdict v)
{
	struct try *t = use->arg;

	assert_false(t->over);
	t->over = true;
	t->v = v;
}

static void
begin(struct instance *i, struct try *t, const struct nonce_use *use)
{
	*t = (struct try){ .use = *use };
	t->use.done = judged;
	t->use.arg = t;
	t->v = nonce_use_start(i->store, &t->use);
	t->over = t->v != USE_PENDING;
}

static enum use_verdict
consume(struct rig *r, struct instance *i, const struct nonce_use *use)
{
	struct try t;

	begin(i, &t, use);
	assert_true(run_until(r->loop, &t.over, WAIT_MS));
	return t.v;
}

static enum use_verdict
consume_nc(struct rig *r, struct instance *i, struct nonce_use use,
    uint32_t nc)
{
	use.nc = nc;
	return consume(r, i, &use);
}

static void
each_count_once_anywhere(void **state)
{
	struct rig *r = *state;
	struct nonce_use n, m;

	NEED_REDIS();
	n = issue(&r->a);
	m = issue(&r->b);
	assert_false(n.local);
	assert_int_equal(consume(r, &r->b, &n), USE_ACCEPT);
	assert_int_equal(consume(r, &r->a, &n), USE_REPLAY);
	assert_int_equal(consume(r, &r->b, &n), USE_REPLAY);
	assert_int_equal(consume_nc(r, &r->a, n, 1024), USE_ACCEPT);
	assert_int_equal(consume_nc(r, &r->b, n, 1024), USE_REPLAY);
	assert_int_equal(consume_nc(r, &r->b, n, 7), USE_ACCEPT);
	assert_int_equal(consume_nc(r, &r->b, n, 0), USE_REPLAY);
	assert_int_equal(consume_nc(r, &r->b, n, 1025), USE_REPLAY);
	assert_int_equal(consume(r, &r->a, &m), USE_ACCEPT);
	assert_int_equal(consume(r, &r->b, &m), USE_REPLAY);
	n.generation ^= 0x10000;
	assert_int_equal(consume_nc(r, &r->b, n, 9), USE_FENCED);
}

static void
of_many_at_once_one_is_accepted(void **state)
{
	struct rig *r = *state;
	struct nonce_use n;
	struct try *t = calloc(MANY, sizeof *t);
	unsigned accepted = 0;

	NEED_REDIS();
	n = issue(&r->a);
	for (int i = 0; i < MANY; i++)
		begin(i % 2 == 0 ? &r->a : &r->b, &t[i], &n);
	for (int i = 0; i < MANY; i++) {
		assert_true(run_until(r->loop, &t[i].over, WAIT_MS));
		accepted += t[i].v == USE_ACCEPT;
		assert_true(t[i].v == USE_ACCEPT || t[i].v == USE_REPLAY);
	}
	assert_int_equal(accepted, 1);
	free(t);
}

static void
the_same_datagram_is_absorbed_while_its_owner_lives(void **state)
{
	struct rig *r = *state;
	struct nonce_use n, other, m;

	NEED_REDIS();
	n = issue(&r->a);
	memset(n.fingerprint, 7, sizeof n.fingerprint);
	other = n;
	other.fingerprint[15] ^= 1;
	assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
	assert_int_equal(consume(r, &r->b, &other), USE_REPLAY);
	memset(other.fingerprint, 0, sizeof other.fingerprint);
	assert_int_equal(consume(r, &r->b, &other), USE_REPLAY);
	assert_int_equal(consume(r, &r->b, &n), USE_ABSORB);
	assert_int_equal(consume(r, &r->b, &n), USE_ABSORB);
	/* TCP first, then UDP: no fingerprint is there */
	m = issue(&r->a);
	assert_int_equal(consume(r, &r->a, &m), USE_ACCEPT);
	memset(m.fingerprint, 7, sizeof m.fingerprint);
	assert_int_equal(consume(r, &r->b, &m), USE_REPLAY);
	instance_close(&r->a);
	run_for(r->loop, 3200);
	assert_int_equal(consume(r, &r->b, &n), USE_REPLAY);
}

static void
lost_data_is_fenced(void **state)
{
	struct rig *r = *state;
	struct nonce_use n[32], m;

	NEED_REDIS();
	for (int i = 0; i < 32; i++) {
		n[i] = issue(&r->a);
		assert_int_equal(consume(r, &r->a, &n[i]), USE_ACCEPT);
	}
	server_do(&r->server, "FLUSHALL");
	for (int i = 0; i < 32; i++) {
		assert_int_equal(consume(r, &r->b, &n[i]), USE_FENCED);
		assert_int_equal(consume(r, &r->a, &n[i]), USE_FENCED);
	}
	run_for(r->loop, 50);
	m = issue(&r->b);
	assert_false(m.local);
	assert_int_equal(consume(r, &r->a, &m), USE_ACCEPT);
	assert_int_equal(consume(r, &r->b, &m), USE_REPLAY);
	/* it never went down for that */
	assert_int_equal(metric(&r->a, "nonce_redis_connects_total"), 1);
}

static void
local_while_away(void **state)
{
	struct rig *r = *state;
	struct nonce_use n, l, m, back;

	NEED_REDIS();
	n = issue(&r->a);
	assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
	server_kill(&r->server);
	assert_true(wait_up(r, &r->a, false));
	assert_true(wait_up(r, &r->b, false));
	assert_int_equal(consume(r, &r->a, &n), USE_FENCED);
	assert_int_equal(consume_nc(r, &r->a, n, 2), USE_FENCED);
	l = issue(&r->a);
	m = issue(&r->b);
	assert_true(l.local && m.local);
	assert_int_equal(consume(r, &r->b, &l), USE_FENCED);
	assert_int_equal(consume(r, &r->a, &l), USE_ACCEPT);
	assert_int_equal(consume(r, &r->a, &l), USE_REPLAY);
	server_start(&r->server);
	assert_true(wait_up(r, &r->a, true));
	assert_true(wait_up(r, &r->b, true));
	/* a restart without its data */
	assert_int_equal(consume(r, &r->a, &n), USE_FENCED);
	assert_int_equal(consume_nc(r, &r->b, n, 2), USE_FENCED);
	/* local ones to their end, at home */
	assert_int_equal(consume(r, &r->a, &l), USE_REPLAY);
	assert_int_equal(consume_nc(r, &r->a, l, 2), USE_ACCEPT);
	assert_int_equal(consume_nc(r, &r->b, l, 3), USE_FENCED);
	assert_int_equal(consume(r, &r->b, &m), USE_ACCEPT);
	back = issue(&r->b);
	assert_false(back.local);
	assert_int_equal(consume(r, &r->a, &back), USE_ACCEPT);
}

static void
deny_while_away(void **state)
{
	struct rig *r = *state;
	struct nonce_terms t;
	struct nonce_use n;

	NEED_REDIS();
	instance_close(&r->b);
	open_plain(r, &r->b, 2, "on_failure = \"deny\";");
	assert_false(r->b.store->ops->terms(r->b.store, &t));
	assert_true(wait_up(r, &r->b, true));
	n = issue(&r->b);
	server_kill(&r->server);
	assert_true(wait_up(r, &r->b, false));
	assert_false(r->b.store->ops->terms(r->b.store, &t));
	assert_int_equal(consume(r, &r->b, &n), USE_UNAVAILABLE);
}

static void
old_data_after_a_restart_is_fenced(void **state)
{
	struct rig *r = *state;
	struct nonce_use n, m;

	NEED_REDIS();
	n = issue(&r->a);
	m = issue(&r->a);
	assert_string_equal(server_do(&r->server, "SAVE"), "OK");
	assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
	server_kill(&r->server);
	server_start(&r->server);
	assert_true(atoi(server_do(&r->server, "DBSIZE")) >= 16);
	assert_true(wait_up(r, &r->a, false));
	assert_true(wait_up(r, &r->a, true));
	assert_true(wait_up(r, &r->b, true));
	assert_int_equal(consume(r, &r->b, &n), USE_FENCED);
	assert_int_equal(consume(r, &r->a, &n), USE_FENCED);
	assert_int_equal(consume(r, &r->a, &m), USE_FENCED);
}

static void
a_hung_server_holds_nobody(void **state)
{
	struct rig *r = *state;
	struct nonce_use n, l;
	int64_t began_ms;

	NEED_REDIS();
	n = issue(&r->a);
	server_signal(&r->server, SIGSTOP);
	began_ms = clock_mono_ms();
	assert_int_equal(consume(r, &r->a, &n), USE_FENCED);
	assert_in_range(clock_mono_ms() - began_ms, 250, 600);
	assert_true(wait_up(r, &r->a, false));
	assert_true(clock_mono_ms() - began_ms < 3000);
	l = issue(&r->a);
	assert_true(l.local);
	assert_int_equal(consume(r, &r->a, &l), USE_ACCEPT);
	server_signal(&r->server, SIGCONT);
	assert_true(wait_up(r, &r->a, true));
	/* The server did it after all; nobody was told so. */
	assert_int_equal(consume(r, &r->a, &n), USE_REPLAY);
}

static void
a_use_under_way_when_the_link_breaks_is_not_accepted(void **state)
{
	struct rig *r = *state;
	struct nonce_use n;
	struct try t;

	NEED_REDIS();
	n = issue(&r->a);
	server_signal(&r->server, SIGSTOP);
	begin(&r->a, &t, &n);
	assert_int_equal(t.v, USE_PENDING);
	server_kill(&r->server);
	assert_true(run_until(r->loop, &t.over, WAIT_MS));
	assert_int_equal(t.v, USE_FENCED);
}

static void
a_cancelled_use_is_not_told(void **state)
{
	struct rig *r = *state;
	struct nonce_use n;
	struct try t;

	NEED_REDIS();
	n = issue(&r->a);
	begin(&r->a, &t, &n);
	assert_int_equal(t.v, USE_PENDING);
	nonce_use_cancel(r->a.store, &t.use);
	run_for(r->loop, 100);
	assert_false(t.over);
	/* one that is pending at the end is not told either */
	n = issue(&r->a);
	begin(&r->a, &t, &n);
	instance_close(&r->a);
	assert_false(t.over);
}

static void
a_forgotten_script_is_sent_again(void **state)
{
	struct rig *r = *state;
	struct nonce_use n;

	NEED_REDIS();
	n = issue(&r->a);
	server_do(&r->server, "SCRIPT FLUSH");
	assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
	assert_int_equal(consume(r, &r->a, &n), USE_REPLAY);
	assert_int_equal(metric(&r->a, "nonce_redis_connects_total"), 1);
}

/* What makes a server unfit while it is up, and how it is cured. */
static const struct {
	const char *what, *spoil, *cure;
} faults[] = {
	{ "out of memory", "CONFIG SET maxmemory 1",
	    "CONFIG SET maxmemory 0" },
	{ "a replica", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE" },
	{ "eviction", "CONFIG SET maxmemory-policy allkeys-lru",
	    "CONFIG SET maxmemory-policy noeviction" },
	{ "no permission", "ACL SETUSER default -set",
	    "ACL SETUSER default +set" },
	{ "too few replicas", "CONFIG SET min-replicas-to-write 1",
	    "CONFIG SET min-replicas-to-write 0" },
};

static void
an_unfit_server_is_away_until_it_is_cured(void **state)
{
	struct rig *r = *state;
	struct nonce_use n, m, l;

	NEED_REDIS();
	for (size_t i = 0; i < COUNT(faults); i++) {
		print_message("# %s\n", faults[i].what);
		n = issue(&r->a);
		assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
		m = issue(&r->a);
		server_do(&r->server, "%s", faults[i].spoil);
		assert_true(wait_up(r, &r->a, false));
		assert_int_equal(consume(r, &r->a, &m), USE_FENCED);
		l = issue(&r->a);
		assert_int_equal(consume(r, &r->a, &l), USE_ACCEPT);
		server_do(&r->server, "%s", faults[i].cure);
		assert_true(wait_up(r, &r->a, true));
		assert_int_not_equal(consume(r, &r->a, &n), USE_ACCEPT);
	}
}

static void
without_scripts_transactions_do(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	server_do(&r->server, "ACL SETUSER default -@scripting");
	server_do(&r->server, "CLIENT KILL TYPE normal");
	assert_true(wait_up(r, &r->a, false));
	assert_true(wait_up(r, &r->a, true));
	assert_true(wait_up(r, &r->b, true));
	each_count_once_anywhere(state);
	the_same_datagram_is_absorbed_while_its_owner_lives(state);
}

static void
a_twin_is_noticed(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	run_for(r->loop, 2300);
	assert_int_equal(metric(&r->a, "nonce_redis_instance_twin"), 0);
	instance_close(&r->b);
	open_plain(r, &r->b, 1, "");
	run_for(r->loop, 2500);
	assert_int_equal(metric(&r->a, "nonce_redis_instance_twin"), 1);
	assert_int_equal(metric(&r->b, "nonce_redis_instance_twin"), 1);
	instance_close(&r->b);
	run_for(r->loop, 2500);
	assert_int_equal(metric(&r->a, "nonce_redis_instance_twin"), 0);
}

static void
another_master_key_is_noticed(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	instance_close(&r->b);
	r->b.keys = keys_of(2);
	open_plain(r, &r->b, 2, "");
	assert_true(wait_up(r, &r->b, true));
	assert_int_equal(metric(&r->b, "nonce_redis_other_key"), 1);
	assert_int_equal(metric(&r->a, "nonce_redis_other_key"), 0);
}

static const struct {
	const char *what, *spoil, *more;
	bool fit;
} checks[] = {
	{ "good", "PING", "", true },
	{ "no scripts", "ACL SETUSER default -@scripting", "", true },
	{ "a command is denied", "ACL SETUSER default +@all -setbit", "",
	    false },
	{ "a command of sharing is denied",
	    "ACL SETUSER default +@all -zadd", "", true },
	{ "our keys are denied", "ACL SETUSER default +@all resetkeys ~x:*",
	    "", false },
	{ "another prefix is not", "PING", "prefix = \"x\";", true },
	{ "all keys again", "ACL SETUSER default allkeys", "", true },
	{ "eviction", "CONFIG SET maxmemory-policy volatile-ttl", "", false },
	{ "cured", "CONFIG SET maxmemory-policy noeviction", "", true },
	{ "another key", "SET sipbouncer:{0}:k 0123456789abcdef", "", false },
	{ "ours", "DEL sipbouncer:{0}:k", "", true },
	{ "a replica", "REPLICAOF 127.0.0.1 1", "", false },
	{ "a master", "REPLICAOF NO ONE", "", true },
	{ "sentinel without master", "PING", "sentinel = \"127.0.0.1\";",
	    false },
	{ "no such file", "PING", "password_file = \"/nowhere/x\";",
	    false },
	{ "a brace", "PING", "prefix = \"a{b\";", false },
	{ "a password", "CONFIG SET requirepass x", "", false },
};

/* -t judges, and changes nothing. */
static void
the_check_judges_the_server(void **state)
{
	struct rig *r = *state;
	struct nonce_store_env env = { .nc_max = NC_MAX, .instance = 3 };
	struct conf *c;
	void *filled;
	char text[256];

	NEED_REDIS();
	instance_close(&r->a);
	instance_close(&r->b);
	server_do(&r->server, "FLUSHALL");
	env.keys = keys_of(1);
	for (size_t i = 0; i < COUNT(checks); i++) {
		server_do(&r->server, "%s", checks[i].spoil);
		snprintf(text, sizeof text, "url = \"redis://%s:%u\";\n"
		    "timeout = \"300ms\";\n%s", RIG_HOST, r->server.port,
		    checks[i].more);
		c = conf_read_text("test", text);
		filled = conf_alloc(c, nonce_redis_ops.conf_size);
		assert_int_equal(conf_fill(c, conf_root(c),
		    nonce_redis_ops.opts, filled), 0);
		if ((nonce_redis_ops.check(filled, &env) == 0) !=
		    checks[i].fit)
			fail_msg("%s", checks[i].what);
		conf_free(c);
	}
	keys_free(env.keys);
}

static void
a_wrong_password_is_said_as_such(void **state)
{
	struct rig *r = *state;
	char text[256];

	NEED_REDIS();
	instance_close(&r->b);
	/* Commands would be taken all the same: the default user needs none */
	snprintf(text, sizeof text, "url = \"redis://bob:x@%s:%u\";",
	    RIG_HOST, r->server.port);
	assert_int_equal(open_with(r, &r->b, 2, text), 0);
	run_for(r->loop, 500);
	assert_int_equal(metric(&r->b, "nonce_redis_up"), 0);
	assert_int_equal(metric(&r->b, "nonce_redis_connects_total"), 0);
}

static void
strangers_write_nothing(void **state)
{
	struct rig *r = *state;
	struct nonce_use n;
	int before;

	NEED_REDIS();
	run_for(r->loop, 1200);
	before = atoi(server_do(&r->server, "DBSIZE"));
	for (int i = 0; i < 1000; i++)
		n = issue(&r->a);
	assert_int_equal(atoi(server_do(&r->server, "DBSIZE")), before);
	assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
	assert_int_equal(atoi(server_do(&r->server, "DBSIZE")), before + 1);
}

static void
all_keys_end(void **state)
{
	struct rig *r = *state;
	struct nonce_use n;
	const char *found;
	unsigned keys, expires;

	NEED_REDIS();
	n = issue(&r->a);
	memset(n.fingerprint, 7, sizeof n.fingerprint);
	assert_int_equal(consume(r, &r->a, &n), USE_ACCEPT);
	/* what was tried at connect lives a millisecond, if it is looked at */
	usleep(5000);
	server_do(&r->server, "EXISTS sipbouncer:{0}:tn sipbouncer:{0}:tr");
	found = strstr(server_do(&r->server, "INFO keyspace"), "db0:");
	assert_non_null(found);
	assert_int_equal(sscanf(found, "db0:keys=%u,expires=%u", &keys,
	    &expires), 2);
	/* 16 canaries, 16 signs of life of each, their ids, the key's */
	assert_int_equal(keys, 3 * 16 + 2 + 1 + 2);
	assert_int_equal(expires, keys);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_count_once_anywhere),
		T(of_many_at_once_one_is_accepted),
		T(the_same_datagram_is_absorbed_while_its_owner_lives),
		T(lost_data_is_fenced),
		T(local_while_away),
		T(deny_while_away),
		T(old_data_after_a_restart_is_fenced),
		T(a_hung_server_holds_nobody),
		T(a_use_under_way_when_the_link_breaks_is_not_accepted),
		T(a_cancelled_use_is_not_told),
		T(a_forgotten_script_is_sent_again),
		T(an_unfit_server_is_away_until_it_is_cured),
		T(without_scripts_transactions_do),
		T(a_twin_is_noticed),
		T(another_master_key_is_noticed),
		T(the_check_judges_the_server),
		T(a_wrong_password_is_said_as_such),
		T(strangers_write_nothing),
		T(all_keys_end),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
