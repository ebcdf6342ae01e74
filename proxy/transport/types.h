/*
 * types.h -- our own "udp" and "tcp" under Sofia's transaction layer.
 *
 * Each is a copy of the library's own transport type with hooks.  What comes
 * in is read by us, judged as raw bytes, cut into whole messages and only then
 * parsed; connections are counted, and closed when they keep us waiting.
 * Sending is the library's.
 *
 * Order of calls: su_init(), transport_open(), nta_agent_create(),
 * nta_agent_add_tport() ..., nta_agent_destroy(), transport_close().
 * The library has one table of types for the process and its hooks carry no
 * argument of ours, so at most one set of transports is open at a time.
 */
#ifndef TRANSPORT_TYPES_H
#define TRANSPORT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sofia-sip/msg_types.h>
#include <sofia-sip/tport.h>

#include "transport/head.h"

struct metrics;
struct transports;

/* Limits; what is below 1 is off. */
struct transport_conf {
	int64_t	message_size;		/* bytes, head and body */
	int64_t	headers;		/* header lines of a message */
	int64_t	connections;		/* accepted, in all */
	int64_t	connections_per_source;	/* an IPv4 address, an IPv6 /64 */
	int64_t	first_message_ms;	/* a connection that says nothing */
	int64_t	whole_message_ms;	/* a message that dribbles in */
	int64_t	idle_ms;		/* without message or keep-alive */
	int64_t	connect_ms;		/* of ours, towards a target */
};

/* The bytes that the message at hand was made of. */
struct transport_raw {
	const char	*p;
	size_t		 len;
	unsigned	 ifindex;	/* UDP: came in here; 0: not known */
	uint32_t	 connection;	/* TCP: its id; 0: UDP */
};

enum transport_verdict { TRANSPORT_PASS, TRANSPORT_DROP };

struct transport_hooks {
	/* Judges raw heads: screen_head() of guard/screen.h. */
	head_judge_f	*judge;
	/* Looks at each message before nta does anything with it; may be
	 * NULL.  On TRANSPORT_DROP the message is destroyed unanswered. */
	enum transport_verdict (*on_message)(void *arg, tport_t *tp,
	    msg_t *msg, const struct transport_raw *raw);
	void		*arg;
};

/* Register the types; before the first nta_agent_add_tport().  NULL after
 * logging the cause: no memory, or a library that we do not know. */
struct transports *transport_open(const struct transport_conf *conf,
    const struct transport_hooks *hooks, struct metrics *metrics);
void transport_close(struct transports *t);	/* NULL is allowed */

/* Other limits from now on; open connections keep running. */
void transport_set_conf(struct transports *t,
    const struct transport_conf *conf);

/* While a message is delivered (also inside nta's callbacks for it) the bytes
 * it was made of; NULL at any other time. */
const struct transport_raw *transport_current(void);

/*
 * What is sent over UDP meanwhile is dropped, and counts as sent.  For an
 * answer that must not be given: nta lets no transaction go without one.
 */
void transport_mute(bool mute);

/*
 * A connection's name for flow tokens: random, never 0, unique among those
 * that are open.  0 for what is no connection of ours or is closed.
 */
uint32_t transport_connection_id(const tport_t *tp);
/* The open connection of that name, or NULL.  Lent: tport_ref() to keep. */
tport_t *transport_connection_find(uint32_t id);

#endif
