/* Which name servers a resolv.conf names. */
#include "config.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/resolv_conf.h"

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

/* "127.0.0.1:53, ::1:53" */
static const char *
servers(const struct resolv_conf *c)
{
	static char out[300];
	char text[INET6_ADDRSTRLEN];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->n; i++) {
		const struct sockaddr_in *in = (const void *)&c->server[i];
		const struct sockaddr_in6 *in6 = (const void *)in;
		bool v4 = in->sin_family == AF_INET;

		inet_ntop(in->sin_family, v4 ? (const void *)&in->sin_addr :
		    &in6->sin6_addr, text, sizeof text);
		len += (size_t)snprintf(out + len, sizeof out - len,
		    "%s%s:%u", i == 0 ? "" : ", ", text,
		    ntohs(v4 ? in->sin_port : in6->sin6_port));
	}
	return out;
}

static void
read_text(struct resolv_conf *c, const char *text)
{
	char path[] = "/tmp/test_resolv_conf.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	memset(c, 0xa5, sizeof *c);
	resolv_conf_read(c, path);
	unlink(path);
}

static void
what_the_file_says(void **state)
{
	static const struct {
		const char	*text, *servers;
		int64_t		 timeout_ms;
		unsigned	 attempts;
		bool		 rotate;
	} cases[] = {
		{ "", "127.0.0.1:53", 1000, 3, false },
		{ "nameserver 192.0.2.1\n", "192.0.2.1:53", 1000, 3, false },
		{ "# a comment\nsearch example.com\n  nameserver\t192.0.2.1 "
		    "; and more\nnameserver ::1\n", "192.0.2.1:53, ::1:53",
		    1000, 3, false },
		{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
		    "nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		    "192.0.2.1:53, 192.0.2.2:53, 192.0.2.3:53", 1000, 3,
		    false },
		{ "port 5353\nnameserver 192.0.2.1\nnameserver ::1",
		    "192.0.2.1:5353, ::1:5353", 1000, 3, false },
		{ "nameserver 192.0.2.1\nport 5353", "192.0.2.1:5353", 1000,
		    3, false },
		{ "options timeout:2 attempts:1 rotate edns0 ndots:3\n",
		    "127.0.0.1:53", 2000, 1, true },
		{ "options timeout:99999999999 attempts:77\n",
		    "127.0.0.1:53", 1000, 5, false },
		{ "options timeout:600\n", "127.0.0.1:53", 30000, 3, false },
		{ "options timeout:0 attempts: rotat\n", "127.0.0.1:53",
		    1000, 3, false },
		{ "nameserver fe80::1%lo\n", "fe80::1:53", 1000, 3, false },
		{ "nameserver\nnameserver localhost\nnameserver 1.2.3.400\n"
		    "options\nport\nport x\n", "127.0.0.1:53", 1000, 3,
		    false },
		{ "nameservers 192.0.2.1\n", "127.0.0.1:53", 1000, 3,
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct resolv_conf c;

		read_text(&c, cases[i].text);
		if (strcmp(servers(&c), cases[i].servers) != 0 ||
		    c.timeout_ms != cases[i].timeout_ms ||
		    c.attempts != cases[i].attempts ||
		    c.rotate != cases[i].rotate)
			fail_msg("%s: %s, %d ms, %u", cases[i].text,
			    servers(&c), (int)c.timeout_ms, c.attempts);
	}
}

/* A server on this link is found on one of the interfaces only. */
static void
an_interface_stays_with_its_address(void **state)
{
	struct resolv_conf c;

	(void)state;
	read_text(&c, "nameserver fe80::1%lo\n");
	assert_int_not_equal(((struct sockaddr_in6 *)&c.server[0])
	    ->sin6_scope_id, 0);
}

static void
no_file(void **state)
{
	struct resolv_conf c;

	(void)state;
	resolv_conf_read(&c, "/nowhere/resolv.conf");
	assert_string_equal(servers(&c), "127.0.0.1:53");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_file_says),
		cmocka_unit_test(an_interface_stays_with_its_address),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
