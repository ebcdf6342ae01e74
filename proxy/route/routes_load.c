/*
 * routes_load.c -- routes as the file has them, checked and made ready.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/grammar.h"
#include "route/routes_inner.h"

#define AT(member) offsetof(struct route_conf, member)

const struct conf_opt route_opts[] = {
	CONF_LINE(struct route_conf),
	{ "from", CONF_T_LIST, AT(from), CONF_RELOAD, .min = 1, .max = 64,
	    .help = "The peers that the request comes from, or one of them; "
	    "\"strangers\" stands for all who are no peer. Without it, "
	    "anybody; then the route never leads back to the peer that the "
	    "request came from." },
	{ "listener", CONF_T_LIST, AT(listener), CONF_RELOAD, .min = 1,
	    .max = 63, .help = "The listeners that it came in on." },
	{ "method", CONF_T_LIST, AT(method), CONF_RELOAD, .min = 1, .max = 32,
	    .help = "The methods that it is for." },
	{ "uri", CONF_T_STR, AT(uri), CONF_RELOAD, .min = 1,
	    .help = "Pattern for the Request-URI, which is seen as "
	    "sip:user@host (for sips: as well), tel:number or "
	    "urn:service:name, without port and parameters. * stands for any "
	    "text and ? for one character; upper and lower case are the "
	    "same." },
	{ "uri_regex", CONF_T_STR, AT(uri_regex), CONF_RELOAD, .min = 1,
	    .max = 1024,
	    .help = "The same as a regular expression (PCRE2), which must "
	    "match all of it; case counts, unless it begins with (?i). Where "
	    "it takes too long to tell, the request gets 400." },
	{ "from_uri", CONF_T_STR, AT(from_uri), CONF_RELOAD, .min = 1,
	    .help = "Pattern for the URI in From, as in uri." },
	{ "prefix", CONF_T_LIST, AT(prefix), CONF_RELOAD, .min = 1,
	    .max = NUMBER_MAX - 1,
	    .help = "What the number called begins with, one of several: the "
	    "user part of the Request-URI, if it is digits with or without a "
	    "+ before them. Visual separators are passed over. Of a route "
	    "with reject: the digits up to a letter or semicolon, whatever "
	    "else stands between them, also behind a global phone-context, "
	    "and those of a routing number (rn)." },
	{ "class", CONF_T_LIST, AT(class), CONF_RELOAD, .min = 1,
	    .max = CLASS_MAX,
	    .help = "The classes of users that it is for, as the users file "
	    "says them. Who did not prove by digest that he is a user is "
	    "of no class." },
	{ "to", CONF_T_LIST, AT(to), CONF_RELOAD, .min = 1, .max = 64,
	    .help = "The peer that gets the request; or several of them "
	    "(eight at most), who get it at the same time; or "
	    "\"request-uri\": where the Request-URI says, by RFC 3263. The "
	    "latter is for requests of peers, and for those of users if from "
	    "names \"strangers\"." },
	{ "egress", CONF_T_STR, AT(egress), CONF_RELOAD, .min = 1, .max = 64,
	    .help = "The list of egress that says which addresses it may not "
	    "go to; \"none\" for no list. By default \"default\" where "
	    "to is \"request-uri\", and else \"none\"." },
	{ "reject", CONF_T_INT, AT(reject), CONF_RELOAD, .min = 400,
	    .max = 699, .help = "Instead of to: the request gets this "
	    "status." },
	{ "phrase", CONF_T_STR, AT(phrase), CONF_RELOAD, .min = 1, .max = 80,
	    .help = "What stands behind that status; by default the usual "
	    "text." },
	{ "redirect", CONF_T_STR, AT(redirect), CONF_RELOAD, .min = 5,
	    .help = "Instead of to: the request gets 302, and this URI is "
	    "where the caller shall look. \\1 to \\9 stand for what the "
	    "groups of uri_regex matched (in the file, each backslash is "
	    "written twice)." },
	CONF_END
};

/* A route being made. */
struct making {
	struct conf			*c;
	const struct route_conf		*conf;
	const struct routes_world	*world;
	struct route			*r;
};

