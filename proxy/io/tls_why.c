/*
 * tls_why.c -- what OpenSSL complains about, in one sentence.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "base/count.h"

enum { SUBJECT_MAX = 120 };

static const struct {
	int			error;
	enum tls_failure	failure;
} chain_failures[] = {
	{ X509_V_ERR_CERT_REVOKED, TLS_FAIL_REVOKED },
	{ X509_V_ERR_CERT_HAS_EXPIRED, TLS_FAIL_EXPIRED },
	{ X509_V_ERR_CERT_NOT_YET_VALID, TLS_FAIL_EXPIRED },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TLS_FAIL_SELF_SIGNED },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_FAIL_UNKNOWN_CA },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TLS_FAIL_UNKNOWN_CA },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TLS_FAIL_UNKNOWN_CA },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TLS_FAIL_UNKNOWN_CA },
	{ X509_V_ERR_CERT_UNTRUSTED, TLS_FAIL_UNKNOWN_CA },
	{ X509_V_ERR_INVALID_PURPOSE, TLS_FAIL_PURPOSE },
	{ X509_V_ERR_HOSTNAME_MISMATCH, TLS_FAIL_NAME },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, TLS_FAIL_CRL },
	{ X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, TLS_FAIL_CRL },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, TLS_FAIL_CRL },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, TLS_FAIL_CRL },
	{ X509_V_ERR_CRL_NOT_YET_VALID, TLS_FAIL_CRL },
	{ X509_V_ERR_CRL_HAS_EXPIRED, TLS_FAIL_CRL },
	{ X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, TLS_FAIL_CRL },
	{ X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, TLS_FAIL_CRL },
	{ X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, TLS_FAIL_CRL },
	{ X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, TLS_FAIL_CRL },
	{ X509_V_ERR_DIFFERENT_CRL_SCOPE, TLS_FAIL_CRL },
	{ X509_V_ERR_CRL_PATH_VALIDATION_ERROR, TLS_FAIL_CRL },
};

static enum tls_failure
chain_failure(int error)
{
	for (size_t i = 0; i < COUNT(chain_failures); i++)
		if (chain_failures[i].error == error)
			return chain_failures[i].failure;
	return TLS_FAIL_CERT;
}

/* Alerts that are about the certificate that we showed, or did not show. */
static bool
is_about_ours(int alert)
{
	switch (alert) {
	case SSL_AD_NO_CERTIFICATE:
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case SSL_AD_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

void
tls_clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '?';
}

static void
subject_of(X509 *x, char out[SUBJECT_MAX])
{
	BIO *b = BIO_new(BIO_s_mem());
	int len = 0;

	if (b != NULL && X509_NAME_print_ex(b, X509_get_subject_name(x), 0,
	    XN_FLAG_RFC2253) >= 0)
		len = BIO_read(b, out, SUBJECT_MAX - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(b);
}

void
tls_verdict_chain(struct tls_verdict *v, X509_STORE_CTX *s)
{
	X509 *x = X509_STORE_CTX_get_current_cert(s);
	char subject[SUBJECT_MAX] = "";

	v->error = X509_STORE_CTX_get_error(s);
	if (v->error == X509_V_OK)		/* no memory, or the like */
		v->error = X509_V_ERR_UNSPECIFIED;
	v->failure = chain_failure(v->error);
	if (x != NULL)
		subject_of(x, subject);
	snprintf(v->text, sizeof v->text, "%s%s%s",
	    X509_verify_cert_error_string(v->error),
	    subject[0] != '\0' ? ": " : "", subject);
	tls_clean(v->text);
}

static enum tls_failure
error_failure(unsigned long e)
{
	int reason = ERR_GET_REASON(e);

	if (ERR_GET_LIB(e) != ERR_LIB_SSL)
		return TLS_FAIL_PROTOCOL;
	if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		return TLS_FAIL_NO_CERT;
	if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return TLS_FAIL_CLOSED;
	if (is_about_ours(reason - SSL_AD_REASON_OFFSET))
		return TLS_FAIL_REFUSED;
	return TLS_FAIL_PROTOCOL;
}

void
tls_verdict_error(struct tls_verdict *v)
{
	unsigned long e = ERR_peek_error();
	const char *text = ERR_reason_error_string(e);

	v->error = X509_V_OK;
	v->failure = error_failure(e);
	snprintf(v->text, sizeof v->text, "%s%s",
	    v->failure == TLS_FAIL_REFUSED ? "we were refused: " : "",
	    text != NULL ? text : "a fault without a name");
}

void
tls_why_file(char why[TLS_WHY_MAX], const char *path, const char *what)
{
	snprintf(why, TLS_WHY_MAX, "%s: %s", path,
	    what != NULL ? what : strerror(errno));
	ERR_clear_error();
}
