/*
 * request.h -- one request on its way through the steps.
 *
 * Each field has one writer, named in front of its group.
 */
#ifndef PIPELINE_REQUEST_H
#define PIPELINE_REQUEST_H

#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1	/* no memory is an answer, not an end */
#endif
#include <uthash.h>

#include "auth/credentials.h"
#include "base/log.h"
#include "base/metrics.h"
#include "guard/sdp.h"
#include "io/dns.h"
#include "io/timeouts.h"
#include "pipeline/pipeline.h"
#include "pipeline/reason.h"
#include "pipeline/sofia.h"
#include "pipeline/uplink.h"
#include "route/grey.h"
#include "route/sets.h"
#include "transaction/transaction.h"

enum step_verdict {
	STEP_NEXT,		/* go on with the next row */
	STEP_WAIT,		/* request_run() will come, or request_reply() */
	STEP_REPLY,		/* answer by req->reason and end */
	STEP_DONE		/* the step itself ended the request, or its
				 * branch will */
};

/* Who must prove what, by classify. */
enum proof {
	PROOF_NONE,		/* a peer by address, or a token's other side */
	PROOF_DIGEST
};

/* What the dialog token says, by classify. */
enum token_state {
	NO_TOKEN,		/* none of ours, expired, or from elsewhere */
	TOKEN_GOOD,		/* the sender is the side that it names */
	TOKEN_BY_USER		/* only if digest proves the token's user */
};

struct target {
	struct addr	 addr;
	enum transport	 transport;
	const char	*name;		/* TLS: whose certificate; in msg's
					 * home */
	struct member	*member;	/* of the peer; NULL: none of its */
	bool		 open;		/* UDP because nothing else was said */
	bool		 handed;	/* another instance, which has the flow */
};

/* What a route says to the caller. */
struct told {
	int		 status;	/* of REASON_REJECTED */
	const char	*phrase;
	const char	*contact;	/* of REASON_REDIRECTED; in msg's home */
};

/*
 * One way of a request: to a peer, whose targets are tried one after the
 * other; or to one place.  A request that forks has several, side by side.
 */
struct leg {
	struct leg	*next;
	struct request	*req;

	/* route */
	const struct peer *peer;	/* NULL: it goes to no peer */

	/* targets */
	uint64_t	 asked;		/* members of the peer, by bit */
	unsigned	 preferred;	/* one of them (1..), or 0 */
	struct member	*resolving;	/* whose URI; NULL: no member's */
	struct target	 target[DNS_TARGETS_MAX];
	size_t		 ntargets, next_target;
	struct target	*later;		/* grey ones; in msg's home */
	size_t		 nlater;
	struct dns_lookup *dns;
	char		*next_hop;	/* a URI to resolve, in msg's home */
	const char	*next_host;	/* of the URI being resolved; same */
	bool		 next_open;	/* it leaves the transport open */
	void		(*routed)(struct leg *leg);
	uint32_t	 flow_connection;	/* to use; 0: any */
	const struct way *flow_way;
	const struct side *away;	/* a flow that another instance has;
					 * NULL: none */
	enum reason	 dns_reason;
	bool		 filtered;	/* it may go no further */

	/* media */
	bool		 unfit;		/* its peer does not take the body */
	enum sdp_need	 keys;		/* stand in the body: is TLS asked
					 * for? */

	/* relay */
	msg_t		*msg;		/* as it leaves; the first leg's is the
					 * request's own */
	sip_t		*sip;
	bool		 edited;	/* for all its targets */
	struct branch	*branch;
	unsigned	 tries;
	struct addr	 tried;		/* the last target; port 0: none */
	enum transport	 tried_by;
	struct member	*member;	/* that it is; may be NULL */
	bool		 heard;		/* it said something */
	bool		 handed;	/* it is another instance */
	bool		 streaming;	/* too big for UDP: over TCP, as */
	struct target	 stream;
	bool		 done;		/* no target is left, or it is over */
	struct uplink_tries answers;	/* of our credentials (uplink.c) */
};

/* A dialog of ours that is one with another of ours; as in its token. */
struct joined {
	uint8_t		 flags;
	uint8_t		 call[TOKEN_CALL_BYTES];
	uint8_t		 before[TOKEN_CALL_BYTES];
};

enum { JOINED_MAX = 3 };

struct request {
	struct pipeline	*p;
	struct policy	*policy;
	struct request	*next, **prev;	/* of all that were held */
	struct peer_load *load;		/* intake: its peer's; NULL: it is not
					 * counted there */

