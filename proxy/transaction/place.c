/*
 * place.c -- who waits for answers from where.
 *
 * When a connection ends or an address is told to be unreachable, those who
 * wait there are found without a look at anybody else.  They fail in later
 * turns of the loop and some at a time, since a target that dies may leave
 * thousands behind, and each of them makes work.
 */
#include "config.h"

#include "transaction/inner.h"

#include <string.h>

#include "io/loop.h"

enum {
	FAIL_BATCH = 64			/* in one turn of the loop */
};

enum { PLACE_CONNECTION, PLACE_ADDRESS };

struct place_id {
	uint64_t	key;
	unsigned	kind;
};

static struct place_id
connection_id(uint32_t connection)
{
	return (struct place_id){ connection, PLACE_CONNECTION };
}

static struct place_id
address_id(const struct transactions *ts, const struct port *port,
    const struct addr *a)
{
	uint8_t in[sizeof port + sizeof a->ip + sizeof a->port], *p = in;

	memcpy(p, &port, sizeof port);
	p += sizeof port;
	memcpy(p, a->ip, sizeof a->ip);
	p += sizeof a->ip;
	memcpy(p, &a->port, sizeof a->port);
	return (struct place_id){ transactions_hash(ts, in, sizeof in),
	    PLACE_ADDRESS };
}

/* struct place has its entry first. */
static struct place *
find(const struct transactions *ts, struct place_id id)
{
	return (struct place *)table_find(&ts->places, id.key, id.kind);
}

static struct place *
make(struct transactions *ts, struct place_id id)
{
	struct place *p = ts->reserved;

	ts->reserved = NULL;
	p->entry.key = id.key;
	p->entry.kind = (uint8_t)id.kind;
	LIST_INIT(&p->waiting);
	table_add(&ts->places, &p->entry);
	return p;
}

bool
place_reserve(struct transactions *ts)
{
	if (ts->reserved == NULL)
		ts->reserved = pool_take(&ts->spare_places);
	return ts->reserved != NULL;
}

void
place_enter(struct client *c)
{
	struct transactions *ts = c->t.ts;
	struct place_id id = c->hop.connection != 0 ?
	    connection_id(c->hop.connection) :
	    address_id(ts, c->hop.port, &c->hop.addr);

	c->place = find(ts, id);
	if (c->place == NULL)
		c->place = make(ts, id);
	LIST_INSERT_HEAD(&c->place->waiting, c, beside);
}

void
place_leave(struct client *c)
{
	struct transactions *ts = c->t.ts;
	struct place *p = c->place;

	if (p == NULL)
		return;
	c->place = NULL;
	LIST_REMOVE(c, beside);
	if (!LIST_EMPTY(&p->waiting))
		return;
	if (p->failed)
		LIST_REMOVE(p, beside);
	else
		table_remove(&ts->places, &p->entry);
	pool_give(&ts->spare_places, p);
}

/* Whoever comes meanwhile finds another place. */
static void
fail(struct transactions *ts, struct place_id id)
{
	struct place *p = find(ts, id);

	if (p == NULL)
		return;
	table_remove(&ts->places, &p->entry);
	p->failed = true;
	LIST_INSERT_HEAD(&ts->failed, p, beside);
	loop_timer_start(ts->failing, 0);
}

void
place_turn(void *arg)
{
	struct transactions *ts = arg;
	struct place *p;

	/* a place goes with the last who waits there */
	for (unsigned n = 0; n < FAIL_BATCH; n++) {
		p = LIST_FIRST(&ts->failed);
		if (p == NULL)
			return;
		client_fail(LIST_FIRST(&p->waiting), CLIENT_TRANSPORT);
	}
	if (!LIST_EMPTY(&ts->failed))
		loop_timer_start(ts->failing, 0);
}

void
transactions_lost(struct transactions *ts, uint32_t connection)
{
	fail(ts, connection_id(connection));
}

void
transactions_unreachable(struct transactions *ts, const struct port *port,
    const struct addr *to)
{
	fail(ts, address_id(ts, port, to));
}
