/* TLS connections: what is spoken, what is refused, and how they end. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/count.h"
#include "io/tls_inner.h"
#include "tls_rig.h"

static void
versions(void **state)
{
	struct rig_ends *e = *state;

	rig_meet(e);
	rig_pair_works(&e->pair);
	assert_int_equal(SSL_version(e->pair.client.tls->ssl),
	    TLS1_3_VERSION);
	rig_last_version(e->client, 12);
	rig_meet(e);
	rig_pair_works(&e->pair);
	assert_int_equal(SSL_version(e->pair.client.tls->ssl),
	    TLS1_2_VERSION);
	rig_last_version(e->client, 11);
	rig_meet(e);
	rig_failed(&e->pair.server, TLS_FAIL_PROTOCOL);
	rig_failed(&e->pair.client, TLS_FAIL_PROTOCOL);
}

static void
a_server_may_want_the_newest_version(void **state)
{
	struct rig_ends *e = *state;
	char why[TLS_WHY_MAX];

	tls_context_free(e->server);
	e->server = tls_server_context_new(&(struct tls_server_conf){
		.certificate = &(struct tls_certificate){ rig_pki.server_pem,
		NULL }, .ncertificates = 1, .min_version = 13 }, why);
	rig_meet(e);
	rig_pair_works(&e->pair);
	rig_last_version(e->client, 12);
	rig_meet(e);
	rig_failed(&e->pair.server, TLS_FAIL_PROTOCOL);
}

static void
nobody_renegotiates(void **state)
{
	struct rig_ends *e = *state;
	char byte;

	rig_last_version(e->client, 12);
	rig_meet(e);
	rig_pair_works(&e->pair);
	SSL_clear_options(e->pair.client.tls->ssl, SSL_OP_NO_RENEGOTIATION);
	assert_int_equal(SSL_renegotiate(e->pair.client.tls->ssl), 1);
	SSL_do_handshake(e->pair.client.tls->ssl);
	assert_int_equal(tls_read(e->pair.server.tls, &byte, 1), -EAGAIN);
	assert_true(tls_read(e->pair.client.tls, &byte, 1) < 0);
	assert_int_equal(tls_failure(e->pair.client.tls), TLS_FAIL_PROTOCOL);
}

static const struct {
	const char	*offer;		/* as on the wire; NULL: none */
	const char	*chosen;
} protocols[] = {
	{ NULL, "" },
	{ "\005sip/2", "sip/2" },
	{ "\002h2\005sip/2", "sip/2" },
	{ "\002h2", "" },
};

static void
application_protocols(void **state)
{
	struct rig_ends *e = *state;

	for (size_t i = 0; i < COUNT(protocols); i++) {
		const char *offer = protocols[i].offer;
		const unsigned char *p;
		unsigned len;

		rig_pair_close(&e->pair);
		rig_pair_open(&e->pair, e->server, e->client, RIG_SERVER);
		if (offer != NULL)
			SSL_set_alpn_protos(e->pair.client.tls->ssl,
			    (const unsigned char *)offer,
			    (unsigned)strlen(offer));
		rig_pair_shake(&e->pair);
		rig_pair_works(&e->pair);
		SSL_get0_alpn_selected(e->pair.client.tls->ssl, &p, &len);
		assert_int_equal(len, strlen(protocols[i].chosen));
		assert_memory_equal(p, protocols[i].chosen, len);
	}
}

static const struct {
	const char	*says;
	enum tls_failure want;
} no_tls[] = {
	{ "OPTIONS sip:a SIP/2.0\r\n\r\n", TLS_FAIL_PROTOCOL },
	{ "GET / HTTP/1.0\r\n\r\n", TLS_FAIL_PROTOCOL },
	{ "\x16\x03\x01\x02", TLS_FAIL_CLOSED },
	{ "", TLS_FAIL_CLOSED },
};

static void
who_speaks_no_tls(void **state)
{
	struct rig_ends *e = *state;

	for (size_t i = 0; i < COUNT(no_tls); i++) {
		struct rig_end *s = &e->pair.server;
		size_t len = strlen(no_tls[i].says);

		rig_pair_close(&e->pair);
		rig_pair_open(&e->pair, e->server, e->client, RIG_SERVER);
		assert_int_equal(tls_handshake(s->tls), -EAGAIN);
		assert_false(tls_wants_out(s->tls));
		assert_int_equal(write(e->pair.client.fd, no_tls[i].says,
		    len), len);
		shutdown(e->pair.client.fd, SHUT_WR);
		assert_true(tls_handshake(s->tls) < 0);
		rig_failed(s, no_tls[i].want);
		assert_int_not_equal(tls_handshake(s->tls), 0);
		assert_int_not_equal(tls_handshake(s->tls), -EAGAIN);
	}
}

