/* TLS contexts: the certificates that they show, and files that are no good. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "failing_alloc.h"
#include "io/tls_inner.h"
#include "tls_rig.h"

/* The certificates of a server, and which of them a client sees. */
static const struct pki_spec ours[] = {
	{ .name = "first", .san = "DNS:first.example" },
	{ .name = "second", .san = "URI:sip:second.example,"
	    "DNS:also.example" },
	{ .name = "wild", .san = "DNS:*.wild.example" },
	{ .name = "rsa", .san = "DNS:second.example", .rsa = true },
};

static const struct {
	const char	*asks;
	bool		 rsa;		/* all that the client knows */
	const char	*gets;
} choices[] = {
	{ "first.example", false, "first" },
	{ "second.example", false, "second" },
	{ "SECOND.example", false, "second" },
	{ "also.example", false, "second" },
	{ "a.wild.example", false, "wild" },
	{ "a.b.wild.example", false, "first" },
	{ "nobody.example", false, "first" },
	{ NULL, false, "first" },
	{ "second.example", true, "rsa" },
};

static void
sees(struct rig_ends *e, size_t i)
{
	char cn[32] = "";
	X509 *x;

	rig_pair_close(&e->pair);
	tls_cache_fini(&e->client->setup->cache);
	rig_pair_open(&e->pair, e->server, e->client, choices[i].asks);
	if (choices[i].rsa)
		SSL_set1_sigalgs_list(e->pair.client.tls->ssl,
		    "RSA-PSS+SHA256");
	rig_pair_shake(&e->pair);
	rig_pair_works(&e->pair);
	x = SSL_get0_peer_certificate(e->pair.client.tls->ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
	    cn, sizeof cn);
	assert_string_equal(cn, choices[i].gets);
}

static void
the_name_chooses_the_certificate(void **state)
{
	struct rig_ends *e = *state;
	struct tls_certificate files[COUNT(ours)];
	char why[TLS_WHY_MAX], name[16];

	for (size_t i = 0; i < COUNT(ours); i++) {
		struct pki_cert c = pki_issue(&rig_pki.inter, &ours[i]);

		snprintf(name, sizeof name, "our%zu.pem", i);
		files[i] = (struct tls_certificate){ rig_put(&rig_pki, name, &c,
		    true), NULL };
		pki_free(&c);
	}
	tls_context_free(e->server);
	e->server = tls_server_context_new(&(struct tls_server_conf){
		.certificate = files, .ncertificates = COUNT(ours),
		.min_version = 12 }, why);
	assert_non_null(e->server);
	tls_context_free(e->client);
	e->client = rig_client(NULL, NULL);
	for (size_t i = 0; i < COUNT(choices); i++)
		sees(e, i);
	for (size_t i = 0; i < COUNT(ours); i++)
		free((char *)files[i].chain);
}

static void
the_first_end(void **state)
{
	struct rig_ends *e = *state;
	time_t now = time(NULL);
	struct pki_cert c = pki_issue(&rig_pki.inter, &(struct pki_spec){
		.name = "soon", .from_days = -1, .to_days = 3 });
	char *pem = (char *)rig_put(&rig_pki, "leaf.pem", &c, true);
	struct tls_context *soon = rig_server(pem, NULL);

	assert_in_range(tls_context_expires_s(soon), now + 3 * 86400 - 60,
	    now + 3 * 86400);
	assert_in_range(tls_context_expires_s(e->server),
	    now + 30 * 86400 - 60, now + 30 * 86400);
	assert_true(tls_context_expires_s(e->client) == INT64_MAX);
	tls_context_free(soon);
	free(pem);
	pki_free(&c);
}

/* Files are of the folder, and "" is a folder itself. */
static const struct {
	const char	*chain, *key, *why;
} bad_certificates[] = {
	{ "none.pem", NULL, "none.pem: No such file or directory" },
	{ "", NULL, ": Invalid argument" },
	{ "text.pem", NULL, "text.pem: no certificate in it" },
	{ "root.pem", NULL, "root.pem: no key in it" },
	{ "root.pem", "none.pem", "none.pem: No such file or directory" },
	{ "root.pem", "server.pem",
	    "root.pem: its first certificate is not of the key" },
	{ "broken.pem", NULL, "broken.pem: a certificate is damaged" },
	{ "root.pem", "locked.pem",
	    "locked.pem: the key is damaged, or has a password" },
};

static const struct {
	const char	*ca, *crl, *why;
} bad_trusts[] = {
	{ "none.pem", NULL, "none.pem: No such file or directory" },
	{ "text.pem", NULL, "text.pem: no certificate in it" },
	{ "broken.pem", NULL, "broken.pem: a certificate is damaged" },
	{ "root.pem", "none.pem", "none.pem: No such file or directory" },
	{ "root.pem", "text.pem", "text.pem: no CRL in it" },
	{ "root.pem", "empty", "empty: no CRL in it" },
	{ "root.pem", "broken.pem", "broken.pem: a CRL is damaged" },
};

