/*
 * tls_client.c -- TLS over a connected, non-blocking socket of ours.
 */
#include "config.h"

#include "io/tls_client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/addr.h"

struct tls_trust {
	SSL_CTX		*ctx;
};

struct tls_client {
	SSL		*ssl;
	int		 wants_out;
	const char	*reason;
};

static int
load_authorities(SSL_CTX *ctx, const char *ca)
{
	return ca == NULL ? SSL_CTX_set_default_verify_paths(ctx) :
	    SSL_CTX_load_verify_file(ctx, ca);
}

struct tls_trust *
tls_trust_new(const char *ca, const char **why)
{
	struct tls_trust *t = calloc(1, sizeof *t);

	*why = "no memory";
	if (t == NULL)
		return NULL;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL)
		goto fail;
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
	if (!load_authorities(t->ctx, ca)) {
		*why = "the file of authorities (ca) cannot be used";
		goto fail;
	}
	return t;
fail:
	ERR_clear_error();
	tls_trust_free(t);
	return NULL;
}

void
tls_trust_free(struct tls_trust *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

/* RFC 6066 section 3: no address in the server name extension. */
static int
set_name(SSL *ssl, const char *host)
{
	struct addr a;

	if (addr_parse_host(&a, str_of(host)))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
		    host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) &&
	    SSL_set_tlsext_host_name(ssl, host);
}

struct tls_client *
tls_client_new(struct tls_trust *t, int fd, const char *host)
{
	struct tls_client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->ssl = SSL_new(t->ctx);
	if (c->ssl == NULL || !set_name(c->ssl, host) ||
	    !SSL_set_fd(c->ssl, fd)) {
		ERR_clear_error();
		tls_client_free(c);
		return NULL;
	}
	SSL_set_connect_state(c->ssl);
	return c;
}

void
tls_client_free(struct tls_client *c)
{
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	free(c);
}

static const char *
reason_of(const SSL *ssl)
{
	long r = SSL_get_verify_result(ssl);
	const char *text;

	if (r != X509_V_OK)
		return X509_verify_cert_error_string(r);
	text = ERR_reason_error_string(ERR_peek_error());
	return text != NULL ? text : "the connection broke";
}

/* What a call of OpenSSL that did not succeed means. */
static ssize_t
judge(struct tls_client *c, int ret)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		c->wants_out = 0;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		c->wants_out = 1;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		c->reason = reason_of(c->ssl);
		return -EPROTO;
	}
}

static int
clip(size_t len)
{
	return len > INT_MAX ? INT_MAX : (int)len;
}

int
tls_client_handshake(struct tls_client *c)
{
	int ret;
	ssize_t r;

	ERR_clear_error();
	ret = SSL_do_handshake(c->ssl);
	if (ret == 1)
		return 0;
	r = judge(c, ret);
	if (r != 0)
		return (int)r;
	c->reason = "the server ended the handshake";
	return -EPROTO;
}

ssize_t
tls_client_read(struct tls_client *c, void *p, size_t len)
{
	int ret;

	ERR_clear_error();
	ret = SSL_read(c->ssl, p, clip(len));
	return ret > 0 ? ret : judge(c, ret);
}

ssize_t
tls_client_write(struct tls_client *c, const void *p, size_t len)
{
	int ret;
	ssize_t r;

	ERR_clear_error();
	ret = SSL_write(c->ssl, p, clip(len));
	if (ret > 0)
		return ret;
	r = judge(c, ret);
	return r != 0 ? r : -EPIPE;
}

int
tls_client_wants_out(const struct tls_client *c)
{
	return c->wants_out;
}

const char *
tls_client_reason(const struct tls_client *c)
{
	return c->reason != NULL ? c->reason : "the connection ended";
}
