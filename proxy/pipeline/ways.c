/*
 * ways.c -- our sockets as seen by a request: where it came in, which one it
 * leaves by, and the names by which others know them.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "pipeline/ways.h"
#include "route/peer.h"

static bool
fits(const struct way *w, const struct addr *to, enum transport transport)
{
	return w->transport == transport &&
	    addr_is_v4(&w->addr) == addr_is_v4(to);
}

/* What leaves by a balancer's port cannot be answered there. */
static bool
serves(const struct way *w, const struct addr *to, enum transport transport)
{
	return !w->balanced && fits(w, to, transport);
}

/* Asking the kernel takes several system calls. */
static unsigned
remembered_ifindex(struct ways *ws, const struct addr *to)
{
	int64_t now_ms = clock_mono_ms();
	struct way_memo *m = &ws->memo[to->ip[15] % WAY_MEMOS];

	if (m->until_ms <= now_ms || !addr_same_ip(&m->to, to)) {
		m->to = *to;
		m->ifindex = ifindex_to(to);
		m->until_ms = now_ms + WAY_MEMO_MS;
	}
	return m->ifindex;
}

const struct way *
ways_out(struct ways *ws, const struct addr *to,
    enum transport transport, const char *listener, const struct way *in)
{
	const struct way *any = NULL, *near = NULL;
	unsigned ifindex;

	if (listener == NULL && in != NULL && ws->n <= 2 &&
	    serves(in, to, transport))
		return in;		/* one listener: no choice to make */
	ifindex = listener == NULL ? remembered_ifindex(ws, to) : 0;
	for (size_t i = 0; i < ws->n; i++) {
		const struct way *w = &ws->way[i];

		if (!serves(w, to, transport))
			continue;
		if (listener != NULL && strcmp(listener, w->listener) == 0)
			return w;
		if (ifindex != 0 && w->ifindex == ifindex &&
		    (near == NULL || (in != NULL && w->id == in->id)))
			near = w;
		if (any == NULL || (in != NULL && w->id == in->id))
			any = w;
	}
	return near != NULL ? near : any;
}

unsigned
ways_transports(const struct ways *ws)
{
	unsigned all = 0;

	for (size_t i = 0; i < ws->n; i++)
		if (!ws->way[i].balanced)
			all |= TRANSPORT_BIT(ws->way[i].transport);
	return all;
}

const struct way *
ways_flow(const struct ways *ws, const struct side *flow)
{
	for (size_t i = 0; i < ws->n; i++)
		if (ws->way[i].id == flow->listener &&
		    fits(&ws->way[i], &flow->addr, flow->transport))
			return &ws->way[i];
	return NULL;
}

const char *
way_host(const struct way *w, const struct addr *other)
{
	for (size_t i = 0; i < w->nnames; i++)
		if (net_has(&w->name[i].net, other))
			return w->name[i].host;
	return w->host;
}

bool
way_is(const struct way *w, struct str host, int port)
{
	if (w->port != port)
		return false;
	for (size_t i = 0; i < w->nnames; i++)
		if (str_caseis(host, w->name[i].host))
			return true;
	return str_caseis(host, w->host);
}

bool
ways_are_member(const struct ways *ws, const struct way *in,
    const struct addr *source)
{
	if (ws->inside == NULL || in->id != ws->inside->id)
		return false;
	for (size_t i = 0; i < ws->nmembers; i++)
		if (net_has(&ws->member[i], source))
			return true;
	return false;
}

bool
ways_meet_members(const struct ways *ws, const struct net *n)
{
	for (size_t i = 0; i < ws->nmembers; i++)
		if (net_meets(&ws->member[i], n))
			return true;
	return false;
}

bool
ways_are(const struct ways *ws, struct str host, int port)
{
	if (*ws->record_route != '\0' && str_caseis(host, ws->record_route))
		return true;
	for (size_t i = 0; i < ws->n; i++) {
		char bound[ADDR_TEXT_MAX];
		const struct way *w = &ws->way[i];

		if (way_is(w, host, port))
			return true;
		if (w->port == port &&
		    str_is(host, addr_host_text(&w->addr, bound)))
			return true;
	}
	return false;
}

bool
ways_have(const struct ways *ws, const struct addr *a)
{
	for (size_t i = 0; i < ws->n; i++)
		if (addr_same(&ws->way[i].addr, a))
			return true;
	return false;
}

bool
ways_have_ip(const struct ways *ws, const struct addr *a)
{
	for (size_t i = 0; i < ws->n; i++)
		if (addr_same_ip(&ws->way[i].addr, a))
			return true;
	return false;
}