static bool
starts_with(const char *s, const char *head)
{
	return strncasecmp(s, head, strlen(head)) == 0;
}

static void
check_pattern(const struct making *m, const char *option, const char *uri)
{
	if (uri == NULL)
		return;
	if (starts_with(uri, "sips:"))
		conf_error(m->c, m->conf->line, option, "write \"sip:\"; it "
		    "stands for \"sips:\" as well");
	/* Whatever else it starts with, it would never match. */
	else if (!starts_with(uri, "sip:") && !starts_with(uri, "tel:") &&
	    !starts_with(uri, "urn:service:") && uri[0] != '*' && uri[0] != '?')
		conf_error(m->c, m->conf->line, option,
		    "must start with \"sip:\", \"tel:\", \"urn:service:\" "
		    "or \"*\"");
}

/* Given, and with nothing in it: it would fit nothing, or anything? */
static void
check_list(const struct making *m, const char *option,
    const struct conf_list *l)
{
	if (l->n == 0 && l->v != NULL)
		conf_error(m->c, m->conf->line, option, "is empty");
}

static void
check_lists(const struct making *m)
{
	check_list(m, "routes.from", &m->conf->from);
	check_list(m, "routes.listener", &m->conf->listener);
	check_list(m, "routes.method", &m->conf->method);
	check_list(m, "routes.prefix", &m->conf->prefix);
	check_list(m, "routes.class", &m->conf->class);
	check_list(m, "routes.to", &m->conf->to);
}

static void
check_methods(const struct making *m)
{
	const struct conf_list *l = &m->conf->method;

	for (size_t i = 0; i < l->n; i++) {
		if (!grammar_all(str_of(l->v[i]), IN_TOKEN))
			conf_error(m->c, l->line[i], "routes.method",
			    "\"%s\" is no method", l->v[i]);
		else if (strcmp(l->v[i], "ACK") == 0 ||
		    strcmp(l->v[i], "CANCEL") == 0)
			conf_error(m->c, l->line[i], "routes.method",
			    "%s goes where its INVITE went", l->v[i]);
	}
}

static void
check_prefixes(const struct making *m)
{
	const struct conf_list *l = &m->conf->prefix;

	for (size_t i = 0; i < l->n; i++) {
		const char *digits = l->v[i] + (l->v[i][0] == '+');

		if (digits[strspn(digits, "0123456789")] != '\0')
			conf_error(m->c, l->line[i], "routes.prefix", "\"%s\" "
			    "is not digits, with or without a + before them",
			    l->v[i]);
	}
}

static void
add_source(const struct making *m, size_t i)
{
	const char *name = m->conf->from.v[i];
	int line = m->conf->from.line[i];
	const struct peer *p;

	if (strcmp(name, "strangers") == 0) {
		m->r->strangers = true;
		return;
	}
	p = peers_by_name(m->world->peers, name);
	if (p == NULL)
		conf_error(m->c, line, "routes.from",
		    "there is no peer \"%s\"", name);
	else if (!peer_sends(p))
		conf_error(m->c, line, "routes.from", "peer \"%s\" has no "
		    "from: it sends no requests", name);
	else
		m->r->from[m->r->nfrom++] = p;
}

/* false: no memory. */
static bool
fill_from(const struct making *m)
{
	if (m->conf->from.n == 0)
		return true;
	m->r->from = calloc(m->conf->from.n, sizeof *m->r->from);
	if (m->r->from == NULL)
		return false;
	for (size_t i = 0; i < m->conf->from.n; i++)
		add_source(m, i);
	return true;
}

static bool
is_listed(const struct route *r, const struct peer *p)
{
	for (size_t i = 0; i < r->nto; i++)
		if (r->to[i] == p)
			return true;
	return false;
}

