/*
 * tls_load.c -- the TLS files that the settings name, read for their holders.
 */
#include "config.h"

#include <stdlib.h>

#include "daemon/file_mark.h"
#include "daemon/tls_holders.h"
#include "io/target.h"

struct loading {
	struct holders		*hs;
	const struct settings	*s;
	tls_fault_f		*say;
	void			*arg;
	unsigned		 faults;
};

/* Whose option is read, for complaints. */
struct place {
	int		 line;
	const char	*option, *of;
};

static void
complain(struct loading *l, const struct place *at, const char *why)
{
	const struct tls_fault f = { at->line, at->option, at->of, why };

	l->faults++;
	l->say(l->arg, &f);
}

/* NULL after complaining: no memory. */
static struct holder *
need(struct loading *l, enum whose whose, const struct place *at)
{
	struct holder *h = holder_need(l->hs, whose, at->of);

	if (h == NULL)
		complain(l, at, "no memory");
	return h;
}

static void
load_trust(struct loading *l, enum whose whose,
    const struct tls_trust_conf *conf, const struct place *at)
{
	struct holder *h = need(l, whose, at);
	char why[TLS_WHY_MAX];

	if (h == NULL)
		return;
	h->new_trust = tls_trust_new(conf, why);
	if (h->new_trust == NULL)
		complain(l, at, why);
}

/* The trust that contexts name: the one in force takes over the new one. */
static struct tls_trust *
lasting(const struct holder *h)
{
	if (h == NULL || h->new_trust == NULL)
		return NULL;
	return h->trust != NULL ? h->trust : h->new_trust;
}

static bool
wants_tls(const struct peer *p)
{
	struct target_uri t;

	for (size_t i = 0; i < p->nuris; i++)
		if (target_parse(&t, str_of(p->uri[i])) &&
		    t.transport == TRANSPORT_TLS)
			return true;
	return false;
}

/* Is there any use of TLS? */
static bool
is_used(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		if (l[i].tls)
			return true;
	for (size_t i = 0; i < peers_count(s->peers); i++)
		if (wants_tls(peers_at(s->peers, i)))
			return true;
	return s->tls.line != 0;
}

static void
load_trust_of_all(struct loading *l)
{
	const struct tls_conf *t = &l->s->tls;
	const struct tls_trust_conf conf = { t->ca, t->crl,
		t->crl_expired == CRL_EXPIRED_ACCEPT };

	load_trust(l, OF_ALL, &conf, &(struct place){ t->line, "tls.ca", "" });
}

/* tls.crl is about the authorities of tls.ca, and goes with them. */
static void
load_trust_of_listener(struct loading *l, const struct listen_conf *of)
{
	const struct tls_trust_conf conf = {
		.ca = of->client_ca != NULL ? of->client_ca : l->s->tls.ca,
		.crl = of->crl,
		.crl_expired_ok = of->crl_expired == CRL_EXPIRED_ACCEPT };

	if (of->tls && (of->client_ca != NULL || of->crl != NULL))
		load_trust(l, OF_LISTENER, &conf, &(struct place){ of->line,
		    "listen.client_ca", of->name });
}

static void
load_trust_of_peer(struct loading *l, const struct peer *p)
{
	const struct tls_trust_conf conf = { p->ca, p->crl,
		l->s->tls.crl_expired == CRL_EXPIRED_ACCEPT };

	if (p->ca != NULL)
		load_trust(l, OF_PEER, &conf, &(struct place){ p->line,
		    "peers.ca", p->name });
}

static int
min_version(const struct settings *s)
{
	return s->tls.min_version == TLS_VERSION_13 ? 13 : 12;
}

static void
load_client(struct loading *l, enum whose whose, struct tls_trust *trust,
    const struct place *at)
{
	const struct tls_conf *t = &l->s->tls;
	const struct tls_client_conf conf = {
		.certificate = { t->certificate, t->key }, .trust = trust,
		.ciphers = t->ciphers, .min_version = min_version(l->s) };
	struct holder *h = need(l, whose, at);
	char why[TLS_WHY_MAX];

	if (h == NULL)
		return;
	h->new_context = tls_client_context_new(&conf, why);
	if (h->new_context == NULL)
		complain(l, at, why);
}

/* One without its trust would believe everybody; its fault was said. */
static void
load_client_with_trust(struct loading *l, enum whose whose, const char *name)
{
	struct tls_trust *t = lasting(holder_find(l->hs, whose, name));

	if (t != NULL)
		load_client(l, whose, t, &(struct place){ l->s->tls.line,
		    "tls.certificate", name });
}

static enum tls_ask
ask_of(const struct settings *s, const struct listen_conf *l)
{
	switch ((enum client_certificate)l->client_certificate) {
	case CLIENT_CERT_NONE:
		return TLS_ASK_NOTHING;
	case CLIENT_CERT_OPTIONAL:
		return TLS_ASK_OPTIONAL;
	case CLIENT_CERT_REQUIRED:
		return TLS_ASK_REQUIRED;
	case CLIENT_CERT_AUTO:
		break;
	}
	for (size_t i = 0; i < peers_count(s->peers); i++)
		if (peers_at(s->peers, i)->ncertificates > 0)
			return TLS_ASK_OPTIONAL;
	return l->client_ca != NULL ? TLS_ASK_OPTIONAL : TLS_ASK_NOTHING;
}

