/*
 * registration_inner.h -- one address that we register at a peer.
 *
 *	WAIT	until it is time to ask (again)
 *	LOOK	for the addresses of a target
 *	ASK	a REGISTER is under way
 *	OVER	taken back: it is freed in a later turn
 */
#ifndef PIPELINE_REGISTRATION_INNER_H
#define PIPELINE_REGISTRATION_INNER_H

#include "io/target.h"
#include "pipeline/branch_id.h"
#include "pipeline/client_owner.h"
#include "pipeline/registration.h"
#include "pipeline/request.h"

enum {
	LINE_BYTES = 12,		/* of a MAC */
	LINE_TEXT = BASE64URL_LEN(LINE_BYTES),
	REGISTER_END_MS = 2000		/* to be taken back */
};

enum registration_state { REG_WAIT, REG_LOOK, REG_ASK, REG_OVER };

struct registration {
	struct client_owner owner;	/* first */
	struct registration *next;
	struct pipeline	*p;
	enum registration_state state;
	bool		 ending;	/* it is being taken back */

	/* as in the file; ours */
	char		*peer, *aor, *contact;
	uint32_t	 peer_id;
	int64_t		 expires_ms, retry_ms, retry_max_ms;

	/* of all its requests */
	char		 line[KEYS_MAX][LINE_TEXT + 1];
	char		 call_id[33], tag[17];
	uint32_t	 cseq;
	struct loop_timer *timer;

	/* this round: one target after the other */
	size_t		 next_uri;
	struct dns_target target[DNS_TARGETS_MAX];
	size_t		 ntargets, next_target;
	/* whose certificate TLS must see */
	char		 host[TARGET_HOST_MAX + 1];
	uint32_t	 uri;		/* that led there, as a peer_id() */
	struct dns_lookup *dns;
	struct dns_target now;		/* that is asked */
	const struct way *way;		/* by which it is asked */
	struct client	*client;
	struct uplink_tries tries;
	int64_t		 asked_s;	/* how long it shall last */
	unsigned	 rounds;	/* in a row that failed */

	/* where it stands; until_ms 0: nowhere */
	int64_t		 until_ms;
	struct dns_target at;
	char		 at_host[TARGET_HOST_MAX + 1];
	uint32_t	 at_uri;
	uint32_t	 connection;	/* 0: UDP */
};

struct registrations {
	struct registration *first;
};

/* NULL: no memory. */
struct registration *registration_new(struct pipeline *p,
    const struct peer *peer);
/* Ask in a while; at once, if after_ms is 0. */
void registration_start(struct registration *r, int64_t after_ms);
/* Take it back where it stands. */
void registration_end(struct registration *r);
void registration_free(struct registration *r);

static inline bool
registration_stands(const struct registration *r, int64_t now_ms)
{
	return r->until_ms > now_ms;
}

/* None of the targets took it. */
void registration_round_failed(struct registration *r);

/* registration_ask.c: try the next target, until one can be asked; where none
 * is left, registration_round_failed(). */
void registration_try(struct registration *r);
/* r->now, by r->way; false: that cannot be. */
bool registration_ask(struct registration *r);
/* To the log, with the target that is asked. */
void registration_say(const struct registration *r, enum event ev,
    const char *reason, int status);

/* register.c: the REGISTER to r->now by r->way, in the pipeline's scratch. */
bool register_write(struct registration *r, const struct branch_asks *asks,
    struct writer *w);

/* What an answer grants, in seconds; 0: nothing. */
int64_t register_granted(const struct registration *r, const sip_t *sip);
/* Does this URI bear a token of ours? */
bool register_is_line(const struct registration *r, const url_t *u);

#endif
