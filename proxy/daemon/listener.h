/*
 * listener.h -- the sockets that the ways stand for.
 */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include "daemon/settings.h"
#include "pipeline/pipeline.h"
#include "transport/transport.h"

struct listener;
struct tls_files;

struct listener_env {
	struct loop	*loop;
	struct metrics	*metrics;
	struct transport_conf conf;
	const struct settings *settings;
	struct tls_files *tls;
	struct pipeline	*pipeline;
};

/* Open every way of *ways (and fill in their sockets); messages go to the
 * pipeline, which gets the transports.  NULL after logging the cause. */
struct listener *listener_open(const struct listener_env *env,
    struct ways *ways);
void listener_set_conf(struct listener *l, const struct transport_conf *conf);
/* The pipeline must have ended. */
void listener_close(struct listener *l);	/* NULL is allowed */

#endif
