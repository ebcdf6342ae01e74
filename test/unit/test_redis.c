/* The link to Redis: ways to reach it, what it refuses, fail-over, and
 * servers that are none. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/count.h"
#include "io/dns.h"
#include "io/loop.h"
#include "io/redis_link.h"
#include "redis_rig.h"

enum { WAIT_MS = 8000, TIMEOUT_MS = 200, IN_FLIGHT = 100 };

struct rig {
	struct loop		*loop;
	struct dns		*dns;
	struct server		 server, second, sentinel;
	struct redis_link	*link;
	struct redis_link_conf	 conf;
	bool			 up, down, answered;
	unsigned		 ups, downs, answers, lost;
	char			 reason[128], text[128];
	int			 fake;		/* a listening socket */
};

static void
went_up(void *arg)
{
	struct rig *r = arg;

	r->up = true;
	r->ups++;
}

static void
went_down(void *arg, const char *reason)
{
	struct rig *r = arg;

	r->up = false;
	r->down = true;
	r->downs++;
	snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static void
answered(void *arg, const struct redisReply *reply)
{
	struct rig *r = arg;
	struct str text = redis_text(reply);

	r->answered = true;
	if (redis_kind(reply) == REDIS_NOTHING)
		r->lost++;
	else
		r->answers++;
	snprintf(r->text, sizeof r->text, "%.*s", (int)text.len, text.p);
}

#define SEND(r, ...) redis_link_send((r)->link, &(struct redis_args){ \
    COUNT(((struct str[]){ __VA_ARGS__ })), (struct str[]){ __VA_ARGS__ } }, \
    answered, (r))
#define W(s) str_of(s)

static int
setup(void **state)
{
	static const struct conf_list none;
	struct rig *r = calloc(1, sizeof *r);

	*state = r;
	r->loop = loop_new();
	r->dns = dns_new(r->loop, NULL);
	r->fake = -1;
	r->conf = (struct redis_link_conf){ .loop = r->loop, .dns = r->dns,
		.sentinels = &none, .timeout_ms = TIMEOUT_MS,
		.in_flight = IN_FLIGHT };
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	redis_link_free(r->link);
	server_end(&r->sentinel);
	server_end(&r->second);
	server_end(&r->server);
	if (r->fake >= 0)
		close(r->fake);
	dns_free(r->dns);
	loop_free(r->loop);
	free(r);
	return 0;
}

