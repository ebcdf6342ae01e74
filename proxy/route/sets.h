/*
 * sets.h -- the targets of a peer: which of them serve, and which is next.
 *
 * A member is one target.  What is known of it outlives reloads: it is found
 * again by the name of its peer and its URI.  A set is how the members of a
 * peer stand to each other by one configuration.
 */
#ifndef ROUTE_SETS_H
#define ROUTE_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "route/peer.h"

struct metrics;

struct member {
	struct member	*next;		/* of all */
	unsigned	 refs;		/* sets that it is in */
	char		*label;		/* "peer uri", for counters */
	const char	*uri;		/* the end of label */
	size_t		 peer_len;	/* of the beginning of label */
	uint64_t	 seed;		/* of its URI, for hashing */
	bool		 failing;	/* member_probed() */
	unsigned	 streak;	/* of probes that say otherwise */
	int64_t		 turn;		/* who waits longest is next */
	uint64_t	 under_way;	/* requests; member_begin() */
	uint64_t	 requests, failures;	/* counters */
};

struct sets;			/* all members of all peers */
struct set;			/* those of one */

/* NULL: no memory. */
struct sets *sets_new(void);
/* After all sets.  NULL is allowed. */
void sets_free(struct sets *ss);

/* Give each peer that has targets its set; peers_free() takes it back.
 * -ENOMEM. */
int sets_join(struct sets *ss, struct peers *ps);
void set_free(struct set *s);		/* NULL is allowed */

/* target_up, target_requests_total ... by peer and URI; -ENOMEM. */
int sets_add_metrics(struct sets *ss, struct metrics *m);
/* In the order in which they were first seen. */
void sets_each(const struct sets *ss,
    void (*visit)(void *arg, const struct member *m), void *arg);

/* "up" or "down". */
const char *member_word(const struct member *m);

/*
 * Who is asked next: one of the lowest priority that has any left.  `asked`:
 * bits of those who were.  -1: nobody is left.
 *
 * By "call-id", "from" and "user" it is the same member for the same key (that
 * Call-ID or user) as long as that one serves, at every instance; when members
 * come or go, only keys move that must (rendezvous hashing, by weight).
 */
int set_next(struct set *s, uint64_t asked, struct str key);
bool set_has_next(const struct set *s, uint64_t asked);
struct member *set_member(const struct set *s, int i);

/* A request goes to it, and is over. */
void member_begin(struct member *m);
void member_end(struct member *m);

/* A probe ended.  true: that turned it up (good) or down. */
bool member_probed(struct member *m, bool good, const struct peer_probe *p);
/* It is probed no more: nothing is said against it. */
void member_unprobed(struct member *m);

#endif
