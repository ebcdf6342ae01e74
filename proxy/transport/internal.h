/*
 * internal.h -- what the files of transport/ share, and nobody else sees.
 */
#ifndef TRANSPORT_INTERNAL_H
#define TRANSPORT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "io/tls.h"
#include "transport/transport.h"

enum {
	HEAD_BYTES_MAX = 32768,		/* of a head, whatever is configured */
	DATAGRAM_MAX = 65535,
	STREAM_MESSAGE_MAX = 1 << 20,	/* when the size is not limited */
	LINGER_MS = 1000		/* for our last words to get out */
};

/* Why something was turned away, with a sentence for the operator; the verdicts
 * on heads are the first ones, the failures of TLS the last. */
#define REFUSALS(R)							\
R(REFUSE_TOO_LARGE, "message-too-large",				\
    "A message longer than limits.message_size; a request gets 413.")	\
R(REFUSE_NO_LENGTH, "no-content-length",				\
    "A message on a connection that does not say how long its body "	\
    "is; a request gets 400.")						\
R(REFUSE_TRUNCATED, "truncated",					\
    "A datagram with less body than its Content-Length says; a "	\
    "request gets 400.")						\
R(REFUSE_GARBAGE, "garbage",						\
    "Neither a request nor a response (of 100 to 699), or an ACK with "	\
    "a fault.")								\
R(REFUSE_VIA, "via",							\
    "A Via that is missing, that names another transport than the "	\
    "message came by, or that has a parameter twice.")			\
R(REFUSE_NO_MEMORY, "no-memory",					\
    "There was no memory for it.")					\
R(REFUSE_BANNED, "banned",						\
    "The source is listed in deny, or was banned.")			\
R(REFUSE_CONNECTIONS, "connections",					\
    "limits.connections is reached, and on each connection somebody "	\
    "proved who he is.")						\
R(REFUSE_SILENT, "silent",						\
    "limits.connections was reached, or no descriptor was left, and "	\
    "this connection, the oldest on which nobody had proved who he "	\
    "is, made room for another. It had brought no message.")		\
R(REFUSE_UNPROVED, "unproved",						\
    "The same, of a connection that had brought messages: none with a "	\
    "right answer or a token of ours, nor from a peer.")		\
R(REFUSE_UNUSED, "unused",						\
    "As many connections to targets as limits.connections stood, and "	\
    "this one, over which nothing went for longest, made room for "	\
    "another.")								\
R(REFUSE_SOURCE, "connections-per-source",				\
    "limits.connections_per_source is reached.")			\
R(REFUSE_HANDSHAKES, "handshakes",					\
    "The source began more TLS handshakes than "			\
    "limits.requests_per_source.")					\
R(REFUSE_DESCRIPTORS, "descriptors",					\
    "No file descriptor is left for a caller, who was hung up on.")	\
R(REFUSE_FIRST, "first-message",					\
    "A new connection brought no message in limits.first_message.")	\
R(REFUSE_SLOW, "slow-message",						\
    "A message on a connection was not complete in "			\
    "limits.whole_message.")						\
R(REFUSE_IDLE, "idle",							\
    "Nothing went over a connection for limits.idle.")			\
R(REFUSE_CONNECT, "connect",						\
    "A target could not be connected to, or not in timers.connect.")	\
R(REFUSE_HANDSHAKE, "handshake",					\
    "A caller's TLS handshake or a PROXY header took longer than "	\
    "limits.handshake.")						\
R(REFUSE_UNSENT, "unsent-bytes",					\
    "More than limits.unsent_bytes waited for a connection whose "	\
    "other end does not read.")						\
R(REFUSE_NO_BALANCER, "not-a-balancer",					\
    "The source is none of listen.proxy_protocol, and nobody else "	\
    "may come in there.")						\
R(REFUSE_PROXY, "proxy-header",						\
    "A balancer sent no PROXY header, or a broken one.")

enum refusal {
	REFUSE_BEFORE = HEAD_VERDICT_COUNT - 1,
#define R(id, name, help) id,
	REFUSALS(R)
#undef R
	REFUSE_TLS,			/* + enum tls_failure - 1 */
	REFUSAL_COUNT = REFUSE_TLS + TLS_FAILURE_COUNT - 1
};

enum { COUNT_ACCEPTED, COUNT_OUTGOING };	/* cells of the connections */

/* Why a datagram of ours was dropped; cells of send_dropped. */
enum {
	DROPPED_FULL,			/* the kernel had no room */
	DROPPED_ERROR			/* it would not go there */
};

struct conn;
struct source;
struct udp;			/* udp.c: a port's batches */

/* A listening socket. */
struct port {
	struct port		*next;
	struct transports	*t;
	struct port_conf	 conf;
	int			 fd;
	struct loop_fd		*watch;
	struct udp		*udp;	/* NULL: a stream's */
};

struct transports {
	struct loop		*loop;
	struct transport_conf	 conf;
	struct transport_hooks	 hooks;
	const struct msg_mclass_s *mclass;
	uint64_t		*refused;	/* [enum refusal - HEAD_MORE] */
	uint64_t		*messages;	/* [enum transport] */
	uint64_t		*connections;
	uint64_t		*unsent;	/* bytes that wait in all */
	uint64_t		*send_dropped;	/* [DROPPED_...] */
	struct {
		int64_t	 said_ms;
		uint64_t unsaid;
	}			 quiet[REFUSAL_COUNT];
	struct port		*ports;
	char			*scratch;	/* DATAGRAM_MAX + 1 bytes */
	struct conns		*conns;		/* conns.h */
	struct udp_shared	*udp;		/* udp.h; NULL: no port */
};

/* Bytes on their way to the parser. */
struct delivery {
	struct arrived	 arrived;
	unsigned	 damage;	/* MSG_FLG_... already known */
	enum refusal	 why;		/* of the damage */
};

/* refuse.c: count it, and say it (not too often), if need be with what an
 * error said. */
void transport_refuse(struct transports *t, enum refusal why,
    const struct addr *from);
void transport_refuse_for(struct transports *t, enum refusal why,
    const struct addr *from, const char *detail);
uint64_t *refuse_metric(struct metrics *m);

/* transport.c: turn an option of a socket on; what fails here costs comfort,
 * not correctness. */
void socket_set(int fd, int level, int name);
/* Is this one of those that the port is open for? */
bool port_has_balancer(const struct port *p, const struct addr *a);
/* May this source send to us? */
bool transport_admits(const struct transports *t, const struct addr *source);

/* deliver.c */
struct head transport_head(const struct transports *t);
/* Where the message of this head ends (offset from where its judge began),
 * if `have` bytes are there; damage is noted in d. */
size_t transport_frame(const struct transports *t, const struct head *h,
    size_t have, bool stream, struct delivery *d);
/* Parse d->arrived.raw, take the last look, and give it to the hook.  false:
 * no memory. */
bool transport_deliver(struct transports *t, const struct delivery *d);

/* udp.c: 0 or -errno */
int udp_open(struct port *p);
void udp_close(struct port *p);
int udp_send(struct port *p, const struct addr *to, const void *bytes,
    size_t len);
/* The same for what many may follow that look alike: see udp_run.c. */
int udp_send_run(struct port *p, const struct addr *to, const void *bytes,
    size_t len);

/* tcp.c: listening for connections, of TLS too; 0 or -errno */
int tcp_open(struct port *p);
void tcp_close(struct port *p);
/* transport_send() over a stream */
int tcp_send(struct transports *t, const struct hop *h, const void *bytes,
    size_t len, uint32_t *connection);

#endif
