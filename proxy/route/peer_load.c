/*
 * peer_load.c -- the peers of the file, checked one by one and against each
 * other.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "io/target.h"
#include "route/peer_inner.h"

/* Peers being made from what the file says. */
struct making {
	struct conf			*c;
	const struct peer_conf		*conf;
	struct peers			*ps;
};

static bool
is_name(const char *s)
{
	return *s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
}

static void
check_name(const struct making *m, size_t i)
{
	const struct peer_conf *p = &m->conf[i];

	if (!is_name(p->name))
		conf_error(m->c, p->line, "peers.name", "\"%s\" has more "
		    "than letters, digits, '-', '_' and '.'", p->name);
	/* What `to` and `from` of a route mean something else by. */
	if (strcmp(p->name, "request-uri") == 0 ||
	    strcmp(p->name, "strangers") == 0)
		conf_error(m->c, p->line, "peers.name",
		    "\"%s\" cannot be a peer's name", p->name);
	for (size_t k = 0; k < i; k++) {
		if (strcmp(m->conf[k].name, p->name) == 0)
			conf_error(m->c, p->line, "peers.name",
			    "\"%s\" is the name of another peer", p->name);
		else if (peer_id(m->conf[k].name) == peer_id(p->name))
			conf_error(m->c, p->line, "peers.name",
			    "\"%s\" and \"%s\" have the same number; choose "
			    "another name", p->name, m->conf[k].name);
	}
}

static bool
has_certificate(const struct peer *p, const char *name)
{
	for (size_t i = 0; i < p->ncertificates; i++)
		if (strcasecmp(p->certificate[i], name) == 0)
			return true;
	return false;
}

/* No wildcards: a name in the certificate is compared as a whole (RFC 5922
 * section 7.2). */
static void
check_certificate(const struct making *m, const struct peer *p, size_t i)
{
	const struct conf_list *names = &m->conf[p - m->ps->v].certificate;
	char host[TARGET_HOST_MAX + 1];
	struct addr a;

	if (!target_host_copy(host, str_of(names->v[i])) &&
	    !addr_parse_host(&a, str_of(names->v[i])))
		conf_error(m->c, names->line[i], "peers.certificate",
		    "\"%s\" is not a host name", names->v[i]);
	for (const struct peer *q = m->ps->v; q < p; q++)
		if (peers_meet_at_certificate(p, q) &&
		    has_certificate(q, names->v[i]))
			conf_error(m->c, names->line[i], "peers.certificate",
			    "\"%s\" is already a name of \"%s\"",
			    names->v[i], q->name);
}

/* The first address that is not the network's own. */
static struct addr
first_host(const struct net *n)
{
	struct addr a = { .port = 0 };

	memcpy(a.ip, n->ip, sizeof a.ip);
	if (n->bits < 127)
		a.ip[15] |= 1;
	return a;
}

