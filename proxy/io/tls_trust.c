/*
 * tls_trust.c -- authorities, what they revoked, and whom they vouch for.
 *
 * Files are read once, so the loop never waits for one.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

enum { CHAIN_DEPTH_MAX = 8 };

/* How many authorities the file has; -1: it cannot be used. */
static int
add_authorities(X509_STORE *store, const char *path, char why[TLS_WHY_MAX])
{
	STACK_OF(X509) *all = tls_pem_certificates(path, why);
	int n = sk_X509_num(all);

	for (int i = 0; i < n; i++)
		if (!X509_STORE_add_cert(store, sk_X509_value(all, i))) {
			tls_why_file(why, path, "no memory");
			n = -1;
		}
	sk_X509_pop_free(all, X509_free);
	return n;
}

static int
add_crls(X509_STORE *store, const char *path, char why[TLS_WHY_MAX])
{
	STACK_OF(X509_CRL) *all = tls_pem_crls(path, why);
	int n = sk_X509_CRL_num(all);

	for (int i = 0; i < n; i++)
		if (!X509_STORE_add_crl(store, sk_X509_CRL_value(all, i))) {
			tls_why_file(why, path, "no memory");
			n = -1;
		}
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	return n;
}

typedef int add_f(X509_STORE *store, const char *path,
    char why[TLS_WHY_MAX]);
typedef bool wanted_f(const char *name);

static bool
is_not_hidden(const char *name)
{
	return name[0] != '.';
}

/* The names by which OpenSSL finds a certificate in a folder; the others are
 * the same once more. */
static bool
is_hashed(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
	    isdigit((unsigned char)name[9]);
}

static int
add_entry(X509_STORE *store, const char *path, add_f *add,
    char why[TLS_WHY_MAX])
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return add(store, path, why);
}

static int
add_folder(X509_STORE *store, const char *path, add_f *add,
    char why[TLS_WHY_MAX])
{
	wanted_f *wanted = add == add_crls ? is_not_hidden : is_hashed;
	DIR *d = opendir(path);
	struct dirent *e;
	char entry[PATH_MAX];
	int n = 0, r = 0;

	if (d == NULL) {
		tls_why_file(why, path, NULL);
		return -1;
	}
	while (r >= 0 && (e = readdir(d)) != NULL) {
		if (!wanted(e->d_name))
			continue;
		snprintf(entry, sizeof entry, "%s/%s", path, e->d_name);
		r = add_entry(store, entry, add, why);
		n += r;
	}
	closedir(d);
	return r < 0 ? -1 : n;
}

static const char *
from_environment(const char *variable, const char *otherwise)
{
	const char *value = secure_getenv(variable);

	return value != NULL ? value : otherwise;
}

/* Where OpenSSL would look, but now. */
static bool
add_system(X509_STORE *store, char why[TLS_WHY_MAX])
{
	const char *file = from_environment(X509_get_default_cert_file_env(),
	    X509_get_default_cert_file());
	const char *folder = from_environment(X509_get_default_cert_dir_env(),
	    X509_get_default_cert_dir());
	int n = 0;

	if (access(file, F_OK) == 0)
		n = add_authorities(store, file, why);
	if (n == 0)
		n = add_folder(store, folder, add_authorities, why);
	if (n == 0)
		tls_why_file(why, folder, "the system has no authorities");
	return n > 0;
}

static bool
add_named(X509_STORE *store, const char *ca, char why[TLS_WHY_MAX])
{
	int n = add_authorities(store, ca, why);

	if (n == 0)
		tls_why_file(why, ca, "no certificate in it");
	return n > 0;
}