static void
open_link(struct rig *r, const char *fmt, ...)
{
	struct redis_link_hooks hooks = { went_up, went_down, r };
	const char *why;
	char url[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(url, sizeof url, fmt, ap);
	va_end(ap);
	redis_link_free(r->link);
	r->up = r->down = r->answered = false;
	assert_null(redis_url_parse(&r->conf.url, url));
	r->link = redis_link_new(&r->conf, &hooks, &why);
	if (r->link == NULL)
		fail_msg("%s", why);
}

static const char *
ask(struct rig *r, const char *a, const char *b)
{
	r->answered = false;
	if (b == NULL)
		assert_true(SEND(r, W(a)));
	else
		assert_true(SEND(r, W(a), W(b)));
	assert_true(run_until(r->loop, &r->answered, WAIT_MS));
	return r->text;
}

static void
comes_up(struct rig *r)
{
	if (!run_until(r->loop, &r->up, WAIT_MS))
		fail_msg("not up: %s", r->reason);
}

static void
is_refused(struct rig *r, const char *reason)
{
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
	assert_string_equal(r->reason, reason);
}

static void
tcp_and_names(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	r->server.args[0] = "--bind";
	r->server.args[1] = RIG_HOST " 127.0.0.1";
	server_start(&r->server);
	open_link(r, "redis://%s:%u", RIG_HOST, r->server.port);
	comes_up(r);
	assert_string_equal(ask(r, "PING", NULL), "PONG");
	open_link(r, "redis://localhost:%u", r->server.port);
	comes_up(r);
	assert_string_equal(ask(r, "ECHO", "a\r\nb"), "a\r\nb");
	open_link(r, "redis://no_such-name.invalid:%u", r->server.port);
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
}

static void
a_database_of_its_own(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	server_start(&r->server);
	server_do(&r->server, "SET here 0");
	open_link(r, "redis://%s:%u/3", RIG_HOST, r->server.port);
	comes_up(r);
	assert_string_equal(ask(r, "GET", "here"), "");
	open_link(r, "redis://%s:%u/0", RIG_HOST, r->server.port);
	comes_up(r);
	assert_string_equal(ask(r, "GET", "here"), "0");
	open_link(r, "redis://%s:%u/99", RIG_HOST, r->server.port);
	is_refused(r, "the server refuses this database");
}

static void
unix_sockets(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	r->server.args[0] = "--unixsocket";
	r->server.args[1] = "sock";
	server_start(&r->server);
	open_link(r, "unix://%s/sock?db=1", r->server.dir);
	comes_up(r);
	assert_string_equal(ask(r, "PING", NULL), "PONG");
	assert_non_null(strstr(redis_link_where(r->link), "/sock"));
	open_link(r, "unix://%s/other", r->server.dir);
	is_refused(r, "No such file or directory");
}

static void
users_and_passwords(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	server_start(&r->server);
	server_do(&r->server, "ACL SETUSER bob on >hu@sh ~* +@all");
	open_link(r, "redis://bob:hu%%40sh@%s:%u", RIG_HOST, r->server.port);
	comes_up(r);
	assert_string_equal(ask(r, "ACL", "WHOAMI"), "bob");
	open_link(r, "redis://bob:wrong@%s:%u", RIG_HOST, r->server.port);
	is_refused(r, "the server refuses user and password");
	server_do(&r->server, "CONFIG SET requirepass secret");
	open_link(r, "redis://:secret@%s:%u/2", RIG_HOST, r->server.port);
	comes_up(r);
	assert_string_equal(ask(r, "ACL", "WHOAMI"), "default");
	open_link(r, "redis://:guess@%s:%u", RIG_HOST, r->server.port);
	is_refused(r, "the server refuses user and password");
}

static void
shell(const struct server *s, const char *fmt, ...)
{
	char command[1024];
	int n = snprintf(command, sizeof command, "cd '%s' && ", s->dir);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command + n, sizeof command - (size_t)n, fmt, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

#define OPENSSL "openssl req -x509 -newkey ec -pkeyopt " \
    "ec_paramgen_curve:prime256v1 -nodes -days 2 "

static void
tls_verifies_chain_and_name(void **state)
{
	struct rig *r = *state;
	struct server *s = &r->server;
	char ca[96], other[96], port[8];

	NEED_REDIS();
	snprintf(s->dir, sizeof s->dir, "/tmp/test_redis.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	shell(s, OPENSSL "-keyout key.pem -out cert.pem -subj /CN=x "
	    "-addext subjectAltName=DNS:localhost 2>log0");
	shell(s, OPENSSL "-keyout key2.pem -out other.pem -subj /CN=x "
	    "-addext subjectAltName=DNS:localhost 2>log0");
	s->tls_port = server_free_port();
	snprintf(port, sizeof port, "%u", s->tls_port);
	s->args[0] = "--tls-port";
	s->args[1] = port;
	s->args[2] = "--tls-cert-file";
	s->args[3] = "cert.pem";
	s->args[4] = "--tls-key-file";
	s->args[5] = "key.pem";
	s->args[6] = "--tls-auth-clients";
	s->args[7] = "no";
	s->args[8] = "--tls-ca-cert-file";
	s->args[9] = "cert.pem";
	s->args[10] = "--bind";
	s->args[11] = RIG_HOST " 127.0.0.1";
	server_start(s);
	snprintf(ca, sizeof ca, "%s/cert.pem", s->dir);
	snprintf(other, sizeof other, "%s/other.pem", s->dir);
	r->conf.ca = ca;
	open_link(r, "rediss://localhost:%u", s->tls_port);
	comes_up(r);
	for (int i = 0; i < 50; i++)
		SEND(r, W("ECHO"), W("many"));
	assert_string_equal(ask(r, "PING", NULL), "PONG");
	open_link(r, "rediss://%s:%u", RIG_HOST, s->tls_port);
	is_refused(r, "the server's certificate is for another name");
	r->conf.ca = other;
	open_link(r, "rediss://localhost:%u", s->tls_port);
	is_refused(r, "the server's certificate is self-signed");
	r->conf.ca = ca;
	open_link(r, "rediss://localhost:%u", s->port);
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
	/* and no plain text where TLS is meant */
	open_link(r, "redis://127.0.0.1:%u", s->tls_port);
	comes_up(r);
	r->answered = false;
	SEND(r, W("PING"));
	assert_true(run_until(r->loop, &r->answered, WAIT_MS));
	assert_true(r->lost > 0);
}

static void
the_queue_is_bounded(void **state)
{
	struct rig *r = *state;
	unsigned sent = 0;

	NEED_REDIS();
	server_start(&r->server);
	open_link(r, "redis://%s:%u", RIG_HOST, r->server.port);
	comes_up(r);
	for (int i = 0; i < IN_FLIGHT + 50; i++)
		sent += SEND(r, W("PING"));
	assert_int_equal(sent, IN_FLIGHT);
	run_for(r->loop, 100);
	assert_int_equal(r->answers, IN_FLIGHT);
	assert_string_equal(ask(r, "PING", NULL), "PONG");
}

static void
late_answers_are_not_looked_at(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	server_start(&r->server);
	open_link(r, "redis://%s:%u", RIG_HOST, r->server.port);
	comes_up(r);
	server_signal(&r->server, SIGSTOP);
	for (int i = 0; i < 5; i++)
		SEND(r, W("ECHO"), W("late"));
	run_for(r->loop, TIMEOUT_MS + 50);
	assert_int_equal(r->lost, 5);
	server_signal(&r->server, SIGCONT);
	assert_string_equal(ask(r, "ECHO", "timely"), "timely");
	assert_int_equal(r->answers, 1);
	assert_int_equal(r->downs, 0);
	/* nothing for a while: the connection is given up */
	server_signal(&r->server, SIGSTOP);
	SEND(r, W("PING"));
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
	assert_string_equal(r->reason, "the server does not answer");
	assert_int_equal(r->lost, 6);
	server_signal(&r->server, SIGCONT);
	comes_up(r);
}

static void
it_comes_back(void **state)
{
	struct rig *r = *state;

	NEED_REDIS();
	server_start(&r->server);
	open_link(r, "redis://%s:%u", RIG_HOST, r->server.port);
	comes_up(r);
	for (unsigned i = 2; i < 5; i++) {
		server_do(&r->server, "CLIENT KILL TYPE normal");
		assert_true(run_until(r->loop, &r->down, WAIT_MS));
		assert_false(SEND(r, W("PING")));
		r->down = false;
		comes_up(r);
		assert_int_equal(r->ups, i);
	}
	server_kill(&r->server);
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
	run_for(r->loop, 3000);
	assert_in_range(r->downs, 5, 12);	/* ever more slowly */
	assert_string_equal(r->reason, "Connection refused");
	server_start(&r->server);
	comes_up(r);
	assert_string_equal(ask(r, "PING", NULL), "PONG");
}

/* What a server that is none says to whoever connects. */
static const struct {
	const char *says, *reason;
} fakes[] = {
	{ "HTTP/1.1 200 OK\r\n\r\n", "the server does not speak Redis" },
	{ "+OK\r\n+OK\r\n", "a reply to nothing" },
	{ "*-7\r\n", "the server does not speak Redis" },
	{ "$999999999999999999999\r\n", "the server does not speak Redis" },
	{ "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
	    "the server does not speak Redis" },
	{ "", "the server closed the connection" },
};

static uint16_t
fake_open(struct rig *r)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;

	inet_pton(AF_INET, RIG_HOST, &in.sin_addr);
	r->fake = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(r->fake, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(listen(r->fake, 5), 0);
	getsockname(r->fake, (struct sockaddr *)&in, &len);
	return ntohs(in.sin_port);
}

static void
what_is_no_redis_is_left(void **state)
{
	struct rig *r = *state;
	uint16_t port = fake_open(r);
	int fd;

	for (size_t i = 0; i < COUNT(fakes); i++) {
		open_link(r, "redis://%s:%u", RIG_HOST, port);
		comes_up(r);
		fd = accept(r->fake, NULL, NULL);
		SEND(r, W("PING"));
		assert_int_equal(write(fd, fakes[i].says,
		    strlen(fakes[i].says)), strlen(fakes[i].says));
		if (fakes[i].says[0] == '\0')
			shutdown(fd, SHUT_WR);
		is_refused(r, fakes[i].reason);
		close(fd);
	}
}

static void
a_reply_without_end(void **state)
{
	struct rig *r = *state;
	uint16_t port = fake_open(r);
	char zeros[4096];
	int fd;

	memset(zeros, '0', sizeof zeros);
	open_link(r, "redis://%s:%u", RIG_HOST, port);
	comes_up(r);
	fd = accept(r->fake, NULL, NULL);
	assert_int_equal(write(fd, "$400000000\r\n", 12), 12);
	for (int i = 0; i < 1000 && !r->down; i++) {
		if (send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) < 0)
			break;
		run_for(r->loop, 1);
	}
	is_refused(r, "a reply without end");
	close(fd);
}

static void
nobody_answers_the_connection(void **state)
{
	struct rig *r = *state;
	uint16_t port = fake_open(r);

	/* A TLS handshake with a server that is silent. */
	open_link(r, "rediss://%s:%u", RIG_HOST, port);
	is_refused(r, "no connection in time");
}

static void
start_sentinel(struct rig *r)
{
	struct server *s = &r->sentinel;
	char path[96];
	FILE *f;

	snprintf(s->dir, sizeof s->dir, "/tmp/test_redis.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(path, sizeof path, "%s/sentinel.conf", s->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "sentinel monitor ours %s %u 1\n"
	    "sentinel down-after-milliseconds ours 300\n"
	    "sentinel failover-timeout ours 2000\n", RIG_HOST,
	    r->server.port);
	fclose(f);
	s->sentinel = true;
	server_start(s);
}

static void
sentinels_lead_to_the_master(void **state)
{
	struct rig *r = *state;
	char port[8], one[32], two[32], where[32];
	const char *names[2] = { one, two };
	struct conf_list list = { .n = 2, .v = names };

	NEED_REDIS();
	server_start(&r->server);
	snprintf(port, sizeof port, "%u", r->server.port);
	r->second.args[0] = "--replicaof";
	r->second.args[1] = RIG_HOST;
	r->second.args[2] = port;
	r->second.args[3] = "--replica-announce-ip";
	r->second.args[4] = RIG_HOST;
	server_start(&r->second);
	start_sentinel(r);
	/* the first does not exist */
	snprintf(one, sizeof one, "%s:1", RIG_HOST);
	snprintf(two, sizeof two, "%s:%u", RIG_HOST, r->sentinel.port);
	r->conf.sentinels = &list;
	r->conf.master = "theirs";
	open_link(r, "redis://sentinels/0");
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
	r->conf.master = "ours";
	open_link(r, "redis://sentinels/0");
	comes_up(r);
	snprintf(where, sizeof where, "%s:%u", RIG_HOST, r->server.port);
	assert_string_equal(redis_link_where(r->link), where);
	/* until there is a replica, and the sentinel knows */
	for (int i = 0; i < 100 && strstr(server_do(&r->second, "INFO"),
	    "master_link_status:up") == NULL; i++)
		run_for(r->loop, 100);
	for (int i = 0; i < 150 && strstr(server_do(&r->sentinel,
	    "INFO sentinel"), "slaves=1") == NULL; i++)
		run_for(r->loop, 100);
	server_kill(&r->server);
	assert_true(run_until(r->loop, &r->down, WAIT_MS));
	snprintf(where, sizeof where, "%s:%u", RIG_HOST, r->second.port);
	for (int i = 0; i < 200 && (!r->up ||
	    strcmp(redis_link_where(r->link), where) != 0); i++)
		run_for(r->loop, 100);
	assert_true(r->up);
	assert_string_equal(redis_link_where(r->link), where);
	assert_string_equal(ask(r, "PING", NULL), "PONG");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(tcp_and_names),
		T(a_database_of_its_own),
		T(unix_sockets),
		T(users_and_passwords),
		T(tls_verifies_chain_and_name),
		T(the_queue_is_bounded),
		T(late_answers_are_not_looked_at),
		T(it_comes_back),
		T(what_is_no_redis_is_left),
		T(a_reply_without_end),
		T(nobody_answers_the_connection),
		T(sentinels_lead_to_the_master),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
