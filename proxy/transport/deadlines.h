/*
 * deadlines.h -- until when a connection may go on as it does.
 *
 * All that wait for the same thing may wait equally long, so each queue is in
 * order by itself: beginning and ending a wait costs nothing, and one timer
 * serves them all.  What is kept is since when, so other limits count at once.
 */
#ifndef TRANSPORT_DEADLINES_H
#define TRANSPORT_DEADLINES_H

#include <stdint.h>

struct conn;
struct deadlines;
struct transports;

enum due_kind {
	DUE_SOON,		/* the next turn: it is broken, or was not
				 * read to the end */
	DUE_CONNECT,
	DUE_HANDSHAKE,
	DUE_FIRST,		/* the first message */
	DUE_WHOLE,		/* the rest of a message */
	DUE_IDLE,
	DUE_UNUSED,		/* the same, of one to a target; who waits
				 * longest makes room for another one */
	DUE_LINGER,
	DUE_PROOF,		/* that somebody is known; for ever, but who
				 * waits longest makes room (conns.h) */
	DUES
};

/* Embedded in the connection, one a kind; zeroed at first. */
struct due {
	struct due	*next, *prev;	/* NULL: not waiting */
	int64_t		 since_ms;
};

/* conn_is_due() is called for who waited too long, who is then no longer
 * waiting.  NULL: no memory. */
struct deadlines *deadlines_new(struct transports *t);
void deadlines_free(struct deadlines *q);	/* NULL is allowed */
/* The limits of t are others now. */
void deadlines_set_conf(struct deadlines *q);

void deadline_start(struct conn *c, enum due_kind kind);	/* or anew */
/* Something came or went: DUE_IDLE or DUE_UNUSED, anew. */
void deadline_use(struct conn *c);
void deadline_stop(struct conn *c, enum due_kind kind);
void deadline_stop_all(struct conn *c);

/* Who has been waiting longest; NULL: nobody waits for that. */
struct conn *deadline_first(struct deadlines *q, enum due_kind kind);

#endif
