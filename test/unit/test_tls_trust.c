/* Whom a TLS end believes: chains, purposes, names, CRLs. */
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

#include "base/count.h"
#include "io/tls.h"
#include "tls_rig.h"

enum by { BY_INTER, BY_ROOT, BY_OTHER, BY_ITSELF };

static struct rig_pki pki;
static const char *both_pem;		/* root and intermediate */

static const struct pki_cert *
issuer(enum by by)
{
	const struct pki_cert *const c[] = { &pki.inter, &pki.root,
		&pki.other, NULL };

	return c[by];
}

static void
failed_with(const char *what, const struct rig_end *e, enum tls_failure want)
{
	enum tls_failure f = tls_failure(e->tls);

	if (f != want || (e->result == 0) != (want == TLS_FAIL_NONE))
		fail_msg("%s: %s (%s), not %s", what, rig_failure_name(f),
		    tls_reason(e->tls), rig_failure_name(want));
}

/* What a server that trusts the root thinks of clients' certificates. */
static const struct {
	const char	*what;
	enum by		 by;
	struct pki_spec	 spec;
	enum tls_failure want;
} clients[] = {
	{ "good", BY_INTER, { .use = "clientAuth" }, TLS_FAIL_NONE },
	{ "RSA", BY_INTER, { .rsa = true }, TLS_FAIL_NONE },
	{ "straight from the root", BY_ROOT, { .san = NULL },
	    TLS_FAIL_NONE },
	{ "id-kp-sipDomain", BY_INTER, { .use = "1.3.6.1.5.5.7.3.20" },
	    TLS_FAIL_NONE },
	{ "id-kp-sipDomain, may sign", BY_INTER,
	    { .use = "1.3.6.1.5.5.7.3.20", .key_use = "digitalSignature" },
	    TLS_FAIL_NONE },
	{ "id-kp-sipDomain, may not sign", BY_INTER,
	    { .use = "1.3.6.1.5.5.7.3.20", .key_use = "keyCertSign" },
	    TLS_FAIL_PURPOSE },
	{ "for servers", BY_INTER, { .use = "serverAuth" },
	    TLS_FAIL_PURPOSE },
	{ "for mail", BY_INTER, { .use = "emailProtection" },
	    TLS_FAIL_PURPOSE },
	{ "may not sign", BY_INTER, { .key_use = "keyCertSign" },
	    TLS_FAIL_PURPOSE },
	{ "expired", BY_INTER, { .from_days = -9, .to_days = -1 },
	    TLS_FAIL_EXPIRED },
	{ "not yet", BY_INTER, { .from_days = 1, .to_days = 9 },
	    TLS_FAIL_EXPIRED },
	{ "self-signed", BY_ITSELF, { .san = NULL }, TLS_FAIL_SELF_SIGNED },
	{ "of another root", BY_OTHER, { .san = NULL },
	    TLS_FAIL_UNKNOWN_CA },
};

static void
judge_client(const char *what, const char *pem, int version,
    enum tls_failure want)
{
	struct tls_trust *trust = rig_trust(pki.root_pem, NULL);
	struct tls_context *server = rig_server(pki.server_pem, trust);
	struct tls_context *client = rig_client(pem, NULL);
	struct rig_pair p;

	rig_last_version(client, version);
	rig_pair_open(&p, server, client, NULL);
	rig_pair_shake(&p);
	failed_with(what, &p.server, want);
	failed_with(what, &p.client, want == TLS_FAIL_NONE ? TLS_FAIL_NONE :
	    TLS_FAIL_REFUSED);
	if (want == TLS_FAIL_NONE)
		rig_pair_works(&p);
	rig_pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
	tls_trust_free(trust);
}

static void
clients_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		struct pki_spec spec = clients[i].spec;
		struct pki_cert c;
		char *pem;

		spec.name = clients[i].what;
		c = pki_issue(issuer(clients[i].by), &spec);
		pem = (char *)rig_put(&pki, "leaf.pem", &c,
		    clients[i].by == BY_INTER);
		judge_client(clients[i].what, pem, 12, clients[i].want);
		judge_client(clients[i].what, pem, 13, clients[i].want);
		free(pem);
		pki_free(&c);
	}
}