static void
add_target(const struct making *m, size_t i)
{
	const char *name = m->conf->to.v[i];
	int line = m->conf->to.line[i];
	const struct peer *p = peers_by_name(m->world->peers, name);

	if (strcmp(name, "request-uri") == 0)
		conf_error(m->c, line, "routes.to",
		    "\"request-uri\" must stand alone");
	else if (p == NULL)
		conf_error(m->c, line, "routes.to",
		    "there is no peer \"%s\"", name);
	else if (p->nuris == 0)
		conf_error(m->c, line, "routes.to", "peer \"%s\" has no "
		    "uri: nothing can be sent to it", name);
	else if (is_listed(m->r, p))
		conf_error(m->c, line, "routes.to",
		    "\"%s\" stands there twice", name);
	else
		m->r->to[m->r->nto++] = p;
}

static void
fill_targets(const struct making *m)
{
	const struct conf_list *to = &m->conf->to;

	if (to->n == 1 && strcmp(to->v[0], "request-uri") == 0) {
		m->r->action = ROUTE_REQUEST_URI;
		return;
	}
	m->r->action = ROUTE_PEER;
	if (to->n > ROUTE_PEERS_MAX)
		conf_error(m->c, m->conf->line, "routes.to", "more than %d",
		    ROUTE_PEERS_MAX);
	for (size_t i = 0; i < to->n && i < ROUTE_PEERS_MAX; i++)
		add_target(m, i);
}

/* A challenge without a nonce would be none. */
static void
fill_reject(const struct making *m)
{
	m->r->action = ROUTE_REJECT;
	if (m->conf->reject == 401 || m->conf->reject == 407)
		conf_error(m->c, m->conf->line, "routes.reject",
		    "%d is a challenge, and not for routes to give",
		    (int)m->conf->reject);
}

static bool
is_plain_uri(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("<>\"", *s) != NULL)
			return false;
	return true;
}

static void
fill_redirect(const struct making *m)
{
	const char *uri = m->conf->redirect;
	int groups = pattern_template_groups(uri);

	m->r->action = ROUTE_REDIRECT;
	if ((!starts_with(uri, "sip:") && !starts_with(uri, "sips:") &&
	    !starts_with(uri, "tel:")) || !is_plain_uri(uri))
		conf_error(m->c, m->conf->line, "routes.redirect",
		    "\"%s\" is not a URI: sip:, sips: or tel:, without "
		    "spaces and <>", uri);
	else if (groups < 0)
		conf_error(m->c, m->conf->line, "routes.redirect",
		    "a backslash stands before something else than a digit");
	else if (strchr(uri, '\\') != NULL && m->r->regex == NULL)
		conf_error(m->c, m->conf->line, "routes.redirect",
		    "\\%d goes with a uri_regex", groups);
	else if (m->r->regex != NULL && groups > pattern_groups(m->r->regex))
		conf_error(m->c, m->conf->line, "routes.redirect",
		    "uri_regex has no group %d", groups);
}

static void
fill_regex(const struct making *m)
{
	char why[PATTERN_WHY_MAX];
	size_t at;

	if (m->conf->uri_regex == NULL)
		return;
	m->r->regex = pattern_new(m->conf->uri_regex, why, &at);
	if (m->r->regex == NULL)
		conf_error(m->c, m->conf->line, "routes.uri_regex",
		    "%s, after %zu characters", why, at);
}

static void
fill_action(const struct making *m)
{
	const struct route_conf *conf = m->conf;
	int said = (conf->to.v != NULL) + (conf->reject != 0) +
	    (conf->redirect != NULL);

	if (said != 1)
		conf_error(m->c, conf->line, "routes", said == 0 ?
		    "this route has neither to nor reject nor redirect" :
		    "of to, reject and redirect a route has one only");
	else if (conf->reject != 0)
		fill_reject(m);
	else if (conf->redirect != NULL)
		fill_redirect(m);
	else
		fill_targets(m);
	if (conf->phrase != NULL && conf->reject == 0)
		conf_error(m->c, conf->line, "routes.phrase",
		    "goes with reject");
}

static void
fill_egress(const struct making *m)
{
	const char *name = m->conf->egress;

	if (name != NULL && m->conf->to.n == 0)
		conf_error(m->c, m->conf->line, "routes.egress",
		    "goes with to");
	if (name == NULL) {
		m->r->egress = m->r->action == ROUTE_REQUEST_URI ?
		    egress_default() : NULL;
	} else if (strcmp(name, "none") != 0) {
		m->r->egress = egress_by_name(m->world->egress, name);
		if (m->r->egress == NULL)
			conf_error(m->c, m->conf->line, "routes.egress",
			    "there is no list \"%s\"", name);
	}
}

