/*
 * test_log.c -- lines that nobody can forge, and a sink that never waits.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/log.h"
#include "failing_alloc.h"

enum { STAMP_BYTES = 28 };	/* ts=2026-01-01T00:00:00.000Z and a space */

/* A pipe as the log's descriptor; its other end is read here. */
struct rig {
	int	in, out;
	char	text[256 * 1024];
	size_t	len;
};

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	int fd[2];

	assert_non_null(r);
	assert_int_equal(pipe(fd), 0);
	r->in = fd[0];
	r->out = fd[1];
	assert_int_equal(fcntl(r->in, F_SETFL, O_NONBLOCK), 0);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	/* Another descriptor, and nothing gathered for this one. */
	log_open(STDERR_FILENO, LOG_TEXT, LEVEL_INFO);
	close(r->in);
	close(r->out);
	free(r);
	return 0;
}

static const char *
take(struct rig *r)
{
	ssize_t n;

	log_flush();
	for (r->len = 0; r->len < sizeof r->text - 1; r->len += (size_t)n) {
		n = read(r->in, r->text + r->len,
		    sizeof r->text - 1 - r->len);
		if (n <= 0)
			break;
		log_flush();
	}
	r->text[r->len] = '\0';
	return r->text;
}

/* As the journal listens: it says so, and no time stands in the lines. */
static void
be_the_journal(struct rig *r)
{
	char is[64];
	struct stat st;

	assert_int_equal(fstat(r->out, &st), 0);
	snprintf(is, sizeof is, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", is, 1), 0);
}

static const struct {
	const char	*value;
	size_t		 len;
	const char	*text, *json;
} values[] = {
	{ "plain", 5, "plain", "plain" },
	{ "", 0, "", "" },
	{ "bob\" result=ok\n", 15, "bob\\x22 result=ok\\x0a",
	    "bob\\\" result=ok\\u000a" },
	{ "a\\b", 3, "a\\x5cb", "a\\\\b" },
	{ "a\0b", 3, "a\\x00b", "a\\u0000b" },
	{ "\x7f\t\r", 3, "\\x7f\\x09\\x0d", "\\u007f\\u0009\\u000d" },
	/* UTF-8 that is sound: 2, 3 and 4 bytes */
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	/* and that is not: alone, cut, overlong, surrogate, too high */
	{ "\xe4z", 2, "\\xe4z", "\\ufffdz" },
	{ "\xe2\x82", 2, "\\xe2\\x82", "\\ufffd\\ufffd" },
	{ "\xc0\xaf", 2, "\\xc0\\xaf", "\\ufffd\\ufffd" },
	{ "\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf", "\\ufffd\\ufffd\\ufffd" },
	{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd" },
	{ "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80",
	    "\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "\xff", 1, "\\xff", "\\ufffd" },
	{ NULL, 0, "-", "-" },
	/* what a terminal obeys (CSI as C1), and what turns text around */
	{ "\xc2\x9b" "31m", 5, "\\xc2\\x9b31m", "\\u009b31m" },
	{ "\xe2\x80\xae" "x", 4, "\\xe2\\x80\\xaex", "\\u202ex" },
};

static void
values_are_escaped(void **state)
{
	struct rig *r = *state;
	char want[256];

	be_the_journal(r);
	log_open(r->out, LOG_TEXT, LEVEL_INFO);
	for (size_t i = 0; i < COUNT(values); i++) {
		log_event(EV_DAEMON_START,
		    kv_mem("user", values[i].value, values[i].len));
		snprintf(want, sizeof want, "level=notice "
		    "event=daemon.start user=\"%s\"\n", values[i].text);
		assert_string_equal(take(r), want);
	}
}

static void
json_is_escaped(void **state)
{
	struct rig *r = *state;
	char want[256];

	log_open(r->out, LOG_JSON, LEVEL_INFO);
	for (size_t i = 0; i < COUNT(values); i++) {
		const char *got;

		log_event(EV_DAEMON_START,
		    kv_mem("user", values[i].value, values[i].len));
		snprintf(want, sizeof want, "Z\",\"level\":\"notice\","
		    "\"event\":\"daemon.start\",\"user\":\"%s\"}\n",
		    values[i].json);
		got = strstr(take(r), "Z\",");
		assert_non_null(got);
		assert_memory_equal(r->text, "{\"ts\":\"2", 8);
		assert_string_equal(got, want);
	}
}

static void
log_every_type(void)
{
	log_event(EV_DAEMON_FAIL, kv_str("none", NULL), kv_str("s", "x"),
	    kv_int("low", INT64_MIN), kv_uint("high", UINT64_MAX),
	    kv_bool("yes", true), kv_bool("no", false));
}

static void
types_are_kept(void **state)
{
	struct rig *r = *state;

	be_the_journal(r);
	log_open(r->out, LOG_TEXT, LEVEL_INFO);
	log_every_type();
	assert_string_equal(take(r), "level=error event=daemon.fail "
	    "none=\"-\" s=\"x\" low=-9223372036854775808 "
	    "high=18446744073709551615 yes=true no=false\n");
	log_open(r->out, LOG_JSON, LEVEL_INFO);
	log_every_type();
	assert_non_null(strstr(take(r), "\"none\":\"-\",\"s\":\"x\","
	    "\"low\":-9223372036854775808,\"high\":18446744073709551615,"
	    "\"yes\":true,\"no\":false}\n"));
}

static void
the_time_stands_where_no_journal_listens(void **state)
{
	static const char *const elsewhere[] = { NULL, "1:2", "" };
	struct rig *r = *state;
	int year, end;

	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		unsetenv("JOURNAL_STREAM");
		if (elsewhere[i] != NULL)
			setenv("JOURNAL_STREAM", elsewhere[i], 1);
		log_open(r->out, LOG_TEXT, LEVEL_INFO);
		log_event(EV_DAEMON_STOP, kv_int("n", 1));
		take(r);
		end = 0;
		assert_int_equal(sscanf(r->text,
		    "ts=%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ %n", &year, &end),
		    1);
		assert_int_equal(end, STAMP_BYTES);
		assert_string_equal(r->text + end,
		    "level=notice event=daemon.stop n=1\n");
	}
}

static void
lesser_levels_are_left_out(void **state)
{
	struct rig *r = *state;

	log_open(r->out, LOG_TEXT, LEVEL_WARNING);
	assert_true(log_wants(LEVEL_ERROR));
	assert_true(log_wants(LEVEL_WARNING));
	assert_false(log_wants(LEVEL_NOTICE));
	log_event(EV_DAEMON_START, kv_int("n", 1));
	assert_string_equal(take(r), "");
	log_event(EV_DAEMON_FAIL, kv_int("n", 1));
	assert_int_not_equal(*take(r), '\0');
}

/* Notices wait for a flush; an error does not. */
static void
errors_flush_themselves(void **state)
{
	struct rig *r = *state;
	char c;

	log_open(r->out, LOG_TEXT, LEVEL_INFO);
	log_event(EV_DAEMON_START, kv_int("n", 1));
	assert_int_equal(read(r->in, &c, 1), -1);
	log_event(EV_DAEMON_FAIL, kv_int("n", 2));
	assert_int_equal(read(r->in, &c, 1), 1);
}

static void
log_three(const char *big, size_t len)
{
	log_event(EV_DAEMON_START, kv_mem("a", big, len), kv_int("n", 7),
	    kv_mem("b", big, len), kv_mem("c", big, len),
	    kv_mem("d", big, len), kv_mem("e", big, len), kv_int("o", 8));
}

/* No value takes the line from those behind it, and the line says which
 * value was the first that was cut. */
static void
long_values_are_cut(void **state)
{
	static char big[10000];
	struct rig *r = *state;
	const char *end;

	for (int json = 0; json < 2; json++) {
		memset(big, json ? '\\' : '\xff', sizeof big);
		log_open(r->out, json ? LOG_JSON : LOG_TEXT, LEVEL_INFO);
		log_three(big, sizeof big);
		take(r);
		assert_in_range(r->len, 3000, 4096);
		assert_non_null(strstr(r->text,
		    json ? "\",\"n\":7," : "\" n=7 "));
		end = json ? ",\"cut\":\"a\"}\n" : " cut=a\n";
		assert_string_equal(r->text + r->len - strlen(end), end);
		assert_ptr_equal(strchr(r->text, '\n'),
		    r->text + r->len - 1);
	}
}

static void
a_value_of_just_the_length_is_whole(void **state)
{
	static char big[1025];
	struct rig *r = *state;

	memset(big, 'x', sizeof big);
	log_open(r->out, LOG_TEXT, LEVEL_INFO);
	log_event(EV_DAEMON_START, kv_mem("a", big, 1023));
	assert_null(strstr(take(r), "cut="));
	log_event(EV_DAEMON_START, kv_mem("a", big, 1025));
	assert_non_null(strstr(take(r), "cut=a\n"));
}

/* Each line whole, in order; n is what the first should say. */
static unsigned
count_lines(const char *text, unsigned n)
{
	char want[64];

	for (; *text != '\0' && strstr(text, "log.lost") != text; n++) {
		snprintf(want, sizeof want, "event=daemon.start n=%u ", n);
		text = strstr(text, "event=");
		if (strncmp(text, want, strlen(want)) != 0)
			break;
		text = strchr(text, '\n') + 1;
	}
	return n;
}

static void
a_stuck_reader_costs_lines_not_time(void **state)
{
	struct rig *r = *state;
	uint64_t lost = log_lost(), mine;
	char pad[200], said[64];
	unsigned kept;

	memset(pad, 'p', sizeof pad);
	be_the_journal(r);
	log_open(r->out, LOG_TEXT, LEVEL_INFO);
	for (unsigned i = 0; i < 2000; i++)
		log_event(EV_DAEMON_START, kv_uint("n", i),
		    kv_mem("pad", pad, sizeof pad));
	mine = log_lost() - lost;
	assert_in_range(mine, 1, 1999);
	/* Those that were kept are the first, and then the loss is said. */
	take(r);
	kept = count_lines(r->text, 0);
	assert_int_equal(kept + mine, 2000);
	snprintf(said, sizeof said, "level=warning event=log.lost lines=%u\n",
	    (unsigned)mine);
	assert_string_equal(strstr(r->text, "level=warning"), said);
	/* Once. */
	log_event(EV_DAEMON_STOP, kv_int("n", 1));
	assert_null(strstr(take(r), "log.lost"));
}

static void
a_broken_descriptor_is_survived(void **state)
{
	struct rig *r = *state;
	uint64_t lost = log_lost();
	int closed = dup(r->out);

	close(closed);
	log_open(closed, LOG_TEXT, LEVEL_INFO);
	for (unsigned i = 0; i < 5000; i++)
		log_event(EV_DAEMON_FAIL, kv_uint("n", i));
	assert_true(log_lost() - lost >= 4000);
	/* and a good one after it works, and hears of it */
	log_open(r->out, LOG_TEXT, LEVEL_INFO);
	assert_non_null(strstr(take(r), "log.lost"));
}

static void
every_event_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < EV_COUNT; i++) {
		/* It stands in the line without quotes. */
		assert_int_equal(strspn(log_event_name(i),
		    "abcdefghijklmnopqrstuvwxyz.-"),
		    strlen(log_event_name(i)));
		assert_true(strlen(log_event_help(i)) > 10);
		assert_in_range(log_event_level(i), LEVEL_ERROR, LEVEL_DEBUG);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(log_event_name(i),
			    log_event_name(k));
	}
}

static bool
write_lines(void *arg)
{
	struct rig *r = arg;

	log_open(r->out, LOG_JSON, LEVEL_INFO);
	log_every_type();
	return strstr(take(r), "daemon.fail") != NULL;
}

/* It must also work when there is no memory to be had. */
static void
logging_never_allocates(void **state)
{
	assert_int_equal(failing_alloc_count(write_lines, *state), 0);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(values_are_escaped),
		LOG_TEST(json_is_escaped),
		LOG_TEST(types_are_kept),
		LOG_TEST(the_time_stands_where_no_journal_listens),
		LOG_TEST(lesser_levels_are_left_out),
		LOG_TEST(errors_flush_themselves),
		LOG_TEST(long_values_are_cut),
		LOG_TEST(a_value_of_just_the_length_is_whole),
		LOG_TEST(a_stuck_reader_costs_lines_not_time),
		LOG_TEST(a_broken_descriptor_is_survived),
		LOG_TEST(every_event_has_a_name_and_a_sentence),
		LOG_TEST(logging_never_allocates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
