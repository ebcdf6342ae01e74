/*
 * settings_cluster.c -- what others call us: listen.advertise_to, and the
 * group `cluster`.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "daemon/settings_inner.h"
#include "pipeline/ways.h"

static void
take_name(struct conf *c, const struct advertise_conf *given,
    struct way_name *out)
{
	const char *host = settings_host(c, given->host);

	if (!net_parse(&out->net, str_of(given->net)))
		conf_error(c, given->line, "listen.advertise_to.net",
		    "\"%s\" is not an address, and not a network without "
		    "host bits", given->net);
	if (host == NULL)
		conf_error(c, given->line, "listen.advertise_to.host",
		    "must be a host, without port");
	else
		snprintf(out->host, sizeof out->host, "%s", host);
}

void
settings_take_names(struct conf *c, struct listen_conf *l)
{
	const struct advertise_conf *given = l->advertise_to.v;

	l->way_name = conf_alloc(c, l->advertise_to.n * sizeof *l->way_name);
	if (l->way_name == NULL)
		return;
	l->nway_names = l->advertise_to.n;
	for (size_t i = 0; i < l->nway_names; i++)
		take_name(c, &given[i], &l->way_name[i]);
}

static void
take_members(struct conf *c, struct cluster_conf *k)
{
	struct net *n = conf_alloc(c, k->members.n * sizeof *n);

	k->member = n;
	for (size_t i = 0; n != NULL && i < k->members.n; i++) {
		if (!net_parse(&n[i], str_of(k->members.v[i])))
			conf_error(c, k->members.line[i], "cluster.members",
			    "\"%s\" is not an address, and not a network "
			    "without host bits", k->members.v[i]);
		else if (net_is_everybody(&n[i]))
			conf_error(c, k->members.line[i], "cluster.members",
			    "\"%s\" is everybody", k->members.v[i]);
		k->nmembers++;
	}
}

/* A listener's name, or a URI like a listener's.  Why not, or NULL. */
static const char *
take_inside(struct cluster_conf *k)
{
	struct listen_conf l = { .uri = k->inside };
	const char *why;

	if (strchr(k->inside, ':') == NULL) {
		k->listener = k->inside;
		k->udp = k->tcp = k->tls = true;
		return NULL;
	}
	why = settings_take_uri(&l);
	if (why == NULL && addr_is_any(&l.addr))
		why = "the others cannot reach us at every address";
	k->addr = l.addr;
	k->udp = l.udp;
	k->tcp = l.tcp;
	k->tls = l.tls;
	return why;
}

static bool
is_inside(const struct cluster_conf *k, const struct listen_conf *l)
{
	if (!(k->udp && l->udp) && !(k->tcp && l->tcp) && !(k->tls && l->tls))
		return false;
	if (k->listener != NULL)
		return strcmp(k->listener, l->name) == 0;
	return k->addr.port == l->addr.port && (addr_is_any(&l->addr) ?
	    addr_is_v4(&k->addr) == addr_is_v4(&l->addr) :
	    addr_same_ip(&k->addr, &l->addr));
}

static const char *
judge_inside(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++) {
		if (!is_inside(&s->cluster, &l[i]))
			continue;
		if (l[i].nbalancers > 0)
			return "the others do not come by a balancer";
		if (s->cluster.listener != NULL && addr_is_any(&l[i].addr))
			return "that listener has every address: say which, "
			    "as in sip:10.0.0.1:5060";
		return NULL;
	}
	return "no entry of listen is that";
}

void
settings_check_cluster(struct settings *s)
{
	struct cluster_conf *k = &s->cluster;
	const char *why;

	if (k->line == 0)
		return;
	why = take_inside(k);
	if (why == NULL)
		why = judge_inside(s);
	if (why != NULL)
		conf_error(s->conf, k->line, "cluster.inside", "%s", why);
	take_members(s->conf, k);
	if (k->members.n == 0)
		conf_error(s->conf, k->line, "cluster.members", "has no entry");
	if (s->record_route == NULL)
		conf_error(s->conf, k->line, "cluster", "needs record_route, "
		    "a name of all instances: a dialog must find any of them");
}