	/* request_new() */
	msg_t		*msg;
	sip_t		*sip;
	int64_t		 unix_ms, start_us;
	sip_method_t	 method;
	struct str	 method_name;
	struct str	 uri;		/* Request-URI as received */
	const struct way *way;
	struct addr	 source;
	struct addr	 reach;		/* where answers go: source, or the
					 * balancer before it */
	enum transport	 transport;
	uint32_t	 connection;	/* 0: UDP */
	uint64_t	 key;		/* of the sender's transaction */
	unsigned	 step;
	const struct step *steps;

	/* screen */
	const char	*header;	/* that is at fault; NULL: none */
	uint8_t		 loop_hash[6];

	/* classify */
	const struct peer *peer;	/* NULL: a stranger */
	enum proof	 proof;
	const char	*realm;		/* of challenges to him */
	enum token_state token_state;
	struct dialog_token token;
	bool		 token_is_loose;	/* of the call, but of another
					 * dialog of it; or too old */
	bool		 from_caller;	/* by the token */
	bool		 moved;		/* authorize: good by the user alone */
	bool		 handed;	/* by another instance, for a flow of
					 * ours */
	bool		 own_routes;	/* token holds one of ours */
	struct joined	 joined[JOINED_MAX];	/* to token, one to the next */
	unsigned	 njoined;
	struct path_token *path;	/* its flow is the target */
	bool		 www;		/* 401 and Authorization instead */

	/* challenge .. consume */
	struct credentials *cred;	/* until verify is done */
	struct nonce	 nonce;
	enum reason	 stale;		/* why a right answer is too late, or
					 * REASON_COUNT */
	struct cred_lookup *lookup;
	struct cred_answer answer;	/* valid in slow and verify only */
	uint64_t	 claimed;	/* slow: mark of the user (guard/) */
	bool		 using;		/* use is pending */
	struct nonce_use use;
	char		 user[TOKEN_USER_MAX + 1];	/* proved; "" none */
	bool		 identity_ok;
	bool		 number_ok;	/* he may call this one */
	char		 class[CLASS_MAX + 1];	/* of the user; "" none */

	/* calls */
	struct calls_ask *ask;		/* in msg's home; NULL: no class has
					 * a limit for it */
	bool		 asking;	/* it is pending */
	bool		 counted;
	int64_t		 lasts_ms;	/* it counts so long when answered */
	int64_t		 rang_ms;	/* when all were told that it rings */
	int64_t		 session_s;	/* of the 2xx (RFC 4028); 0: none */

	/* authorize */
	bool		 foreign;	/* a stranger's, for another domain */
	bool		 by_digest;	/* peer is who its user proved to be */

	/* route */
	struct leg	 leg;		/* the first; others follow it */
	bool		 secure;	/* it came with a SIPS URI */
	int		 route_line;	/* in the file; 0: no route was asked */
	const struct egress_list *egress;	/* NULL: anywhere */
	struct addr	 known;		/* of the dialog; egress or not */
	struct told	 told;		/* by a route, instead of going on */

	/* media */
	struct sdp_judged media;	/* the worst that was found */

	/* relay */
	struct server	*server;	/* its transaction, once it was held */
	unsigned	 running;	/* legs that are not done */
	bool		 cancelled;
	char		*cancel_reason;	/* Reason of the CANCEL (RFC 3326) */
	msg_t		*best;		/* best final response so far */
	struct leg	*best_leg;	/* whose it is */
	int		 best_status;
	char		*challenges;	/* of the others, if it is one */
	int		 internal_status;	/* best of ours: 408, 503 */

	/* whoever ends it */
	enum reason	 reason;
};

enum {
	ACKED_MAX = 4099,		/* a prime */
	SCRATCH_SIZE = 2 * 65536	/* more than any message we send */
};

/* media.c: what was counted, and when it was told. */
struct media_watch {
	uint64_t	*judged_total, *passed_total;
	int64_t		 said_s;
	uint64_t	 unsaid;
};