static void
an_end_is_an_end(void **state)
{
	struct rig_ends *e = *state;
	char byte;

	for (int polite = 0; polite < 2; polite++) {
		rig_meet(e);
		rig_pair_works(&e->pair);
		if (polite) {
			tls_free(e->pair.client.tls);
			e->pair.client.tls = NULL;
		}
		close(e->pair.client.fd);
		e->pair.client.fd = -1;
		assert_int_equal(tls_read(e->pair.server.tls, &byte, 1), 0);
		assert_int_equal(tls_read(e->pair.server.tls, &byte, 1), 0);
		rig_failed(&e->pair.server, TLS_FAIL_NONE);
		assert_true(tls_write(e->pair.server.tls, "x", 1) < 0);
		rig_failed(&e->pair.server, TLS_FAIL_CLOSED);
	}
}

static void
garbage_after_the_handshake(void **state)
{
	struct rig_ends *e = *state;
	static const char record[] = "\x17\x03\x03\0\x20"
	    "0123456789abcdef0123456789abcdef";
	char byte;

	rig_meet(e);
	rig_pair_works(&e->pair);
	assert_int_equal(write(e->pair.client.fd, record,
	    sizeof record - 1), sizeof record - 1);
	assert_int_equal(tls_read(e->pair.server.tls, &byte, 1), -EPROTO);
	rig_failed(&e->pair.server, TLS_FAIL_PROTOCOL);
	assert_int_equal(tls_read(e->pair.server.tls, &byte, 1), -EPROTO);
	assert_int_equal(tls_write(e->pair.server.tls, "x", 1), -EPROTO);
}

static void
bytes_that_the_socket_does_not_announce(void **state)
{
	struct rig_ends *e = *state;
	struct tls *s;
	char p[100] = "";

	rig_meet(e);
	s = e->pair.server.tls;
	assert_false(tls_has_bytes(s));
	assert_int_equal(tls_write(e->pair.client.tls, p, 70), 70);
	assert_int_equal(tls_write(e->pair.client.tls, p, 30), 30);
	assert_int_equal(tls_read(s, p, 50), 50);
	assert_true(tls_has_bytes(s));
	assert_int_equal(tls_read(s, p, 50), 20);
	assert_true(tls_has_bytes(s));
	assert_int_equal(tls_read(s, p, 50), 30);
	assert_false(tls_has_bytes(s));
	assert_int_equal(tls_read(s, p, 50), -EAGAIN);
	assert_false(tls_wants_out(s));
}

/* Read ahead, OpenSSL holds a piece that is no use yet. */
static void
half_a_record_is_nothing_to_fetch(void **state)
{
	struct rig_ends *e = *state;
	char wire[200], p[10];
	ssize_t n;

	rig_meet(e);
	assert_int_equal(tls_write(e->pair.client.tls, "0123456789", 10), 10);
	n = recv(e->pair.server.fd, wire, sizeof wire, 0);
	assert_in_range(n, 20, sizeof wire);
	assert_int_equal(write(e->pair.client.fd, wire, 15), 15);
	assert_int_equal(tls_read(e->pair.server.tls, p, sizeof p), -EAGAIN);
	assert_false(tls_has_bytes(e->pair.server.tls));
	assert_int_equal(write(e->pair.client.fd, wire + 15, (size_t)n - 15),
	    n - 15);
	assert_int_equal(tls_read(e->pair.server.tls, p, sizeof p), 10);
}

static void
a_full_socket_is_waited_for(void **state)
{
	struct rig_ends *e = *state;
	static char p[65536];
	struct tls *from, *to;
	size_t sent = 0, got = 0;
	ssize_t n;

	rig_meet(e);
	from = e->pair.server.tls;
	to = e->pair.client.tls;
	assert_int_equal(tls_write(from, p, 0), 0);
	while ((n = tls_write(from, p, sizeof p)) > 0)
		sent += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	assert_true(tls_wants_out(from));
	assert_true(sent > 0);
	while ((n = tls_read(to, p, sizeof p)) > 0)
		got += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	while ((n = tls_write(from, p, sizeof p)) > 0)
		sent += (size_t)n;
	while ((n = tls_read(to, p, sizeof p)) > 0)
		got += (size_t)n;
	assert_true(got <= sent + sizeof p && got > sent / 2);
}

/* What an earlier call left behind in OpenSSL's queue is not ours. */
static void
old_errors_do_not_count(void **state)
{
	struct rig_ends *e = *state;
	char byte;

	rig_meet(e);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	assert_int_equal(tls_read(e->pair.server.tls, &byte, 1), -EAGAIN);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	rig_pair_works(&e->pair);
	rig_pair_close(&e->pair);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_ENDS_TEST(versions),
		RIG_ENDS_TEST(a_server_may_want_the_newest_version),
		RIG_ENDS_TEST(nobody_renegotiates),
		RIG_ENDS_TEST(application_protocols),
		RIG_ENDS_TEST(who_speaks_no_tls),
		RIG_ENDS_TEST(an_end_is_an_end),
		RIG_ENDS_TEST(garbage_after_the_handshake),
		RIG_ENDS_TEST(bytes_that_the_socket_does_not_announce),
		RIG_ENDS_TEST(half_a_record_is_nothing_to_fetch),
		RIG_ENDS_TEST(a_full_socket_is_waited_for),
		RIG_ENDS_TEST(old_errors_do_not_count),
	};

	return cmocka_run_group_tests(tests, rig_pki_setup,
	    rig_pki_teardown);
}
