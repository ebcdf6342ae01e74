/*
 * tls_rig.c -- both ends of a TLS connection in one process.
 */
#include "config.h"

#include "tls_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/tls_inner.h"

struct rig_pki rig_pki;

const char *
rig_put(struct rig_pki *p, const char *file, const struct pki_cert *c,
    bool with_inter)
{
	const char *path = pki_path(&p->files, file);

	unlink(path);
	pki_put_cert(path, c);
	if (with_inter)
		pki_put_cert(path, &p->inter);
	pki_put_key(path, c, NULL);
	return strdup(path);
}

static const char *
put_alone(struct rig_pki *p, const char *file, const struct pki_cert *c)
{
	const char *path = pki_path(&p->files, file);

	pki_put_cert(path, c);
	return strdup(path);
}

void
rig_pki_open(struct rig_pki *p)
{
	signal(SIGPIPE, SIG_IGN);
	pki_open(&p->files);
	p->root = pki_issue(NULL, &(struct pki_spec){ .name = "root",
		.ca = true, .key_use = "keyCertSign,cRLSign" });
	p->inter = pki_issue(&p->root, &(struct pki_spec){ .name = "inter",
		.ca = true, .key_use = "keyCertSign,cRLSign" });
	p->other = pki_issue(NULL, &(struct pki_spec){ .name = "other",
		.ca = true, .key_use = "keyCertSign,cRLSign" });
	p->server = pki_issue(&p->inter, &(struct pki_spec){ .name = "s",
		.san = "URI:sip:" RIG_SERVER, .use = "serverAuth" });
	p->client = pki_issue(&p->inter, &(struct pki_spec){ .name = "c",
		.san = "URI:sip:" RIG_CLIENT, .use = "clientAuth" });
	p->root_pem = put_alone(p, "root.pem", &p->root);
	p->inter_pem = put_alone(p, "inter.pem", &p->inter);
	p->other_pem = put_alone(p, "other.pem", &p->other);
	p->server_pem = rig_put(p, "server.pem", &p->server, true);
	p->client_pem = rig_put(p, "client.pem", &p->client, true);
}

void
rig_pki_close(struct rig_pki *p)
{
	free((char *)p->root_pem);
	free((char *)p->inter_pem);
	free((char *)p->other_pem);
	free((char *)p->server_pem);
	free((char *)p->client_pem);
	pki_free(&p->root);
	pki_free(&p->inter);
	pki_free(&p->other);
	pki_free(&p->server);
	pki_free(&p->client);
	pki_close(&p->files);
}

struct tls_trust *
rig_trust(const char *ca, const char *crl)
{
	char why[TLS_WHY_MAX];
	struct tls_trust *t = tls_trust_new(&(struct tls_trust_conf){
		.ca = ca, .crl = crl }, why);

	if (t == NULL)
		fail_msg("%s", why);
	return t;
}

struct tls_context *
rig_server(const char *pem, struct tls_trust *trust)
{
	char why[TLS_WHY_MAX];
	struct tls_context *c = tls_server_context_new(
	    &(struct tls_server_conf){
		.certificate = &(struct tls_certificate){ .chain = pem },
		.ncertificates = 1, .min_version = 12,
		.ask = trust != NULL ? TLS_ASK_REQUIRED : TLS_ASK_NOTHING,
		.trust = &trust, .ntrusts = trust != NULL }, why);

	if (c == NULL)
		fail_msg("%s", why);
	return c;
}

struct tls_context *
rig_client(const char *pem, struct tls_trust *trust)
{
	char why[TLS_WHY_MAX];
	struct tls_context *c = tls_client_context_new(
	    &(struct tls_client_conf){ .certificate.chain = pem,
		.trust = trust, .min_version = 12 }, why);

	if (c == NULL)
		fail_msg("%s", why);
	return c;
}

void
rig_last_version(struct tls_context *c, int version)
{
	SSL_CTX *ctx = c->setup->ctx;

	if (version < 12) {
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	}
	SSL_CTX_set_max_proto_version(ctx, version == 13 ? TLS1_3_VERSION :
	    version == 12 ? TLS1_2_VERSION : TLS1_1_VERSION);
}

