/*
 * inner.h -- the running process, as daemon.c and reload.c see it.
 */
#ifndef DAEMON_INNER_H
#define DAEMON_INNER_H

#include "daemon/listener.h"
#include "daemon/policy.h"
#include "daemon/settings.h"
#include "io/loop.h"
#include "daemon/tls_files.h"

struct daemon {
	const char	*path;
	struct settings	*settings;	/* of the policy in force */
	struct policy	*policy;
	struct policy	*first;		/* stores keep pointers into its
					 * settings */
	struct loop	*loop;
	struct metrics	*metrics;
	struct keys	*keys;
	struct tls_files *tls;
	struct dns	*dns;
	struct nonce_store *nonces;
	struct shared	*shared;	/* NULL: alone */
	struct cred_store *users;
	struct cred_store_env users_env;
	struct ways	 ways;
	struct sets	*sets;		/* every peer's targets */
	struct pipeline	*pipeline;
	struct listener	*listener;
	struct firewall	*firewall;	/* NULL: none */
	struct loop_timer *drain;	/* looks whether all is done */
	int64_t		 drain_until_ms;
};

struct transport_conf daemon_transport_conf(const struct settings *s);

/* SIGHUP: read, check, swap; or keep the old and say why. */
void daemon_reload(struct daemon *d);

#endif
