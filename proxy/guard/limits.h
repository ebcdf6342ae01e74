/*
 * limits.h -- the group `limits` of the configuration.
 */
#ifndef GUARD_LIMITS_H
#define GUARD_LIMITS_H

#include <stdint.h>

#include "conf/conf.h"

enum limits_stun { STUN_DROP, STUN_ANSWER };

/* -1: off */
struct limits_conf {
	int	line;
	int64_t	pending;		/* requests under way, in all */
	int64_t	pending_per_target;	/* and to one address */
	int64_t	connections;		/* accepted, in all */
	int64_t	connections_per_source;
	int64_t	message_size;		/* bytes */
	int64_t	headers;		/* header lines of a message */
	int64_t	handshake_ms;		/* TLS, or the PROXY header */
	int64_t	first_message_ms;	/* a connection that says nothing */
	int64_t	whole_message_ms;	/* a message that dribbles in */
	int64_t	idle_ms;		/* a connection without messages */
	int64_t	unsent_bytes;		/* waiting for one connection */
	int	stun;			/* enum limits_stun */
};

extern const struct conf_opt limits_opts[];

#endif
