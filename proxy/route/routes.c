/*
 * routes.c -- where a request goes: the first route that matches.
 */
#include "config.h"

#include "route/routes.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct route_conf, member)

const struct conf_opt route_opts[] = {
	CONF_LINE(struct route_conf),
	{ "from", CONF_T_STR, AT(from), CONF_RELOAD, .min = 1, .max = 64,
	    .help = "The peer that the request comes from. Without it, "
	    "anybody; then the route never leads back to the peer that the "
	    "request came from." },
	{ "uri", CONF_T_STR, AT(uri), CONF_RELOAD, .min = 1,
	    .help = "Pattern for the Request-URI, which is seen as "
	    "sip:user@host (for sips: as well) or tel:number, without port "
	    "and parameters. * stands for any text and ? for one character; "
	    "upper and lower case are the same." },
	{ "to", CONF_T_STR, AT(to), CONF_REQUIRED | CONF_RELOAD, .min = 1,
	    .max = 64,
	    .help = "The peer that gets the request, or \"request-uri\": "
	    "where the Request-URI says, by RFC 3263, for requests of peers "
	    "only." },
	{ "method", CONF_T_LIST, 0, CONF_LATER,
	    .help = "Methods that the route is for." },
	{ "listener", CONF_T_STR, 0, CONF_LATER,
	    .help = "The listener that the request came in on." },
	{ "egress", CONF_T_STR, 0, CONF_LATER,
	    .help = "The list of addresses that it may not go to." },
	CONF_END
};

struct route {
	int			 line;
	const struct peer	*from;	/* NULL: anybody */
	const char		*uri;	/* NULL: any */
	const struct peer	*to;	/* NULL: the Request-URI */
};

struct routes {
	struct route	*v;
	size_t		 n;
};

static bool
starts_with(const char *s, const char *head)
{
	return strncasecmp(s, head, strlen(head)) == 0;
}

static void
check_pattern(struct conf *c, const struct route_conf *conf)
{
	if (starts_with(conf->uri, "sips:"))
		conf_error(c, conf->line, "routes.uri", "write \"sip:\"; it "
		    "stands for \"sips:\" as well");
	/* Whatever else it starts with, it would never match. */
	else if (!starts_with(conf->uri, "sip:") &&
	    !starts_with(conf->uri, "tel:") && conf->uri[0] != '*' &&
	    conf->uri[0] != '?')
		conf_error(c, conf->line, "routes.uri",
		    "must start with \"sip:\", \"tel:\" or \"*\"");
}

static const struct peer *
find_source(struct conf *c, const struct route_conf *conf,
    const struct peers *ps)
{
	const struct peer *p = peers_by_name(ps, conf->from);

	if (p == NULL)
		conf_error(c, conf->line, "routes.from",
		    "there is no peer \"%s\"", conf->from);
	else if (p->nnets == 0 && p->ncertificates == 0)
		conf_error(c, conf->line, "routes.from", "peer \"%s\" has no "
		    "from: it sends no requests", conf->from);
	return p;
}

static const struct peer *
find_target(struct conf *c, const struct route_conf *conf,
    const struct peers *ps)
{
	const struct peer *p;

	if (strcmp(conf->to, "request-uri") == 0)
		return NULL;
	p = peers_by_name(ps, conf->to);
	if (p == NULL)
		conf_error(c, conf->line, "routes.to",
		    "there is no peer \"%s\"", conf->to);
	else if (p->nuris == 0)
		conf_error(c, conf->line, "routes.to", "peer \"%s\" has no "
		    "uri: nothing can be sent to it", conf->to);
	return p;
}

static void
add_route(struct conf *c, const struct route_conf *conf,
    const struct peers *ps, struct route *r)
{
	r->line = conf_line_number(conf->line);
	r->uri = conf->uri;
	if (conf->uri != NULL)
		check_pattern(c, conf);
	if (conf->from != NULL)
		r->from = find_source(c, conf, ps);
	r->to = find_target(c, conf, ps);
}

struct routes *
routes_new(struct conf *c, const struct conf_groups *conf,
    const struct peers *ps)
{
	const struct route_conf *given = conf->v;
	unsigned errors = conf_errors(c);
	struct routes *rs;

	rs = calloc(1, sizeof *rs);
	if (rs != NULL && conf->n > 0)
		rs->v = calloc(conf->n, sizeof *rs->v);
	if (rs == NULL || (conf->n > 0 && rs->v == NULL)) {
		conf_error(c, 0, "routes", "no memory");
		routes_free(rs);
		return NULL;
	}
	for (; rs->n < conf->n; rs->n++)
		add_route(c, &given[rs->n], ps, &rs->v[rs->n]);
	if (conf_errors(c) == errors)
		return rs;
	routes_free(rs);
	return NULL;
}

void
routes_free(struct routes *rs)
{
	if (rs == NULL)
		return;
	free(rs->v);
	free(rs);
}

static bool
fits(const struct route *r, const struct route_query *q)
{
	if (r->from != NULL && r->from != q->source)
		return false;
	if (r->uri != NULL && !glob_match(str_of(r->uri), q->uri, true))
		return false;
	/* No open relay. */
	if (r->to == NULL)
		return q->source != NULL;
	/* No way back, unless the file asks for it by name. */
	return r->from != NULL || r->to != q->source;
}

struct route_choice
routes_choose(const struct routes *rs, const struct route_query *q)
{
	for (size_t i = 0; i < rs->n; i++) {
		const struct route *r = &rs->v[i];

		if (!fits(r, q))
			continue;
		return (struct route_choice){
			.verdict = r->to == NULL ? ROUTE_REQUEST_URI :
			    ROUTE_PEER,
			.peer = r->to, .line = r->line
		};
	}
	return (struct route_choice){ .verdict = ROUTE_NONE };
}
