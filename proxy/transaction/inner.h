/*
 * inner.h -- what the files of transaction/ share, and nobody else sees.
 */
#ifndef TRANSACTION_INNER_H
#define TRANSACTION_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "io/timeouts.h"
#include "transaction/transaction.h"

struct loop_timer;

/* ---- table.c: found by number; adding never fails ---- */

struct entry {
	struct entry	*next;		/* in its bucket */
	uint64_t	 key;
	uint8_t		 kind;
};

struct table {
	struct entry	**bucket;
	size_t		  nbuckets, size;	/* in use; of the array */
	size_t		  half;			/* power of 2 below nbuckets */
	size_t		  count;
};

bool table_init(struct table *t);		/* false: no memory */
void table_fini(struct table *t);		/* all were removed */
void table_add(struct table *t, struct entry *e);
void table_remove(struct table *t, struct entry *e);
struct entry *table_find(const struct table *t, uint64_t key, unsigned kind);
/* fn removes each. */
void table_drain(struct table *t, void (*fn)(struct entry *e));

/* ---- memory.c ---- */

/* Structs of one size; some that were given back are kept for the next. */
struct pool {
	struct spare	*spare;
	size_t		 size;
	unsigned	 count;
};

void *pool_take(struct pool *p);		/* zeroed; NULL: no memory */
void pool_give(struct pool *p, void *what);
void pool_fini(struct pool *p);

struct bytes {
	char		*p;
	size_t		 len;
};

/* Keep a copy, instead of what was there.  false: no memory; it is empty. */
bool bytes_set(struct bytes *b, const void *p, size_t len);
void bytes_clear(struct bytes *b);

/* ---- pace.c: when to send again, and when to give up ---- */

enum {
	PACE_QUEUES = 7,		/* 1, 2, 4 .. 64 T1 */
	PACE_T2 = 8,			/* in T1 */
	PACE_T4 = 10,
	PACE_LIFE = 64			/* Timers B, D, F, H, J, L */
};

/* All in T1, since it began. */
struct pace {
	struct timeout	 timeout;	/* first: the queues hand it back */
	uint8_t		 queue;		/* where it waits: 2^queue T1 */
	uint8_t		 now;		/* this much has gone */
	uint8_t		 until;		/* gives up */
	uint8_t		 again;		/* sends again; until: never */
	uint8_t		 interval;	/* between the last two */
};

enum kind { KIND_SERVER_INVITE, KIND_SERVER_OTHER, KIND_CLIENT_INVITE,
    KIND_CLIENT_OTHER };

struct transaction {
	struct pace		 pace;	/* first: see there */
	struct entry		 entry;	/* its kind is enum kind */
	struct transactions	*ts;
};

static inline struct transaction *
transaction_of(struct entry *e)
{
	return e == NULL ? NULL : (struct transaction *)((char *)e -
	    offsetof(struct transaction, entry));
}

/* Begin anew: sends again after T1, then at growing intervals. */
void pace_start(struct transaction *t);
/* Begin anew: only waits. */
void pace_wait(struct transaction *t, unsigned until);
/* From now on as if T2 had been reached (17.1.2.2, Proceeding). */
void pace_slow(struct transaction *t);
void pace_stop(struct transaction *t);
/* The callback of the queues; calls server_due() and client_due(). */
void pace_turn(void *arg, struct timeout *timeout);

enum due { DUE_AGAIN, DUE_END };
void server_due(struct transaction *t, enum due what);
void client_due(struct transaction *t, enum due what);

/* ---- the transactions ---- */

struct server {
	struct transaction	 t;	/* first: the table hands it back */
	struct hop		 back;
	struct addr		 again;
	uint8_t			 state;	/* enum server_state */
	bool			 held;	/* the owner did not let go yet */
	bool			 over;	/* waits only for that */
	bool			 reliable;
	void			*owner;
	struct bytes		 last;	/* answer; over UDP only */
};

enum client_state {
	CLIENT_CALLING,			/* nothing came */
	CLIENT_PROCEEDING,		/* something did */
	CLIENT_ABANDONED,		/* INVITE: the owner let go */
	CLIENT_COMPLETED		/* INVITE: no 2xx; repeats its ACK */
};

struct client {
	struct transaction	 t;	/* first: the table hands it back */
	LIST_ENTRY(client)	 beside; /* at its place */
	struct place		*place;	/* NULL: it waits for nothing */
	struct hop		 hop;
	const struct client_hooks *hooks;
	void			*owner;
	struct bytes		 sent;	/* the request, then the ACK */
	uint8_t			 state;	/* enum client_state */
	bool			 acked;
};

void server_free(struct server *s);
void client_free(struct client *c);
/* No answer will come; from the loop. */
void client_fail(struct client *c, enum client_failure why);

/* ---- place.c: who waits for answers from where ---- */

LIST_HEAD(places, place);

/* A connection, or an address as seen from a port; while somebody waits. */
struct place {
	struct entry		 entry;
	LIST_HEAD(, client)	 waiting;
	LIST_ENTRY(place)	 beside; /* of those that failed */
	bool			 failed;
};

/* So that the next place_enter() cannot fail.  false: no memory. */
bool place_reserve(struct transactions *ts);
void place_enter(struct client *c);
void place_leave(struct client *c);	/* if it is somewhere */
/* The loop's callback: some of those who wait at failed places fail. */
void place_turn(void *arg);

/* ---- transactions.c ---- */

enum { COUNT_SERVERS, COUNT_CLIENTS };		/* cells of open */
enum { COUNT_SENT, COUNT_ABSORBED };		/* cells of again */

struct transactions {
	struct transactions_env	 env;
	uint8_t			 key[16];	/* of SipHash */
	struct table		 all;
	struct timeouts		*queue[PACE_QUEUES];
	struct pool		 servers, clients, spare_places;
	struct table		 places;
	struct place		*reserved;
	struct places		 failed;
	struct loop_timer	*failing;
	uint64_t		*open, *again, *timeouts;
};

/* A keyed hash. */
uint64_t transactions_hash(const struct transactions *ts, const void *p,
    size_t len);

#endif