/* The pipeline's own, for the steps. */
struct pipeline {
	struct pipeline_env env;
	struct policy	*policy;
	struct request	*requests;	/* that were held */
	struct request	*spare;		/* freed ones, for reuse */
	unsigned	 nspare;
	size_t		 pending;
	bool		 draining;
	const struct arrived *arrived;	/* of the message at hand, or NULL */
	struct timeouts	*timer_c;
	struct timeouts	*timer_cancel;	/* 64*T1 after a CANCEL */
	struct timeouts	*timer_silence;	/* target_timeout */
	struct transactions *transactions;
	struct target_load *loads;	/* branch.c */
	struct peer_load *peer_loads;	/* intake.c */
	struct probe	*probes;	/* probe.c */
	struct grey	*grey;		/* targets.c */
	struct grey	*no_tcp;	/* same */
	int64_t		 grey_said_s;
	uint64_t	 grey_unsaid;
	struct media_watch media;
	struct moved	*moved;		/* moved.c */
	struct watch	*watch;		/* watch.h */
	struct call_watch *calls;	/* calls.h */
	struct hush	*hush;		/* hush.h */
	struct uplinks	*uplinks;
	struct registrations *registrations;
	struct timeouts	*moved_ends;
	char		*scratch;	/* SCRATCH_SIZE: a message being
					 * written */
	uint64_t	*by_reason;	/* counters */
	uint64_t	*requests_total, *pending_gauge, *responses_total,
			*misplaced_total, *plain_total;
	int64_t		 misplaced_said_s;
	uint64_t	 sequence;	/* of our branches */
	uint64_t	 acked[ACKED_MAX];	/* acked.h */
};

/* Row of a table of steps. */
struct step {
	const char	*name;
	enum step_verdict (*run)(struct request *req);
};

/* Takes over msg (also on failure: NULL).  key: of the sender's transaction,
 * 0 where that cannot be told. */
struct request *request_new(struct pipeline *p, const struct arrived *a,
    msg_t *msg, uint64_t key);

/* Where an answer to it goes. */
struct hop request_back(const struct request *req);

/* Before a request waits.  Makes the server transaction (an ACK has none);
 * from now on retransmissions are absorbed, and a CANCEL finds it.  false: too
 * many, or no memory; the reason is set. */
bool request_hold(struct request *req);

/* Run the steps from where it stands: at first, and after STEP_WAIT, unless
 * request_reply() ends it. */
void request_run(struct request *req);

/* May one more line be written about it, if it is a stranger's? */
bool request_may_log(const struct request *req);

/* Answer by a reason (stateless, or through the server transaction), log,
 * count and free.  ACK is never answered. */
void request_reply(struct request *req, enum reason r);

/* The last act: log, count, free.  status is that of the final response
 * that went out (0: none). */
void request_end(struct request *req, enum reason r, int status);

/* Who the sender's side of the token is, "" if it does not say. */
static inline const char *
token_user(const struct request *req)
{
	return req->from_caller ? req->token.user : req->token.callee_user;
}

/* Set the reason and ask for the reply. */
static inline enum step_verdict
refuse(struct request *req, enum reason r)
{
	req->reason = r;
	return STEP_REPLY;
}

/* The steps; ARCHITECTURE.md says which file has which. */
enum step_verdict step_arrive(struct request *req);
enum step_verdict step_rate(struct request *req);
enum step_verdict step_screen(struct request *req);
enum step_verdict step_screen_ack(struct request *req);
enum step_verdict step_classify(struct request *req);
enum step_verdict step_loop(struct request *req);
enum step_verdict step_calls(struct request *req);
enum step_verdict step_challenge(struct request *req);
enum step_verdict step_nonce(struct request *req);
enum step_verdict step_secret(struct request *req);
enum step_verdict step_slow(struct request *req);
enum step_verdict step_verify(struct request *req);
enum step_verdict step_consume(struct request *req);
enum step_verdict step_proved(struct request *req);
enum step_verdict step_authorize(struct request *req);
enum step_verdict step_route(struct request *req);
enum step_verdict step_media(struct request *req);
enum step_verdict step_targets(struct request *req);
enum step_verdict step_relay(struct request *req);
enum step_verdict step_cancel(struct request *req);
enum step_verdict step_ack_ours(struct request *req);
enum step_verdict step_ack_may_pass(struct request *req);
enum step_verdict step_ack_relay(struct request *req);

/* Another leg, to this peer (or none), behind those that are there; its
 * message is a copy.  NULL: no memory. */
struct leg *request_fork(struct request *req, const struct peer *peer);

/* Give the first leg a message of its own, so that answers of ours tell what
 * was asked.  false: no memory. */
bool request_part(struct leg *leg);

/* relay.c: the caller's CANCEL. */
void relay_cancel(struct request *req);
/* Drop what relay keeps: branch, stored responses. */
void relay_release(struct request *req);

#endif
