/*
 * egress.c -- addresses that a request may not go to.
 */
#include "config.h"

#include "route/egress.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"

#define AT(member) offsetof(struct egress_conf, member)
#define RULE_AT(member) offsetof(struct egress_rule_conf, member)

enum { PROTO_ANY };			/* then enum transport + 1 */

static const char *const protos[] = {
	[PROTO_ANY] = "any", [TRANSPORT_UDP + 1] = "udp",
	[TRANSPORT_TCP + 1] = "tcp", [TRANSPORT_TLS + 1] = "tls", NULL
};

static const struct conf_opt rule_opts[] = {
	CONF_LINE(struct egress_rule_conf),
	{ "net", CONF_T_STR, RULE_AT(net), CONF_RELOAD, .min = 1, .max = 64,
	    .help = "An address or a network. By default any." },
	{ "port", CONF_T_STR, RULE_AT(port), CONF_RELOAD, .min = 1, .max = 16,
	    .help = "A port, or the first and the last one of several "
	    "(\"5060-5070\"). By default any." },
	{ "proto", CONF_T_CHOICE, RULE_AT(proto), CONF_RELOAD, .dflt = "any",
	    .choices = protos, .help = "The transport." },
	{ "uri", CONF_T_STR, RULE_AT(uri), CONF_RELOAD, .min = 1,
	    .help = "Pattern for the Request-URI, as in routes.uri. By "
	    "default any." },
	CONF_END
};

const struct conf_opt egress_opts[] = {
	CONF_LINE(struct egress_conf),
	{ "name", CONF_T_STR, AT(name), CONF_REQUIRED, .min = 1, .max = 64,
	    .help = "By which routes call it. \"none\" and \"default\" are "
	    "taken." },
	{ "allow", CONF_T_GROUPS, AT(allow), CONF_RELOAD, .opts = rule_opts,
	    .size = sizeof(struct egress_rule_conf),
	    .help = "Looked at first: what fits one of these may be "
	    "reached, whatever deny says." },
	{ "deny", CONF_T_GROUPS, AT(deny), CONF_RELOAD, .opts = rule_opts,
	    .size = sizeof(struct egress_rule_conf),
	    .help = "What fits one of these is not reached; what fits "
	    "neither list is. An entry without options fits all." },
	CONF_END
};

struct rule {
	bool		 any_net;
	struct net	 net;
	uint16_t	 from, to;	/* ports */
	int		 proto;
	const char	*uri;		/* NULL: any */
};

struct egress_list {
	const char	*name;
	struct rule	*allow, *deny;
	size_t		 nallow, ndeny;
};

struct egress {
	struct egress_list *v;
	size_t		 n;
};

static const struct egress_list built_in = { .name = "default" };

static bool
parse_ports(const char *text, struct rule *r)
{
	const char *dash = strchr(text, '-');
	size_t len = dash == NULL ? strlen(text) : (size_t)(dash - text);
	uint64_t from, to;

	if (!parse_uint((struct str){ text, len }, UINT16_MAX, &from) ||
	    !parse_uint(dash == NULL ? str_of(text) : str_of(dash + 1),
	    UINT16_MAX, &to) || from > to)
		return false;
	r->from = (uint16_t)from;
	r->to = (uint16_t)to;
	return true;
}

static void
fill_rule(struct conf *c, const struct egress_rule_conf *conf, struct rule *r)
{
	*r = (struct rule){ .any_net = conf->net == NULL,
		.to = UINT16_MAX, .proto = conf->proto, .uri = conf->uri };
	if (conf->net != NULL && !net_parse(&r->net, str_of(conf->net)))
		conf_error(c, conf->line, "egress.net", "\"%s\" is not an "
		    "address, and not a network without host bits",
		    conf->net);
	if (conf->port != NULL && !parse_ports(conf->port, r))
		conf_error(c, conf->line, "egress.port", "\"%s\" is neither "
		    "a port nor two of them, as in \"5060-5070\"",
		    conf->port);
}

/* Whatever comes after it is never asked. */
static bool
fits_all(const struct egress_rule_conf *r)
{
	return r->net == NULL && r->port == NULL && r->proto == PROTO_ANY &&
	    r->uri == NULL;
}

/* false: no memory. */
static bool
fill_rules(struct conf *c, const struct conf_groups *conf, struct rule **out,
    size_t *n)
{
	const struct egress_rule_conf *given = conf->v;

	if (conf->n == 0)
		return true;
	*out = calloc(conf->n, sizeof **out);
	if (*out == NULL)
		return false;
	for (; *n < conf->n; (*n)++) {
		fill_rule(c, &given[*n], &(*out)[*n]);
		if (fits_all(&given[*n]) && *n + 1 < conf->n)
			conf_warn(c, given[*n].line, "egress", "this entry "
			    "fits all, so those after it are never asked");
	}
	return true;
}

