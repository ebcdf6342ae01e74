/*
 * pipeline.h -- one request, step by step.
 *
 * The daemon makes one pipeline, gives it what it needs, and hands it every
 * message that belongs to no transaction.  The table of steps stands in
 * pipeline.c and nowhere else.
 *
 *   receive   Sofia has parsed the message; nta has absorbed retransmissions
 *   screen    sane? may it travel on?                (RFC 3261 16.3)
 *   classify  which peer; in a dialog of ours; needs it digest?
 *   challenge did it bring an answer for our realm?
 *   nonce     did one of us ask that question?
 *   secret    what would be right?                   (may wait)
 *   verify    is it right, and for this Request-URI?
 *   consume   was this nonce count used before?      (may wait)
 *   authorize may this user use this identity?
 *   route     own routes off, targets fixed          (may wait for DNS)
 *   relay     copy, edit, send; best answer back
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth_conf.h"
#include "auth/cred.h"
#include "auth/keys.h"
#include "auth/nonce_store.h"
#include "guard/limits.h"
#include "pipeline/ways.h"
#include "route/domains.h"
#include "route/peer.h"
#include "route/routes.h"

struct dns;
struct loop;
struct metrics;
struct msg_s;
struct nta_agent_s;
struct pipeline;
struct sip_s;

/*
 * What a reload replaces: one immutable snapshot, counted.  A request keeps
 * the one that it began with.
 */
struct policy {
	unsigned	 refs;
	const char	*realm;
	const struct auth_conf *auth;
	const struct limits_conf *limits;
	const struct peers *peers;
	const struct routes *routes;
	struct domains	*domains;
	void		*owner;			/* for release() */
	void		(*release)(struct policy *p);	/* the last ref is gone */
};

struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

struct pipeline_env {
	struct nta_agent_s *agent;	/* or by pipeline_set_agent() */
	struct loop	*loop;
	struct metrics	*metrics;
	struct keys	*keys;
	struct dns	*dns;
	struct cred_store *users;		/* NULL: none configured */
	struct nonce_store *nonces;
	struct ways	*ways;
	/* TCP connections by the id in flow tokens (transport/types.h) */
	uint32_t	(*connection_id)(const struct tport_s *tp);
	struct tport_s	*(*connection_find)(uint32_t id);
	uint16_t	 instance;
	int64_t		 t1_ms, timer_c_ms;
};

/* Takes a reference to policy.  NULL: no memory. */
struct pipeline *pipeline_new(const struct pipeline_env *env,
    struct policy *policy);

/* The agent is made with the pipeline as its magic, so it comes later. */
void pipeline_set_agent(struct pipeline *p, struct nta_agent_s *agent);

/* Ends what is under way: server transactions get 503.  The agent must still
 * live. */
void pipeline_free(struct pipeline *p);

void pipeline_set_policy(struct pipeline *p, struct policy *policy);

/* The agent's message callback: requests and responses that match no
 * transaction.  Takes over the message. */
int pipeline_message(struct pipeline *p, struct nta_agent_s *agent,
    struct msg_s *msg, struct sip_s *sip);

/* Asked before nta sees a message: false for what is to be dropped, a CANCEL
 * from another address than its INVITE's (it was answered), or a
 * retransmission of what another instance has in hand. */
bool pipeline_may_enter(struct pipeline *p, struct msg_s *msg);

/* Requests under way (with a server transaction). */
size_t pipeline_pending(const struct pipeline *p);

/* Stop taking new ones: what opens a dialog gets 503 (drain). */
void pipeline_drain(struct pipeline *p);

#endif
