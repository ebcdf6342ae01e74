/*
 * pipeline.h -- one request, step by step.
 *
 * The daemon makes one pipeline, gives it what it needs, and hands it every
 * message.  The table of steps stands in
 * pipeline.c and nowhere else.
 *
 *   receive   parsed; retransmissions are absorbed, CANCELs taken
 *   rate      is it one too many, or a scanner's?
 *   screen    sane? may it travel on?                (RFC 3261 16.3)
 *   classify  which peer; in a dialog of ours; needs it digest?
 *   challenge did it bring an answer for our realm?
 *   nonce     did one of us ask that question?
 *   secret    what would be right?                   (may wait)
 *   slow      too many wrong answers for this user?
 *   verify    is it right, and for this Request-URI?
 *   consume   was this nonce count used before?      (may wait)
 *   proved    one too many of this user?
 *   authorize may this user use this identity?
 *   calls     too many, or to that number?           (may wait)
 *   route     own routes off, to which peers
 *   media     does the body keep to what both sides ask of media?
 *   targets   the first are fixed                    (may wait for DNS)
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
#include "guard/scanners.h"
#include "guard/spared.h"
#include "pipeline/ways.h"
#include "route/domains.h"
#include "route/media.h"
#include "route/peer.h"
#include "route/routes.h"

struct dns;
struct loop;
struct metrics;
struct arrived;
struct account;
struct bans;
struct classes;
struct deny;
struct msg_s;
struct pipeline;
struct tls_context;
struct port;
struct shared;
struct tls_peer;
struct transports;

/*
 * What a reload replaces: one immutable snapshot, counted.  A request keeps
 * the one that it began with.
 */
struct policy {
	unsigned	 refs;
	const char	*realm;
	const struct auth_conf *auth;
	const struct limits_conf *limits;
	const struct media_conf *media;	/* of who is no peer; NULL: nothing
					 * is asked */
	const struct peers *peers;
	const struct routes *routes;
	const struct classes *classes;
	const struct deny *deny;
	const struct scanners *scanners;
	const struct spared *spared;
	struct domains	*domains;
	bool		 outbound;	/* RFC 5626, as an edge proxy */
	const struct account *accounts;		/* uplink.h */
	size_t		 naccounts;
	void		*owner;			/* for release() */
	void		(*release)(struct policy *p);	/* the last ref is gone */
};

struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

struct pipeline_env {
	struct transports *transports;	/* by pipeline_set_transports() */
	struct loop	*loop;
	struct metrics	*metrics;
	struct keys	*keys;
	struct dns	*dns;
	struct cred_store *users;		/* NULL: none configured */
	struct nonce_store *nonces;
	struct shared	*shared;		/* NULL: alone */
	struct ways	*ways;
	/* What we are, and whom we trust, towards a peer (NULL: others) */
	struct tls_context *(*tls_towards)(void *arg, const char *peer);
	/* Does the certificate that somebody showed on this listener lead to
	 * the authorities that this peer's must lead to? */
	bool		(*vouched)(void *arg, const struct tls_peer *who,
			    const char *listener, const struct peer *peer);
	void		*tls_arg;
	uint16_t	 instance;
	int64_t		 t1_ms, timer_c_ms, target_timeout_ms;
};

/* Takes a reference to policy.  NULL: no memory. */
struct pipeline *pipeline_new(const struct pipeline_env *env,
    struct policy *policy);

/* The transports are made with the pipeline as their owner, so they come
 * later; and end later. */
void pipeline_set_transports(struct pipeline *p, struct transports *t);

/* Ends what is under way: server transactions get 503. */
void pipeline_free(struct pipeline *p);

void pipeline_set_policy(struct pipeline *p, struct policy *policy);

/* The hooks of the transports (transport/transport.h); arg: the pipeline. */
void pipeline_message(void *arg, const struct arrived *a, struct msg_s *msg);
bool pipeline_plain(void *arg, const struct arrived *a);
bool pipeline_admit(void *arg, const struct addr *source);
bool pipeline_admit_handshake(void *arg, const struct addr *source);
void pipeline_lost(void *arg, uint32_t connection);
void pipeline_unreachable(void *arg, const struct port *port,
    const struct addr *to);

/* The message class of the pipeline's messages, to be ended by free() after
 * the transports.  NULL: no memory. */
struct msg_mclass_s *pipeline_message_class(void);

/* Is no request under way, and no address of ours registered?  To be asked
 * after pipeline_drain(). */
bool pipeline_is_idle(const struct pipeline *p);

/* Who gets silence for a while; it ends with the pipeline. */
struct bans *pipeline_bans(struct pipeline *p);

/* Requests under way (with a server transaction). */
size_t pipeline_pending(const struct pipeline *p);

/* Stop taking new ones: what opens a dialog gets 503 (drain), and peers are
 * told not to call. */
void pipeline_drain(struct pipeline *p);

#endif
