/*
 * listener.c -- the sockets that the ways stand for.
 */
#include "config.h"

#include "daemon/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/tls_files.h"
#include "guard/screen.h"

struct listener {
	struct transports	*transports;
	struct msg_mclass_s	*message_class;	/* must outlive them */
};

static const struct listen_conf *
conf_of(const struct settings *s, const struct way *w)
{
	const struct listen_conf *l = s->listen.v;

	while (strcmp(l->name, w->listener) != 0)
		l++;
	return l;
}

static int
open_way(struct listener *l, const struct listener_env *env, struct way *w)
{
	const struct listen_conf *conf = conf_of(env->settings, w);
	struct port_conf port = {
		.listener = w->listener, .transport = w->transport,
		.addr = w->addr, .balancer = conf->balancer,
		.nbalancers = conf->nbalancers, .owner = w,
	};
	char bound[ADDR_TEXT_MAX];

	if (w->transport == TRANSPORT_TLS)
		port.tls = tls_files_server(env->tls, w->listener);
	w->socket = transport_listen(l->transports, &port);
	if (w->socket == NULL) {
		log_event(EV_LISTEN_FAIL, kv_str("listener", w->listener),
		    kv_str("address", addr_text(&w->addr, bound)),
		    kv_str("transport", transport_name(w->transport)),
		    kv_str("reason", strerror(errno)));
		return -1;
	}
	log_event(EV_LISTEN, kv_str("listener", w->listener),
	    kv_str("address", addr_text(&w->addr, bound)),
	    kv_str("transport", transport_name(w->transport)),
	    kv_str("advertise", w->host));
	return 0;
}

struct listener *
listener_open(const struct listener_env *env, struct ways *ways)
{
	struct listener *l = calloc(1, sizeof *l);
	struct transport_hooks hooks = { .judge = screen_head,
		.admit = pipeline_admit,
		.admit_handshake = pipeline_admit_handshake,
		.on_plain = pipeline_plain,
		.on_message = pipeline_message,
		.on_lost = pipeline_lost,
		.on_unreachable = pipeline_unreachable, .arg = env->pipeline };

	if (l == NULL)
		return NULL;
	l->message_class = pipeline_message_class();
	if (l->message_class != NULL)
		l->transports = transport_open(env->loop, &env->conf, &hooks,
		    l->message_class, env->metrics);
	if (l->transports == NULL)
		goto fail;
	for (size_t i = 0; i < ways->n; i++)
		if (open_way(l, env, &ways->way[i]) < 0)
			goto fail;
	pipeline_set_transports(env->pipeline, l->transports);
	return l;
fail:
	listener_close(l);
	return NULL;
}

void
listener_set_conf(struct listener *l, const struct transport_conf *conf)
{
	transport_set_conf(l->transports, conf);
}

void
listener_close(struct listener *l)
{
	if (l == NULL)
		return;
	transport_close(l->transports);
	free(l->message_class);
	free(l);
}