static void
ends_in(const char *text, const char *end)
{
	size_t have = strlen(text), want = strlen(end);

	if (have < want || strcmp(text + have - want, end) != 0)
		fail_msg("%s, not %s", text, end);
}

static void
put_bad_files(void)
{
	const char *broken = pki_path(&rig_pki.files, "broken.pem");

	pki_put_text(pki_path(&rig_pki.files, "text.pem"), "text\n");
	pki_put_cert(broken, &rig_pki.root);
	pki_put_text(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n-----BEGIN X509 CRL-----\nAAAA\n"
	    "-----END X509 CRL-----\n");
	pki_put_key(pki_path(&rig_pki.files, "locked.pem"), &rig_pki.root,
	    "secret");
	pki_folder(&rig_pki.files, "empty");
}

static void
files_that_cannot_be_used(void **state)
{
	char why[TLS_WHY_MAX];

	(void)state;
	put_bad_files();
	for (size_t i = 0; i < COUNT(bad_certificates); i++) {
		const char *chain = bad_certificates[i].chain;
		const char *key = bad_certificates[i].key;
		struct tls_certificate c = {
			pki_path(&rig_pki.files, chain), key == NULL ? NULL :
			pki_path(&rig_pki.files, key) };

		assert_null(tls_server_context_new(&(struct tls_server_conf){
			.certificate = &c, .ncertificates = 1,
			.min_version = 12 }, why));
		ends_in(why, bad_certificates[i].why);
		assert_null(tls_client_context_new(&(struct tls_client_conf){
			.certificate = c, .min_version = 12 }, why));
		ends_in(why, bad_certificates[i].why);
	}
	for (size_t i = 0; i < COUNT(bad_trusts); i++) {
		assert_null(tls_trust_new(&(struct tls_trust_conf){
			.ca = pki_path(&rig_pki.files, bad_trusts[i].ca),
			.crl = bad_trusts[i].crl == NULL ? NULL :
			pki_path(&rig_pki.files, bad_trusts[i].crl) }, why));
		ends_in(why, bad_trusts[i].why);
	}
}

static void
settings_that_cannot_be_used(void **state)
{
	struct tls_certificate c = { rig_pki.server_pem, NULL };
	struct tls_server_conf conf = { .min_version = 12 };
	char why[TLS_WHY_MAX];

	(void)state;
	assert_null(tls_server_context_new(&conf, why));
	assert_string_equal(why, "a server needs a certificate");
	conf.certificate = &c;
	conf.ncertificates = 1;
	conf.ask = TLS_ASK_OPTIONAL;
	assert_null(tls_server_context_new(&conf, why));
	assert_string_equal(why, "clients' certificates need an authority");
	conf.ask = TLS_ASK_NOTHING;
	conf.ciphers = "no-such-thing";
	assert_null(tls_server_context_new(&conf, why));
	assert_string_equal(why, "no such ciphers (tls.ciphers): "
	    "no-such-thing");
}

/* A whole life; true if every step of it succeeded. */
static bool
work(void *arg)
{
	struct tls_certificate own = { rig_pki.server_pem, NULL };
	struct tls_certificate both[] = { own, own };
	char why[TLS_WHY_MAX];
	struct tls_trust *trust = tls_trust_new(&(struct tls_trust_conf){
		.ca = rig_pki.root_pem }, why);
	struct tls_context *server = NULL, *client = NULL;
	struct tls *s = NULL, *c = NULL;
	bool ok = false;
	int fd[2];

	(void)arg;
	if (trust != NULL) {
		server = tls_server_context_new(&(struct tls_server_conf){
			.certificate = both, .ncertificates = 2,
			.trust = &trust, .ntrusts = 1,
			.ask = TLS_ASK_REQUIRED, .min_version = 12 }, why);
		client = tls_client_context_new(&(struct tls_client_conf){
			.certificate.chain = rig_pki.client_pem, .trust = trust,
			.min_version = 13 }, why);
	}
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd);
	if (server != NULL && client != NULL) {
		s = tls_accept(server, fd[0]);
		c = tls_connect(client, fd[1], RIG_SERVER);
	}
	if (s != NULL && c != NULL)
		ok = tls_handshake(c) == -EAGAIN &&
		    tls_handshake(s) == -EAGAIN && tls_handshake(c) == 0 &&
		    tls_handshake(s) == 0;
	tls_free(c);
	tls_free(s);
	close(fd[0]);
	close(fd[1]);
	tls_context_free(client);
	tls_context_free(server);
	tls_trust_free(trust);
	return ok;
}

static void
no_memory(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(work, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_ENDS_TEST(the_name_chooses_the_certificate),
		RIG_ENDS_TEST(the_first_end),
		RIG_ENDS_TEST(files_that_cannot_be_used),
		RIG_ENDS_TEST(settings_that_cannot_be_used),
		RIG_ENDS_TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, rig_pki_setup,
	    rig_pki_teardown);
}
