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
#include "guard/classes.h"
#include "guard/deny.h"
#include "guard/limits.h"
#include "guard/scanners.h"
#include "guard/spared.h"
#include "route/media.h"
#include "route/peer.h"
#include "route/routes.h"

/* Whether a server asks who is there. */
enum client_certificate {
	CLIENT_CERT_AUTO,		/* optional, if anybody could use it */
	CLIENT_CERT_NONE, CLIENT_CERT_OPTIONAL, CLIENT_CERT_REQUIRED
};

enum crl_expired { CRL_EXPIRED_REFUSE, CRL_EXPIRED_ACCEPT };

/* An entry of listen.advertise_to. */
struct advertise_conf {
	int		 line;
	const char	*net, *host;
};

struct way_name;		/* pipeline/ways.h */

struct listen_conf {
	int		 line;
	const char	*name;		/* default "listen1", "listen2", ... */
	const char	*uri;		/* sip:HOST[:PORT]
					 * [;transport=udp|tcp|tls],
					 * sips:HOST[:PORT] */
	const char	*advertise;	/* host for Via, Record-Route, Path */
	struct conf_groups advertise_to;	/* struct advertise_conf */
	struct conf_list certificate;	/* PEM chains */
	struct conf_list key;		/* none: in the same files */
	const char	*client_ca;	/* NULL: tls.ca */
	int		 client_certificate;	/* enum client_certificate */
	const char	*crl;		/* of client_ca; NULL: tls.crl, unless
					 * there is a client_ca */
	int		 crl_expired;	/* enum crl_expired */
	struct conf_list proxy_protocol;
	/* taken apart by settings_load() */
	struct addr	 addr;		/* HOST must be an address; port 5060,
					 * or 5061 for TLS, by default */
	bool		 udp, tcp;	/* no transport parameter: both */
	bool		 tls;		/* then neither */
	const struct net *balancer;	/* of proxy_protocol */
	size_t		 nbalancers;
	struct way_name	*way_name;	/* of advertise_to */
	size_t		 nway_names;
};

/* Several instances that know each other's flows. */
struct cluster_conf {
	int		 line;		/* 0: there is one alone */
	const char	*inside;	/* a listener's name, or its URI */
	struct conf_list members;
	/* taken apart by settings_load() */
	const char	*listener;	/* NULL: by addr */
	struct addr	 addr;
	bool		 udp, tcp, tls;	/* what may be spoken there */
	const struct net *member;
	size_t		 nmembers;
};

/* What we are as a client, and rules for all TLS. */
struct tls_conf {
	int		 line;		/* 0: the file has no such group */
	const char	*certificate;	/* PEM chain; NULL: none */
	const char	*key;		/* NULL: in the same file */
	const char	*ca;		/* NULL: the system's */
	const char	*crl;
	int		 crl_expired;	/* enum crl_expired */
	int		 min_version;	/* enum tls_version */
	const char	*ciphers;	/* of TLS 1.2; NULL: the default */
};

enum tls_version { TLS_VERSION_12, TLS_VERSION_13 };

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
	int64_t	target_ms;		/* silence, before the next is tried */
};

struct account;			/* pipeline/uplink.h */

struct settings {
	struct conf		*conf;		/* owns the memory */
	const char		*realm;
	struct conf_list	 domains;	/* as given; the default is made
						 * by the daemon */
	int64_t			 instance_id;	/* 0..65535 */
	const char		*state_dir;	/* default LOCALSTATEDIR
						 * "/lib/sipbouncer" */
	const char		*record_route;	/* NULL: each listener's own */
	bool			 outbound;
	struct cluster_conf	 cluster;
	const char		*resolv_conf;	/* NULL: the system's */
	struct conf_groups	 listen;	/* struct listen_conf */
	struct tls_conf		 tls;
	struct conf_list	 deny_nets;	/* as given */
	struct deny		*deny;
	struct guard_conf	 guard;
	struct scanners		*scanners;
	struct spared		*spared;
	struct auth_conf	 auth;
	const struct nonce_store_ops *nonce_store;
	void			*nonce_store_conf;
	int			 nonce_store_line;
	const struct cred_ops	*users;		/* NULL: no users configured */
	void			*users_conf;
	int			 users_line;
	struct media_conf	 media;		/* of who is no peer */
	struct peers		*peers;
	struct account		*accounts;	/* by accounts_load() */
	size_t			 naccounts;
	struct egress		*egress;
	struct routes		*routes;
	struct classes		*classes;
	struct limits_conf	 limits;
	struct log_conf		 log;
	struct timers_conf	 timers;
};

/* Read, check everything that needs no network, report every complaint, as
 * conf_read() does.  NULL when there was one. */
struct settings *settings_load(const char *path, conf_say_f *say, void *arg);
void settings_free(struct settings *s);

/* Does a listener speak TLS? */
bool settings_have_tls(const struct settings *s);

/* -T: the effective configuration, without secrets. */
void settings_print(FILE *f, const struct settings *s);
/* The manual's list of options, as mdoc. */
void settings_print_manual(FILE *f);

#endif
