/*
 * test_tls_connections.c -- SIP over TLS on loopback: as server and as client,
 * who is believed, who serves whom, and what ends a handshake.
 */
#include "config.h"

#include "transport_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "io/tls.h"
#include "tls_rig.h"

/* Made once: keys take their time. */
static struct rig_pki pki;
static struct tls_trust *root, *other;
static struct tls_context *server, *asking_server;
static struct tls_context *client, *known_client;

static int
make_pki(void **state)
{
	(void)state;
	rig_pki_open(&pki);
	root = rig_trust(pki.root_pem, NULL);
	other = rig_trust(pki.other_pem, NULL);
	server = rig_server(pki.server_pem, NULL);
	asking_server = rig_server(pki.server_pem, root);
	client = rig_client(NULL, root);
	known_client = rig_client(pki.client_pem, root);
	return 0;
}

static int
drop_pki(void **state)
{
	(void)state;
	tls_context_free(server);
	tls_context_free(asking_server);
	tls_context_free(client);
	tls_context_free(known_client);
	tls_trust_free(root);
	tls_trust_free(other);
	rig_pki_close(&pki);
	return 0;
}

/* Somebody at the other end. */
struct end {
	int		 fd;
	struct tls	*tls;
};

static struct port *
tls_port(struct rig *rig, struct tls_context *context)
{
	return listen_on(rig, (struct port_conf){
	    .transport = TRANSPORT_TLS, .tls = context });
}

/* As tls_handshake(), while the transports work. */
static int
shake(struct rig *rig, struct end *e)
{
	int64_t end = clock_mono_ms() + ANSWER_MS;
	int rc;

	do {
		rc = tls_handshake(e->tls);
		turn(rig, 1);
	} while (rc == -EAGAIN && clock_mono_ms() < end);
	return rc;
}

static struct end
tls_call(struct rig *rig, const struct port *to, struct tls_context *context)
{
	struct end e = { .fd = call_port(rig, to, "127.0.0.1") };

	e.tls = tls_connect(context, e.fd, RIG_SERVER);
	assert_non_null(e.tls);
	return e;
}

static struct end
tls_take_call(struct rig *rig, int listening, struct tls_context *context)
{
	struct end e = { .fd = take_call(rig, listening) };

	e.tls = tls_accept(context, e.fd);
	assert_non_null(e.tls);
	return e;
}

static void
hang_up(struct end *e)
{
	tls_free(e->tls);
	close(e->fd);
}

static void
tls_say(struct rig *rig, struct end *e, const char *p, size_t len)
{
	int64_t end = clock_mono_ms() + ANSWER_MS;
	ssize_t n;

	while (len > 0 && clock_mono_ms() < end) {
		n = tls_write(e->tls, p, len);
		assert_true(n > 0 || n == -EAGAIN);
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		turn(rig, 0);
	}
	assert_int_equal(len, 0);
}

/* As tls_read(), while the transports work. */
static ssize_t
tls_hear(struct rig *rig, struct end *e, char *buf)
{
	int64_t end = clock_mono_ms() + ANSWER_MS;
	ssize_t n;

	do {
		turn(rig, 1);
		n = tls_read(e->tls, buf, BUF - 1);
	} while (n == -EAGAIN && clock_mono_ms() < end);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static int
tls_answer(struct rig *rig, struct end *e)
{
	static char buf[BUF];
	int status = 0;

	(void)tls_hear(rig, e, buf);
	(void)sscanf(buf, "SIP/2.0 %d", &status);
	return status;
}

static void
answers_come_back(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, server), client);
	size_t len = request(buf, "TLS", "", 100);

	assert_int_equal(shake(rig, &e), 0);
	for (size_t i = 0; i < len; i += 50)
		tls_say(rig, &e, buf + i, len - i < 50 ? len - i : 50);
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_int_equal(rig->last.transport, TRANSPORT_TLS);
	assert_string_equal(rig->peer, "");
	assert_int_equal(counted(rig, "tls"), 1);

	tls_say(rig, &e, "\r\n\r\n", 4);
	assert_int_equal(tls_hear(rig, &e, buf), 2);
	assert_string_equal(buf, "\r\n");
	hang_up(&e);
	run(rig, 20);
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->lost_id, rig->last.connection);
	assert_int_equal(counted(rig, "tls-closed"), 0);
}

