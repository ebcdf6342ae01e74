/*
 * peer.c -- who is known by address or certificate, and where it is reached.
 */
#include "config.h"

#include "route/peer.h"

#include <stdlib.h>
#include <string.h>

#include "io/target.h"
#include "route/peer_inner.h"
#include "route/sets.h"

#define AT(member) offsetof(struct peer_conf, member)

static const char *const path_choices[] = {
	[PATH_RFC] = "rfc", [PATH_ALWAYS] = "always",
	[PATH_CONTACT] = "contact", NULL
};

static const char *const verify_choices[] = {
	[PEER_VERIFY_FULL] = "full", [PEER_VERIFY_NONE] = "none", NULL
};

const struct conf_opt peer_opts[] = {
	CONF_LINE(struct peer_conf),
	{ "name", CONF_T_STR, AT(name), CONF_REQUIRED, .min = 1, .max = 64,
	    .help = "By which routes and the log call it: letters, digits, "
	    "'-', '_' and '.'." },
	{ "uri", CONF_T_LIST, AT(uri), CONF_RELOAD,
	    .help = "Where it is reached: a SIP URI or a list of them, tried "
	    "in this order. Names are looked up by RFC 3263." },
	{ "targets", CONF_T_GROUPS, AT(targets), CONF_RELOAD,
	    .opts = peer_target_opts, .size = sizeof(struct target_conf),
	    .help = "The same, instead of uri, where they share the load: "
	    "each with a priority and a weight." },
	{ "balance", CONF_T_CHOICE, AT(balance), CONF_RELOAD, .dflt = "order",
	    .choices = peer_balance_choices,
	    .help = "Which target of one priority is asked first: as they "
	    "are listed (\"order\"), in turn (\"round-robin\"), in turn by "
	    "weight (\"weight\"), the same for a Call-ID (\"call-id\"), for "
	    "the user of From (\"from\") or for whom it is meant "
	    "(\"user\"), or the one with the fewest requests under way "
	    "(\"least\"). The others follow if it fails." },
	{ "probe", CONF_T_GROUP, AT(probe), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = peer_probe_opts,
	    .help = "Whether its targets are asked by OPTIONS if they "
	    "live." },
	{ "from", CONF_T_LIST, AT(from), CONF_RELOAD,
	    .help = "Addresses and networks that it sends from. With neither "
	    "from nor certificate it is only a target." },
	{ "listener", CONF_T_STR, AT(listener), CONF_RELOAD, .min = 1,
	    .max = 64,
	    .help = "The listener that its UDP packets come in on; elsewhere "
	    "they are a stranger's. Without it, the interface by which the "
	    "kernel routes to its network." },
	{ "auth", CONF_T_GROUP, AT(auth), CONF_RELOAD | CONF_SHORTHAND,
	    .opts = peer_auth_opts,
	    .help = "What proves that a request is its own: \"ip\", "
	    "\"certificate\", \"digest\", or a list of proofs." },
	{ "users", CONF_T_LIST, AT(users), CONF_RELOAD, .min = 1, .max = 128,
	    .help = "The names whose digest is the peer's. By default any, "
	    "if from or certificate is there as well." },
	{ "domains", CONF_T_LIST, AT(domains), CONF_RELOAD, .min = 1,
	    .max = TARGET_HOST_MAX,
	    .help = "The hosts of the Request-URIs that it asks for; with "
	    "another it is not this peer. So peers at one address are told "
	    "apart." },
	{ "realm", CONF_T_STR, AT(realm), CONF_RELOAD, .min = 1, .max = 255,
	    .help = "The realm of challenges to it. By default the one for "
	    "all." },
	{ "trusted", CONF_T_CHOICE, AT(trusted), CONF_RELOAD,
	    .dflt = "auto", .choices = peer_trusted_choices,
	    .help = "Whether what is private among those who trust each other "
	    "(RFC 3325) passes to and from it: true, false, or \"auto\", "
	    "which is true unless digest is one of its proofs." },
	{ "pass", CONF_T_CHOICES, AT(pass), CONF_RELOAD,
	    .choices = peer_pass_choices,
	    .help = "Which of these headers pass towards it: Identity "
	    "(\"identity\", RFC 8224), Session-ID (\"session-id\", RFC "
	    "7989), History-Info (\"history-info\", RFC 7044), Diversion "
	    "(\"diversion\", RFC 5806). By default all if it is trusted, "
	    "else the first two." },
	{ "strip", CONF_T_LIST, AT(strip), CONF_RELOAD, .min = 1, .max = 32,
	    .help = "What is taken off the front of the number called before "
	    "it goes there: of several the first that fits." },
	{ "prefix", CONF_T_STR, AT(prefix), CONF_RELOAD, .min = 1,
	    .max = 32,
	    .help = "What is put in front of it then, unless a + is "
	    "there." },
	{ "domain", CONF_T_STR, AT(domain), CONF_RELOAD, .min = 1,
	    .max = TARGET_HOST_MAX,
	    .help = "The host of Request-URI and To of what goes there." },
	{ "caller", CONF_T_GROUP, AT(caller), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = caller_opts,
	    .help = "What it sees of the caller, where that is another than "
	    "he says." },
	{ "pending", CONF_T_INT, AT(pending), CONF_RELOAD | CONF_OFF,
	    .dflt = "off", .min = 1, .max = 10000000,
	    .help = "Requests under way at once that came from it. Beyond "
	    "it, new ones get 503, but not those of a dialog, nor emergency "
	    "calls." },
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
	{ "udp_max", CONF_T_INT, AT(udp_max), CONF_RELOAD | CONF_OFF,
	    .dflt = "0", .min = 0, .max = 65535, .unit = "bytes",
	    .help = "The same as limits.udp_max, for its targets; 0 means "
	    "that one." },
	{ "credentials", CONF_T_GROUP, AT(credentials),
	    CONF_RELOAD | CONF_OPTIONAL, .opts = account_opts,
	    .help = "Who we are there: challenges of its targets for this "
	    "realm are answered by us, and not passed on." },
	{ "register", CONF_T_GROUP, AT(registration),
	    CONF_RELOAD | CONF_OPTIONAL, .opts = register_opts,
	    .help = "An address that we register there, so that its calls "
	    "come to us." },
	{ "methods", CONF_T_LIST, AT(methods), CONF_RELOAD, .min = 1,
	    .max = 32,
	    .help = "The methods that it may use; another gets 405. By "
	    "default any." },
	{ "requests", CONF_T_RATE, AT(requests), CONF_RELOAD | CONF_OFF,
	    .dflt = "off",
	    .help = "How many requests it may send, like "
	    "limits.requests_per_source. Beyond it, 503." },
	{ "media", CONF_T_GROUP, AT(media), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = media_opts,
	    .help = "What is asked of the SDP that it sends, and that is "
	    "sent to it. By default nothing." },
	{ "class", CONF_T_STR, AT(class), CONF_RELOAD, .min = 1, .max = 32,
	    .help = "The class of service, an entry of classes, for the "
	    "calls that it sends. By default none: no limit." },
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
	if (is_everybody(n) && peer_is_known_by(p, PEER_BY_ADDRESS))
		conf_error(m->c, line, "peers.from",
		    "\"%s\" with auth \"ip\" would let everybody in", text);
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

void
peers_free(struct peers *ps)
{
	if (ps == NULL)
		return;
	for (size_t i = 0; i < ps->n; i++) {
		free(ps->v[i].net);
		free(ps->v[i].net_ifindex);
		set_free(ps->v[i].set);
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

struct peer *
peers_mut(struct peers *ps, size_t i)
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
peer_sends(const struct peer *p)
{
	return (p->proofs & ~(unsigned)PEER_BY_DIGEST) != 0 ||
	    p->nusers > 0 || p->registration != NULL;
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

const char *
peer_uri_of_port(const struct peer *p, uint16_t port)
{
	struct target t;

	for (size_t i = 0; i < p->nuris; i++)
		if (target_parse(&t, str_of(p->uri[i])) && port ==
		    (t.port != 0 ? t.port : target_default_port(t.transport)))
			return p->uri[i];
	return NULL;
}
