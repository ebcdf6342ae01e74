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
#include "io/dns.h"
#include "io/timeouts.h"
#include "pipeline/pipeline.h"
#include "pipeline/reason.h"
#include "pipeline/sofia.h"
#include "transaction/transaction.h"

enum step_verdict {
	STEP_NEXT,		/* go on with the next row */
	STEP_WAIT,		/* request_resume() will come */
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
	TOKEN_GOOD,	/* the sender is the side that it names */
	TOKEN_BY_USER		/* only if digest proves the token's user */
};

struct target {
	struct addr	 addr;
	enum transport	 transport;
	const char	*name;		/* TLS: whose certificate; in msg's
					 * home */
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
	size_t		 next_uri;	/* of the peer, to resolve next */
	struct target	 target[DNS_TARGETS_MAX];
	size_t		 ntargets, next_target;
	struct dns_lookup *dns;
	char		*next_hop;	/* a URI to resolve, in msg's home */
	const char	*next_host;	/* of the URI being resolved; same */
	void		(*routed)(struct leg *leg);
	uint32_t	 flow_connection;	/* to use; 0: any */
	const struct way *flow_way;
	enum reason	 dns_reason;

	/* relay */
	msg_t		*msg;		/* as it leaves; the first leg's is the
					 * request's own */
	sip_t		*sip;
	bool		 edited;	/* for all its targets */
	struct branch	*branch;
	unsigned	 tries;
	struct addr	 tried;		/* the last target; port 0: none */
	bool		 done;		/* no target is left, or it is over */
};

struct request {
	struct pipeline	*p;
	struct policy	*policy;
	struct request	*next, **prev;	/* of all that were held */

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
	uint8_t		 loop_hash[6];

	/* classify */
	const struct peer *peer;	/* NULL: a stranger */
	enum proof	 proof;
	enum token_state token_state;
	struct dialog_token token;
	bool		 from_caller;	/* by the token */
	bool		 moved;		/* authorize: good by the user alone */
	bool		 own_routes;	/* token holds one of ours */
	struct path_token *path;	/* its flow is the target */
	bool		 www;		/* 401 and Authorization instead */

	/* challenge .. consume */
	struct credentials *cred;	/* until verify is done */
	struct nonce	 nonce;
	enum reason	 stale;		/* why a right answer is too late, or
					 * REASON_COUNT */
	struct cred_lookup *lookup;
	struct cred_answer answer;	/* valid in verify only */
	bool		 using;		/* use is pending */
	struct nonce_use use;
	char		 user[TOKEN_USER_MAX + 1];	/* proved; "" none */
	bool		 identity_ok;

	/* route */
	struct leg	 leg;		/* the first; others follow it */
	bool		 secure;	/* it came with a SIPS URI */

	/* relay */
	struct server	*server;	/* its transaction, once it was held */
	unsigned	 running;	/* legs that are not done */
	bool		 cancelled;
	char		*cancel_reason;	/* Reason of the CANCEL (RFC 3326) */
	msg_t		*best;		/* best final response so far */
	int		 best_status;
	char		*challenges;	/* of the others, if it is one */
	int		 internal_status;	/* best of ours: 408, 503 */

	/* whoever ends it */
	enum reason	 reason;
	int		 status;	/* of the final response */
};

enum {
	ACKED_MAX = 4099,		/* a prime */
	SCRATCH_SIZE = 2 * 65536	/* more than any message we send */
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
	struct moved	*moved;		/* moved.c */
	struct timeouts	*moved_ends;
	char		*scratch;	/* SCRATCH_SIZE: a message being
					 * written */
	uint64_t	*by_reason;	/* counters */
	uint64_t	*requests_total, *pending_gauge, *responses_total,
			*misplaced_total;
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

/* Run the steps from where it stands. */
void request_run(struct request *req);
/* After STEP_WAIT, once: go on with the next row, or end with a reason. */
void request_resume(struct request *req);
void request_refuse(struct request *req, enum reason r);

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

/* The steps, one file each. */
enum step_verdict step_arrive(struct request *req);
enum step_verdict step_screen(struct request *req);
enum step_verdict step_screen_ack(struct request *req);
enum step_verdict step_classify(struct request *req);
enum step_verdict step_loop(struct request *req);
enum step_verdict step_challenge(struct request *req);
enum step_verdict step_nonce(struct request *req);
enum step_verdict step_secret(struct request *req);
enum step_verdict step_verify(struct request *req);
enum step_verdict step_consume(struct request *req);
enum step_verdict step_authorize(struct request *req);
enum step_verdict step_route(struct request *req);
enum step_verdict step_relay(struct request *req);
enum step_verdict step_cancel(struct request *req);
enum step_verdict step_ack_ours(struct request *req);
enum step_verdict step_ack_may_pass(struct request *req);
enum step_verdict step_ack_relay(struct request *req);

/* Another leg, to this peer (or none), behind those that are there; its
 * message is a copy.  NULL: no memory. */
struct leg *request_fork(struct request *req, const struct peer *peer);

/* relay.c: the caller's CANCEL. */
void relay_cancel(struct request *req);
/* Drop what relay keeps: branch, stored responses. */
void relay_release(struct request *req);

#endif
