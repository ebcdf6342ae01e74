/* The credential store of a file: it follows the file, but not into a hole. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/metrics.h"
#include "failing_alloc.h"
#include "io/loop.h"
#include "modules/kinds.h"

#define MD5_HEX "00112233445566778899aabbccddeeff"
#define SHA_HEX MD5_HEX "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
#define ANN "ann:r:md5=" MD5_HEX ",sha-256=" SHA_HEX ":sip:*@r\n"
#define BOB "bob:r:md5=" MD5_HEX "\n"

enum { POLL_MS = 5, GIVE_UP_POLLS = 1000 };

struct rig {
	char			 folder[32], path[64];
	struct conf		*conf;
	void			*filled;
	struct metrics		*metrics;
	struct loop		*loop;
	struct loop_timer	*timer;
	struct cred_store	*store;
	/* what loop_until() waits for */
	const char		*value;
	uint64_t		 want;
	unsigned		 polls;
};

/* As sipbouncer-passwd does: another file takes its place. */
static void
replace(const struct rig *rig, const char *text)
{
	char path[80];
	int fd;

	snprintf(path, sizeof path, "%s.new", rig->path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(rename(path, rig->path), 0);
}

struct cell {
	const char	*name, *value;
	uint64_t	 n;
};

static void
cell_add(void *arg, const struct metric *what, const char *value, uint64_t n)
{
	struct cell *want = arg;

	if (strcmp(what->name, want->name) == 0 && (value == NULL ||
	    strcmp(value, want->value) == 0))
		want->n += n;
}

static uint64_t
cell(const struct rig *rig, const char *name, const char *value)
{
	struct cell want = { name, value, 0 };

	metrics_each(rig->metrics, cell_add, &want);
	return want.n;
}

static void
poll_loads(void *arg)
{
	struct rig *rig = arg;

	if (cell(rig, "users_file_loads_total", rig->value) >= rig->want ||
	    ++rig->polls == GIVE_UP_POLLS)
		loop_stop(rig->loop);
	else
		loop_timer_start(rig->timer, POLL_MS);
}

/* Until the file was read so often with this result. */
static void
loop_until(struct rig *rig, const char *value, uint64_t want)
{
	rig->value = value;
	rig->want = want;
	rig->polls = 0;
	loop_timer_start(rig->timer, POLL_MS);
	loop_run(rig->loop);
	assert_int_equal(cell(rig, "users_file_loads_total", value), want);
}

static bool
open_store(struct rig *rig)
{
	struct cred_store_env env = {
		.loop = rig->loop, .metrics = rig->metrics,
		.algs = 3
	};

	rig->store = NULL;
	return cred_file_ops.open(&rig->store, rig->filled, &env) == 0;
}

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	char text[200];

	strcpy(rig->folder, "/tmp/cred.XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->path, sizeof rig->path, "%s/users", rig->folder);
	snprintf(text, sizeof text, "path = \"%s\"; check_every = \"100ms\";",
	    rig->path);
	rig->conf = conf_read_text("test", text);
	rig->filled = calloc(1, cred_file_ops.conf_size);
	assert_int_equal(conf_fill(rig->conf, conf_root(rig->conf),
	    cred_file_ops.opts, rig->filled), 0);
	rig->metrics = metrics_new();
	rig->loop = loop_new();
	rig->timer = loop_timer_new(rig->loop, poll_loads, rig);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;

	if (rig->store != NULL)
		rig->store->ops->close(rig->store);
	loop_timer_free(rig->timer);
	loop_free(rig->loop);
	metrics_free(rig->metrics);
	free(rig->filled);
	conf_free(rig->conf);
	unlink(rig->path);
	rmdir(rig->folder);
	free(rig);
	return 0;
}

static enum cred_result
look(struct rig *rig, const char *user)
{
	struct cred_query q = {
		.user = str_of(user), .realm = str_of("r"),
		.digest = { .alg = DIGEST_MD5 }
	};
	struct cred_answer a;

	rig->store->ops->look(rig->store, &q, &a);
	return a.result;
}

static void
it_answers_at_once(void **state)
{
	struct rig *rig = *state;

	assert_null(cred_file_ops.start);
	replace(rig, ANN BOB);
	assert_true(open_store(rig));
	assert_int_equal(look(rig, "ann"), CRED_SECRET);
	assert_int_equal(look(rig, "bob"), CRED_SECRET);
	assert_int_equal(look(rig, "eve"), CRED_UNKNOWN);
	assert_int_equal(cell(rig, "users_file_users", NULL), 2);
	assert_int_equal(cred_file_ops.algs(rig->store, str_of("r")), 1);
}

static void
it_follows_the_file(void **state)
{
	struct rig *rig = *state;

	replace(rig, BOB);
	assert_true(open_store(rig));
	replace(rig, ANN);
	assert_int_equal(look(rig, "ann"), CRED_UNKNOWN);
	loop_until(rig, "ok", 2);
	assert_int_equal(look(rig, "ann"), CRED_SECRET);
	assert_int_equal(look(rig, "bob"), CRED_UNKNOWN);
	assert_int_equal(cred_file_ops.algs(rig->store, str_of("r")), 3);
}

static void
it_keeps_the_old_users(void **state)
{
	struct rig *rig = *state;

	replace(rig, BOB);
	assert_true(open_store(rig));
	replace(rig, ANN "bob:r\n");
	loop_until(rig, "kept", 1);
	assert_int_equal(look(rig, "bob"), CRED_SECRET);
	assert_int_equal(look(rig, "ann"), CRED_UNKNOWN);
	unlink(rig->path);
	loop_until(rig, "kept", 2);
	assert_int_equal(look(rig, "bob"), CRED_SECRET);
	replace(rig, ANN);
	loop_until(rig, "ok", 2);
	assert_int_equal(look(rig, "ann"), CRED_SECRET);
	assert_int_equal(look(rig, "bob"), CRED_UNKNOWN);
	assert_int_equal(cell(rig, "users_file_loads_total", "kept"), 2);
}

static void
reload_reads_in_any_case(void **state)
{
	struct rig *rig = *state;

	replace(rig, BOB);
	assert_true(open_store(rig));
	cred_file_ops.reload(rig->store);
	assert_int_equal(cell(rig, "users_file_loads_total", "ok"), 2);
	assert_int_equal(look(rig, "bob"), CRED_SECRET);
}

static void
it_does_not_open_without_users(void **state)
{
	static const char *const texts[] = { NULL, "bob\n" };
	struct rig *rig = *state;
	struct cred_store_env env = { .realm = "r", .algs = 1 };
	uint8_t lacking = 0;

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (texts[i] != NULL)
			replace(rig, texts[i]);
		metrics_free(rig->metrics);
		rig->metrics = metrics_new();
		assert_false(open_store(rig));
		assert_int_not_equal(cred_file_ops.check(rig->filled, &env,
		    &lacking), 0);
	}
	replace(rig, ANN);
	assert_int_equal(cred_file_ops.check(rig->filled, &env, &lacking), 0);
	assert_int_equal(lacking, 0);
	replace(rig, ANN "bob:r:md5=" MD5_HEX "\n");
	env.algs = 1u << DIGEST_MD5 | 1u << DIGEST_SHA256;
	assert_int_equal(cred_file_ops.check(rig->filled, &env, &lacking), 0);
	assert_int_equal(lacking, 1u << DIGEST_SHA256);
}

static bool
open_and_close(void *arg)
{
	struct rig *rig = arg;
	bool ok;

	metrics_free(rig->metrics);
	rig->metrics = metrics_new();
	ok = rig->metrics != NULL && open_store(rig);
	if (ok)
		rig->store->ops->close(rig->store);
	rig->store = NULL;
	return ok;
}

static void
lack_of_memory_is_said(void **state)
{
	struct rig *rig = *state;

	replace(rig, ANN BOB);
	assert_int_equal(failing_alloc_each(open_and_close, rig), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_answers_at_once),
		TEST(it_follows_the_file),
		TEST(it_keeps_the_old_users),
		TEST(reload_reads_in_any_case),
		TEST(it_does_not_open_without_users),
		TEST(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
