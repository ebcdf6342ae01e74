/*
 * internal.h -- what the files of transport/ share, and nobody else sees.
 */
#ifndef TRANSPORT_INTERNAL_H
#define TRANSPORT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sofia-sip/su.h>

#include "base/addr.h"
#include "transport/types.h"

enum {
	HEAD_BYTES_MAX = 32768,		/* of a head, whatever is configured */
	DATAGRAM_MAX = 65535,
	STREAM_MESSAGE_MAX = 1 << 20,	/* when the size is not limited */
	LINGER_MS = 1000		/* for our last words to get out */
};

/* Why something was turned away; the verdicts on heads are the first ones. */
#define REFUSALS(R)							\
R(REFUSE_TOO_LARGE,	"message-too-large")				\
R(REFUSE_NO_LENGTH,	"no-content-length")				\
R(REFUSE_TRUNCATED,	"truncated")					\
R(REFUSE_GARBAGE,	"garbage")					\
R(REFUSE_VIA,		"via")						\
R(REFUSE_NO_MEMORY,	"no-memory")					\
R(REFUSE_CONNECTIONS,	"connections")					\
R(REFUSE_SOURCE,	"connections-per-source")			\
R(REFUSE_DESCRIPTORS,	"descriptors")					\
R(REFUSE_FIRST,		"first-message")				\
R(REFUSE_SLOW,		"slow-message")					\
R(REFUSE_IDLE,		"idle")						\
R(REFUSE_CONNECT,	"connect")

enum refusal {
	REFUSE_BEFORE = HEAD_VERDICT_COUNT - 1,
#define R(id, name) id,
	REFUSALS(R)
#undef R
	REFUSAL_COUNT
};

enum { COUNT_UDP, COUNT_TCP };		/* cells of the messages */
enum { COUNT_ACCEPTED, COUNT_OUTGOING };	/* cells of the connections */

/* A primary transport and its descriptor. */
struct port {
	struct port	*next;
	tport_t		*tp;
	int		 fd;
};

struct conn;
struct source;

struct transports {
	struct transport_conf	 conf;
	struct transport_hooks	 hooks;
	const struct delivery	*delivery;	/* under way, or NULL */
	uint64_t		*refused;	/* [enum refusal - HEAD_MORE] */
	uint64_t		*messages;
	uint64_t		*connections;
	struct {
		int64_t	 said_ms;
		uint64_t unsaid;
	}			 quiet[REFUSAL_COUNT];
	struct port		*ports;
	struct conn		*by_tport, *by_id;
	struct source		*sources;
	int64_t			 accepted;
	int			 spare_fd;	/* given up to shed a caller */
	char			*scratch;	/* DATAGRAM_MAX + 1 bytes */
	bool			 mute;		/* UDP sends nothing */
};

/* Bytes on their way to the parser. */
struct delivery {
	struct transport_raw	 raw;
	unsigned		 damage;	/* MSG_FLG_... already known */
	enum refusal		 why;		/* of the damage */
};

/* types.c */
struct transports *transport_self(void);	/* the open one, or NULL */
void transport_refuse(struct transports *t, enum refusal why,
    const struct addr *from);
struct head transport_head(const struct transports *t);
/* Where the message of this head ends (offset from where its judge began),
 * if `have` bytes are there; damage is noted in d. */
size_t transport_frame(const struct transports *t, const struct head *h,
    size_t have, bool stream, struct delivery *d);
/* Parse d->raw and give it to nta.  false: no memory. */
bool transport_hand_over(struct transports *t, tport_t *tp,
    const struct delivery *d, const su_sockaddr_t *from, socklen_t fromlen);

struct port *transport_port_add(struct transports *t, tport_t *tp, int fd);
struct port *transport_port(const struct transports *t, const tport_t *tp);
void transport_port_remove(struct transports *t, const tport_t *tp);

/* udp.c, tcp.c: 0 or -errno; may be called again */
int transport_udp_register(void);
int transport_tcp_register(void);

/* stream.c: reads what is there; as vtp_recv wants it: 0 the peer is done,
 * 1 enough for now, -1 with errno */
int stream_read(struct transports *t, struct conn *c);

#endif