static void
who_proved_himself_is_told(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, asking_server),
	    known_client);

	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_string_equal(rig->peer, RIG_CLIENT);
	hang_up(&e);
}

/* A record holds many messages, or a piece of one; and what OpenSSL has read
 * already wakes nobody. */
static void
records_are_no_messages(void **state)
{
	static char all[8 * BUF], one[BUF];
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, server), client);
	size_t len = 0;

	assert_int_equal(shake(rig, &e), 0);
	rig->mute = true;
	for (int i = 0; i < 100; i++) {
		size_t n = request(one, "TLS", "", (size_t)(i * 37 % 9000));

		assert_true(len + n <= sizeof all);
		memcpy(all + len, one, n);
		len += n;
	}
	tls_say(rig, &e, all, len);
	run(rig, 50);
	assert_int_equal(rig->requests, 100);

	rig->mute = false;
	tls_say(rig, &e, one, request(one, "TLS", "", 60000));
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_int_equal(rig->body, 60000);
	hang_up(&e);
}

static void
damage_ends_with_an_answer(void **state)
{
	static const char text[] = "OPTIONS sip:x SIP/2.0\r\n"
	    "Via: SIP/2.0/TLS 127.0.0.1:9\r\nFrom: <sip:a@b>;tag=1\r\n"
	    "To: <sip:x@y>\r\nl: 99999\r\n\r\n";
	static char buf[BUF];
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, server), client);

	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, text, strlen(text));
	assert_int_equal(tls_answer(rig, &e), 413);
	assert_int_equal(tls_hear(rig, &e, buf), 0);	/* close_notify */
	assert_true(is_closed(rig, e.fd, ANSWER_MS));
	hang_up(&e);
	run(rig, 20);
	assert_int_equal(counted(rig, "accepted"), 0);
}

static void
slow_ones_get_it_all(void **state)
{
	static char buf[BUF], text[10001];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, server), client);
	size_t want = 0, got = 0;
	struct hop h = { 0 };
	ssize_t n;

	conf.unsent_bytes = 64 << 20;
	transport_set_conf(rig->transport, &conf);
	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	h.connection = rig->last.connection;
	for (int i = 0; counted(rig, "transport_unsent_bytes") < 1 << 20;
	    i++) {
		memset(text, 'a' + i % 26, 10000);
		assert_int_equal(send_to(rig, h, text, NULL), 0);
		want += 10000;
		turn(rig, 0);
	}
	while (got < want && (n = tls_hear(rig, &e, buf)) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			if (buf[i] != (char)('a' + got / 10000 % 26))
				fail_msg("byte %zu", got);
	assert_int_equal(got, want);
	assert_int_equal(counted(rig, "transport_unsent_bytes"), 0);
	hang_up(&e);
}

static void
balancer_comes_before_tls(void **state)
{
	static const char header[] =
	    "PROXY TCP4 192.0.2.7 127.0.0.1 4711 5061\r\n";
	static char buf[BUF];
	static struct net nets[1];
	struct rig *rig = *state;
	char text[ADDR_TEXT_MAX];
	struct end e;

	assert_true(net_parse(&nets[0], str_of("127.0.0.1")));
	e = tls_call(rig, listen_on(rig, (struct port_conf){
	    .transport = TRANSPORT_TLS, .tls = server, .balancer = nets,
	    .nbalancers = 1 }), client);
	say(e.fd, header, 10);
	turn(rig, 1);
	say(e.fd, header + 10, sizeof header - 11);
	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_string_equal(addr_text(&rig->last.source, text),
	    "192.0.2.7:4711");
	hang_up(&e);
}

/* ---- what ends a handshake with who calls us ---- */

static void
strangers_are_refused(void **state)
{
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, asking_server), client);

	(void)shake(rig, &e);
	assert_true(is_closed(rig, e.fd, ANSWER_MS));
	assert_int_equal(counted(rig, "tls-no-certificate"), 1);
	assert_int_equal(counted(rig, "accepted"), 0);
	assert_int_equal(rig->lost, 0);
	hang_up(&e);
}

static const struct {
	const char	*what, *text;
	bool		 leaves;
	const char	*reason;
} beginnings[] = {
	{ "no TLS", "OPTIONS sip:x SIP/2.0\r\n", false, "tls-protocol" },
	{ "hangs up", "\x16\x03\x01", true, "tls-closed" },
	{ "goes on for ever", "\x16\x03\x01", false, "handshake" },
};

