/*
 * peer_inner.h -- what the files that read a peer share.
 */
#ifndef ROUTE_PEER_INNER_H
#define ROUTE_PEER_INNER_H

#include "route/peer.h"

struct peers {
	struct peer	*v;
	size_t		 n;
};

extern const char *const peer_balance_choices[];
extern const char *const peer_trusted_choices[], *const peer_pass_choices[];
extern const struct conf_opt peer_target_opts[], peer_probe_opts[];
extern const struct conf_opt peer_auth_opts[];

/* Check them and put them into p; complaints go to c.  false: no memory. */
bool peer_targets_fill(struct conf *c, const struct peer_conf *conf,
    struct peer *p);

/* By what it is known, what is trusted to it and rewritten for it. */
void peer_known_fill(struct conf *c, const struct peer_conf *conf,
    struct peer *p);
bool peer_has_domain(const struct peer *p, struct str host);

/* Does nothing tell the two apart, where they have a network, a name of a
 * certificate, or a user in common? */
bool peers_meet_at_address(const struct peer *a, const struct peer *b);
bool peers_meet_at_certificate(const struct peer *a, const struct peer *b);
bool peers_meet_at_user(const struct peer *a, const struct peer *b);

#endif
