/*
 * peer_known.c -- by what a peer is known, and what it is trusted with.
 */
#include "config.h"

#include <string.h>

#include "io/target.h"
#include "route/peer_inner.h"

#define AT(member) offsetof(struct peer_auth_conf, member)

enum known_by { KNOWN_BY_IP, KNOWN_BY_CERTIFICATE, KNOWN_BY_DIGEST };

static const char *const known_choices[] = {
	[KNOWN_BY_IP] = "ip", [KNOWN_BY_CERTIFICATE] = "certificate",
	[KNOWN_BY_DIGEST] = "digest", NULL
};

const char *const peer_trusted_choices[] = {
	[PEER_TRUSTED_AUTO] = "auto", [PEER_TRUSTED] = "true",
	[PEER_UNTRUSTED] = "false", NULL
};

/* In the order of the bits PASS_... */
const char *const peer_pass_choices[] = {
	"identity", "session-id", "history-info", "diversion", NULL
};

const struct conf_opt peer_auth_opts[] = {
	{ "is", CONF_T_CHOICE, AT(is), CONF_RELOAD, .dflt = "ip",
	    .choices = known_choices,
	    .help = "\"ip\": its address, or its certificate, or both where "
	    "from and certificate are given, are enough. \"certificate\": "
	    "the same, and it has one. \"digest\": one of its users must "
	    "prove himself as well; with neither from nor certificate he is "
	    "enough." },
	{ "all", CONF_T_CHOICES, AT(all), CONF_RELOAD,
	    .choices = known_choices,
	    .help = "Instead: proofs, each of which is needed. Who has only "
	    "some is a stranger." },
	{ "any", CONF_T_CHOICES, AT(any), CONF_RELOAD,
	    .choices = known_choices,
	    .help = "Instead: proofs, one of which is enough." },
	CONF_END
};

static unsigned
by_place(const struct peer_conf *conf)
{
	return (conf->from.n > 0 ? PEER_BY_ADDRESS : 0) |
	    (conf->certificate.n > 0 ? PEER_BY_CERTIFICATE : 0);
}

static unsigned
by_list(const struct conf_choices *list)
{
	static const unsigned bit[] = {
		[KNOWN_BY_IP] = PEER_BY_ADDRESS,
		[KNOWN_BY_CERTIFICATE] = PEER_BY_CERTIFICATE,
		[KNOWN_BY_DIGEST] = PEER_BY_DIGEST,
	};
	unsigned proofs = 0;

	for (size_t i = 0; i < list->n; i++)
		proofs |= bit[list->v[i]];
	return proofs;
}

static unsigned
by_word(const struct peer_conf *conf)
{
	unsigned proofs = by_place(conf);

	if (conf->auth.is == KNOWN_BY_DIGEST)
		proofs |= PEER_BY_DIGEST;
	if (conf->auth.is == KNOWN_BY_CERTIFICATE)
		proofs |= PEER_BY_CERTIFICATE;
	return proofs;
}

static void
fill_proofs(const struct peer_conf *conf, struct peer *p)
{
	const struct peer_auth_conf *auth = &conf->auth;

	p->any = auth->any.n > 0;
	p->proofs = p->any ? by_list(&auth->any) :
	    auth->all.n > 0 ? by_list(&auth->all) : by_word(conf);
}

static void
check_proofs(struct conf *c, const struct peer_conf *conf,
    const struct peer *p)
{
	unsigned lack = p->proofs & ~(by_place(conf) | PEER_BY_DIGEST);

	if (conf->auth.all.n > 0 && conf->auth.any.n > 0)
		conf_error(c, conf->line, "peers.auth",
		    "\"%s\" has both all and any", p->name);
	if (lack & PEER_BY_ADDRESS)
		conf_error(c, conf->line, "peers.auth",
		    "\"ip\" goes with from, which \"%s\" has not", p->name);
	if (lack & PEER_BY_CERTIFICATE)
		conf_error(c, conf->line, "peers.auth", "\"certificate\" goes "
		    "with certificate, which \"%s\" has not", p->name);
	/* with auth = "digest" it is only a target then */
	if (peer_is_known_by(p, PEER_BY_DIGEST) && p->nusers == 0 &&
	    conf->auth.all.n + conf->auth.any.n > 0)
		conf_error(c, conf->line, "peers.auth", "\"digest\" alone "
		    "goes with users, which \"%s\" has not", p->name);
	if (p->nusers > 0 && !(p->proofs & PEER_BY_DIGEST))
		conf_error(c, conf->users.line[0], "peers.users",
		    "go with auth \"digest\"");
}

/* Whoever is challenged must be known by then. */
static void
check_realm(struct conf *c, const struct peer *p)
{
	if (p->realm == NULL)
		return;
	if (!peer_asks_digest(p) || peer_is_known_by(p, PEER_BY_DIGEST))
		conf_error(c, p->line, "peers.realm", "is asked of nobody: "
		    "\"%s\" is not known by address or certificate, and then "
		    "asked for digest", p->name);
	if (strpbrk(p->realm, "\"\\") != NULL)
		conf_error(c, p->line, "peers.realm",
		    "may not hold \" or \\");
}

static void
check_domains(struct conf *c, const struct conf_list *domains)
{
	char host[TARGET_HOST_MAX + 1];
	struct addr a;

	for (size_t i = 0; i < domains->n; i++)
		if ((!target_host_copy(host, str_of(domains->v[i])) ||
		    strcmp(host, domains->v[i]) != 0) &&
		    !addr_parse_host(&a, str_of(domains->v[i])))
			conf_error(c, domains->line[i], "peers.domains",
			    "\"%s\" is not a host", domains->v[i]);
}

