/* Addresses that the kernel drops, in a network namespace of this process. */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <sofia-sip/su.h>

#include "base/clock.h"
#include "base/count.h"
#include "io/loop.h"
#include "io/nft.h"
#include "io/nft_work.h"

enum { WAIT_MS = 5000, BANNED_MS = 60000 };

struct rig {
	struct loop	*loop;
	struct loop_timer *limit;
	struct nft	*nft;
	unsigned	 done;
	char		 why[NFT_WHY_MAX];	/* "": it went well */
};

static void
on_done(void *arg, const char *why)
{
	struct rig *r = arg;

	r->done++;
	snprintf(r->why, sizeof r->why, "%s", why == NULL ? "" : why);
	loop_stop(r->loop);
}

static void
give_up(void *arg)
{
	struct rig *r = arg;

	loop_stop(r->loop);
}

/* A work that was started comes back once; did it go well? */
static bool
works(struct rig *r, int started)
{
	unsigned before = r->done;

	assert_int_equal(started, 0);
	loop_timer_start(r->limit, WAIT_MS);
	loop_run(r->loop);
	loop_timer_stop(r->limit);
	assert_int_equal(r->done, before + 1);
	return r->why[0] == '\0';
}

static struct addr
address(const char *text, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse_host(&a, str_of(text)));
	a.port = port;
	return a;
}

static struct nft_change
change(const char *text, int64_t until_ms)
{
	struct addr a = address(text, 0);
	struct nft_change c = { .until_ms = until_ms };

	memcpy(c.source, a.ip, sizeof c.source);
	return c;
}

/* Does nft list the text in our table? */
static bool
lists(const char *text)
{
	FILE *f = popen("nft list table inet test_nft 2>/dev/null", "r");
	char line[4096];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		found = found || strstr(line, text) != NULL;
	pclose(f);
	return found;
}

static bool
make(struct rig *r)
{
	const struct nft_place place[] = {
		{ address("192.0.2.1", 5060), false },
		{ address("192.0.2.1", 5060), true },
		{ address("2001:db8::1", 5061), true },
	};

	return works(r, nft_make(r->nft, place, COUNT(place), 100));
}

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	if (unshare(CLONE_NEWNET) < 0) {
		free(r);
		return 0;
	}
	su_init();
	r->loop = loop_new();
	r->limit = loop_timer_new(r->loop, give_up, r);
	r->nft = nft_new(r->loop, "test_nft", on_done, r);
	assert_non_null(r->nft);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	if (r == NULL)
		return 0;
	nft_free(r->nft);
	loop_timer_free(r->limit);
	loop_free(r->loop);
	su_deinit();
	free(r);
	return 0;
}

static struct rig *
rig_or_skip(void **state)
{
	if (*state == NULL)
		skip();
	return *state;
}

static void
a_table_is_made_and_goes(void **state)
{
	struct rig *r = rig_or_skip(state);

	assert_false(lists("table"));
	assert_true(make(r));
	assert_true(lists("192.0.2.1 . tcp . 5060"));
	assert_true(lists("192.0.2.1 . udp . 5060"));
	assert_true(lists("2001:db8::1 . tcp . 5061"));
	assert_true(lists("policy accept"));
	assert_true(make(r));
	nft_free(r->nft);
	r->nft = NULL;
	assert_false(lists("table"));
}

static void
changes_come_and_go(void **state)
{
	struct rig *r = rig_or_skip(state);
	int64_t until_ms = clock_mono_ms() + BANNED_MS;
	struct nft_change v[] = { change("192.0.2.7", until_ms),
	    change("2001:db8:7::", until_ms), change("192.0.2.8", until_ms),
	    change("192.0.2.9", 1) };

	assert_true(make(r));
	assert_true(works(r, nft_change(r->nft, v, COUNT(v))));
	assert_true(lists("192.0.2.7 timeout"));
	assert_true(lists("192.0.2.8 timeout"));
	assert_true(lists("2001:db8:7:: timeout"));
	assert_false(lists("192.0.2.9"));
	/* another end, a release, a release of who was not there */
	v[0].until_ms = until_ms + 3600 * 1000;
	v[1].until_ms = 0;
	assert_true(works(r, nft_change(r->nft, v, 2)));
	assert_true(lists("192.0.2.7 timeout 1h"));
	assert_false(lists("2001:db8:7::"));
	assert_true(works(r, nft_change(r->nft, &v[1], 1)));
	assert_true(make(r));
	assert_false(lists("192.0.2.8"));
}

static void
all_or_nothing(void **state)
{
	struct rig *r = rig_or_skip(state);
	int64_t until_ms = clock_mono_ms() + BANNED_MS;
	struct nft_change twice[] = { change("192.0.2.7", until_ms),
	    change("192.0.2.8", until_ms), change("192.0.2.8", until_ms) };

	assert_false(works(r, nft_change(r->nft, twice, 2)));
	assert_non_null(strstr(r->why, "No such file"));
	assert_null(strchr(r->why, '\n'));
	assert_true(make(r));
	assert_false(works(r, nft_change(r->nft, twice, COUNT(twice))));
	assert_false(lists("192.0.2.7"));
	assert_true(works(r, nft_change(r->nft, twice, 2)));
	assert_true(lists("192.0.2.7"));
}

