/*
 * limits.h -- the group `limits` of the configuration.
 */
#ifndef GUARD_LIMITS_H
#define GUARD_LIMITS_H

#include <stdint.h>

#include "conf/conf.h"

enum limits_stun { STUN_DROP, STUN_ANSWER };
enum limits_over { OVER_SILENCE, OVER_503 };

/* Methods that may have a rate of their own. */
#define LIMITED_METHODS(M)						\
M(LIMITED_INVITE, "INVITE")						\
M(LIMITED_REGISTER, "REGISTER")						\
M(LIMITED_OPTIONS, "OPTIONS")						\
M(LIMITED_MESSAGE, "MESSAGE")						\
M(LIMITED_SUBSCRIBE, "SUBSCRIBE")					\
M(LIMITED_NOTIFY, "NOTIFY")						\
M(LIMITED_PUBLISH, "PUBLISH")						\
M(LIMITED_REFER, "REFER")						\
M(LIMITED_INFO, "INFO")							\
M(LIMITED_UPDATE, "UPDATE")						\
M(LIMITED_PRACK, "PRACK")						\
M(LIMITED_BYE, "BYE")							\
M(LIMITED_CANCEL, "CANCEL")						\
M(LIMITED_ACK, "ACK")

enum limited_method {
#define M(id, name) id,
	LIMITED_METHODS(M)
#undef M
	LIMITS_METHODS
};

extern const char *const limits_methods[LIMITS_METHODS];	/* names */

/* -1: off */
struct limits_conf {
	int	line;
	int64_t	pending;		/* requests under way, in all */
	int64_t	pending_per_target;	/* and to one address */
	struct conf_list emergency;	/* users of Request-URIs */
	int64_t	connections;		/* accepted, in all */
	int64_t	connections_per_source;
	int64_t	message_size;		/* bytes */
	int64_t	udp_max;		/* bytes; longer ones leave over TCP */
	int64_t	headers;		/* header lines of a message */
	int64_t	handshake_ms;		/* TLS, or the PROXY header */
	int64_t	first_message_ms;	/* a connection that says nothing */
	int64_t	whole_message_ms;	/* a message that dribbles in */
	int64_t	idle_ms;		/* a connection without messages */
	int64_t	unsent_bytes;		/* waiting for one connection */
	int	stun;			/* enum limits_stun */
	struct conf_rate requests_per_source, requests_per_user;
	struct conf_rate methods[LIMITS_METHODS];
	int	over;			/* enum limits_over */
	bool	exempt_peers;
	int64_t	ipv4_prefix;		/* bits: what is one source */
	int64_t	ban_after;		/* failures within ban_window */
	int64_t	ban_window_ms;
	int64_t	ban_time_ms;		/* of the first ban */
	int64_t	ban_max_ms;
	int64_t	bans_max;		/* bans at once */
	struct conf_list ban_never;	/* addresses and networks */
	struct conf_rate failures_per_user;
	struct conf_rate log_lines;	/* that strangers cause */
};

extern const struct conf_opt limits_opts[];

/* Complaints go to c. */
void limits_check(struct conf *c, const struct limits_conf *l);

#endif
