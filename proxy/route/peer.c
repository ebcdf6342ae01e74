/*
 * peer.c -- who is known by address or certificate, and where it is reached.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "route/peer_inner.h"
#include "route/sets.h"

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
	for (size_t i = 0; i < p->nnets; i++)
		if (net_has(&p->net[i], a))
			return true;
	for (size_t i = 0; i < p->nuris; i++)
		if (p->place[i].host == NULL &&
		    addr_same_ip(&p->place[i].addr, a))
			return true;
	return false;
}
