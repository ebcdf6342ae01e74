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

#include "base/count.h"
#include "io/dns_servers.h"

/* "127.0.0.1:53, ::1:53" */
static const char *
servers(const struct dns_servers *s)
{
	static char out[300];
	char text[INET6_ADDRSTRLEN];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		const struct ares_addr_port_node *a = &s->server[i];

		assert_int_equal(a->udp_port, a->tcp_port);
		inet_ntop(a->family, &a->addr, text, sizeof text);
		len += (size_t)snprintf(out + len, sizeof out - len,
		    "%s%s:%d", i == 0 ? "" : ", ", text, a->udp_port);
	}
	return out;
}

static void
read_text(struct dns_servers *s, const char *text)
{
	char path[] = "/tmp/test_dns_servers.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	memset(s, 0xa5, sizeof *s);
	assert_true(dns_servers_read(s, path));
	unlink(path);
}

static void
what_the_file_says(void **state)
{
	static const struct {
		const char	*text, *servers;
		int		 timeout_ms, attempts;
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
		{ "nameserver fe80::1%lo\nnameserver ::1\n", "::1:53", 1000,
		    3, false },
		{ "nameserver\nnameserver localhost\nnameserver 1.2.3.400\n"
		    "options\nport\nport x\n", "127.0.0.1:53", 1000, 3,
		    false },
		{ "nameservers 192.0.2.1\n", "127.0.0.1:53", 1000, 3,
		    false },
		/* What c-ares might stumble over does not concern us. */
		{ "sortlist 130.155.160.0000000000/255.255.240.0\nlookup \n"
		    "domain\nnameserver 192.0.2.1\n", "192.0.2.1:53", 1000,
		    3, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dns_servers s;

		read_text(&s, cases[i].text);
		if (strcmp(servers(&s), cases[i].servers) != 0 ||
		    s.timeout_ms != cases[i].timeout_ms ||
		    s.attempts != cases[i].attempts ||
		    s.rotate != cases[i].rotate)
			fail_msg("%s: %s, %d ms, %d", cases[i].text,
			    servers(&s), s.timeout_ms, s.attempts);
	}
}

static void
no_file(void **state)
{
	struct dns_servers s;

	(void)state;
	assert_true(dns_servers_read(&s, "/nowhere/resolv.conf"));
	assert_string_equal(servers(&s), "127.0.0.1:53");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_file_says),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
