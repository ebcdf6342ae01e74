/*
 * pki.c -- authorities, certificates and CRLs for a test.
 */
#include "config.h"

#include "pki.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum { PATHS = 16, DAY_S = 24 * 3600 };

void
pki_open(struct pki *p)
{
	snprintf(p->dir, sizeof p->dir, "/tmp/test_pki.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void
pki_close(struct pki *p)
{
	nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
pki_path(const struct pki *p, const char *file)
{
	static char path[PATHS][256];
	static unsigned n;
	char *to = path[n++ % PATHS];

	snprintf(to, sizeof path[0], "%s/%s", p->dir, file);
	return to;
}

const char *
pki_folder(const struct pki *p, const char *name)
{
	const char *path = pki_path(p, name);

	assert_int_equal(mkdir(path, 0700), 0);
	return path;
}

static void
add_ext(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *e;

	if (value == NULL)
		return;
	e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void
set_names(X509 *x, const struct pki_spec *s, X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(x);

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)s->name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
}

static void
set_life(X509 *x, const struct pki_spec *s)
{
	bool given = s->from_days != 0 || s->to_days != 0;

	X509_gmtime_adj(X509_getm_notBefore(x),
	    (long)(given ? s->from_days : -1) * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(x),
	    (long)(given ? s->to_days : 30) * DAY_S);
}

static void
set_serial(X509 *x)
{
	uint32_t n;

	assert_int_equal(RAND_bytes((unsigned char *)&n, sizeof n), 1);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), n);
}

static void
set_exts(X509 *x, const struct pki_spec *s, X509 *issuer)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	add_ext(x, &ctx, NID_basic_constraints, s->ca ?
	    "critical,CA:TRUE" : "critical,CA:FALSE");
	add_ext(x, &ctx, NID_key_usage, s->key_use);
	add_ext(x, &ctx, NID_ext_key_usage, s->use);
	add_ext(x, &ctx, NID_subject_alt_name, s->san);
	add_ext(x, &ctx, NID_subject_key_identifier, "hash");
	if (issuer != x)
		add_ext(x, &ctx, NID_authority_key_identifier, "keyid");
}

struct pki_cert
pki_issue(const struct pki_cert *by, const struct pki_spec *spec)
{
	struct pki_cert c = { X509_new(), spec->rsa ? EVP_RSA_gen(2048) :
	    EVP_EC_gen("P-256") };
	X509 *issuer = by != NULL ? by->x : c.x;

	assert_true(c.x != NULL && c.key != NULL);
	X509_set_version(c.x, X509_VERSION_3);
	X509_set_pubkey(c.x, c.key);
	set_serial(c.x);
	set_names(c.x, spec, issuer);
	set_life(c.x, spec);
	set_exts(c.x, spec, issuer);
	assert_true(X509_sign(c.x, by != NULL ? by->key : c.key,
	    EVP_sha256()) > 0);
	return c;
}

void
pki_free(struct pki_cert *c)
{
	X509_free(c->x);
	EVP_PKEY_free(c->key);
	*c = (struct pki_cert){ 0 };
}

static FILE *
append(const char *path)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	return f;
}

void
pki_put_text(const char *path, const char *text)
{
	FILE *f = append(path);

	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

void
pki_put_cert(const char *path, const struct pki_cert *c)
{
	FILE *f = append(path);

	assert_int_equal(PEM_write_X509(f, c->x), 1);
	assert_int_equal(fclose(f), 0);
}

void
pki_put_key(const char *path, const struct pki_cert *c, const char *password)
{
	FILE *f = append(path);

	assert_int_equal(PEM_write_PrivateKey(f, c->key, password != NULL ?
	    EVP_aes_128_cbc() : NULL, (const unsigned char *)password,
	    password != NULL ? (int)strlen(password) : 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
}

static void
revoke_one(X509_CRL *crl, const struct pki_cert *c)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *when = X509_gmtime_adj(NULL, -DAY_S);

	X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(c->x));
	X509_REVOKED_set_revocationDate(r, when);
	assert_int_equal(X509_CRL_add0_revoked(crl, r), 1);
	ASN1_TIME_free(when);
}

static void
set_crl_life(X509_CRL *crl, int next_days)
{
	ASN1_TIME *last = X509_gmtime_adj(NULL, -30L * DAY_S);
	ASN1_TIME *next = X509_gmtime_adj(NULL, (long)next_days * DAY_S);

	X509_CRL_set1_lastUpdate(crl, last);
	X509_CRL_set1_nextUpdate(crl, next);
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
}

void
pki_put_crl(const char *path, const struct pki_cert *by,
    const struct pki_cert *revoked, int next_days)
{
	X509_CRL *crl = X509_CRL_new();
	FILE *f = append(path);

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->x));
	set_crl_life(crl, next_days);
	if (revoked != NULL)
		revoke_one(crl, revoked);
	X509_CRL_sort(crl);
	assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
	X509_CRL_free(crl);
	assert_int_equal(fclose(f), 0);
}
