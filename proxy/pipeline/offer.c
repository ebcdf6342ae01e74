/*
 * offer.c -- our challenges, as text.
 */
#include "config.h"

#include "pipeline/offer.h"

static uint8_t
bits_of(const struct conf_choices *list)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < list->n; i++)
		bits |= (uint8_t)(1u << list->v[i]);
	return bits;
}

/* Only algorithms for which everybody in the realm has an H(A1), if there is
 * one. */
static uint8_t
algs_of(const struct offer *o)
{
	struct cred_store *users = o->env->users;
	uint8_t all = bits_of(&o->auth->algorithms), usable = all;

	if (users != NULL)
		usable &= users->ops->algs(users, str_of(o->realm));
	return usable == 0 ? all : usable;
}

bool
offer_make(struct offer *o)
{
	struct nonce_store *store = o->env->nonces;
	const struct auth_conf *auth = o->auth;
	struct nonce_terms terms;

	if (!store->ops->terms(store, &terms))
		return false;
	o->nonce = (struct nonce){
		.algs = algs_of(o),
		.qops = bits_of(&auth->qop),	/* NONCE_QOP_... */
		.instance = o->env->instance, .store = terms.generation,
		.lifetime_s = (uint16_t)(auth->nonce_lifetime_ms / 1000)
	};
	if (auth->legacy)
		o->nonce.mode |= NONCE_LEGACY | NONCE_ONE_TIME;
	if (terms.local)
		o->nonce.mode |= NONCE_LOCAL;
	return true;
}

static const char *
qop_text(const struct auth_conf *auth)
{
	if (auth->qop.n == 2)
		return auth->qop.v[0] == 0 ? "auth,auth-int" :
		    "auth-int,auth";
	return auth->qop.v[0] == 0 ? "auth" : "auth-int";
}

void
offer_put(struct writer *w, const struct offer *o)
{
	const struct auth_conf *auth = o->auth;
	char nonce[NONCE_TEXT + 1], opaque[OPAQUE_TEXT + 1];

	nonce_mint(o->env->keys, &o->nonce, str_of(o->realm), o->source,
	    o->unix_ms, nonce);
	nonce_opaque(o->env->keys, 0, str_of(nonce), opaque);
	for (size_t i = 0; i < auth->algorithms.n; i++) {
		enum digest_alg alg = (enum digest_alg)auth->algorithms.v[i];

		if (!(o->nonce.algs & 1u << alg))
			continue;
		put_text(w, o->www ? "WWW-Authenticate: Digest realm=\"" :
		    "Proxy-Authenticate: Digest realm=\"");
		put_text(w, o->realm);
		put_text(w, "\", nonce=\"");
		put_mem(w, nonce, NONCE_TEXT);
		put_text(w, "\", opaque=\"");
		put_mem(w, opaque, OPAQUE_TEXT);
		put_text(w, "\", algorithm=");
		put_text(w, digest_alg_name(alg));
		put_text(w, ", qop=\"");
		put_text(w, qop_text(auth));
		put_text(w, o->stale ? "\", userhash=true, stale=true\r\n" :
		    "\", userhash=true\r\n");
	}
}