static void
check_list(struct conf *c, const struct egress_conf *all, size_t i)
{
	const struct egress_conf *l = &all[i];
	const struct egress_rule_conf *allow = l->allow.v;

	if (strcmp(l->name, "none") == 0 || strcmp(l->name, "default") == 0)
		conf_error(c, l->line, "egress.name", "\"%s\" is built in; "
		    "choose another name", l->name);
	for (size_t k = 0; k < i; k++)
		if (strcmp(all[k].name, l->name) == 0)
			conf_error(c, l->line, "egress.name",
			    "\"%s\" is the name of another list", l->name);
	if (l->deny.n == 0)
		conf_error(c, l->line, "egress.deny", "\"%s\" denies "
		    "nothing; an entry without options, ( { } ), denies all "
		    "that allow does not name", l->name);
	for (size_t k = 0; k < l->allow.n; k++)
		if (fits_all(&allow[k]))
			conf_error(c, allow[k].line, "egress.allow",
			    "this entry fits all, so nothing is denied");
}

struct egress *
egress_new(struct conf *c, const struct conf_groups *conf)
{
	const struct egress_conf *given = conf->v;
	struct egress *e = calloc(1, sizeof *e);
	unsigned errors = conf_errors(c);
	bool ok = e != NULL;

	if (ok && conf->n > 0)
		ok = (e->v = calloc(conf->n, sizeof *e->v)) != NULL;
	for (size_t i = 0; ok && i < conf->n; i++) {
		struct egress_list *l = &e->v[e->n++];

		l->name = given[i].name;
		check_list(c, given, i);
		ok = fill_rules(c, &given[i].allow, &l->allow, &l->nallow) &&
		    fill_rules(c, &given[i].deny, &l->deny, &l->ndeny);
	}
	if (!ok)
		conf_error(c, 0, "egress", "no memory");
	if (conf_errors(c) == errors)
		return e;
	egress_free(e);
	return NULL;
}

void
egress_free(struct egress *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].allow);
		free(e->v[i].deny);
	}
	free(e->v);
	free(e);
}

const struct egress_list *
egress_default(void)
{
	return &built_in;
}

const struct egress_list *
egress_by_name(const struct egress *e, const char *name)
{
	if (strcmp(name, built_in.name) == 0)
		return &built_in;
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->v[i].name, name) == 0)
			return &e->v[i];
	return NULL;
}

const char *
egress_name(const struct egress_list *l)
{
	return l->name;
}

/* Nobody is reached there but on this link, or all at once. */
static const struct net near[] = {
	NET_V4(0, 0, 8), NET_V4(169, 254, 16), NET_V4(224, 0, 4),
	NET_V4(240, 0, 4), NET_V6(0, 0, 128), NET_V6(0xfe, 0x80, 10),
	NET_V6(0xff, 0, 8)
};

/*
 * The IPv4 address that a translator or a tunnel would make of it: else a
 * name could stand for a gateway in a way that no network above has.
 * RFC 6052 section 2.1, RFC 3056 section 2, RFC 4291 section 2.5.5.1.
 */
static bool
take_inner(struct addr *a)
{
	static const struct { struct net net; unsigned at; } forms[] = {
		{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },
		{ NET_V6(0x20, 0x02, 16), 2 }, { NET_V6(0, 0, 96), 12 }
	};
	struct addr v4 = { .ip = { [10] = 0xff, [11] = 0xff },
		.port = a->port };

	for (size_t i = 0; i < COUNT(forms); i++) {
		if (!net_has(&forms[i].net, a))
			continue;
		memcpy(v4.ip + 12, a->ip + forms[i].at, 4);
		*a = v4;
		return true;
	}
	return false;
}

static bool
is_a_peers(const struct peers *ps, const struct addr *a)
{
	for (size_t i = 0; i < peers_count(ps); i++)
		if (peer_has_addr(peers_at(ps, i), a))
			return true;
	return false;
}

/* Is this address out of bounds where no list of the file says more? */
static bool
is_inside(const struct egress_query *q, const struct addr *a)
{
	if (nets_have(near, COUNT(near), a))
		return true;
	if (q->of_peer)
		return addr_is_loopback(a) && !addr_is_loopback(&q->source);
	return addr_is_loopback(a) || addr_is_private(a) ||
	    is_a_peers(q->peers, a);
}

static bool
judge_built_in(const struct egress_query *q)
{
	struct addr inner = q->to;

	return !q->is_ours && !is_inside(q, &q->to) &&
	    (addr_is_loopback(&inner) || !take_inner(&inner) ||
	    !is_inside(q, &inner));
}

static bool
fits(const struct rule *r, const struct egress_query *q)
{
	return (r->any_net || net_has(&r->net, &q->to)) &&
	    q->to.port >= r->from && q->to.port <= r->to &&
	    (r->proto == PROTO_ANY || r->proto == (int)q->transport + 1) &&
	    (r->uri == NULL || glob_match(str_of(r->uri), q->uri, true));
}

static bool
any_fits(const struct rule *r, size_t n, const struct egress_query *q)
{
	for (size_t i = 0; i < n; i++)
		if (fits(&r[i], q))
			return true;
	return false;
}

bool
egress_judge(const struct egress_list *l, const struct egress_query *q)
{
	struct egress_query inner = *q;

	if (l == &built_in)
		return judge_built_in(q);
	return any_fits(l->allow, l->nallow, q) ||
	    (!any_fits(l->deny, l->ndeny, q) && (!take_inner(&inner.to) ||
	    !any_fits(l->deny, l->ndeny, &inner)));
}
