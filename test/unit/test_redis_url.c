/* What the URL of a Redis server says. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "io/redis_url.h"

static const struct {
	const char	*text;
	bool		 tls;
	const char	*path, *host;
	uint16_t	 port;
	uint32_t	 db;
	const char	*user, *password;
} good[] = {
	{ "redis://h", false, "", "h", 6379, 0, "", "" },
	{ "redis://h/", false, "", "h", 6379, 0, "", "" },
	{ "redis://h:7/15", false, "", "h", 7, 15, "", "" },
	{ "rediss://r.example:65535/0", true, "", "r.example", 65535, 0, "",
	    "" },
	{ "redis://10.0.0.1:1", false, "", "10.0.0.1", 1, 0, "", "" },
	{ "redis://[2001:db8::1]:7/3", false, "", "[2001:db8::1]", 7, 3, "",
	    "" },
	{ "redis://[::1]", false, "", "[::1]", 6379, 0, "", "" },
	{ "redis://u:p@h", false, "", "h", 6379, 0, "u", "p" },
	{ "redis://u@h", false, "", "h", 6379, 0, "u", "" },
	{ "redis://u:@h", false, "", "h", 6379, 0, "u", "" },
	{ "redis://:p@h", false, "", "h", 6379, 0, "", "p" },
	{ "redis://u:p%40%2F%3a@h:7/1", false, "", "h", 7, 1, "u", "p@/:" },
	{ "redis://u:a/b@c:d@h", false, "", "h", 6379, 0, "u", "a/b@c:d" },
	{ "unix:///run/r.sock", false, "/run/r.sock", "", 0, 0, "", "" },
	{ "unix:///run/r.sock?db=4", false, "/run/r.sock", "", 0, 4, "",
	    "" },
	{ "unix://u:p@/run/a%20b", false, "/run/a b", "", 0, 0, "u", "p" },
};

static const char *const bad[] = {
	"", "h", "redis:", "redis://", "redis:///0", "http://h", "REDIS://h",
	"redis://h:", "redis://h:0", "redis://h:65536", "redis://h:x",
	"redis://h:-1", "redis://h/x", "redis://h/65536", "redis://h/1/2",
	"redis://h/-1", "redis://@h", "redis://:@h", "redis://u:p@",
	"redis://u:%@h", "redis://u:%4@h", "redis://u:%zz@h",
	"redis://u:%00@h", "redis://[::1", "redis://[::1]7", "unix://run",
	"unix://", "unix:///r?db", "unix:///r?db=x", "unix:///r?x=1",
};

static void
good_ones_are_taken_apart(void **state)
{
	struct redis_url u;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		why = redis_url_parse(&u, good[i].text);
		if (why != NULL)
			fail_msg("%s: %s", good[i].text, why);
		assert_int_equal(u.tls, good[i].tls);
		assert_string_equal(u.path, good[i].path);
		assert_string_equal(u.host, good[i].host);
		if (good[i].host[0] != '\0')
			assert_int_equal(u.port, good[i].port);
		assert_int_equal(u.db, good[i].db);
		assert_string_equal(u.user, good[i].user);
		assert_string_equal(u.password, good[i].password);
	}
}

static void
bad_ones_are_refused(void **state)
{
	struct redis_url u;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (redis_url_parse(&u, bad[i]) == NULL)
			fail_msg("taken: %s", bad[i]);
}

static void
too_long_is_refused(void **state)
{
	struct redis_url u;
	char text[600];
	int n = snprintf(text, sizeof text, "redis://:");

	(void)state;
	memset(text + n, 'p', REDIS_TEXT_MAX);
	strcpy(text + n + REDIS_TEXT_MAX, "@h");
	assert_null(redis_url_parse(&u, text));
	assert_int_equal(strlen(u.password), REDIS_TEXT_MAX);
	memset(text + n, 'p', REDIS_TEXT_MAX + 1);
	strcpy(text + n + REDIS_TEXT_MAX + 1, "@h");
	assert_non_null(redis_url_parse(&u, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_taken_apart),
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