static void
no_certificate(void **state)
{
	(void)state;
	judge_client("none", NULL, 13, TLS_FAIL_NO_CERT);
}

/* What a client thinks of a server's names: RFC 5922 7.2. */
static const struct {
	const char	*san, *name;
	bool		 wildcards;
	enum tls_failure want;
} servers[] = {
	{ "URI:sip:a.example", "a.example", false, TLS_FAIL_NONE },
	{ "URI:sip:a.example", "A.example", false, TLS_FAIL_NONE },
	{ "URI:sip:a.example", NULL, false, TLS_FAIL_NONE },
	{ "URI:sip:a.example", "b.example", false, TLS_FAIL_NAME },
	{ "URI:sip:a.example,DNS:b.example", "b.example", false,
	    TLS_FAIL_NAME },
	{ "DNS:a.example", "a.example", false, TLS_FAIL_NONE },
	{ "DNS:*.example", "a.example", false, TLS_FAIL_NAME },
	{ "DNS:*.example", "a.example", true, TLS_FAIL_NONE },
	{ "DNS:a*.example", "ab.example", true, TLS_FAIL_NAME },
	{ "IP:192.0.2.1", "192.0.2.1", false, TLS_FAIL_NONE },
	{ "IP:192.0.2.1,DNS:a.example", "192.0.2.1", false, TLS_FAIL_NONE },
	{ "DNS:192.0.2.1", "192.0.2.1", false, TLS_FAIL_NAME },
	{ "IP:2001:db8::1", "[2001:db8::1]", false, TLS_FAIL_NONE },
	{ NULL, "cn.example", false, TLS_FAIL_NAME },
};

static struct tls_context *
client_for(struct tls_trust *trust, bool wildcards)
{
	char why[TLS_WHY_MAX];

	return tls_client_context_new(&(struct tls_client_conf){
		.trust = trust, .min_version = 12,
		.wildcards = wildcards }, why);
}

static void
servers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(servers); i++) {
		struct pki_cert c = pki_issue(&pki.inter, &(struct pki_spec){
			.name = "cn.example", .san = servers[i].san });
		char *pem = (char *)rig_put(&pki, "leaf.pem", &c, true);
		struct tls_trust *trust = rig_trust(pki.root_pem, NULL);
		struct tls_context *server = rig_server(pem, NULL);
		struct tls_context *client = client_for(trust,
		    servers[i].wildcards);
		struct rig_pair p;

		rig_pair_open(&p, server, client, servers[i].name);
		rig_pair_shake(&p);
		failed_with(servers[i].name, &p.client, servers[i].want);
		failed_with(servers[i].name, &p.server, servers[i].want ==
		    TLS_FAIL_NONE ? TLS_FAIL_NONE : TLS_FAIL_REFUSED);
		rig_pair_close(&p);
		tls_context_free(client);
		tls_context_free(server);
		tls_trust_free(trust);
		free(pem);
		pki_free(&c);
	}
}

/* Each CRL: good until so many days from now; 0: there is none. */
static const struct {
	const char	*what;
	int		 root, inter;
	bool		 leaf_revoked, inter_revoked, expired_ok;
	const char	**ca;		/* NULL: the root */
	enum tls_failure want;
} crls[] = {
	{ "good", 9, 9, .want = TLS_FAIL_NONE },
	{ "leaf revoked", 9, 9, .leaf_revoked = true,
	    .want = TLS_FAIL_REVOKED },
	{ "intermediate revoked", 9, 9, .inter_revoked = true,
	    .want = TLS_FAIL_REVOKED },
	{ "none of the root", 0, 9, .want = TLS_FAIL_CRL },
	{ "none of the intermediate", 9, 0, .want = TLS_FAIL_CRL },
	{ "out of date", 9, -1, .want = TLS_FAIL_CRL },
	{ "the root's out of date", -1, 9, .want = TLS_FAIL_CRL },
	{ "out of date, accepted", -1, -1, .expired_ok = true,
	    .want = TLS_FAIL_NONE },
	{ "out of date, accepted, revoked", -1, -1, .leaf_revoked = true,
	    .expired_ok = true, .want = TLS_FAIL_REVOKED },
	{ "an intermediate authority", 0, 9, .ca = &pki.inter_pem,
	    .want = TLS_FAIL_NONE },
	{ "an intermediate authority, revoked", 0, 9, .leaf_revoked = true,
	    .ca = &pki.inter_pem, .want = TLS_FAIL_REVOKED },
	{ "both are authorities", 9, 9, .ca = &both_pem,
	    .want = TLS_FAIL_NONE },
	{ "both are authorities, one revoked", 9, 9, .inter_revoked = true,
	    .ca = &both_pem, .want = TLS_FAIL_REVOKED },
};