static void
handshakes_that_come_to_nothing(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct port *port = tls_port(rig, server);

	conf.handshake_ms = 200;
	transport_set_conf(rig->transport, &conf);
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		int fd = call_port(rig, port, "127.0.0.1");

		say(fd, beginnings[i].text, strlen(beginnings[i].text));
		if (beginnings[i].leaves)
			assert_int_equal(shutdown(fd, SHUT_WR), 0);
		if (!is_closed(rig, fd, 1000))
			fail_msg("%s: open", beginnings[i].what);
		if (counted(rig, beginnings[i].reason) != 1)
			fail_msg("%s: not counted", beginnings[i].what);
		close(fd);
	}
	assert_int_equal(counted(rig, "accepted"), 0);
}

/* What it takes to shake hands is over then. */
static void
shaken_hands_are_no_more_waited_for(void **state)
{
	static char buf[BUF];
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct end e = tls_call(rig, tls_port(rig, server), client);

	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	conf.handshake_ms = 100;
	transport_set_conf(rig->transport, &conf);
	run(rig, 300);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	hang_up(&e);
}

/* ---- as client ---- */

static struct hop
hop_to(struct port *from, const struct addr *to, struct tls_context *context,
    const char *name)
{
	return (struct hop){ .port = from, .addr = *to,
	    .tls = { .context = context, .name = name } };
}

/* What is sent while hands are shaken waits. */
static void
we_are_clients(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct port *from = tls_port(rig, server);
	struct addr to;
	int listening = listener(4, &to);
	struct hop h = hop_to(from, &to, known_client, RIG_SERVER);
	uint32_t id[3];
	struct end e;

	assert_int_equal(send_to(rig, h, "abc", &id[0]), 0);
	e = tls_take_call(rig, listening, asking_server);
	assert_int_equal(send_to(rig, h, "def", &id[1]), 0);
	assert_int_equal(shake(rig, &e), 0);
	assert_true(tls_peer_has_name(tls_peer(e.tls), RIG_CLIENT));
	assert_int_equal(tls_hear(rig, &e, buf), 6);
	assert_string_equal(buf, "abcdef");
	assert_int_equal(send_to(rig, h, "ghi", &id[2]), 0);
	assert_int_equal(tls_hear(rig, &e, buf), 3);
	assert_true(id[0] == id[1] && id[1] == id[2]);

	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_string_equal(rig->peer, RIG_SERVER);
	hang_up(&e);
	close(listening);
	run(rig, 20);
	assert_int_equal(rig->lost, 1);
}

/* That is for who calls us, not for whom we call. */
static void
handshakes_of_others_are_bounded(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct port *port = tls_port(rig, server);
	struct addr to;
	int listening = listener(4, &to), fd;
	struct end e;

	rig->exhausted = true;
	fd = call_port(rig, port, "127.0.0.1");
	assert_true(is_closed(rig, fd, ANSWER_MS));
	close(fd);
	assert_int_equal(counted(rig, "handshakes"), 1);

	assert_int_equal(send_to(rig, hop_to(port, &to, client, RIG_SERVER),
	    "abc", NULL), 0);
	e = tls_take_call(rig, listening, server);
	assert_int_equal(shake(rig, &e), 0);
	assert_int_equal(tls_hear(rig, &e, buf), 3);
	assert_int_equal(counted(rig, "handshakes"), 1);
	hang_up(&e);
	close(listening);
}

/* One that was verified for another name, or by other authorities, is no
 * way; nor is one without TLS, nor one that called us. */
static void
names_are_kept_apart(void **state)
{
	static char buf[BUF];
	struct rig *rig = *state;
	struct port *from = tls_port(rig, server);
	struct tls_context *believer = rig_client(NULL, NULL);
	struct addr to;
	int listening = listener(8, &to), plain;
	const struct hop hops[] = {
		hop_to(from, &to, client, RIG_SERVER),
		hop_to(from, &to, client, "another.example"),
		hop_to(from, &to, believer, RIG_SERVER),
		hop_to(from, &to, client, NULL),
		hop_to(rig->tcp, &to, NULL, NULL),
	};
	uint32_t id[COUNT(hops)];
	struct end e;

	for (size_t i = 0; i < COUNT(hops); i++) {
		assert_int_equal(send_to(rig, hops[i], "abc", &id[i]), 0);
		for (size_t j = 0; j < i; j++)
			assert_true(id[i] != id[j]);
	}
	e = tls_call(rig, from, client);
	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_int_equal(send_to(rig, hop_to(from, &rig->last.source, client,
	    NULL), "abc", &id[0]), 0);
	assert_true(id[0] != rig->last.connection);
	plain = take_call(rig, listening);
	close(plain);
	hang_up(&e);
	close(listening);
	run(rig, 20);
	tls_context_free(believer);
}

