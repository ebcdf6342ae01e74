/* The targets of a peer: whose turn it is, and who is out. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/metrics.h"
#include "failing_alloc.h"
#include "file_text.h"
#include "route/sets.h"

struct file {
	struct conf_groups	peers;
};

static const struct conf_opt file_opts[] = {
	{ "peers", CONF_T_GROUPS, offsetof(struct file, peers),
	    .opts = peer_opts, .size = sizeof(struct peer_conf) },
	CONF_END
};

struct rig {
	struct file_text f;
	struct peers	*ps;
};

/* false: no memory. */
static bool
load(struct rig *rig, struct sets *ss, const char *text)
{
	struct file file;

	rig->ps = NULL;
	if (file_text_open(&rig->f, text, file_opts, &file) == 0)
		rig->ps = peers_new(rig->f.conf, &file.peers);
	return rig->ps != NULL && sets_join(ss, rig->ps) == 0;
}

static void
unload(struct rig *rig)
{
	peers_free(rig->ps);
	conf_free(rig->f.conf);
}

static struct set *
only_set(const struct rig *rig)
{
	return peers_at(rig->ps, 0)->set;
}

#define T(host, priority, weight) "{ uri = \"sip:" host "\"; priority = "   \
	priority "; weight = " weight "; }"
#define PEER(targets, balance) "peers = ( { name = \"p\"; targets = ( "	    \
	targets " ); balance = \"" balance "\"; } );"
#define THREE T("a", "1", "5") "," T("b", "1", "3") "," T("c", "1", "2")

/* Of which one probe is enough. */
static const struct peer_probe one = { .rise = 1, .fall = 1 };

/* The letters of the hosts in the order in which they are asked; `asked` were
 * before. */
static const char *
order(struct set *s, uint64_t asked, const char *key)
{
	static char out[PEER_TARGETS_MAX + 1];
	size_t n = 0;
	int i;

	while ((i = set_next(s, asked, str_of(key))) >= 0) {
		assert_true(set_has_next(s, asked));
		asked |= UINT64_C(1) << i;
		out[n++] = set_member(s, i)->uri[4];
	}
	assert_false(set_has_next(s, asked));
	out[n] = '\0';
	return out;
}

static void
priority_comes_first(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "peers = ( { name = \"p\"; uri = [ \"sip:c\", \"sip:a\", "
		    "\"sip:b\" ]; } );", "cab" },
		{ PEER(THREE, "order"), "abc" },
		{ PEER(T("a", "2", "1") "," T("b", "1", "1") ","
		    T("c", "3", "9"), "order"), "bac" },
		{ PEER(T("a", "65535", "1") "," T("b", "0", "1") ","
		    T("c", "65535", "9"), "weight"), "bca" },
		{ PEER(T("a", "2", "9") "," T("b", "2", "1") ","
		    T("c", "1", "1"), "least"), "cab" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sets *ss = sets_new();
		struct rig rig;

		assert_true(load(&rig, ss, cases[i].text));
		assert_string_equal(order(only_set(&rig), 0, ""),
		    cases[i].want);
		unload(&rig);
		sets_free(ss);
	}
}

/* How often each of three is the first of `n`. */
static void
count_first(struct set *s, unsigned n, unsigned count[3])
{
	char key[24];

	memset(count, 0, 3 * sizeof count[0]);
	for (unsigned i = 0; i < n; i++) {
		int first;

		snprintf(key, sizeof key, "%u@host", i * 2654435761u);
		first = set_next(s, 0, str_of(key));
		assert_in_range(first, 0, 2);
		count[first]++;
	}
}

