/* Addresses that the kernel drops, in a network namespace of this process. */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sofia-sip/su.h>

#include "base/clock.h"
#include "io/loop.h"
#include "io/nft.h"

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

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

	for (uint32_t i = 0; i < COUNT(v); i++) {
		v[i] = change("10.0.0.0", clock_mono_ms() + BANNED_MS);
		put_u32(v[i].source + 12, 0x0a000000 + i);
	}
	assert_int_equal(nft_change(r->nft, v, COUNT(v)), -E2BIG);
	assert_int_equal(nft_make(r->nft, p, COUNT(p), 1), -E2BIG);
	assert_true(make(r));
	/* more than the 100 that it was made for, and room for as many */
	assert_false(works(r, nft_change(r->nft, v, NFT_CHANGES_MAX)));
	assert_true(works(r, nft_change(r->nft, v, 100)));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