static bool
set_crls(X509_STORE *store, const char *crl, char why[TLS_WHY_MAX])
{
	struct stat st;
	int n;

	n = stat(crl, &st) == 0 && S_ISDIR(st.st_mode) ?
	    add_folder(store, crl, add_crls, why) :
	    add_crls(store, crl, why);
	if (n == 0)
		tls_why_file(why, crl, "no CRL in it");
	X509_STORE_set_flags(store,
	    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return n > 0;
}

struct tls_trust *
tls_trust_new(const struct tls_trust_conf *conf, char why[TLS_WHY_MAX])
{
	struct tls_trust *t = calloc(1, sizeof *t);

	snprintf(why, TLS_WHY_MAX, "no memory");
	if (t == NULL)
		return NULL;
	t->users = 1;
	t->crl_expired_ok = conf->crl_expired_ok;
	t->store = X509_STORE_new();
	if (t->store != NULL &&
	    (conf->ca != NULL ? add_named(t->store, conf->ca, why) :
	    add_system(t->store, why)) &&
	    (conf->crl == NULL || set_crls(t->store, conf->crl, why)))
		return t;
	ERR_clear_error();
	tls_trust_free(t);
	return NULL;
}

struct tls_trust *
tls_trust_ref(struct tls_trust *t)
{
	t->users++;
	return t;
}

void
tls_trust_free(struct tls_trust *t)
{
	if (t == NULL || --t->users > 0)
		return;
	X509_STORE_free(t->store);
	free(t);
}

void
tls_trust_replace(struct tls_trust *t, struct tls_trust *from)
{
	X509_STORE_free(t->store);
	t->store = from->store;
	t->crl_expired_ok = from->crl_expired_ok;
	t->generation++;
	from->store = NULL;
}

static bool
is_for_sip(const EXTENDED_KEY_USAGE *uses)
{
	char oid[32];

	for (int i = 0; i < sk_ASN1_OBJECT_num(uses); i++) {
		OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(uses, i), 1);
		if (strcmp(oid, "1.3.6.1.5.5.7.3.20") == 0)
			return true;
	}
	return false;
}

/* RFC 5924 4.1: id-kp-sipDomain is as good as the purposes of TLS.  OpenSSL
 * stopped at the extension, or at a key that may not sign. */
static bool
may_do_sip(X509 *x, bool is_leaf)
{
	uint32_t needs = is_leaf ? X509v3_KU_DIGITAL_SIGNATURE |
	    X509v3_KU_KEY_AGREEMENT : X509v3_KU_KEY_CERT_SIGN;
	EXTENDED_KEY_USAGE *uses;
	bool yes;

	if ((X509_get_key_usage(x) & needs) == 0)
		return false;
	uses = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	yes = is_for_sip(uses);
	sk_ASN1_OBJECT_pop_free(uses, ASN1_OBJECT_free);
	return yes;
}

/* The chain ends in what the operator believes: that needs no other's CRL. */
static bool
is_anchor(X509_STORE_CTX *s)
{
	int depth = X509_STORE_CTX_get_error_depth(s);

	return depth > 0 &&
	    depth == sk_X509_num(X509_STORE_CTX_get0_chain(s)) - 1;
}

static int
look_again(int ok, X509_STORE_CTX *s)
{
	const struct tls_trust *t = X509_STORE_CTX_get_app_data(s);
	bool passes = ok;

	switch (X509_STORE_CTX_get_error(s)) {
	case X509_V_ERR_CRL_HAS_EXPIRED:
		passes |= t->crl_expired_ok;
		break;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		passes |= is_anchor(s);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		passes |= may_do_sip(X509_STORE_CTX_get_current_cert(s),
		    X509_STORE_CTX_get_error_depth(s) == 0);
		break;
	}
	if (passes)
		X509_STORE_CTX_set_error(s, X509_V_OK);
	return passes;
}

/* flags: of OpenSSL, beyond the store's. */
static bool
try(const struct tls_trust *t, const struct tls_shown *shown,
    unsigned long flags, struct tls_verdict *v)
{
	X509_STORE_CTX *s = X509_STORE_CTX_new();
	bool ok;

	v->error = X509_V_ERR_OUT_OF_MEM;
	v->failure = TLS_FAIL_CERT;
	snprintf(v->text, sizeof v->text, "no memory");
	if (s == NULL || !X509_STORE_CTX_init(s, t->store, shown->leaf,
	    shown->others) ||
	    !X509_STORE_CTX_set_default(s, shown->purpose)) {
		X509_STORE_CTX_free(s);
		return false;
	}
	X509_STORE_CTX_set_flags(s, flags);
	X509_STORE_CTX_set_depth(s, CHAIN_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(s),
	    shown->level);
	X509_STORE_CTX_set_app_data(s, (void *)t);
	X509_STORE_CTX_set_verify_cb(s, look_again);
	ok = X509_verify_cert(s) == 1;
	if (!ok)
		tls_verdict_chain(v, s);
	X509_STORE_CTX_free(s);
	ERR_clear_error();
	return ok;
}

/*
 * An authority may be an intermediate one.  But this is tried second: the
 * CRL of the root may revoke an intermediate that is named beside it.
 */
bool
tls_trust_vouches(const struct tls_trust *t, const struct tls_shown *shown,
    struct tls_verdict *v)
{
	if (try(t, shown, 0, v))
		return true;
	switch (v->error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return try(t, shown, X509_V_FLAG_PARTIAL_CHAIN, v);
	default:
		return false;
	}
}