static void
load_is_shared(void **state)
{
	static const struct {
		const char	*balance;
		unsigned	 want[3], off;	/* of 9000, and by how much */
	} cases[] = {
		{ "order", { 9000, 0, 0 }, 0 },
		{ "round-robin", { 3000, 3000, 3000 }, 1 },
		{ "weight", { 4500, 2700, 1800 }, 1 },
		{ "call-id", { 4500, 2700, 1800 }, 250 },
		{ "from", { 4500, 2700, 1800 }, 250 },
		{ "user", { 4500, 2700, 1800 }, 250 },
		{ "least", { 4500, 2700, 1800 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sets *ss = sets_new();
		char text[512];
		struct rig rig;
		unsigned count[3];

		snprintf(text, sizeof text, PEER(THREE, "%s"),
		    cases[i].balance);
		assert_true(load(&rig, ss, text));
		count_first(only_set(&rig), 9000, count);
		for (size_t k = 0; k < 3; k++)
			if (count[k] + cases[i].off < cases[i].want[k] ||
			    count[k] > cases[i].want[k] + cases[i].off)
				fail_msg("%s: %u of %u", cases[i].balance,
				    count[k], cases[i].want[k]);
		unload(&rig);
		sets_free(ss);
	}
}

/* Nobody gets five in a row. */
static void
turns_are_mixed(void **state)
{
	struct sets *ss = sets_new();
	char got[11] = "";
	struct rig rig;

	(void)state;
	assert_true(load(&rig, ss, PEER(THREE, "weight")));
	for (size_t i = 0; i < 10; i++)
		got[i] = "abc"[set_next(only_set(&rig), 0, str_of(""))];
	assert_string_equal(got, "abcaabacba");
	unload(&rig);
	sets_free(ss);
}

enum { KEYS = 2000 };

/* Who is the first for each key. */
static void
take_map(struct set *s, char map[KEYS])
{
	char key[16];

	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(key, sizeof key, "call-%u", i);
		map[i] = order(s, 0, key)[0];
	}
}

/* Only keys of the one that went move, and only to the one that came. */
static void
few_keys_move(void **state)
{
	static const char all[] = PEER(THREE "," T("d", "1", "2"), "call-id");
	struct sets *ss = sets_new();
	char with[KEYS], without[KEYS], down[KEYS];
	struct rig rig, old;
	unsigned moved = 0;

	(void)state;
	assert_true(load(&old, ss, PEER(THREE, "call-id")));
	take_map(only_set(&old), without);
	assert_true(load(&rig, ss, all));
	take_map(only_set(&rig), with);
	for (unsigned i = 0; i < KEYS; i++) {
		moved += with[i] != without[i];
		assert_true(with[i] == without[i] || with[i] == 'd');
	}
	assert_in_range(moved, KEYS / 6 - 70, KEYS / 6 + 70);
	assert_true(member_probed(set_member(only_set(&rig), 3), false,
	    &one));
	take_map(only_set(&rig), down);
	assert_memory_equal(down, without, KEYS);
	unload(&rig);
	unload(&old);
	sets_free(ss);
}

static void
least_means_fewest_under_way(void **state)
{
	static const struct { unsigned busy[3]; char want; } cases[] = {
		{ { 1, 0, 0 }, 'b' },
		{ { 4, 3, 1 }, 'c' },	/* 4/5, 3/3, 1/2 */
		{ { 4, 3, 2 }, 'a' },
		{ { 10, 5, 4 }, 'b' },
		{ { 100, 1, 1 }, 'b' },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sets *ss = sets_new();
		struct rig rig;

		assert_true(load(&rig, ss, PEER(THREE, "least")));
		for (int k = 0; k < 3; k++)
			for (unsigned n = 0; n < cases[i].busy[k]; n++)
				member_begin(set_member(only_set(&rig), k));
		assert_int_equal("abc"[set_next(only_set(&rig), 0,
		    str_of(""))], cases[i].want);
		member_end(set_member(only_set(&rig), 1));
		if (cases[i].busy[1] == 1)
			assert_int_equal(set_next(only_set(&rig), 0,
			    str_of("")), 1);
		unload(&rig);
		sets_free(ss);
	}
}

/* '+': a good answer, '-': a failure; what is known after each. */
static void
probes_need_so_many_in_a_row(void **state)
{
	static const struct { unsigned rise, fall; const char *got, *want; }
	cases[] = {
		{ 1, 1, "+-+-", "udud" },
		{ 2, 3, "---", "uud" },
		{ 2, 3, "--+--+---", "uuuuuuuud" },
		{ 2, 3, "---+-++", "uuddddu" },
		{ 2, 3, "---++--+---", "uudduuuuuud" },
		{ 3, 1, "-++-+++", "ddddddu" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct peer_probe p = { .rise = cases[i].rise,
			.fall = cases[i].fall };
		struct member m = { .failing = false };
		char now = 'u';

		for (size_t k = 0; cases[i].got[k] != '\0'; k++) {
			bool turned = member_probed(&m,
			    cases[i].got[k] == '+', &p);
			char want = cases[i].want[k];

			assert_int_equal(turned, want != now);
			now = m.failing ? 'd' : 'u';
			if (now != want)
				fail_msg("%s: %c at %zu", cases[i].got,
				    now, k);
		}
	}
}

static void
who_is_out_is_not_asked(void **state)
{
	struct sets *ss = sets_new();
	struct set *s;
	struct rig rig;

	(void)state;
	assert_true(load(&rig, ss, PEER(THREE, "order")));
	s = only_set(&rig);
	assert_true(member_probed(set_member(s, 0), false, &one));
	assert_string_equal(order(s, 0, ""), "bc");
	assert_true(member_probed(set_member(s, 1), false, &one));
	assert_string_equal(order(s, 0, ""), "c");
	assert_true(member_probed(set_member(s, 0), true, &one));
	assert_true(member_probed(set_member(s, 1), true, &one));
	assert_string_equal(order(s, 0, ""), "abc");
	/* and who is not probed any more is believed */
	member_probed(set_member(s, 2), false, &one);
	member_unprobed(set_member(s, 2));
	assert_string_equal(order(s, 0, ""), "abc");
	unload(&rig);
	sets_free(ss);
}

static void
count_member(void *arg, const struct member *m)
{
	(void)m;
	++*(unsigned *)arg;
}

static void
what_is_known_outlives_a_reload(void **state)
{
	struct sets *ss = sets_new();
	struct rig rig, next;
	struct member *a;
	unsigned n = 0;

	(void)state;
	assert_true(load(&rig, ss, PEER(THREE, "order")));
	a = set_member(only_set(&rig), 0);
	assert_true(member_probed(a, false, &one));
	member_begin(a);
	assert_true(load(&next, ss, PEER(T("c", "2", "1") "," T("a", "1", "9"),
	    "weight")));
	unload(&rig);
	assert_ptr_equal(set_member(only_set(&next), 1), a);
	assert_string_equal(order(only_set(&next), 0, ""), "c");
	member_end(a);
	sets_each(ss, count_member, &n);
	assert_int_equal(n, 2);		/* b is gone */
	unload(&next);
	sets_each(ss, count_member, &n);
	assert_int_equal(n, 2);		/* all are */
	sets_free(ss);
}

static void
as_many_as_there_may_be(void **state)
{
	struct sets *ss = sets_new();
	char text[PEER_TARGETS_MAX * 24 + 64];
	size_t n = (size_t)snprintf(text, sizeof text,
	    "peers = ( { name = \"p\"; uri = [ ");
	struct rig rig;

	(void)state;
	for (int i = 0; i < PEER_TARGETS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "%s\"sip:10.0.0.%d\"", i == 0 ? "" : ", ", i);
	snprintf(text + n, sizeof text - n, " ]; } );");
	assert_true(load(&rig, ss, text));
	assert_int_equal(set_next(only_set(&rig), UINT64_MAX >> 1,
	    str_of("")), 63);
	assert_int_equal(set_next(only_set(&rig), UINT64_MAX, str_of("")), -1);
	unload(&rig);
	sets_free(ss);
}

struct seen { char text[1024]; size_t n; };

static void
note(void *arg, const struct metric *what, const char *value, uint64_t count)
{
	struct seen *s = arg;

	s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n,
	    "%s %s %u\n", what->name, value, (unsigned)count);
}

static void
counters_are_by_target(void **state)
{
	struct metrics *metrics = metrics_new();
	struct sets *ss = sets_new();
	struct seen seen = { .n = 0 };
	struct rig rig;

	(void)state;
	assert_int_equal(sets_add_metrics(ss, metrics), 0);
	metrics_each(metrics, note, &seen);
	assert_int_equal(seen.n, 0);
	assert_true(load(&rig, ss, PEER(T("a", "1", "1") "," T("b", "1", "1"),
	    "order")));
	member_begin(set_member(only_set(&rig), 0));
	member_begin(set_member(only_set(&rig), 0));
	member_end(set_member(only_set(&rig), 0));
	set_member(only_set(&rig), 1)->failures = 3;
	member_probed(set_member(only_set(&rig), 1), false, &one);
	metrics_each(metrics, note, &seen);
	assert_string_equal(seen.text,
	    "target_up p sip:a 1\ntarget_up p sip:b 0\n"
	    "target_requests_total p sip:a 2\n"
	    "target_requests_total p sip:b 0\n"
	    "target_failures_total p sip:a 0\n"
	    "target_failures_total p sip:b 3\n"
	    "target_requests_pending p sip:a 1\n"
	    "target_requests_pending p sip:b 0\n");
	unload(&rig);
	sets_free(ss);
	metrics_free(metrics);
}

/* The members of the configuration before stay as they are. */
static bool
join_and_leave(void *arg)
{
	struct sets *ss = sets_new();
	struct rig rig = { .ps = NULL };
	bool ok;

	(void)arg;
	if (ss == NULL)
		return false;
	ok = load(&rig, ss, PEER(THREE, "order"));
	if (ok)
		ok = set_next(only_set(&rig), 0, str_of("")) == 0;
	peers_free(rig.ps);
	if (rig.f.conf != NULL)
		conf_free(rig.f.conf);
	sets_free(ss);
	return ok;
}

static void
no_memory_is_an_answer(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(join_and_leave, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priority_comes_first),
		cmocka_unit_test(load_is_shared),
		cmocka_unit_test(turns_are_mixed),
		cmocka_unit_test(few_keys_move),
		cmocka_unit_test(least_means_fewest_under_way),
		cmocka_unit_test(probes_need_so_many_in_a_row),
		cmocka_unit_test(who_is_out_is_not_asked),
		cmocka_unit_test(what_is_known_outlives_a_reload),
		cmocka_unit_test(as_many_as_there_may_be),
		cmocka_unit_test(counters_are_by_target),
		cmocka_unit_test(no_memory_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