static bool
same_net(const struct net *a, const struct net *b)
{
	return a->bits == b->bits && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool
has_net(const struct peer *p, const struct net *n)
{
	for (size_t i = 0; i < p->nnets; i++)
		if (same_net(&p->net[i], n))
			return true;
	return false;
}

static void
add_net(const struct making *m, struct peer *p, const char *text, int line)
{
	struct net *n = &p->net[p->nnets];
	struct addr host;

	if (!net_parse(n, str_of(text))) {
		conf_error(m->c, line, "peers.from", "\"%s\" is not an "
		    "address, and not a network without host bits", text);
		return;
	}
	if (net_is_everybody(n) && peer_is_known_by(p, PEER_BY_ADDRESS))
		conf_error(m->c, line, "peers.from",
		    "\"%s\" with auth \"ip\" would let everybody in", text);
	else if (net_is_everybody(n) &&
	    p->proofs == (PEER_BY_ADDRESS | PEER_BY_DIGEST))
		conf_warn(m->c, line, "peers.from", "all strangers are at "
		    "\"%s\": none who guesses is banned; without from and "
		    "with users \"%s\" is known by its digest", text,
		    p->name);
	for (const struct peer *q = m->ps->v; q <= p; q++)
		if (has_net(q, n) && peers_meet_at_address(q, p))
			conf_error(m->c, line, "peers.from",
			    "\"%s\" is already a network of \"%s\"", text,
			    q->name);
	host = first_host(n);
	p->net_ifindex[p->nnets] = ifindex_to(&host);
	if (p->net_ifindex[p->nnets] == 0 && p->listener == NULL &&
	    p->ncertificates == 0)
		conf_warn(m->c, line, "peers.from", "the kernel has no route "
		    "to \"%s\": UDP from there is taken for a stranger's",
		    text);
	p->nnets++;
}

static bool
add_nets(const struct making *m, struct peer *p, const struct conf_list *from)
{
	if (from->n == 0)
		return true;
	p->net = calloc(from->n, sizeof *p->net);
	p->net_ifindex = calloc(from->n, sizeof *p->net_ifindex);
	if (p->net == NULL || p->net_ifindex == NULL)
		return false;
	for (size_t i = 0; i < from->n; i++)
		add_net(m, p, from->v[i], from->line[i]);
	return true;
}

/* Who of two peers is a user of both? */
static void
check_users(const struct making *m, const struct peer *p)
{
	const struct conf_list *users = &m->conf[p - m->ps->v].users;

	for (size_t i = 0; i < p->nusers; i++)
		for (const struct peer *q = m->ps->v; q < p; q++)
			if (peers_meet_at_user(p, q) &&
			    peer_has_user(q, p->user[i]))
				conf_error(m->c, users->line[i], "peers.users",
				    "\"%s\" is already a user of \"%s\"",
				    p->user[i], q->name);
}

static void
add_account(const struct making *m, struct peer *p,
    const struct peer_conf *conf)
{
	account_check(m->c, &conf->credentials);
	register_check(m->c, &conf->registration);
	if (conf->credentials.line != 0)
		p->account = &conf->credentials;
	if (conf->registration.line == 0)
		return;
	p->registration = &conf->registration;
	if (p->nuris == 0)
		conf_error(m->c, conf->registration.line, "peers.register",
		    "\"%s\" has no uri where we could register",
		    conf->name);
}

static bool
add_peer(const struct making *m, size_t i)
{
	const struct peer_conf *conf = &m->conf[i];
	struct peer *p = &m->ps->v[m->ps->n++];

	*p = (struct peer){
		.line = conf->line, .name = conf->name,
		.id = peer_id(conf->name),
		.path = (enum path_mode)conf->path,
		.udp_max = conf->udp_max,
		.listener = conf->listener,
		.certificate = conf->certificate.v,
		.ncertificates = conf->certificate.n,
		.ca = conf->ca, .crl = conf->crl,
		.verify = (enum peer_verify)conf->verify,
		.requests = conf->requests,
		.methods = conf->methods,
		.media = media_if_any(&conf->media),
		.class = conf->class,
	};
	check_name(m, i);
	if (!peer_targets_fill(m->c, conf, p))
		return false;
	if (conf->crl != NULL && conf->ca == NULL)
		conf_error(m->c, conf->line, "peers.crl", "goes with a ca");
	if (p->nuris == 0 && conf->from.n == 0 && conf->certificate.n == 0 &&
	    conf->users.n == 0)
		conf_error(m->c, conf->line, "peers", "\"%s\" has neither "
		    "uri nor from nor certificate nor users", conf->name);
	peer_known_fill(m->c, conf, p);
	add_account(m, p, conf);
	if (!add_nets(m, p, &conf->from))
		return false;
	for (size_t k = 0; k < p->ncertificates; k++)
		check_certificate(m, p, k);
	check_users(m, p);
	return true;
}

static bool
add_peers(const struct making *m, size_t n)
{
	if (n == 0)
		return true;
	m->ps->v = calloc(n, sizeof *m->ps->v);
	if (m->ps->v == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!add_peer(m, i))
			return false;
	return true;
}

struct peers *
peers_new(struct conf *c, const struct conf_groups *conf)
{
	unsigned errors = conf_errors(c);
	struct making m = { c, conf->v, calloc(1, sizeof *m.ps) };

	if (m.ps == NULL || !add_peers(&m, conf->n))
		conf_error(c, 0, "peers", "no memory");
	if (conf_errors(c) == errors)
		return m.ps;
	peers_free(m.ps);
	return NULL;
}