static struct tls_trust *
trust_of_row(size_t i, const char *crl)
{
	char why[TLS_WHY_MAX];
	struct tls_trust *t = tls_trust_new(&(struct tls_trust_conf){
		.ca = crls[i].ca != NULL ? *crls[i].ca : pki.root_pem,
		.crl = crl, .crl_expired_ok = crls[i].expired_ok }, why);

	if (t == NULL)
		fail_msg("%s: %s", crls[i].what, why);
	return t;
}

static void
put_crls(size_t i, const char *root, const char *inter)
{
	if (crls[i].root != 0)
		pki_put_crl(root, &pki.root, crls[i].inter_revoked ?
		    &pki.inter : NULL, crls[i].root);
	if (crls[i].inter != 0)
		pki_put_crl(inter, &pki.inter, crls[i].leaf_revoked ?
		    &pki.client : NULL, crls[i].inter);
}

static void
judge_by_crl(size_t i, const char *crl)
{
	struct tls_trust *trust = trust_of_row(i, crl);
	struct tls_context *server = rig_server(pki.server_pem, trust);
	struct tls_context *client = rig_client(pki.client_pem, NULL);
	struct rig_pair p;

	rig_pair_open(&p, server, client, NULL);
	rig_pair_shake(&p);
	failed_with(crls[i].what, &p.server, crls[i].want);
	rig_pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
	tls_trust_free(trust);
}

static void
crls_are_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(crls); i++) {
		const char *file = pki_path(&pki.files, "crl.pem");
		const char *folder = pki_folder(&pki.files, "crls");
		const char *root = pki_path(&pki.files, "crls/root.pem");
		const char *inter = pki_path(&pki.files, "crls/inter.pem");

		put_crls(i, file, file);
		judge_by_crl(i, file);
		put_crls(i, root, inter);
		judge_by_crl(i, folder);
		unlink(file);
		unlink(root);
		unlink(inter);
		rmdir(folder);
	}
}

static struct tls_context *
server_of_two(struct tls_trust *one, struct tls_trust *two)
{
	struct tls_trust *both[] = { one, two };
	char why[TLS_WHY_MAX];

	return tls_server_context_new(&(struct tls_server_conf){
		.certificate = &(struct tls_certificate){ pki.server_pem,
		NULL }, .ncertificates = 1, .ask = TLS_ASK_OPTIONAL,
		.trust = both, .ntrusts = 2, .min_version = 12 }, why);
}

static void
each_trust_says_whom_it_vouches_for(void **state)
{
	struct tls_trust *ours = rig_trust(pki.root_pem, NULL);
	struct tls_trust *others = rig_trust(pki.other_pem, NULL);
	struct tls_trust *third = rig_trust(pki.root_pem, NULL);
	struct tls_context *server = server_of_two(others, ours);
	struct tls_context *client = rig_client(pki.client_pem, NULL);
	const struct tls_peer *who;
	struct rig_pair p;

	(void)state;
	rig_pair_open(&p, server, client, NULL);
	assert_null(tls_peer(p.server.tls));
	rig_pair_shake(&p);
	rig_pair_works(&p);
	who = tls_peer(p.server.tls);
	assert_non_null(who);
	assert_int_equal(who->nnames, 1);
	assert_string_equal(who->name[0], RIG_CLIENT);
	assert_true(tls_peer_has_name(who, "Client.Example"));
	assert_false(tls_peer_has_name(who, "client.example.org"));
	assert_true(tls_peer_vouched(who, ours));
	assert_false(tls_peer_vouched(who, others));
	assert_false(tls_peer_vouched(who, third));	/* of no context */
	assert_null(tls_peer(p.client.tls));		/* verified nothing */
	rig_pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
	tls_trust_free(third);
	tls_trust_free(others);
	tls_trust_free(ours);
}

