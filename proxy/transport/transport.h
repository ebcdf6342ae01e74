/*
 * transport.h -- whole SIP messages in, whole messages out.
 *
 * Sockets, connections and TLS are ours, on the loop.  What comes in is judged
 * as raw bytes, cut into whole messages and only then parsed (by Sofia's
 * parser); connections are counted, and closed when they keep us waiting.
 * What goes out is bytes.
 *
 * No callback comes from inside transport_send().  Sources: RFC 3261 section
 * 18, RFC 5626 3.5.1 (keep-alive), RFC 5923 (reuse of connections).
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/transport.h"
#include "transport/head.h"

struct loop;
struct metrics;
struct msg_s;			/* msg_t: a parsed message */
struct msg_mclass_s;
struct port;			/* a listening socket */
struct tls_context;		/* io/tls.h */
struct tls_peer;		/* io/tls.h */
struct transports;

/* Limits; what is below 1 is off. */
struct transport_conf {
	int64_t	message_size;		/* bytes, head and body */
	int64_t	headers;		/* header lines of a message */
	int64_t	connections;		/* accepted; so many to targets, too */
	int64_t	connections_per_source;	/* an IPv4 address, an IPv6 /64 */
	int64_t	handshake_ms;		/* TLS, or the PROXY header */
	int64_t	first_message_ms;	/* a connection that says nothing */
	int64_t	whole_message_ms;	/* a message that dribbles in */
	int64_t	idle_ms;		/* without message or keep-alive */
	int64_t	connect_ms;		/* of ours, towards a target */
	int64_t	unsent_bytes;		/* of one connection */
	bool	stun;			/* answer STUN binding requests */
};

/* Where a message came in, and how to answer it.  Valid in the callback. */
struct arrived {
	struct port	*port;
	enum transport	 transport;
	uint32_t	 connection;	/* its id; 0: UDP */
	struct addr	 source;	/* who sent it, also from behind a
					 * balancer */
	struct addr	 reach;		/* where answers go: the source, or
					 * the balancer */
	unsigned	 ifindex;	/* UDP: came in here; 0: not known */
	const char	*raw;		/* the bytes that it was made of */
	size_t		 len;
	const struct tls_peer *peer;	/* TLS: who proved himself; or NULL */
};

/* Flags of a message beside Sofia's, with MSG_FLG_ERROR. */
enum {
	MESSAGE_BAD_LENGTH = 1 << 8,	/* HEAD_BAD_LENGTH */
	MESSAGE_BAD_VIA = 1 << 9	/* the top Via could not be read, and
					 * stands for another */
};

struct transport_hooks {
	/* Judges raw heads: screen_head() of guard/screen.h. */
	head_judge_f	*judge;
	/* May this source send to us?  Asked before anything is done for it;
	 * NULL: everybody. */
	bool	(*admit)(void *arg, const struct addr *source);
	/* May it shake hands for TLS, which costs as much as many requests?
	 * NULL: everybody. */
	bool	(*admit_handshake)(void *arg, const struct addr *source);
	/* A whole datagram without damage, not parsed yet.  true: that was
	 * all that is to be done with it.  NULL: none is asked for. */
	bool	(*on_plain)(void *arg, const struct arrived *a);
	/* A parsed message; takes it over (msg_destroy()).  Its msg_addr() is
	 * the source.  msg_get_flags() has MSG_FLG_TOOLARGE, MSG_FLG_TRUNC or
	 * MSG_FLG_ERROR for what must be answered 413 or 400, and perhaps one
	 * of MESSAGE_BAD_... */
	void	(*on_message)(void *arg, const struct arrived *a,
		    struct msg_s *msg);
	/* A connection is gone, or could not be made: what waits for an
	 * answer on it waits in vain. */
	void	(*on_lost)(void *arg, uint32_t connection);
	/* The network said that nobody listens there (ICMP, over UDP). */
	void	(*on_unreachable)(void *arg, const struct port *port,
		    const struct addr *to);
	void	*arg;
};

/* NULL after logging the cause.  mclass must outlive it. */
struct transports *transport_open(struct loop *l,
    const struct transport_conf *conf, const struct transport_hooks *hooks,
    const struct msg_mclass_s *mclass, struct metrics *metrics);
/* Closes all ports and connections; no callback comes.  NULL is allowed. */
void transport_close(struct transports *t);

/* Other limits from now on; open connections keep running. */
void transport_set_conf(struct transports *t,
    const struct transport_conf *conf);

/* A socket to be opened. */
struct port_conf {
	const char	*listener;	/* its name; all is lent for good */
	enum transport	 transport;
	struct addr	 addr;		/* an address, not "any" */
	struct tls_context *tls;	/* TRANSPORT_TLS: what we are */
	const struct net *balancer;	/* only from these, and each connection
					 * and datagram begins with a PROXY */
	size_t		 nbalancers;	/* header; 0: none */
	void		*owner;
};

/* Begins to listen.  NULL with errno; it is closed by transport_close(). */
struct port *transport_listen(struct transports *t,
    const struct port_conf *conf);
void *port_owner(const struct port *p);
/* As asked for; where that had port 0, with the one it got. */
const struct addr *port_addr(const struct port *p);

/* Who must be at the other end of a TLS connection. */
struct tls_wish {
	struct tls_context *context;	/* what we are, whom we trust */
	const char	*name;		/* host name or address as text; NULL:
					 * nobody in particular */
};

/* Where bytes go. */
struct hop {
	struct port	*port;		/* leaves from its address */
	struct addr	 addr;
	uint32_t	 connection;	/* this one and no other; 0: one that
					 * is open to addr, or a new one */
	bool		 run;		/* over UDP: an answer that may go to a
					 * forged address, so it leaves others
					 * room (-ENOBUFS); more may follow
					 * that look alike, and who captures
					 * here may see them as one */
	struct tls_wish	 tls;		/* of a new connection; one that is
					 * open serves only if it was verified
					 * for this name and context */
};

/*
 * Send one message.  0: it was sent, or waits until it can be (while
 * connecting; a full socket); *connection (may be NULL) is which connection
 * took it, 0 over UDP.  -ENOTCONN: h->connection is gone.  -ENOBUFS: too much
 * waits already.  Other -errno: could not be sent.
 */
int transport_send(struct transports *t, const struct hop *h,
    const void *p, size_t len, uint32_t *connection);

/* Somebody on this connection is known now: it makes room for no other.  0, or
 * one that is gone or ours, is no matter. */
void transport_vouch(struct transports *t, uint32_t connection);

/* Is this connection open? */
bool transport_is_open(const struct transports *t, uint32_t connection);

/* Why bytes or a connection may be turned away: each word of the event
 * transport.refuse and of transport_refused_total, with a sentence. */
void transport_refusals_each(void (*visit)(const char *word,
    const char *help));

#endif
