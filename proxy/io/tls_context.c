/*
 * tls_context.c -- what we are, as a server or as a client.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "base/clock.h"

/* Mozilla's "intermediate" list, version 5.7, without its DHE suites: there a
 * stranger makes us compute more than he does (CVE-2002-20001). */
#define CIPHERS								\
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"	\
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"	\
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static void
own_fini(struct tls_own *o)
{
	X509_free(o->leaf);
	sk_X509_pop_free(o->chain, X509_free);
	EVP_PKEY_free(o->key);
	tls_names_fini(&o->names);
}

void
tls_setup_unref(struct tls_setup *s)
{
	if (s == NULL || --s->users > 0)
		return;
	tls_cache_fini(&s->cache);
	SSL_CTX_free(s->ctx);
	for (size_t i = 0; i < s->nown; i++)
		own_fini(&s->own[i]);
	free(s->own);
	for (size_t i = 0; i < s->ntrusts; i++)
		tls_trust_free(s->trust[i]);
	free(s->trust);
	free(s);
}

static int64_t
ends_s(const X509 *x)
{
	struct tm tm;

	/* What has no end that can be read has ended. */
	return ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) ? timegm(&tm) : 0;
}

static void
note_end(struct tls_setup *s, const X509 *x)
{
	int64_t end = ends_s(x);

	if (end < s->expires_s)
		s->expires_s = end;
}

static bool
own_read(struct tls_own *o, const struct tls_certificate *c,
    char why[TLS_WHY_MAX])
{
	const char *key = c->key != NULL ? c->key : c->chain;

	o->chain = tls_pem_certificates(c->chain, why);
	if (o->chain == NULL)
		return false;
	o->leaf = sk_X509_shift(o->chain);
	if (o->leaf == NULL) {
		tls_why_file(why, c->chain, "no certificate in it");
		return false;
	}
	o->key = tls_pem_key(key, why);
	if (o->key == NULL)
		return false;
	if (X509_check_private_key(o->leaf, o->key) == 1)
		return true;
	tls_why_file(why, c->chain, "its first certificate is not of the key");
	return false;
}

/* OpenSSL says here what it thinks of the strength of key and signature. */
static bool
own_use(struct tls_setup *s, const struct tls_own *o, const char *path,
    char why[TLS_WHY_MAX])
{
	const char *reason;

	if (SSL_CTX_use_cert_and_key(s->ctx, o->leaf, o->key, o->chain, 1))
		return true;
	reason = ERR_reason_error_string(ERR_peek_error());
	tls_why_file(why, path, reason != NULL ? reason :
	    "the certificate cannot be used");
	return false;
}

static bool
own_add(struct tls_setup *s, const struct tls_certificate *c,
    char why[TLS_WHY_MAX])
{
	struct tls_own *o = &s->own[s->nown++];

	if (!own_read(o, c, why) || !own_use(s, o, c->chain, why))
		return false;
	note_end(s, o->leaf);
	for (int i = 0; i < sk_X509_num(o->chain); i++)
		note_end(s, sk_X509_value(o->chain, i));
	return true;
}

static bool
own_add_all(struct tls_setup *s, const struct tls_certificate *c, size_t n,
    char why[TLS_WHY_MAX])
{
	s->own = calloc(n + 1, sizeof *s->own);
	if (s->own == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!own_add(s, &c[i], why))
			return false;
		if (n > 1 && !tls_names_read(&s->own[i].names,
		    s->own[i].leaf, TLS_NAMES_SNI))
			return false;
	}
	return true;
}