/* The listener's, or that of all, and each peer's own. */
static size_t
gather_trusts(const struct loading *l, const struct listen_conf *of,
    struct tls_trust **out)
{
	const struct peers *ps = l->s->peers;
	struct tls_trust *t = lasting(holder_find(l->hs, OF_LISTENER,
	    of->name));
	size_t n = 0;

	if (t == NULL)
		t = lasting(holder_find(l->hs, OF_ALL, ""));
	if (t != NULL)
		out[n++] = t;
	for (size_t i = 0; i < peers_count(ps); i++) {
		t = lasting(holder_find(l->hs, OF_PEER,
		    peers_at(ps, i)->name));
		if (t != NULL)
			out[n++] = t;
	}
	return n;
}

static void
gather_certificates(const struct listen_conf *l, struct tls_certificate *out)
{
	for (size_t i = 0; i < l->certificate.n; i++)
		out[i] = (struct tls_certificate){ l->certificate.v[i],
			l->key.n > 0 ? l->key.v[i] : NULL };
}

static void
load_server(struct loading *l, const struct listen_conf *of)
{
	const struct place at = { of->certificate.line[0],
		"listen.certificate", of->name };
	struct holder *h = need(l, OF_LISTENER, &at);
	struct tls_trust **trust = calloc(1 + peers_count(l->s->peers),
	    sizeof *trust);
	struct tls_certificate *certificate = calloc(of->certificate.n,
	    sizeof *certificate);
	char why[TLS_WHY_MAX] = "no memory";
	struct tls_server_conf conf = { .certificate = certificate,
		.ncertificates = of->certificate.n, .ask = ask_of(l->s, of),
		.trust = trust, .ciphers = l->s->tls.ciphers,
		.min_version = min_version(l->s) };

	if (h != NULL && trust != NULL && certificate != NULL) {
		gather_certificates(of, certificate);
		conf.ntrusts = gather_trusts(l, of, trust);
		if (conf.ntrusts == 0)		/* that fault was said */
			conf.ask = TLS_ASK_NOTHING;
		h->new_context = tls_server_context_new(&conf, why);
	}
	if (h != NULL && h->new_context == NULL)
		complain(l, &at, why);
	free(trust);
	free(certificate);
}

static void
load_trusts(struct loading *l)
{
	const struct listen_conf *listen = l->s->listen.v;

	load_trust_of_all(l);
	for (size_t i = 0; i < l->s->listen.n; i++)
		load_trust_of_listener(l, &listen[i]);
	for (size_t i = 0; i < peers_count(l->s->peers); i++)
		load_trust_of_peer(l, peers_at(l->s->peers, i));
}

static bool
has_unverified(const struct settings *s)
{
	for (size_t i = 0; i < peers_count(s->peers); i++)
		if (peers_at(s->peers, i)->verify == PEER_VERIFY_NONE)
			return true;
	return false;
}

static void
load_clients(struct loading *l)
{
	const struct peers *ps = l->s->peers;

	load_client_with_trust(l, OF_ALL, "");
	/* What is wrong with our certificate needs no saying again. */
	if (l->faults > 0)
		return;
	if (has_unverified(l->s))
		load_client(l, OF_UNVERIFIED, NULL, &(struct place){
		    l->s->tls.line, "tls.certificate", "" });
	for (size_t i = 0; i < peers_count(ps); i++)
		load_client_with_trust(l, OF_PEER, peers_at(ps, i)->name);
}

unsigned
holders_load(struct holders *hs, const struct settings *s, tls_fault_f *say,
    void *arg)
{
	struct loading l = { hs, s, say, arg, 0 };
	const struct listen_conf *listen = s->listen.v;

	if (!is_used(s))
		return 0;
	load_trusts(&l);
	for (size_t i = 0; i < s->listen.n; i++)
		if (listen[i].tls)
			load_server(&l, &listen[i]);
	load_clients(&l);
	return l.faults;
}

static uint64_t
mark(uint64_t so_far, const char *path)
{
	return path == NULL ? so_far : file_mark(so_far, path);
}

static uint64_t
mark_listener(uint64_t so_far, const struct listen_conf *l)
{
	for (size_t i = 0; i < l->certificate.n; i++)
		so_far = mark(so_far, l->certificate.v[i]);
	for (size_t i = 0; i < l->key.n; i++)
		so_far = mark(so_far, l->key.v[i]);
	return mark(mark(so_far, l->client_ca), l->crl);
}

uint64_t
holders_mark(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;
	uint64_t all = 0;

	for (size_t i = 0; i < s->listen.n; i++)
		all = mark_listener(all, &l[i]);
	for (size_t i = 0; i < peers_count(s->peers); i++)
		all = mark(mark(all, peers_at(s->peers, i)->ca),
		    peers_at(s->peers, i)->crl);
	all = mark(mark(all, s->tls.certificate), s->tls.key);
	return mark(mark(all, s->tls.ca), s->tls.crl);
}
