/*
 * settings.h -- the whole configuration, as one snapshot.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "auth/auth_conf.h"
#include "auth/cred.h"
#include "auth/nonce_store.h"
#include "base/log.h"
#include "conf/conf.h"
#include "guard/limits.h"
#include "route/peer.h"
#include "route/routes.h"

struct listen_conf {
	int		 line;
	const char	*name;		/* default "listen1", "listen2", ... */
	const char	*uri;		/* sip:HOST[:PORT]
					 * [;transport=udp|tcp] */
	const char	*advertise;	/* host for Via, Record-Route, Path */
	/* taken apart by settings_load() */
	struct addr	 addr;		/* HOST must be an address; port 5060
					 * by default */
	bool		 udp, tcp;	/* no transport parameter: both */
};

struct log_conf {
	int	line;
	int	format;			/* enum log_format */
	int	level;			/* enum log_level */
};

struct timers_conf {
	int	line;
	int64_t	t1_ms;			/* RFC 3261 17.1.1.1, default 500 */
	int64_t	c_ms;			/* Timer C, default 185 s */
	int64_t	connect_ms;		/* of TCP towards a target */
};

struct settings {
	struct conf		*conf;		/* owns the memory */
	const char		*realm;
	struct conf_list	 domains;	/* as given; the default is made
						 * by the daemon */
	int64_t			 instance_id;	/* 0..65535 */
	const char		*state_dir;	/* default LOCALSTATEDIR
						 * "/lib/sipbouncer" */
	const char		*record_route;	/* NULL: each listener's own */
	const char		*resolv_conf;	/* NULL: the system's */
	struct conf_groups	 listen;	/* struct listen_conf */
	struct auth_conf	 auth;
	const struct nonce_store_ops *nonce_store;
	void			*nonce_store_conf;
	int			 nonce_store_line;
	const struct cred_ops	*users;		/* NULL: no users configured */
	void			*users_conf;
	int			 users_line;
	struct peers		*peers;
	struct routes		*routes;
	struct limits_conf	 limits;
	struct log_conf		 log;
	struct timers_conf	 timers;
};

/* Read, check everything that needs no network, report every complaint.
 * NULL when there was one. */
struct settings *settings_load(const char *path);
void settings_free(struct settings *s);

/* -T: the effective configuration, without secrets. */
void settings_print(FILE *f, const struct settings *s);
/* The manual's list of options, as mdoc. */
void settings_print_manual(FILE *f);

#endif