static bool
add_trusts(struct tls_setup *s, struct tls_trust *const *trust, size_t n)
{
	s->trust = calloc(n + 1, sizeof *s->trust);
	if (s->trust == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		s->trust[s->ntrusts++] = tls_trust_ref(trust[i]);
	return true;
}

/* Several may bear the name, with keys of different kinds; the client's
 * ciphers decide then. */
static int
choose(SSL *ssl, void *arg)
{
	const struct tls_setup *s = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls_own *o = s->own;
	bool found = false, ok = true;

	SSL_certs_clear(ssl);
	for (size_t i = 0; name != NULL && ok && i < s->nown; i++) {
		if (!tls_names_match(&s->own[i].names, name))
			continue;
		found = true;
		ok = SSL_use_cert_and_key(ssl, s->own[i].leaf, s->own[i].key,
		    s->own[i].chain, 0) == 1 ||
		    ERR_GET_REASON(ERR_peek_last_error()) ==
		    SSL_R_NOT_REPLACING_CERTIFICATE;
	}
	if (!found)
		ok = SSL_use_cert_and_key(ssl, o->leaf, o->key, o->chain, 1);
	if (ok)
		ERR_clear_error();
	return ok;
}

/* RFC 7301; no application protocol is needed to speak SIP. */
static int
select_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\005sip/2";

	(void)ssl, (void)arg;
	return SSL_select_next_proto((unsigned char **)out, len, ours,
	    sizeof ours - 1, in, inlen) == OPENSSL_NPN_NEGOTIATED ?
	    SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* Idle connections must not hold buffers: there are thousands.  A connection
 * that ends without close_notify just ends: SIP has its own lengths. */
static void
set_common(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY |
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_read_ahead(ctx, 1);		/* one read() a record */
	SSL_CTX_set_cert_verify_callback(ctx, tls_verify, NULL);
}

static struct tls_setup *
setup_new(const SSL_METHOD *method, const char *ciphers, int min_version,
    char why[TLS_WHY_MAX])
{
	struct tls_setup *s = calloc(1, sizeof *s);

	ERR_clear_error();
	snprintf(why, TLS_WHY_MAX, "no memory");
	if (s == NULL)
		return NULL;
	s->users = 1;
	s->expires_s = INT64_MAX;
	s->ctx = SSL_CTX_new(method);
	if (s->ctx == NULL)
		goto fail;
	set_common(s->ctx);
	if (SSL_CTX_set_min_proto_version(s->ctx, min_version == 13 ?
	    TLS1_3_VERSION : TLS1_2_VERSION) &&
	    SSL_CTX_set_cipher_list(s->ctx, ciphers != NULL ? ciphers :
	    CIPHERS))
		return s;
	snprintf(why, TLS_WHY_MAX, "no such ciphers (tls.ciphers): %s",
	    ciphers != NULL ? ciphers : CIPHERS);
fail:
	ERR_clear_error();
	tls_setup_unref(s);
	return NULL;
}

static struct tls_context *
wrap(struct tls_setup *s)
{
	struct tls_context *c = calloc(1, sizeof *c);

	if (c != NULL)
		c->setup = s;
	return c;
}

static void
set_asking(SSL_CTX *ctx, enum tls_ask ask)
{
	int mode = SSL_VERIFY_NONE;

	if (ask != TLS_ASK_NOTHING)
		mode = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE;
	if (ask == TLS_ASK_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, NULL);
}

static bool
serve(struct tls_setup *s, const struct tls_server_conf *conf,
    char why[TLS_WHY_MAX])
{
	if (conf->ncertificates == 0 ||
	    (conf->ask != TLS_ASK_NOTHING && conf->ntrusts == 0)) {
		snprintf(why, TLS_WHY_MAX, "%s", conf->ncertificates == 0 ?
		    "a server needs a certificate" :
		    "clients' certificates need an authority");
		return false;
	}
	s->tickets_ms = clock_mono_ms();
	if (!add_trusts(s, conf->trust, conf->ntrusts) ||
	    !own_add_all(s, conf->certificate, conf->ncertificates, why) ||
	    !tls_tickets_init(s->ctx))
		return false;
	if (s->nown > 1)
		SSL_CTX_set_cert_cb(s->ctx, choose, s);
	SSL_CTX_set_alpn_select_cb(s->ctx, select_protocol, NULL);
	set_asking(s->ctx, conf->ask);
	return true;
}

/* What was set up, if it is good; else it is given back. */
static struct tls_context *
finish(struct tls_setup *s, bool good)
{
	struct tls_context *c = good ? wrap(s) : NULL;

	if (c == NULL)
		tls_setup_unref(s);
	ERR_clear_error();
	return c;
}

struct tls_context *
tls_server_context_new(const struct tls_server_conf *conf,
    char why[TLS_WHY_MAX])
{
	struct tls_setup *s = setup_new(TLS_server_method(), conf->ciphers,
	    conf->min_version, why);

	return finish(s, s != NULL && serve(s, conf, why));
}

/* Only of a server that was named: its sessions are found by its name. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);

	if (t->name == NULL || t->failure != TLS_FAIL_NONE)
		return 0;
	tls_cache_keep(&t->setup->cache, t->name, session, t->generation);
	return 1;
}

static bool
ask_servers(struct tls_setup *s, const struct tls_client_conf *conf,
    char why[TLS_WHY_MAX])
{
	s->wildcards = conf->wildcards;
	if (!add_trusts(s, &conf->trust, conf->trust != NULL) ||
	    !own_add_all(s, &conf->certificate,
	    conf->certificate.chain != NULL, why))
		return false;
	SSL_CTX_set_verify(s->ctx, conf->trust != NULL ? SSL_VERIFY_PEER :
	    SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(s->ctx, keep_session);
	return true;
}

struct tls_context *
tls_client_context_new(const struct tls_client_conf *conf,
    char why[TLS_WHY_MAX])
{
	struct tls_setup *s = setup_new(TLS_client_method(), conf->ciphers,
	    conf->min_version, why);

	return finish(s, s != NULL && ask_servers(s, conf, why));
}

void
tls_context_free(struct tls_context *c)
{
	if (c == NULL)
		return;
	tls_setup_unref(c->setup);
	free(c);
}

void
tls_context_replace(struct tls_context *c, struct tls_context *from)
{
	tls_setup_unref(c->setup);
	c->setup = from->setup;
	from->setup = NULL;
}

int64_t
tls_context_expires_s(const struct tls_context *c)
{
	return c->setup->expires_s;
}