static void
fill_trust(const struct peer_conf *conf, struct peer *p)
{
	p->trusted = conf->trusted == PEER_TRUSTED ||
	    (conf->trusted == PEER_TRUSTED_AUTO &&
	    !(p->proofs & PEER_BY_DIGEST));
	p->pass = PASS_IDENTITY | PASS_SESSION_ID;
	if (p->trusted)
		p->pass |= PASS_HISTORY_INFO | PASS_DIVERSION;
	if (conf->pass.n > 0)
		p->pass = 0;
	for (size_t i = 0; i < conf->pass.n; i++)
		p->pass |= 1u << conf->pass.v[i];
}

static void
fill_rewriting(struct conf *c, const struct peer_conf *conf, struct peer *p)
{
	const struct caller_conf *caller = &conf->caller;

	p->called = (struct rewrite){ conf->strip.v, conf->strip.n,
		conf->prefix, NULL, conf->domain };
	p->caller = (struct rewrite){ caller->strip.v, caller->strip.n,
		caller->prefix, caller->user, caller->domain };
	p->caller_header = (enum caller_header)caller->header;
	rewrite_check(c, conf->line, "peers", &p->called);
	rewrite_check(c, caller->line, "peers.caller", &p->caller);
}

void
peer_known_fill(struct conf *c, const struct peer_conf *conf, struct peer *p)
{
	p->user = conf->users.v;
	p->nusers = conf->users.n;
	p->domain = conf->domains.v;
	p->ndomains = conf->domains.n;
	p->realm = conf->realm;
	p->pending = conf->pending;
	fill_proofs(conf, p);
	check_proofs(c, conf, p);
	check_realm(c, p);
	check_domains(c, &conf->domains);
	fill_trust(conf, p);
	fill_rewriting(c, conf, p);
}

bool
peer_conf_asks_digest(const struct peer_conf *conf)
{
	struct peer p;

	fill_proofs(conf, &p);
	return p.proofs & PEER_BY_DIGEST;
}

bool
peer_is_known_by(const struct peer *p, unsigned proofs)
{
	return p->any ? (p->proofs & proofs) != 0 :
	    p->proofs != 0 && (p->proofs & ~proofs) == 0;
}

bool
peer_asks_digest(const struct peer *p)
{
	return !p->any && (p->proofs & PEER_BY_DIGEST) != 0;
}

bool
peer_has_user(const struct peer *p, const char *user)
{
	for (size_t i = 0; i < p->nusers; i++)
		if (strcmp(p->user[i], user) == 0)
			return true;
	return false;
}

/* Nor does the spelling of an IPv6 address. */
static bool
is_same_address(struct str host, const char *domain)
{
	struct addr a, b;

	return host.len > 0 && memchr(host.p, ':', host.len) != NULL &&
	    addr_parse_host(&a, host) &&
	    addr_parse_host(&b, str_of(domain)) && addr_same_ip(&a, &b);
}

/* A dot at the end makes no difference. */
bool
peer_has_domain(const struct peer *p, struct str host)
{
	if (host.len > 0 && host.p[host.len - 1] == '.')
		host.len--;
	for (size_t i = 0; i < p->ndomains; i++)
		if (str_caseis(host, p->domain[i]) ||
		    is_same_address(host, p->domain[i]))
			return true;
	return false;
}

bool
peer_fits_domain(const struct peer *p, struct str host)
{
	return p->ndomains == 0 || host.p == NULL || peer_has_domain(p, host);
}

const struct peer *
peers_by_user(const struct peers *ps, const char *user, struct str domain)
{
	const struct peer *best = NULL;

	for (size_t i = 0; i < peers_count(ps); i++) {
		const struct peer *p = peers_at(ps, i);

		if (peer_is_known_by(p, PEER_BY_DIGEST) &&
		    peer_has_user(p, user) && peer_fits_domain(p, domain) &&
		    (best == NULL || p->ndomains > 0))
			best = p;
	}
	return best;
}

/* One that serves any domain gets what no other has. */
static bool
share_domain(const struct peer *a, const struct peer *b)
{
	if (a->ndomains == 0 || b->ndomains == 0)
		return a->ndomains == b->ndomains;
	for (size_t i = 0; i < a->ndomains; i++)
		if (peer_has_domain(b, str_of(a->domain[i])))
			return true;
	return false;
}

/* Is it enough to send from its address? */
static bool
is_at_address(const struct peer *p)
{
	return (p->proofs & PEER_BY_ADDRESS) != 0 &&
	    (p->any || !(p->proofs & PEER_BY_CERTIFICATE));
}

bool
peers_meet_at_address(const struct peer *a, const struct peer *b)
{
	return a == b || (is_at_address(a) && is_at_address(b) &&
	    text_same(a->listener, b->listener) && share_domain(a, b));
}

static bool
is_at_certificate(const struct peer *p)
{
	return (p->proofs & PEER_BY_CERTIFICATE) != 0 &&
	    (p->any || !(p->proofs & PEER_BY_ADDRESS));
}

bool
peers_meet_at_certificate(const struct peer *a, const struct peer *b)
{
	return is_at_certificate(a) && is_at_certificate(b) &&
	    text_same(a->ca, b->ca) && share_domain(a, b);
}

bool
peers_meet_at_user(const struct peer *a, const struct peer *b)
{
	return peer_is_known_by(a, PEER_BY_DIGEST) &&
	    peer_is_known_by(b, PEER_BY_DIGEST) && share_domain(a, b);
}
