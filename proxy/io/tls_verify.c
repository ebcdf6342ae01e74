/*
 * tls_verify.c -- who is at the other end?
 *
 * A client's chain is shown to each trust of the context, since each may
 * vouch for another peer; one is enough to be let in.
 */
#include "config.h"

#include "io/tls_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

void
tls_fail(struct tls *t, const struct tls_verdict *v)
{
	if (t->failure != TLS_FAIL_NONE)
		return;
	t->failure = v->failure;
	t->reason = strdup(v->text);
}

/* What says more about a chain that nobody vouches for. */
static bool
says_more(enum tls_failure f)
{
	return f != TLS_FAIL_UNKNOWN_CA && f != TLS_FAIL_SELF_SIGNED;
}

static bool
ask_each(struct tls *t, const struct tls_shown *shown, struct tls_verdict *v)
{
	struct tls_verdict one;
	bool any = false;

	for (size_t i = 0; i < t->setup->ntrusts; i++) {
		t->vouched[i] = tls_trust_vouches(t->setup->trust[i], shown,
		    &one);
		any |= t->vouched[i];
		if (!t->vouched[i] && (i == 0 || (says_more(one.failure) &&
		    !says_more(v->failure))))
			*v = one;
	}
	return any;
}

static bool
learn_names(struct tls *t, X509 *leaf)
{
	tls_names_fini(&t->names);
	if (!tls_names_read(&t->names, leaf, t->setup->wildcards ?
	    TLS_NAMES_WILDCARDS : TLS_NAMES_SIP))
		return false;
	t->peer.name = t->names.name;
	t->peer.nnames = t->names.n;
	t->known = true;
	return true;
}

/* RFC 5922 7.2: the whole name, and no wildcards. */
static bool
bears_name(const struct tls *t)
{
	if (t->name == NULL)
		return true;
	return t->setup->wildcards ? tls_names_match(&t->names, t->name) :
	    tls_names_have(&t->names, t->name);
}

static void
wrong_name(const struct tls *t, struct tls_verdict *v)
{
	v->failure = TLS_FAIL_NAME;
	v->error = X509_V_ERR_HOSTNAME_MISMATCH;
	snprintf(v->text, sizeof v->text, "the certificate is for %s%s, not "
	    "for %s", t->names.n > 0 ? t->names.name[0] : "nobody",
	    t->names.n > 1 ? " and others" : "", t->name);
	tls_clean(v->text);
}

static bool
judge(struct tls *t, const struct tls_shown *shown, struct tls_verdict *v)
{
	if (!ask_each(t, shown, v))
		return false;
	if (!learn_names(t, shown->leaf)) {
		*v = (struct tls_verdict){ TLS_FAIL_CERT,
			X509_V_ERR_OUT_OF_MEM, "no memory" };
		return false;
	}
	if (bears_name(t))
		return true;
	wrong_name(t, v);
	return false;
}

int
tls_verify(X509_STORE_CTX *given, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(given,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);
	struct tls_shown shown = {
		.leaf = X509_STORE_CTX_get0_cert(given),
		.others = X509_STORE_CTX_get0_untrusted(given),
		.purpose = SSL_is_server(ssl) ? "ssl_client" : "ssl_server",
		.level = SSL_get_security_level(ssl),
	};
	struct tls_verdict v;

	(void)arg;
	v.error = X509_V_OK;
	if (t->setup->ntrusts > 0 && !judge(t, &shown, &v))
		tls_fail(t, &v);
	X509_STORE_CTX_set_error(given, t->failure == TLS_FAIL_NONE ?
	    X509_V_OK : v.error);
	return t->failure == TLS_FAIL_NONE;
}

bool
tls_verify_again(struct tls *t)
{
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);

	if (leaf == NULL || t->setup->ntrusts == 0)
		return true;
	for (size_t i = 0; i < t->setup->ntrusts; i++)
		t->vouched[i] = true;
	return learn_names(t, leaf);
}
