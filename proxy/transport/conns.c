/*
 * conns.c -- the tables of the connections.
 */
#include "config.h"

/* Out of memory is an answer (the connection is refused), not an exit. */
#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif

#include "transport/conns.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/secret.h"

struct source {
	uint8_t		ip[16];
	int64_t		count;
	UT_hash_handle	hh;
};

/* Whoever has an IPv6 address has the whole /64 (RFC 6177). */
static struct source *
source_enter(struct conns *cs, const struct addr *from)
{
	struct source *s;
	uint8_t ip[16];

	memcpy(ip, from->ip, sizeof ip);
	if (!addr_is_v4(from))
		memset(ip + 8, 0, 8);
	HASH_FIND(hh, cs->sources, ip, sizeof ip, s);
	if (s == NULL) {
		s = calloc(1, sizeof *s);
		if (s == NULL)
			return NULL;
		memcpy(s->ip, ip, sizeof ip);
		HASH_ADD(hh, cs->sources, ip, sizeof s->ip, s);
		if (s->hh.tbl == NULL) {
			free(s);
			return NULL;
		}
	}
	s->count++;
	return s;
}

static void
source_leave(struct conns *cs, struct source *s)
{
	if (--s->count > 0)
		return;
	HASH_DELETE(hh, cs->sources, s);
	free(s);
}

static struct conn *
by_id(const struct conns *cs, uint32_t id)
{
	struct conn *c;

	HASH_FIND(by_id, cs->by_id, &id, sizeof id, c);
	return c;
}

static uint32_t
new_id(const struct conns *cs)
{
	uint32_t id;

	do
		random_bytes(&id, sizeof id);
	while (id == 0 || by_id(cs, id) != NULL);
	return id;
}

static uint64_t *
gauge(const struct conn *c)
{
	return &c->t->connections[c->accepted ? COUNT_ACCEPTED :
	    COUNT_OUTGOING];
}

struct conns *
conns_new(struct transports *t)
{
	struct conns *cs = calloc(1, sizeof *cs);

	if (cs == NULL)
		return NULL;
	cs->deadlines = deadlines_new(t);
	cs->spare_fd = eventfd(0, EFD_CLOEXEC);
	if (cs->deadlines != NULL && cs->spare_fd != -1)
		return cs;
	if (cs->deadlines == NULL)
		errno = ENOMEM;
	conns_free(cs);
	return NULL;
}

void
conns_free(struct conns *cs)
{
	struct conn *c, *next;
	int e = errno;

	if (cs == NULL)
		return;
	HASH_ITER(by_id, cs->by_id, c, next)
		conn_free(c);
	if (cs->spare_fd != -1)
		close(cs->spare_fd);
	deadlines_free(cs->deadlines);
	free(cs);
	errno = e;
}

/*
 * A phone proves itself at once, so what a flood is made of goes first.  The
 * silent ones have no turn of their own: where strangers who spoke hold all
 * places, each caller would end the handshake of the one before him.
 *
 * Until the next turn there may be a few more than allowed, as many as are
 * accepted in one.
 */
bool
conns_make_room(struct conns *cs)
{
	struct conn *c = deadline_first(cs->deadlines, DUE_PROOF);

	if (c == NULL)
		return false;
	deadline_stop(c, DUE_PROOF);
	conn_break(c, c->spoke ? REFUSE_UNPROVED : REFUSE_SILENT, NULL);
	return true;
}

/* Whoever may have us call many targets must not use up all descriptors. */
static void
end_most_unused(struct conns *cs)
{
	struct conn *c = deadline_first(cs->deadlines, DUE_UNUSED);

	if (c == NULL)
		return;
	deadline_stop(c, DUE_UNUSED);
	conn_break(c, REFUSE_UNUSED, NULL);
}

static bool
has_room(struct conn *c)
{
	struct conns *cs = c->t->conns;
	int64_t max = c->t->conf.connections;

	if (max <= 0 || (int64_t)*gauge(c) < max)
		return true;
	if (c->accepted)
		return conns_make_room(cs);
	end_most_unused(cs);
	return true;
}

enum refusal
conns_enter(struct conn *c)
{
	struct conns *cs = c->t->conns;

	if (!has_room(c))
		return REFUSE_CONNECTIONS;
	c->id = new_id(cs);
	HASH_ADD(by_id, cs->by_id, id, sizeof c->id, c);
	if (c->by_id.tbl == NULL)
		return REFUSE_NO_MEMORY;
	++*gauge(c);
	return REFUSE_BEFORE;
}

void
conns_leave(struct conn *c)
{
	struct conns *cs = c->t->conns;

	conns_withdraw(c);
	if (c->source != NULL)
		source_leave(cs, c->source);
	c->source = NULL;
	if (c->by_id.tbl == NULL)
		return;
	HASH_DELETE(by_id, cs->by_id, c);
	--*gauge(c);
}

enum refusal
conns_enter_source(struct conn *c)
{
	int64_t max = c->t->conf.connections_per_source;

	c->source = source_enter(c->t->conns, &c->from);
	if (c->source == NULL)
		return REFUSE_NO_MEMORY;
	return max > 0 && c->source->count > max ? REFUSE_SOURCE :
	    REFUSE_BEFORE;
}

struct conn *
conns_find(const struct conns *cs, uint32_t id)
{
	struct conn *c = by_id(cs, id);

	return c != NULL && c->state < CONN_DRAIN ? c : NULL;
}

size_t
way_of(struct way *way, const struct hop *h)
{
	size_t len = h->tls.name != NULL ? strlen(h->tls.name) : 0;

	if (h->port->conf.transport != TRANSPORT_TLS)
		len = 0;
	if (len > WAY_NAME_MAX)
		return 0;
	way->port = h->port;
	way->context = NULL;
	if (h->port->conf.transport == TRANSPORT_TLS)
		way->context = h->tls.context;
	way->to = h->addr;
	if (len > 0)
		memcpy(way->name, h->tls.name, len);
	return offsetof(struct way, name) + len;
}

struct conn *
conns_find_way(const struct conns *cs, const struct hop *h)
{
	union way_room key;
	size_t len = way_of(&key.way, h);
	struct conn *c;

	if (len == 0)
		return NULL;
	HASH_FIND(by_way, cs->by_way, &key.way, len, c);
	return c;
}

void
conns_offer(struct conn *c)
{
	struct conns *cs = c->t->conns;
	struct conn *other;

	HASH_FIND(by_way, cs->by_way, &c->way, c->waylen, other);
	if (other != NULL)
		return;
	HASH_ADD_KEYPTR(by_way, cs->by_way, &c->way, c->waylen, c);
	/* Without memory it is not found, and another one will be made. */
	c->reusable = c->by_way.tbl != NULL;
}

void
conns_withdraw(struct conn *c)
{
	if (c->reusable)
		HASH_DELETE(by_way, c->t->conns->by_way, c);
	c->reusable = false;
}
