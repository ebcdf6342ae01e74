/* The slow store keeps the rules of cred.h, for it is there to test others. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "io/loop.h"
#include "modules/kinds.h"

enum { TIMEOUT_MS = 60 };

static const struct {
	const char	*conf, *user;
	int		 start;
	enum cred_result want;
	int		 after_ms;
	bool		 cancel;
} cases[] = {
	{ "delay = \"20ms\";", "bob", 0, CRED_SECRET, 20, false },
	{ "delay = \"20ms\";", "eve", 0, CRED_UNKNOWN, 20, false },
	{ "delay = \"0ms\";", "bob", 0, CRED_SECRET, 0, false },
	{ "delay = \"1h\";", "bob", 0, CRED_UNAVAILABLE, TIMEOUT_MS, false },
	{ "answer = \"never\"; delay = \"1ms\";", "bob", 0,
	    CRED_UNAVAILABLE, TIMEOUT_MS, false },
	{ "answer = \"unavailable\"; delay = \"20ms\";", "bob", 0,
	    CRED_UNAVAILABLE, 20, false },
	{ "answer = \"full\";", "bob", -ENOBUFS, CRED_ASK, 0, false },
	{ "delay = \"20ms\";", "bob", 0, CRED_ASK, 0, true },
};

struct rig {
	struct loop	*loop;
	unsigned	 done;
	enum cred_result result;
	int64_t		 at_ms;
};

static void
note(void *arg, const struct cred_answer *answer)
{
	struct rig *rig = arg;

	rig->done++;
	rig->result = answer->result;
	rig->at_ms = clock_mono_ms();
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
ask(struct rig *rig, struct cred_store *store, size_t i)
{
	char user[8];
	struct cred_query q = {
		.user = { user, strlen(cases[i].user) }, .realm = str_of("r"),
		.digest = { .alg = DIGEST_MD5 }, .timeout_ms = TIMEOUT_MS
	};
	struct cred_lookup *l;
	struct cred_answer a;

	strcpy(user, cases[i].user);
	cred_slow_ops.look(store, &q, &a);
	assert_int_equal(a.result, CRED_ASK);
	assert_int_equal(cred_slow_ops.start(store, &q, note, rig, &l),
	    cases[i].start);
	memset(user, 'x', sizeof user);
	assert_int_equal(rig->done, 0);
	if (cases[i].cancel)
		cred_slow_ops.cancel(store, l);
}

static void
play(struct rig *rig, struct cred_store *store, size_t i)
{
	struct loop_timer *end = loop_timer_new(rig->loop, stop, rig->loop);
	bool answers = cases[i].start == 0 && !cases[i].cancel;
	int64_t start_ms = clock_mono_ms();

	rig->done = 0;
	ask(rig, store, i);
	loop_timer_start(end, 3 * TIMEOUT_MS);
	loop_run(rig->loop);
	loop_timer_free(end);
	assert_int_equal(rig->done, answers);
	if (!answers)
		return;
	if (rig->result != cases[i].want)
		fail_msg("%s: %d", cases[i].conf, rig->result);
	assert_true(rig->at_ms - start_ms >= cases[i].after_ms);
}

static void
answers_keep_the_rules(void **state)
{
	char path[] = "/tmp/slow.XXXXXX", text[200];
	static const char users[] =
	    "bob:r:md5=00112233445566778899aabbccddeeff";
	struct rig rig = { .loop = loop_new() };
	struct cred_store_env env = { .loop = rig.loop, .algs = 1 };
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, users, sizeof users - 1), sizeof users - 1);
	close(fd);
	for (size_t i = 0; i < COUNT(cases); i++) {
		void *filled = calloc(1, cred_slow_ops.conf_size);
		struct cred_store *store;
		struct conf *conf;

		snprintf(text, sizeof text, "path = \"%s\"; %s", path,
		    cases[i].conf);
		conf = conf_read_text("test", text);
		assert_int_equal(conf_fill(conf, conf_root(conf),
		    cred_slow_ops.opts, filled), 0);
		assert_int_equal(cred_slow_ops.open(&store, filled, &env), 0);
		play(&rig, store, i);
		cred_slow_ops.close(store);
		conf_free(conf);
		free(filled);
	}
	unlink(path);
	loop_free(rig.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_keep_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
