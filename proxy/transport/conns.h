/*
 * conns.h -- the connections, by their ids and by what they are good for; and
 * who has how many.
 */
#ifndef TRANSPORT_CONNS_H
#define TRANSPORT_CONNS_H

#include "transport/conn.h"

struct conns {
	struct conn	*by_id, *by_way;
	struct source	*sources;
	int		 spare_fd;	/* given up to shed a caller */
	struct deadlines *deadlines;
};

/* NULL with errno. */
struct conns *conns_new(struct transports *t);
void conns_free(struct conns *cs);	/* with all connections; or NULL */

/* Counts it, and gives it its id: random, never 0, unique among those that
 * are there.  REFUSE_BEFORE: it is in. */
enum refusal conns_enter(struct conn *c);
void conns_leave(struct conn *c);
/* Ends, in the next turn, the accepted one on which nobody has been known for
 * longest: transport_vouch().  false: there is none. */
bool conns_make_room(struct conns *cs);
/* Counts an accepted one for c->from.  REFUSE_BEFORE: it may stay. */
enum refusal conns_enter_source(struct conn *c);

/* One that is open, or is being made; or NULL. */
struct conn *conns_find(const struct conns *cs, uint32_t id);
/* One that serves this hop; or NULL. */
struct conn *conns_find_way(const struct conns *cs, const struct hop *h);
/* Let it be found by c->way, unless another one is.  Then: no more. */
void conns_offer(struct conn *c);
void conns_withdraw(struct conn *c);

enum { WAY_NAME_MAX = 253 };
union way_room {
	struct way	way;
	char		room[sizeof(struct way) + WAY_NAME_MAX];
};

/* The key of the hop into `way`, which has room for its name.  Returns its
 * length, 0: the name is too long. */
size_t way_of(struct way *way, const struct hop *h);

#endif
