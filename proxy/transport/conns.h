/*
 * conns.h -- the TCP connections: who has how many, and until when each may
 * go on as it does.
 */
#ifndef TRANSPORT_CONNS_H
#define TRANSPORT_CONNS_H

#include <uthash.h>

#include "transport/internal.h"

struct source;				/* one address, or one IPv6 /64 */

struct conn {
	tport_t		*tp;
	int		 fd;		/* Sofia's; -1 when it is closed */
	uint32_t	 id;
	struct addr	 peer;
	struct source	*source;	/* NULL: not accepted, or closed */
	bool		 accepted;
	bool		 connected;	/* false: not known to be */
	bool		 spoke;		/* a whole message came */
	bool		 whole;		/* head is, its body is not yet here */
	unsigned	 crlf;		/* bytes of keep-alive not answered */
	struct head	 head;
	char		*buf;		/* what is no whole message yet */
	size_t		 len, size;
	int64_t		 opened_ms;	/* clock_mono_ms() all */
	int64_t		 active_ms;
	int64_t		 partial_ms;	/* a message began; 0: none */
	int64_t		 closing_ms;	/* nothing is read any more; 0: is */
	UT_hash_handle	 by_tport, by_id;
};

/* A new connection; counted until conn_close().  NULL: refused, see *why. */
struct conn *conn_open(struct transports *t, tport_t *tp, int fd,
    bool accepted, enum refusal *why);
/* The descriptor goes; free the place, keep the memory (Sofia lets go of the
 * transport object only later). */
void conn_close(struct transports *t, struct conn *c);
void conn_free(struct transports *t, struct conn *c);

struct conn *conn_of(const struct transports *t, const tport_t *tp);
struct conn *conn_by_id(const struct transports *t, uint32_t id);

/* When the connection must be ended as things are, and why; INT64_MAX:
 * never. */
int64_t conn_due_ms(const struct transports *t, const struct conn *c,
    enum refusal *why);

#endif