static void
who_need_not_show_one_is_nobody(void **state)
{
	struct tls_trust *ours = rig_trust(pki.root_pem, NULL);
	struct tls_trust *others = rig_trust(pki.other_pem, NULL);
	struct tls_context *server = server_of_two(others, ours);
	struct tls_context *client = rig_client(NULL, ours);
	struct rig_pair p;

	(void)state;
	rig_pair_open(&p, server, client, RIG_SERVER);
	rig_pair_shake(&p);
	rig_pair_works(&p);
	assert_null(tls_peer(p.server.tls));
	assert_true(tls_peer_vouched(tls_peer(p.client.tls), ours));
	assert_true(tls_peer_has_name(tls_peer(p.client.tls), RIG_SERVER));
	rig_pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
	tls_trust_free(others);
	tls_trust_free(ours);
}

static void
reasons_name_the_certificate_in_ascii(void **state)
{
	struct pki_cert c = pki_issue(&pki.other, &(struct pki_spec){
		.name = "\xc3\xa4\n\x1b[1m" });
	char *pem = (char *)rig_put(&pki, "leaf.pem", &c, false);
	struct tls_trust *trust = rig_trust(pki.root_pem, NULL);
	struct tls_context *server = rig_server(pem, NULL);
	struct tls_context *client = rig_client(NULL, trust);
	struct rig_pair p;
	const char *why;

	(void)state;
	rig_pair_open(&p, server, client, RIG_SERVER);
	rig_pair_shake(&p);
	failed_with("reason", &p.client, TLS_FAIL_UNKNOWN_CA);
	why = tls_reason(p.client.tls);
	assert_non_null(strstr(why, "issuer certificate: CN="));
	for (; *why != '\0'; why++)
		assert_in_range(*why, ' ', '~');
	rig_pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
	tls_trust_free(trust);
	free(pem);
	pki_free(&c);
}

static void
the_systems_authorities(void **state)
{
	(void)state;
	setenv("SSL_CERT_FILE", pki.root_pem, 1);
	for (int i = 0; i < 2; i++) {
		struct tls_trust *trust = rig_trust(NULL, NULL);
		struct tls_context *server = rig_server(pki.server_pem,
		    NULL);
		struct tls_context *client = rig_client(NULL, trust);
		struct rig_pair p;

		rig_pair_open(&p, server, client, RIG_SERVER);
		rig_pair_shake(&p);
		failed_with("system", &p.client, i == 0 ? TLS_FAIL_NONE :
		    TLS_FAIL_UNKNOWN_CA);
		rig_pair_close(&p);
		tls_context_free(client);
		tls_context_free(server);
		tls_trust_free(trust);
		setenv("SSL_CERT_FILE", pki.other_pem, 1);
	}
	unsetenv("SSL_CERT_FILE");
}

static int
group_setup(void **state)
{
	(void)state;
	rig_pki_open(&pki);
	both_pem = rig_put(&pki, "both.pem", &pki.root, true);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	free((char *)both_pem);
	rig_pki_close(&pki);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_judged),
		cmocka_unit_test(no_certificate),
		cmocka_unit_test(servers_are_judged),
		cmocka_unit_test(crls_are_asked),
		cmocka_unit_test(each_trust_says_whom_it_vouches_for),
		cmocka_unit_test(who_need_not_show_one_is_nobody),
		cmocka_unit_test(reasons_name_the_certificate_in_ascii),
		cmocka_unit_test(the_systems_authorities),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
