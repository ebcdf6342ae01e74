/*
 * watch.h -- who comes too often, fails too often, or is banned.
 *
 * What guard/ decides, for requests: rates before anything is done for one
 * (rate.c), failures when it ends, and bans at the door.
 */
#ifndef PIPELINE_WATCH_H
#define PIPELINE_WATCH_H

#include "guard/bans.h"
#include "guard/failures.h"
#include "guard/rates.h"
#include "pipeline/request.h"
#include "route/grey.h"

/* Of what there was too much. */
enum over {
	OVER_SOURCE, OVER_METHOD, OVER_PEER, OVER_USER,
	OVER_ANSWERS,			/* for a user: guard.user-slowed */
	OVER_KINDS,
	WITHIN = OVER_KINDS
};

/* Who is met with silence, and would look for himself in the log. */
enum dropped { DROPPED_SCANNER, DROPPED_SLOWED, DROPPED_KINDS };

struct quiet {				/* a line a second */
	int64_t		 said_ms;
	uint64_t	 unsaid;
};

struct watch {
	uint8_t		 key[MARK_KEY_BYTES];
	struct grey	*peers;		/* sources where one is: by a name, or
					 * with a certificate */
	struct rates	*rates;
	struct failures	*failures;
	struct bans	*bans;
	struct watch_shared *shared;
	struct loop_timer *ends;	/* of the next ban that does */
	struct quiet	 quiet[OVER_KINDS], dropped[DROPPED_KINDS];
	uint64_t	*over_total, *failures_total, *slowed_total, *bans_total,
			*told_total, *bans_gauge;
};

/* Who knocks, by what can be told before anything of it is proved. */
struct knock {
	struct watch	*watch;
	const struct limits_conf *limits;
	const struct addr *source;
	struct str	 method;
	int64_t		 now_us;
};

struct watch *watch_new(struct pipeline *p);	/* NULL: no memory */
void watch_free(struct watch *w);		/* NULL is allowed */

/* Its bans; 0, or -ENOMEM. */
int watch_bans_open(struct watch *w, struct pipeline *p);
void watch_bans_close(struct watch *w);
/* Take back those of who became a peer, or is never to be banned, by a new
 * policy. */
void watch_bans_spare(struct pipeline *p);

bool watch_admits(const struct watch *w, const struct addr *source);

/* Nobody can get a peer banned, nor another instance, nor who is in
 * limits.ban_never, not even himself; nor who lives beside it, where a /64 is
 * banned as a whole. */
bool watch_is_spared(const struct pipeline *p, const struct policy *policy,
    const struct addr *source);
/* A peer is there, as its name or a certificate just told; one that was banned
 * is so no more. */
void watch_know_peer(struct watch *w, const struct addr *a, int64_t now_ms);
/* By a new policy others may be peers: who still is, is known again when we
 * turn to him or hear of him. */
void watch_forget_peers(struct watch *w);
/* Was anybody right here lately, from a source that others tell of? */
bool watch_is_proved(const struct watch *w,
    const uint8_t source[SOURCE_BYTES]);
/* If not, and they banned it: it counts as if we had. */
void watch_told(const struct watch *w, const struct limits_conf *limits,
    const uint8_t source[SOURCE_BYTES]);

/* Can the sender receive at his source address?  On a connection he can; over
 * UDP whoever shows a nonce that was given to that address, or a dialog token
 * of the flow that it came on. */
bool source_is_proved(const struct request *req);
/* The same for one whose nonce was opened. */
bool source_has_nonce(const struct request *req);

/* Is one more within the rate of this bucket?  Then it is counted. */
bool watch_take(struct request *req, enum mark_kind bucket, uint64_t whose,
    const struct conf_rate *rate);
bool watch_take_knock(const struct knock *k, enum mark_kind bucket,
    uint64_t whose, const struct conf_rate *rate);
bool watch_would(const struct knock *k, enum mark_kind bucket,
    uint64_t whose, const struct conf_rate *rate);
/* The same by peers.requests, of the peer that it is known to come from. */
bool watch_peer(struct request *req);
extern const char *const watch_over_words[OVER_KINDS];
/* Count what was too much, and say so once a second. */
void watch_over(struct request *req, enum over over);
void watch_over_knock(const struct knock *k, enum over over,
    const char *peer, struct str user);

/* Say whom an answer was not given to.  user: whom he claims to be; agent: his
 * User-Agent; either may be empty. */
void watch_dropped(const struct knock *k, enum dropped what, struct str user,
    struct str agent);

struct knock knock_of(const struct request *req);
/* A stranger's over UDP, who proves nothing: draws on the rates of his source
 * and of the method. */
enum over rate_take(const struct knock *k);
/* The source's handshakes for TLS. */
bool rate_take_handshake(const struct knock *k);
/* Would it be within? */
bool rate_would(const struct knock *k);

/* Of a request that proved its user. */
void watch_success(struct request *req);
/* Of a request that ends for this reason. */
void watch_end(struct request *req, enum reason r);

#endif