void
rig_pair_open(struct rig_pair *p, struct tls_context *server,
    struct tls_context *client, const char *name)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fd), 0);
	*p = (struct rig_pair){ { fd[0], tls_accept(server, fd[0]), -EAGAIN },
		{ fd[1], tls_connect(client, fd[1], name), -EAGAIN } };
	assert_non_null(p->server.tls);
	assert_non_null(p->client.tls);
}

static void
step(struct rig_end *e)
{
	if (e->result == -EAGAIN)
		e->result = tls_handshake(e->tls);
}

/* In TLS 1.3 a client is done before the server has judged it. */
static void
take_notice(struct rig_end *e)
{
	char byte;
	ssize_t n;

	if (e->result != 0)
		return;
	n = tls_read(e->tls, &byte, 1);
	if (n != -EAGAIN)
		e->result = (int)n;
}

void
rig_pair_shake(struct rig_pair *p)
{
	for (int i = 0; i < 20; i++) {
		step(&p->client);
		step(&p->server);
	}
	take_notice(&p->client);
	take_notice(&p->server);
}

static void
end_close(struct rig_end *e)
{
	tls_free(e->tls);
	if (e->fd >= 0)
		close(e->fd);
	*e = (struct rig_end){ .fd = -1 };
}

void
rig_pair_close(struct rig_pair *p)
{
	end_close(&p->client);
	end_close(&p->server);
}

static void
sends(struct rig_end *from, struct rig_end *to)
{
	char byte = 0;

	assert_int_equal(tls_write(from->tls, "x", 1), 1);
	assert_int_equal(tls_read(to->tls, &byte, 1), 1);
	assert_int_equal(byte, 'x');
}

void
rig_pair_works(struct rig_pair *p)
{
	if (p->client.result != 0)
		fail_msg("client: %s", tls_reason(p->client.tls));
	if (p->server.result != 0)
		fail_msg("server: %s", tls_reason(p->server.tls));
	sends(&p->client, &p->server);
	sends(&p->server, &p->client);
}

const char *
rig_failure_name(enum tls_failure f)
{
	static const char *const name[TLS_FAILURE_COUNT] = { "none",
#define F(id, text, help) text,
		TLS_FAILURES(F)
#undef F
	};

	return name[f];
}

void
rig_failed(const struct rig_end *e, enum tls_failure want)
{
	enum tls_failure f = tls_failure(e->tls);

	if (f != want)
		fail_msg("%s (%s), not %s", rig_failure_name(f),
		    tls_reason(e->tls), rig_failure_name(want));
}

struct rig_ends *
rig_ends_new(struct rig_pki *p)
{
	struct rig_ends *e = calloc(1, sizeof *e);

	e->trust = rig_trust(p->root_pem, NULL);
	e->server = rig_server(p->server_pem, NULL);
	e->client = rig_client(NULL, e->trust);
	e->pair.server.fd = e->pair.client.fd = -1;
	return e;
}

void
rig_ends_free(struct rig_ends *e)
{
	rig_pair_close(&e->pair);
	tls_context_free(e->client);
	tls_context_free(e->server);
	tls_trust_free(e->trust);
	free(e);
}

void
rig_meet(struct rig_ends *e)
{
	rig_pair_close(&e->pair);
	rig_pair_open(&e->pair, e->server, e->client, RIG_SERVER);
	rig_pair_shake(&e->pair);
}

int
rig_pki_setup(void **state)
{
	(void)state;
	rig_pki_open(&rig_pki);
	return 0;
}

int
rig_pki_teardown(void **state)
{
	(void)state;
	rig_pki_close(&rig_pki);
	return 0;
}

int
rig_ends_setup(void **state)
{
	*state = rig_ends_new(&rig_pki);
	return 0;
}

int
rig_ends_teardown(void **state)
{
	rig_ends_free(*state);
	return 0;
}
