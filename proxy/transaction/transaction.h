/*
 * transaction.h -- the transactions of RFC 3261 section 17 and RFC 6026.
 *
 * A transaction here keeps bytes, not messages: what it may have to send
 * again, and where.  Matching is by a keyed hash.  Nothing here parses or
 * changes a message.
 *
 * The owner of a transaction is told what happens to it by callbacks, which
 * come from the loop, never from inside a call of the owner's.
 *
 * What hop.tls lends must live until the owner lets go; after that only a
 * connection that is open is written to.
 */
#ifndef TRANSACTION_TRANSACTION_H
#define TRANSACTION_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "transport/transport.h"

struct loop;
struct metrics;
struct transactions;

struct transactions_env {
	struct loop	*loop;
	struct metrics	*metrics;
	int64_t		 t1_ms;		/* T2 is 8 T1, T4 10 T1 */
	/* transport_send(), or a test's */
	int		(*send)(void *arg, const struct hop *h, const void *p,
			    size_t len, uint32_t *connection);
	void		*arg;
};

struct transactions *transactions_new(const struct transactions_env *env);
void transactions_free(struct transactions *ts);

/*
 * Who a message belongs to, as a number, never 0: the branch and sent-by of a
 * Via, Call-ID, CSeq number (RFC 3261 17.2.3; keyed, so nobody can make two
 * meet).  An ACK, a CANCEL and their INVITE have the same key.
 */
struct transaction_id {
	struct str	branch;		/* may be empty */
	struct str	sent_by;	/* host:port as written */
	struct str	call_id;
	uint32_t	cseq;
};
uint64_t transaction_key(const struct transactions *ts,
    const struct transaction_id *id);

/* ---- server transactions (17.2, RFC 6026 7.1) ---- */

struct server;

enum server_kind { SERVER_INVITE, SERVER_OTHER };

/* Where answers go. */
struct server_conf {
	uint64_t	 key;
	enum server_kind kind;
	struct hop	 back;		/* connection: that it came on */
	struct addr	 again;		/* port 0: none; if the connection is
					 * gone, a new one to here (18.2.2) */
	void		*owner;		/* for server_owner() */
};

/* NULL: no memory, or one of that key and kind is there. */
struct server *server_new(struct transactions *ts,
    const struct server_conf *conf);
/* By key; an ACK and a CANCEL look for SERVER_INVITE. */
struct server *server_find(const struct transactions *ts, uint64_t key,
    enum server_kind kind);
void *server_owner(const struct server *s);	/* NULL: it let go */
const struct hop *server_back(const struct server *s);

/* A request of that key came again: the last answer is repeated, if there is
 * one (never after a 2xx to INVITE: those come from the target). */
void server_again(struct server *s);
/* The ACK to an answer that was no 2xx: repeats end (Timer I).  false: there
 * is nothing here that an ACK could end (a 2xx, or no final answer yet).  It
 * may be gone after this if its owner let go. */
bool server_acked(struct server *s);

/* Send an answer; of final ones the first only (-EALREADY), except 2xx to
 * INVITE.  Bytes are copied.  0 or -errno: it counts as answered all the
 * same. */
int server_respond(struct server *s, int status, const void *p, size_t len);

/*
 * The owner lets go.  With a final answer it ends by itself (Timers H, I, J,
 * L); without one it stays mute for 64*T1: repeats of the request are
 * absorbed, and nobody gets an answer.
 */
void server_release(struct server *s);

enum server_state {
	SERVER_PROCEEDING,	/* no final answer */
	SERVER_ACCEPTED,	/* INVITE: a 2xx was sent, or nobody answers */
	SERVER_COMPLETED,	/* another final answer */
	SERVER_CONFIRMED	/* INVITE: and its ACK came */
};
enum server_state server_state(const struct server *s);

/* ---- client transactions (17.1) ---- */

struct client;

enum client_kind { CLIENT_INVITE, CLIENT_OTHER };

enum client_failure { CLIENT_TIMEOUT, CLIENT_TRANSPORT };

struct client_hooks {
	/* No answer will come.  The transaction has ended; comes once, from
	 * the loop. */
	void	(*failed)(void *owner, enum client_failure why);
};

struct client_conf {
	uint64_t	 key;		/* of our own Via */
	enum client_kind kind;
	struct hop	 hop;
	const struct client_hooks *hooks;
	void		*owner;		/* NULL: nobody waits (CANCEL) */
};

/* Send a request, and again over UDP until something comes (Timers A, E; B,
 * F).  The bytes are copied.  NULL: could not be sent; *error is -errno
 * (-EEXIST: one of that key and kind is there). */
struct client *client_new(struct transactions *ts,
    const struct client_conf *conf, const void *p, size_t len, int *error);
struct client *client_find(const struct transactions *ts, uint64_t key,
    enum client_kind kind);

/*
 * A response of that key came.  What the owner should do with it.  With a
 * final one the transaction is over for the owner (and may be freed): take
 * client_owner() first, and, if it is no 2xx to an INVITE and client_request()
 * is not empty, call client_ack() before.
 */
enum client_verdict {
	CLIENT_PASS,		/* client_owner() gets it */
	CLIENT_ABSORBED,	/* a repeat (its ACK was repeated), or nobody
				 * waits */
	CLIENT_STRAY		/* a 2xx to an INVITE that nobody waits for: to
				 * be treated as if it had no transaction */
};
enum client_verdict client_response(struct client *c, int status);
void *client_owner(const struct client *c);
const struct hop *client_hop(const struct client *c);
uint64_t client_key(const struct client *c);
/* The bytes that were sent: an INVITE's until its final answer was
 * acknowledged, for the ACK and a CANCEL to be made from.  Lent. */
struct str client_request(const struct client *c);

/* The ACK to a final answer that was no 2xx (17.1.1.3): sent now, and for each
 * repeat (Timer D); client_request() is empty from then on.  Bytes are
 * copied. */
void client_ack(struct client *c, const void *p, size_t len);

/* The owner lets go: no callback any more.  An INVITE that has no final answer
 * yet goes on being acknowledged (17.1.1.3) for 64*T1 with nobody to tell; it
 * is not sent again.  Not to be called after the final answer. */
void client_release(struct client *c);

/* ---- what the transports tell: who waits there fails, in a later turn ---- */

void transactions_lost(struct transactions *ts, uint32_t connection);
void transactions_unreachable(struct transactions *ts,
    const struct port *port, const struct addr *to);

#endif
