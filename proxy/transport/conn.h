/*
 * conn.h -- one connection: TCP, or TLS over it.
 *
 *	accepted   BALANCER -> HANDSHAKE -> OPEN	(what of it is due)
 *	ours       CONNECT -> HANDSHAKE -> OPEN
 *
 * From OPEN it goes to LAST (after a damaged message: our answer goes out,
 * then our half is closed) and on to LINGER (theirs is read away, lest a RST
 * overtakes the answer); to DRAIN when the peer's half is closed (what waits
 * goes out); and from anywhere to BROKEN, where it ends at the next turn of
 * the loop.
 */
#ifndef TRANSPORT_CONN_H
#define TRANSPORT_CONN_H

#include <uthash.h>

#include "transport/deadlines.h"
#include "transport/internal.h"

struct source;				/* conns.c: who has how many */

enum conn_state {
	CONN_BALANCER,		/* its header comes first */
	CONN_CONNECT,
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_LAST,
	CONN_DRAIN,		/* from here on nothing is taken to be sent */
	CONN_LINGER,
	CONN_BROKEN
};

/* What a connection is good for, as the key of a table. */
struct way {
	struct port		*port;
	struct tls_context	*context;	/* NULL: no TLS */
	struct addr		 to;
	char			 name[];	/* to here, without NUL */
};

struct buffer {
	char		*p;
	size_t		 start, len, size;	/* bytes from start on */
};

struct conn {
	struct transports *t;
	struct port	*port;
	int		 fd;
	struct loop_fd	*watch;
	struct tls	*tls;		/* NULL: none, or not yet */
	enum conn_state	 state;
	uint32_t	 id;
	bool		 accepted;
	bool		 spoke;		/* a whole message came */
	bool		 whole;		/* head is, its body is not yet here */
	bool		 read_wants_out;	/* as TLS has it */
	bool		 write_wants_in;
	struct addr	 peer;		/* at the other end */
	struct addr	 from;		/* who sends: peer, or behind it */
	struct source	*source;	/* NULL: not counted */
	unsigned	 crlf;		/* bytes of keep-alive not answered */
	struct head	 head;
	struct buffer	 in;		/* what is no whole message yet */
	struct buffer	 out;		/* what could not yet be sent */
	struct due	 due[DUES];
	UT_hash_handle	 by_id, by_way;
	bool		 reusable;	/* by_way has it */
	size_t		 waylen;
	struct way	 way;		/* the last: its name follows */
};

/* A connection was accepted: takes fd over, and refuses or begins. */
void conn_accept(struct port *p, int fd, const struct addr *peer);
/* One of ours whose connect() is under way; takes fd over.  wish may be
 * without context.  NULL: no memory. */
struct conn *conn_new(struct transports *t, const struct hop *h, int fd);

/* End it from outside, without a word to anybody. */
void conn_free(struct conn *c);
/* For the queue of deadlines. */
void conn_is_due(struct conn *c, enum due_kind kind);

/* It is over, and ends at the next turn.  REFUSE_BEFORE: that is no news;
 * detail, which may be NULL, is what an error said. */
void conn_break(struct conn *c, enum refusal why, const char *detail);
/* As that, for a failure of TLS, or of the connection below. */
void conn_break_tls(struct conn *c);
/* To LAST or DRAIN: only what waits is still sent. */
void conn_finish(struct conn *c, enum conn_state state);

/* What is waited for may be another now. */
void conn_watch(struct conn *c);

/* outbox.c.  0: sent, or it waits; -ENOTCONN: too late; other -errno: now it is
 * broken, and nothing of this was sent. */
int conn_write(struct conn *c, const void *p, size_t len);
void conn_flush(struct conn *c);	/* what waits */
/* balancer.c: read its header; true: it is whole, c->from is known. */
bool conn_read_balancer(struct conn *c);
/* stream.c: read what there is, and hand over the messages in it. */
void conn_read(struct conn *c);

static inline bool
conn_is_reading(const struct conn *c)
{
	return c->state == CONN_OPEN;
}

/* buffer.c */
bool buffer_room(struct buffer *b, size_t room);
bool buffer_add(struct buffer *b, const void *p, size_t len);
void buffer_take(struct buffer *b, size_t len);	/* off its front */
void buffer_free(struct buffer *b);

#endif