static void
hops_must_be_sound(void **state)
{
	static char name[300], buf[BUF];
	struct rig *rig = *state;
	struct port *from = tls_port(rig, server);
	struct end e = tls_call(rig, from, client);
	struct addr to;
	int listening = listener(4, &to);

	memset(name, 'a', sizeof name - 1);
	assert_int_equal(send_to(rig, hop_to(from, &to, NULL, RIG_SERVER),
	    "abc", NULL), -EINVAL);
	assert_int_equal(send_to(rig, hop_to(from, &to, client, name), "abc",
	    NULL), -EINVAL);
	/* nobody verified who called */
	assert_int_equal(shake(rig, &e), 0);
	tls_say(rig, &e, buf, request(buf, "TLS", "", 0));
	assert_int_equal(tls_answer(rig, &e), 200);
	assert_int_equal(send_to(rig, hop_to(from, &rig->last.source, NULL,
	    NULL), "abc", NULL), -EINVAL);
	assert_int_equal(counted(rig, "outgoing"), 0);
	hang_up(&e);
	close(listening);
}

static void
servers_are_verified(void **state)
{
	struct rig *rig = *state;
	struct port *from = tls_port(rig, server);
	struct tls_context *astray = rig_client(NULL, other);
	const struct {
		const char		*reason, *name;
		struct tls_context	*ours, *theirs;
	} cases[] = {
		{ "tls-wrong-name", "another.example", client, server },
		{ "tls-unknown-authority", RIG_SERVER, astray, server },
		{ "tls-refused-us", RIG_SERVER, client, asking_server },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr to;
		int listening = listener(4, &to);
		struct hop h = hop_to(from, &to, cases[i].ours,
		    cases[i].name);
		uint32_t id;
		struct end e;

		assert_int_equal(send_to(rig, h, "secret", &id), 0);
		e = tls_take_call(rig, listening, cases[i].theirs);
		(void)shake(rig, &e);
		run(rig, 20);
		if (counted(rig, cases[i].reason) != 1)
			fail_msg("%s", cases[i].reason);
		assert_int_equal(rig->lost, i + 1);
		assert_int_equal(rig->lost_id, id);
		assert_int_equal(counted(rig, "transport_unsent_bytes"), 0);
		hang_up(&e);
		close(listening);
	}
	tls_context_free(astray);
}

static void
deaf_servers_are_given_up(void **state)
{
	struct transport_conf conf = generous;
	struct rig *rig = *state;
	struct port *from = tls_port(rig, server);
	struct addr to;
	int listening = listener(4, &to), fd;

	conf.connect_ms = 200;
	transport_set_conf(rig->transport, &conf);
	assert_int_equal(send_to(rig, hop_to(from, &to, client, RIG_SERVER),
	    "abc", NULL), 0);
	fd = take_call(rig, listening);
	assert_true(is_closed(rig, fd, 1000));
	assert_int_equal(counted(rig, "connect"), 1);
	assert_int_equal(rig->lost, 1);
	close(fd);
	close(listening);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(answers_come_back),
		T(who_proved_himself_is_told),
		T(records_are_no_messages),
		T(damage_ends_with_an_answer),
		T(slow_ones_get_it_all),
		T(balancer_comes_before_tls),
		T(strangers_are_refused),
		T(handshakes_that_come_to_nothing),
		T(shaken_hands_are_no_more_waited_for),
		T(we_are_clients),
		T(handshakes_of_others_are_bounded),
		T(names_are_kept_apart),
		T(hops_must_be_sound),
		T(servers_are_verified),
		T(deaf_servers_are_given_up),
	};
#undef T
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open(null, LOG_TEXT, LEVEL_ERROR);
	return cmocka_run_group_tests_name("tls_connections", tests, make_pki,
	    drop_pki);
}
