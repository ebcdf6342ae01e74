/*
 * settings_inner.h -- what the files of the settings share.
 */
#ifndef DAEMON_SETTINGS_INNER_H
#define DAEMON_SETTINGS_INNER_H

#include "daemon/settings.h"

/* The file's root: the settings, and what they were made from. */
struct settings_root {
	struct settings		 s;
	const struct conf_group	*nonce_store, *users;
	struct conf_groups	 peers;		/* struct peer_conf */
	struct conf_groups	 routes;	/* struct route_conf */
	struct conf_groups	 egress;	/* struct egress_conf */
	struct conf_groups	 classes;	/* struct class_conf */
};

extern const struct conf_opt settings_opts[];

/* Take the URIs of `listen` apart, name those without a name, and refuse
 * what cannot stand side by side; complaints go to s->conf. */
void settings_check_listen(struct settings *s);
/* The methods of auth, peers and routes. */
void settings_check_methods(const struct settings_root *r);
/* What others call a listener, and the group `cluster`. */
void settings_take_names(struct conf *c, struct listen_conf *l);
void settings_check_cluster(struct settings *s);

/* The URI of a listener, taken apart.  Why it is refused, or NULL. */
const char *settings_take_uri(struct listen_conf *l);
/* A host as it stands in a URI: an IPv6 address in brackets.  NULL: it is
 * none. */
const char *settings_host(struct conf *c, const char *s);

/* The TLS options of an entry whose URI was taken apart.  What is in their
 * files is looked at by tls_files.h. */
void settings_check_listen_tls(struct conf *c, const struct listen_conf *l);
/* The group `tls`, and what of listeners and peers must fit together. */
void settings_check_tls(const struct settings_root *r);

#endif
