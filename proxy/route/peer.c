/*
 * peer.c -- who is known by address or certificate, and where it is reached.
 */
#include "config.h"

#include "route/peer.h"

#include <stdlib.h>
#include <string.h>

#include "io/dns.h"
#include "io/target.h"

#define AT(member) offsetof(struct peer_conf, member)

static const char *const auth_choices[] = {
	[PEER_AUTH_IP] = "ip", [PEER_AUTH_DIGEST] = "digest", NULL
};

static const char *const path_choices[] = {
	[PATH_RFC] = "rfc", [PATH_ALWAYS] = "always",
	[PATH_CONTACT] = "contact", NULL
};

static const char *const verify_choices[] = {
	[PEER_VERIFY_FULL] = "full", [PEER_VERIFY_NONE] = "none", NULL
};

/* Fills the int `auth` of a peer_conf. */
static const struct conf_opt auth_opts_of_peer[] = {
	{ "is", CONF_T_CHOICE, 0, .dflt = "ip", .choices = auth_choices,
	    .help = "What is asked: \"ip\" (the address, or the certificate, "
	    "is enough) or \"digest\" (a user's name and password as "
	    "well)." },
	{ "all", CONF_T_LIST, 0, CONF_LATER,
	    .help = "Several proofs, each of which is needed." },
	{ "any", CONF_T_LIST, 0, CONF_LATER,
	    .help = "Several proofs, one of which is enough." },
	CONF_END
};

const struct conf_opt peer_opts[] = {
	CONF_LINE(struct peer_conf),
	{ "name", CONF_T_STR, AT(name), CONF_REQUIRED, .min = 1, .max = 64,
	    .help = "By which routes and the log call it: letters, digits, "
	    "'-', '_' and '.'." },
	{ "uri", CONF_T_LIST, AT(uri), CONF_RELOAD,
	    .help = "Where it is reached: a SIP URI or a list of them, tried "
	    "in this order. Names are looked up by RFC 3263." },
	{ "from", CONF_T_LIST, AT(from), CONF_RELOAD,
	    .help = "Addresses and networks that it sends from. With neither "
	    "from nor certificate it is only a target." },
	{ "listener", CONF_T_STR, AT(listener), CONF_RELOAD, .min = 1,
	    .max = 64,
	    .help = "The listener that its UDP packets come in on; elsewhere "
	    "they are a stranger's. Without it, the interface by which the "
	    "kernel routes to its network." },
	{ "auth", CONF_T_GROUP, AT(auth), CONF_RELOAD | CONF_SHORTHAND,
	    .opts = auth_opts_of_peer,
	    .help = "What a request from it must bring besides: nothing "
	    "(\"ip\"), or \"digest\"." },
	{ "certificate", CONF_T_LIST, AT(certificate), CONF_RELOAD,
	    .min = 1, .max = TARGET_HOST_MAX,
	    .help = "Names, one of which its TLS certificate bears: it is "
	    "known by it, from any address unless from is given too, and "
	    "then by both. Over UDP and TCP it is a stranger." },
	{ "ca", CONF_T_PATH, AT(ca), CONF_RELOAD,
	    .help = "PEM file of the authorities that its certificate must "
	    "lead to, when it connects to us and when we connect to it. They "
	    "vouch for nobody else. By default listen.client_ca when it "
	    "connects, and tls.ca." },
	{ "crl", CONF_T_PATH, AT(crl), CONF_RELOAD,
	    .help = "What the authorities of its ca revoked: a PEM file, or "
	    "a folder of such." },
	{ "verify", CONF_T_CHOICE, AT(verify), CONF_RELOAD, .dflt = "full",
	    .choices = verify_choices,
	    .help = "What the certificate of its targets must be: good and "
	    "for the name in the uri (\"full\"), or anything (\"none\"), "
	    "so that whoever is on the way can stand in for it." },
	{ "path", CONF_T_CHOICE, AT(path), CONF_RELOAD, .dflt = "always",
	    .choices = path_choices,
	    .help = "How a REGISTER to it tells the way back to the phone: "
	    "Path where the phone supports it (\"rfc\", RFC 3327), always "
	    "(\"always\"), or by an own Contact for registrars without "
	    "Path (\"contact\")." },
	CONF_END
};

struct peers {
	struct peer	*v;
	size_t		 n;
};

/* Peers being made from what the file says. */
struct making {
	struct conf			*c;
	const struct peer_conf		*conf;
	struct peers			*ps;
};

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

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
	/* What `to` of a route means something else by. */
	if (strcmp(p->name, "request-uri") == 0)
		conf_error(m->c, p->line, "peers.name",
		    "\"request-uri\" cannot be a peer's name");
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