/* false: no memory. */
static bool
fill_route(const struct making *m)
{
	m->r->conf = m->conf;
	m->r->line = conf_line_number(m->conf->line);
	check_lists(m);
	check_pattern(m, "routes.uri", m->conf->uri);
	check_pattern(m, "routes.from_uri", m->conf->from_uri);
	check_methods(m);
	check_prefixes(m);
	fill_regex(m);
	fill_action(m);
	fill_egress(m);
	return fill_from(m);
}

/* Does it take all that comes from a source that fits `from`? */
static bool
takes_all(const struct route *r, const struct peer *source)
{
	const struct route_conf *conf = r->conf;

	if (conf->listener.n > 0 || conf->method.n > 0 || conf->class.n > 0 ||
	    conf->prefix.n > 0 || conf->uri != NULL ||
	    conf->uri_regex != NULL || conf->from_uri != NULL ||
	    !route_is_from(r, source))
		return false;
	if (source == NULL)
		return r->action != ROUTE_REQUEST_URI;
	return conf->from.n > 0 || r->nto != 1 || r->to[0] != source;
}

/* Is all that this source sends taken by a route before this one? */
static bool
is_taken(const struct routes *rs, size_t before, const struct peer *source)
{
	for (size_t i = 0; i < before; i++)
		if (takes_all(&rs->v[i], source))
			return true;
	return false;
}

static bool
can_fit(const struct routes *rs, size_t i, const struct peers *ps)
{
	const struct route *r = &rs->v[i];

	/* What goes to foreign domains passes by the routes to peers. */
	if (route_is_from(r, NULL) && (!is_taken(rs, i, NULL) ||
	    (r->strangers && r->action != ROUTE_PEER)))
		return true;
	for (size_t k = 0; k < peers_count(ps); k++)
		if (peer_sends(peers_at(ps, k)) &&
		    route_is_from(r, peers_at(ps, k)) &&
		    !is_taken(rs, i, peers_at(ps, k)))
			return true;
	return false;
}

static void
warn_of_hidden(struct conf *c, const struct routes *rs,
    const struct peers *ps)
{
	for (size_t i = 1; i < rs->n; i++)
		if (!can_fit(rs, i, ps))
			conf_warn(c, rs->v[i].conf->line, "routes",
			    "never fits: routes before it take all that "
			    "could");
}

/* false: no memory. */
static bool
fill_routes(struct conf *c, const struct conf_groups *conf,
    const struct routes_world *world, struct routes *rs)
{
	const struct route_conf *given = conf->v;
	struct making m = { .c = c, .world = world };

	if (conf->n == 0)
		return true;
	rs->v = calloc(conf->n, sizeof *rs->v);
	if (rs->v == NULL)
		return false;
	for (size_t i = 0; i < conf->n; i++) {
		m.conf = &given[i];
		m.r = &rs->v[rs->n++];
		if (!fill_route(&m))
			return false;
		if (m.r->strangers && m.r->action == ROUTE_REQUEST_URI)
			rs->let_out = true;
	}
	return true;
}

struct routes *
routes_new(struct conf *c, const struct conf_groups *conf,
    const struct routes_world *world)
{
	struct routes *rs = calloc(1, sizeof *rs);
	unsigned errors = conf_errors(c);

	if (rs == NULL || !fill_routes(c, conf, world, rs))
		conf_error(c, 0, "routes", "no memory");
	if (conf_errors(c) == errors) {
		warn_of_hidden(c, rs, world->peers);
		return rs;
	}
	routes_free(rs);
	return NULL;
}

void
routes_free(struct routes *rs)
{
	if (rs == NULL)
		return;
	for (size_t i = 0; i < rs->n; i++) {
		free(rs->v[i].from);
		pattern_free(rs->v[i].regex);
	}
	free(rs->v);
	free(rs);
}
