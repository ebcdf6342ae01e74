/*
 * settings_tls.c -- the TLS options, as far as the file alone tells.
 */
#include "config.h"

#include "daemon/settings_inner.h"
#include "io/target.h"

static void
refuse(struct conf *c, const struct listen_conf *l, const char *option)
{
	conf_error(c, l->line, option,
	    "is for TLS only (sips:, or transport=tls)");
}

static void
check_without_tls(struct conf *c, const struct listen_conf *l)
{
	if (l->certificate.n > 0)
		refuse(c, l, "listen.certificate");
	if (l->key.n > 0)
		refuse(c, l, "listen.key");
	if (l->client_ca != NULL)
		refuse(c, l, "listen.client_ca");
	if (l->client_certificate != CLIENT_CERT_AUTO)
		refuse(c, l, "listen.client_certificate");
	if (l->crl != NULL)
		refuse(c, l, "listen.crl");
}

static void
check_with_tls(struct conf *c, const struct listen_conf *l)
{
	if (l->certificate.n == 0)
		conf_error(c, l->line, "listen.certificate",
		    "missing; TLS needs one");
	else if (l->key.n != 0 && l->key.n != l->certificate.n)
		conf_error(c, l->key.line[0], "listen.key", "has %zu where "
		    "certificate has %zu", l->key.n, l->certificate.n);
	if (l->client_certificate == CLIENT_CERT_NONE &&
	    (l->client_ca != NULL || l->crl != NULL))
		conf_warn(c, l->line, "listen.client_certificate",
		    "\"none\": nobody's certificate will be asked for");
}

void
settings_check_listen_tls(struct conf *c, const struct listen_conf *l)
{
	if (l->tls)
		check_with_tls(c, l);
	else
		check_without_tls(c, l);
}

/* The system's authorities vouch for anybody; only a peer makes sense of what
 * they say. */
static void
check_required(const struct settings_root *r, const struct listen_conf *l)
{
	const struct peer_conf *p = r->peers.v;

	if (l->client_certificate != CLIENT_CERT_REQUIRED ||
	    l->client_ca != NULL || r->s.tls.ca != NULL)
		return;
	for (size_t i = 0; i < r->peers.n; i++)
		if (p[i].certificate.n > 0)
			return;
	conf_error(r->s.conf, l->line, "listen.client_certificate",
	    "\"required\" of whom?  There is no client_ca, and no peer with a "
	    "certificate");
}

bool
settings_have_tls(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		if (l[i].tls)
			return true;
	return false;
}

static bool
asks_clients(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		if (l[i].tls && l[i].client_certificate != CLIENT_CERT_NONE)
			return true;
	return false;
}

static bool
wants_tls(const char *uri)
{
	struct target_uri t;

	return target_parse(&t, str_of(uri)) && t.transport == TRANSPORT_TLS;
}

static void
check_reached(const struct settings *s, const char *option, int line,
    const char *uri)
{
	if (!settings_have_tls(s) && wants_tls(uri))
		conf_warn(s->conf, line, option, "no entry of listen is for "
		    "TLS, so \"%s\" cannot be reached", uri);
}

static void
check_peer(const struct settings *s, const struct peer_conf *p)
{
	const struct target_conf *t = p->targets.v;

	if (p->certificate.n > 0 && !asks_clients(s))
		conf_warn(s->conf, p->certificate.line[0],
		    "peers.certificate", "no entry of listen asks for "
		    "certificates, so \"%s\" is never known", p->name);
	for (size_t i = 0; i < p->targets.n; i++)
		check_reached(s, "peers.targets.uri", t[i].line, t[i].uri);
	for (size_t i = 0; i < p->uri.n; i++)
		check_reached(s, "peers.uri", p->uri.line[i], p->uri.v[i]);
}

void
settings_check_tls(const struct settings_root *r)
{
	const struct settings *s = &r->s;
	const struct listen_conf *l = s->listen.v;
	const struct peer_conf *p = r->peers.v;

	if (s->tls.key != NULL && s->tls.certificate == NULL)
		conf_error(s->conf, s->tls.line, "tls.key",
		    "goes with a certificate");
	for (size_t i = 0; i < s->listen.n; i++)
		check_required(r, &l[i]);
	for (size_t i = 0; i < r->peers.n; i++)
		check_peer(s, &p[i]);
}
