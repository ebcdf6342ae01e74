/*
 * plan.c -- which sockets the `listen` entries stand for.
 */
#include "config.h"

#include "daemon/plan.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static int
complain(const struct listen_conf *l, const char *what)
{
	log_event(EV_LISTEN_FAIL, kv_str("listener", l->name),
	    kv_str("uri", l->uri), kv_str("reason", what));
	return -EINVAL;
}

static bool
has(const struct ways *ws, const struct addr *a, enum transport t)
{
	for (size_t i = 0; i < ws->n; i++)
		if (ws->way[i].transport == t && addr_same(&ws->way[i].addr, a))
			return true;
	return false;
}

static void
name_way(struct way *w, const struct listen_conf *l)
{
	char text[ADDR_TEXT_MAX];

	addr_host_text(&w->addr, text);
	snprintf(w->host, sizeof w->host, "%s",
	    l->advertise != NULL ? l->advertise : text);
}

static int
add_way(struct ways *ws, const struct listen_conf *l, const struct addr *a,
    enum transport t)
{
	struct way *w = &ws->way[ws->n];

	if (has(ws, a, t))
		return 0;
	if (ws->n == WAYS_MAX)
		return complain(l, "too many addresses");
	memset(w, 0, sizeof *w);
	snprintf(w->listener, sizeof w->listener, "%s", l->name);
	w->id = (uint16_t)peer_id(l->name);
	w->transport = t;
	w->addr = *a;
	w->port = a->port;
	w->balanced = l->nbalancers > 0;
	w->name = l->way_name;
	w->nnames = l->nway_names;
	w->ifindex = ifindex_of_local(a);
	name_way(w, l);
	ws->n++;
	return 0;
}

static int
add_all(struct ways *ws, const struct listen_conf *l, const struct addr *a)
{
	int rc = 0;

	if (l->udp)
		rc = add_way(ws, l, a, TRANSPORT_UDP);
	if (rc == 0 && l->tcp)
		rc = add_way(ws, l, a, TRANSPORT_TCP);
	if (rc == 0 && l->tls)
		rc = add_way(ws, l, a, TRANSPORT_TLS);
	return rc;
}

static bool
is_wanted(const struct ifaddrs *i, const struct listen_conf *l,
    struct addr *a)
{
	if (i->ifa_addr == NULL || !(i->ifa_flags & IFF_UP) ||
	    !addr_from_sockaddr(a, i->ifa_addr))
		return false;
	if (i->ifa_addr->sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(
	    &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->
	    sin6_addr))
		return false;
	return addr_is_v4(a) == addr_is_v4(&l->addr);
}

static int
add_every_address(struct ways *ws, const struct listen_conf *l)
{
	struct ifaddrs *all, *i;
	struct addr a;
	int rc = 0;

	if (getifaddrs(&all) < 0)
		return complain(l, "cannot list the machine's addresses");
	for (i = all; i != NULL && rc == 0; i = i->ifa_next) {
		if (!is_wanted(i, l, &a))
			continue;
		a.port = l->addr.port;
		rc = add_all(ws, l, &a);
	}
	freeifaddrs(all);
	return rc;
}

/* Two names must not give one id: it stands in tokens. */
static int
check_ids(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		for (size_t j = 0; j < i; j++)
			if ((uint16_t)peer_id(l[i].name) ==
			    (uint16_t)peer_id(l[j].name))
				return complain(&l[i],
				    "choose another name: its number meets "
				    "that of another listener");
	return 0;
}

/* 0: it is not where the others reach us. */
static int
fitness(const struct cluster_conf *k, const struct way *w)
{
	if (k->listener != NULL ? strcmp(k->listener, w->listener) != 0 :
	    !addr_same(&k->addr, &w->addr))
		return 0;
	if (w->transport == TRANSPORT_TCP)
		return k->tcp ? 3 : 0;	/* tells at once who is gone */
	if (w->transport == TRANSPORT_TLS)
		return k->tls ? 2 : 0;
	return k->udp ? 1 : 0;
}

static int
plan_cluster(const struct settings *s, struct ways *out)
{
	const struct cluster_conf *k = &s->cluster;
	int best = 0;

	if (k->line == 0)
		return 0;
	for (size_t i = 0; i < out->n; i++) {
		if (fitness(k, &out->way[i]) <= best)
			continue;
		best = fitness(k, &out->way[i]);
		out->inside = &out->way[i];
	}
	out->member = k->member;
	out->nmembers = k->nmembers;
	if (out->inside != NULL)
		return 0;
	log_event(EV_DAEMON_FAIL, kv_str("reason",
	    "cluster.inside is no address of this machine"));
	return -EINVAL;
}

int
plan_ways(const struct settings *s, struct ways *out)
{
	const struct listen_conf *l = s->listen.v;
	int rc = check_ids(s);

	memset(out, 0, sizeof *out);
	if (s->record_route != NULL)
		snprintf(out->record_route, sizeof out->record_route, "%s",
		    s->record_route);
	for (size_t i = 0; i < s->listen.n && rc == 0; i++)
		rc = addr_is_any(&l[i].addr) ? add_every_address(out, &l[i]) :
		    add_all(out, &l[i], &l[i].addr);
	if (rc == 0 && out->n == 0)
		rc = s->listen.n == 0 ? -EINVAL : complain(l, "no address");
	return rc != 0 ? rc : plan_cluster(s, out);
}