static void
check_uris(const struct making *m, const struct peer_conf *p)
{
	struct target t;

	if (p->uri.n > DNS_TARGETS_MAX)
		conf_error(m->c, p->line, "peers.uri", "more than %d",
		    DNS_TARGETS_MAX);
	for (size_t i = 0; i < p->uri.n; i++) {
		if (!target_parse(&t, str_of(p->uri.v[i])))
			conf_error(m->c, p->uri.line[i], "peers.uri",
			    "\"%s\" is not a SIP URI with a host",
			    p->uri.v[i]);
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
		if (p->nnets == 0 && q->nnets == 0 && same(p->ca, q->ca) &&
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

/* Is there nothing that tells the two apart at the same address? */
static bool
same_place(const struct peer *a, const struct peer *b)
{
	return a == b || (a->ncertificates == 0 && b->ncertificates == 0 &&
	    same(a->listener, b->listener));
}

static bool
has_net(const struct peer *p, const struct net *n)
{
	for (size_t i = 0; i < p->nnets; i++)
		if (same_net(&p->net[i], n))
			return true;
	return false;
}

static bool
is_everybody(const struct net *n)
{
	struct addr a = { .port = 0 };

	memcpy(a.ip, n->ip, sizeof a.ip);
	return n->bits == 0 || (n->bits == 96 && addr_is_v4(&a));
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
	if (is_everybody(n) && p->auth == PEER_AUTH_IP &&
	    p->ncertificates == 0)
		conf_error(m->c, line, "peers.from",
		    "\"%s\" with auth \"ip\" would let everybody in", text);
	for (const struct peer *q = m->ps->v; q <= p; q++)
		if (has_net(q, n) && same_place(q, p))
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

static bool
add_peer(const struct making *m, size_t i)
{
	const struct peer_conf *conf = &m->conf[i];
	struct peer *p = &m->ps->v[m->ps->n++];

	*p = (struct peer){
		.line = conf->line, .name = conf->name,
		.id = peer_id(conf->name),
		.auth = (enum peer_auth)conf->auth,
		.path = (enum path_mode)conf->path,
		.listener = conf->listener,
		.certificate = conf->certificate.v,
		.ncertificates = conf->certificate.n,
		.ca = conf->ca, .crl = conf->crl,
		.verify = (enum peer_verify)conf->verify,
		.uri = conf->uri.v, .nuris = conf->uri.n
	};
	check_name(m, i);
	check_uris(m, conf);
	if (conf->crl != NULL && conf->ca == NULL)
		conf_error(m->c, conf->line, "peers.crl", "goes with a ca");
	if (conf->uri.n == 0 && conf->from.n == 0 && conf->certificate.n == 0)
		conf_error(m->c, conf->line, "peers", "\"%s\" has neither "
		    "uri nor from nor certificate", conf->name);
	if (!add_nets(m, p, &conf->from))
		return false;
	for (size_t k = 0; k < p->ncertificates; k++)
		check_certificate(m, p, k);
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

void
peers_free(struct peers *ps)
{
	if (ps == NULL)
		return;
	for (size_t i = 0; i < ps->n; i++) {
		free(ps->v[i].net);
		free(ps->v[i].net_ifindex);
	}
	free(ps->v);
	free(ps);
}

size_t
peers_count(const struct peers *ps)
{
	return ps->n;
}

const struct peer *
peers_at(const struct peers *ps, size_t i)
{
	return &ps->v[i];
}

const struct peer *
peers_by_name(const struct peers *ps, const char *name)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->v[i].name, name) == 0)
			return &ps->v[i];
	return NULL;
}

const struct peer *
peers_by_id(const struct peers *ps, uint32_t id)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->v[i].id == id)
			return &ps->v[i];
	return NULL;
}

bool
peer_has_place(const struct peer *p)
{
	return p->nuris > 0 || p->nnets > 0;
}

bool
peer_has_addr(const struct peer *p, const struct addr *a)
{
	struct target t;

	for (size_t i = 0; i < p->nnets; i++)
		if (net_has(&p->net[i], a))
			return true;
	for (size_t i = 0; i < p->nuris; i++)
		if (target_parse(&t, str_of(p->uri[i])) && t.numeric &&
		    addr_same_ip(&t.addr, a))
			return true;
	return false;
}

bool
peer_has_port(const struct peer *p, uint16_t port)
{
	struct target t;

	for (size_t i = 0; i < p->nuris; i++)
		if (target_parse(&t, str_of(p->uri[i])) && port ==
		    (t.port != 0 ? t.port : target_default_port(t.transport)))
			return true;
	return false;
}
