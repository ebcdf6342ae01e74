/* TLS sessions that go on, and what ends that: new files, time, names. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/tls_inner.h"
#include "tls_rig.h"

static bool
meets_again(struct rig_ends *e)
{
	bool reused;

	rig_meet(e);
	rig_pair_works(&e->pair);
	reused = SSL_session_reused(e->pair.client.tls->ssl);
	assert_int_equal(SSL_session_reused(e->pair.server.tls->ssl),
	    reused);
	assert_true(tls_peer_vouched(tls_peer(e->pair.client.tls),
	    e->trust));
	assert_true(tls_peer_has_name(tls_peer(e->pair.client.tls),
	    RIG_SERVER));
	return reused;
}

static void
sessions_go_on(void **state)
{
	struct rig_ends *e = *state;

	for (int version = 13; version >= 12; version--) {
		rig_last_version(e->client, version);
		tls_cache_fini(&e->client->setup->cache);
		assert_false(meets_again(e));
		assert_true(meets_again(e));
		assert_true(meets_again(e));
	}
}

static void
sessions_are_of_one_name(void **state)
{
	struct rig_ends *e = *state;

	assert_false(meets_again(e));
	rig_pair_close(&e->pair);
	rig_pair_open(&e->pair, e->server, e->client, "other.example");
	rig_pair_shake(&e->pair);
	rig_failed(&e->pair.client, TLS_FAIL_NAME);
	assert_true(meets_again(e));
}

static void
what_is_replaced_ends_sessions_to_come(void **state)
{
	struct rig_ends *e = *state;
	struct tls_trust *trust;
	struct tls_context *c;

	assert_false(meets_again(e));
	assert_true(meets_again(e));
	c = rig_server(rig_pki.server_pem, NULL);
	tls_context_replace(e->server, c);
	tls_context_free(c);
	rig_pair_works(&e->pair);		/* this one lives on */
	assert_false(meets_again(e));
	assert_true(meets_again(e));
	c = rig_client(NULL, e->trust);
	tls_context_replace(e->client, c);
	tls_context_free(c);
	assert_false(meets_again(e));
	assert_true(meets_again(e));
	trust = rig_trust(rig_pki.root_pem, NULL);
	tls_trust_replace(e->trust, trust);
	tls_trust_free(trust);
	assert_false(meets_again(e));
	assert_true(meets_again(e));
	trust = rig_trust(rig_pki.other_pem, NULL);
	tls_trust_replace(e->trust, trust);
	tls_trust_free(trust);
	rig_pair_works(&e->pair);
	rig_meet(e);
	rig_failed(&e->pair.client, TLS_FAIL_UNKNOWN_CA);
}

/* Nor could he be, once a CRL is there that revokes him. */
static void
clients_with_a_certificate_are_judged_each_time(void **state)
{
	struct rig_ends *e = *state;
	const char *crl = pki_path(&rig_pki.files, "crl.pem");
	struct tls_trust *revoking;

	tls_context_free(e->server);
	e->server = rig_server(rig_pki.server_pem, e->trust);
	tls_context_free(e->client);
	e->client = rig_client(rig_pki.client_pem, e->trust);
	for (int version = 13; version >= 12; version--) {
		rig_last_version(e->client, version);
		assert_false(meets_again(e));
		assert_false(meets_again(e));
		assert_true(tls_peer_has_name(tls_peer(e->pair.server.tls),
		    RIG_CLIENT));
	}
	pki_put_crl(crl, &rig_pki.root, NULL, 9);
	pki_put_crl(crl, &rig_pki.inter, &rig_pki.client, 9);
	revoking = rig_trust(rig_pki.root_pem, crl);
	tls_trust_replace(e->trust, revoking);
	tls_trust_free(revoking);
	rig_pair_works(&e->pair);
	rig_meet(e);
	rig_failed(&e->pair.server, TLS_FAIL_REVOKED);
}

static void
ticket_keys_do_not_last(void **state)
{
	struct rig_ends *e = *state;

	assert_false(meets_again(e));
	assert_true(meets_again(e));
	e->server->setup->tickets_ms -= 25LL * 3600 * 1000;
	assert_false(meets_again(e));
	assert_true(meets_again(e));
}

static void
the_memory_of_sessions_is_bounded(void **state)
{
	struct rig_ends *e = *state;
	char name[32];

	tls_context_free(e->client);
	e->client = rig_client(NULL, NULL);
	for (int i = 0; i < TLS_KEPT_MAX + 1; i++) {
		snprintf(name, sizeof name, "h%d.example", i);
		rig_pair_close(&e->pair);
		rig_pair_open(&e->pair, e->server, e->client, name);
		rig_pair_shake(&e->pair);
		rig_pair_works(&e->pair);
	}
	for (int i = 0; i < 2; i++) {		/* the oldest had to go */
		rig_pair_close(&e->pair);
		rig_pair_open(&e->pair, e->server, e->client, i == 0 ?
		    "h0.example" : name);
		rig_pair_shake(&e->pair);
		assert_int_equal(SSL_session_reused(
		    e->pair.client.tls->ssl), i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_ENDS_TEST(sessions_go_on),
		RIG_ENDS_TEST(sessions_are_of_one_name),
		RIG_ENDS_TEST(what_is_replaced_ends_sessions_to_come),
		RIG_ENDS_TEST(clients_with_a_certificate_are_judged_each_time),
		RIG_ENDS_TEST(ticket_keys_do_not_last),
		RIG_ENDS_TEST(the_memory_of_sessions_is_bounded),
	};

	return cmocka_run_group_tests(tests, rig_pki_setup,
	    rig_pki_teardown);
}
