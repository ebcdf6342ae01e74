/*
 * holes.c -- configurations that work, and leave a hole.
 */
#include "config.h"

#include "daemon/holes.h"

#include <string.h>

#include "auth/digest.h"
#include "daemon/firewall.h"

static bool
is_public(const struct listen_conf *l)
{
	return l->advertise != NULL || addr_is_any(&l->addr) ||
	    !(addr_is_private(&l->addr) || addr_is_loopback(&l->addr));
}

/* NULL: there is none. */
static const struct listen_conf *
public_listener(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		if (is_public(&l[i]))
			return &l[i];
	return NULL;
}

/* Anybody can write a peer's address into a UDP packet. */
static void
warn_of_forgery(const struct settings *s, const struct peer *p)
{
	const struct listen_conf *l = s->listen.v;

	if (!peer_is_known_by(p, PEER_BY_ADDRESS))
		return;
	for (size_t i = 0; i < s->listen.n; i++)
		if (l[i].udp && is_public(&l[i]) && (p->listener == NULL ||
		    strcmp(p->listener, l[i].name) == 0))
			conf_warn(s->conf, l[i].line, "listen", "peer \"%s\" "
			    "is known by its UDP address alone, and this "
			    "listener is public: a forged source address may "
			    "pass; give the peer a listener of its own inside",
			    p->name);
}

/* Who listens may try passwords on an answer at home; on one by MD5 some
 * hundred times faster, and phones take the first that they know (RFC 8760
 * section 2.4). */
static void
warn_of_md5(const struct settings *s)
{
	const struct conf_choices *offered = &s->auth.algorithms;

	if (s->users == NULL || settings_have_tls(s) || offered->n == 0 ||
	    offered->v[0] != DIGEST_MD5)
		return;
	conf_warn(s->conf, offered->line, "auth.algorithms", "MD5 is %s, and "
	    "no listener is TLS: whoever reads an answer can try passwords "
	    "on it fast", offered->n == 1 ? "the only one" :
	    "offered first");
}

static void
warn_of_guessers(const struct settings *s)
{
	const struct listen_conf *l = public_listener(s);

	if (l == NULL)
		return;
	if (s->limits.requests_per_source.count == 0)
		conf_warn(s->conf, s->limits.line,
		    "limits.requests_per_source", "is off, and listener "
		    "\"%s\" is public: one source may use up all of this "
		    "machine", l->name);
	if (s->limits.ban_after < 0 && s->users != NULL)
		conf_warn(s->conf, s->limits.line, "limits.ban_after",
		    "is off, and listener \"%s\" is public: a source may "
		    "guess passwords for ever", l->name);
}

static void
warn_of_spared(const struct settings *s)
{
	const struct conf_list *nets = &s->limits.ban_never;
	struct net n;

	for (size_t i = 0; i < nets->n; i++)
		if (net_parse(&n, str_of(nets->v[i])) && net_is_everybody(&n))
			conf_warn(s->conf, nets->line[i], "limits.ban_never",
			    "\"%s\" is everybody: anybody may guess passwords "
			    "for ever", nets->v[i]);
}

void
holes_warn(const struct settings *s)
{
	for (size_t i = 0; i < peers_count(s->peers); i++)
		warn_of_forgery(s, peers_at(s->peers, i));
	warn_of_md5(s);
	warn_of_guessers(s);
	warn_of_spared(s);
	firewall_warn(s);
}

void
holes_warn_lacking(const struct settings *s, uint8_t algs)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if ((algs & 1u << alg) != 0)
			conf_warn(s->conf, s->auth.algorithms.line,
			    "auth.algorithms", "some users have no %s, so it "
			    "is not offered in their realm; set their "
			    "passwords anew", digest_alg_name(
			    (enum digest_alg)alg));
}