static void
more_than_a_work_holds_is_refused(void **state)
{
	struct rig *r = rig_or_skip(state);
	static struct nft_change v[NFT_CHANGES_MAX + 1];
	static struct nft_place p[NFT_PLACES_MAX + 1];
	bool full = false;

	for (uint32_t i = 0; i < COUNT(v); i++) {
		v[i] = change("10.0.0.0", clock_mono_ms() + BANNED_MS);
		put_u32(v[i].source + 12, 0x0a000000 + i);
	}
	assert_int_equal(nft_change(r->nft, v, COUNT(v)), -E2BIG);
	assert_int_equal(nft_make(r->nft, p, COUNT(p), 1), -E2BIG);
	assert_true(make(r));
	/* not more than the 100 that it was made for, as many that have ended,
	 * and one work */
	assert_true(works(r, nft_change(r->nft, v, NFT_CHANGES_MAX)));
	for (unsigned n = 0; n < 2; n++) {
		for (uint32_t i = 0; i < COUNT(v); i++)
			v[i].source[12]++;
		/* of the first one kernels think differently */
		full = !works(r, nft_change(r->nft, v, NFT_CHANGES_MAX));
	}
	assert_true(full);
	assert_true(works(r, nft_change(r->nft, v, 50)));
}

/* nftables reads eight digits. */
static void
a_ban_may_last(void **state)
{
	struct rig *r = rig_or_skip(state);
	static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	struct nft_change v[] = {
		change("192.0.2.1", clock_mono_ms() + 365 * day_ms),
		change("192.0.2.2", clock_mono_ms() + 2 * day_ms - 500),
		change("192.0.2.3", clock_mono_ms() + 999 * 1000 + 50),
	};

	assert_true(make(r));
	assert_true(works(r, nft_change(r->nft, v, COUNT(v))));
	assert_true(lists("192.0.2.1 timeout 364d23h59m"));
	assert_true(lists("192.0.2.2 timeout 1d23h59m"));
	assert_true(lists("192.0.2.3 timeout 16m3"));
}

static void
what_others_do_is_seen(void **state)
{
	struct rig *r = rig_or_skip(state);
	static const struct { const char *command; bool fine; } others[] = {
		{ "true", true },
		{ "nft add table inet another", true },
		{ "nft flush set inet test_nft banned4", true },
		{ "nft flush chain inet test_nft input", false },
		{ "nft flush table inet test_nft", false },
		{ "nft flush set inet test_nft here4", false },
		{ "nft insert rule inet test_nft input accept", false },
		{ "nft delete table inet test_nft", false },
		{ "nft flush ruleset", false },
	};
	struct nft_change v = change("192.0.2.7", clock_mono_ms() + BANNED_MS);

	for (size_t i = 0; i < COUNT(others); i++) {
		assert_true(make(r));
		assert_true(works(r, nft_change(r->nft, &v, 1)));
		assert_true(works(r, nft_look(r->nft)));
		assert_int_equal(system(others[i].command), 0);
		if (works(r, nft_look(r->nft)) != others[i].fine)
			fail_msg("%s", others[i].command);
	}
}

/* 0: none. */
static pid_t
child_now(pid_t pid)
{
	char path[64];
	long child = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid,
	    (long)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%ld", &child) != 1)
		child = 0;
	fclose(f);
	return (pid_t)child;
}

/* The number of the process that the one with this number has, or is about to
 * start. */
static pid_t
child_of(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int64_t ends_ms = clock_mono_ms() + WAIT_MS;
	pid_t child;

	while ((child = child_now(pid)) <= 0 && clock_mono_ms() < ends_ms)
		nanosleep(&pause, NULL);
	assert_true(child > 0);
	return child;
}

/* Nobody asked for anything then; and what was asked is answered once. */
static void
a_killed_process_is_said_and_replaced(void **state)
{
	struct rig *r = rig_or_skip(state);
	pid_t keeper = child_of(getpid());
	pid_t first = child_of(keeper);
	unsigned before;

	assert_true(make(r));
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_false(works(r, 0));
	assert_string_equal(r->why, "the process for nftables has ended");
	assert_true(make(r));
	assert_int_not_equal(child_of(keeper), first);
	first = child_of(keeper);
	/* it ends with a work in its hands: that fails, and is done by the
	 * next one, which nobody waits for any more */
	assert_int_equal(kill(first, SIGSTOP), 0);
	assert_int_equal(nft_look(r->nft), 0);
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_false(works(r, 0));
	before = r->done;
	assert_true(make(r));
	assert_int_equal(r->done, before + 1);
	assert_true(works(r, nft_look(r->nft)));
}

static void
generations_are_told_apart(void **state)
{
	struct rig *r = rig_or_skip(state);
	uint32_t before = nft_generation();

	assert_int_not_equal(before, 0);
	assert_int_equal(nft_generation(), before);
	assert_true(make(r));
	assert_int_equal(nft_generation(), before + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_is_made_and_goes,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(changes_come_and_go, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(all_or_nothing, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    more_than_a_work_holds_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_ban_may_last, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(what_others_do_is_seen,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_killed_process_is_said_and_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(generations_are_told_apart,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
