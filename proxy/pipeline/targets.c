/*
 * targets.c -- fixing the targets of a request, in the order of trial.
 */
#include "config.h"

#include <string.h>

#include "pipeline/targets.h"

bool
targets_may_use(const struct request *req, enum transport t)
{
	return t == TRANSPORT_TLS || !req->secure;
}

void
targets_take(struct leg *leg, const struct dns_target *t, size_t n,
    const char *host)
{
	const struct request *req = leg->req;

	leg->ntargets = 0;
	leg->next_target = 0;
	for (size_t i = 0; i < n; i++) {
		/* never to ourselves: it would come back as one of us */
		if (ways_have(req->p->env.ways, &t[i].addr))
			continue;
		if (!targets_may_use(req, (enum transport)t[i].transport)) {
			leg->dns_reason = REASON_NO_SECURE_WAY;
			continue;
		}
		leg->target[leg->ntargets++] = (struct target){ t[i].addr,
			(enum transport)t[i].transport, host };
	}
}

static void
note_failure(struct leg *leg, enum dns_result r)
{
	if (r == DNS_NO_NAME)
		leg->dns_reason = REASON_NO_SUCH_NAME;
	else if (r == DNS_UNAVAILABLE)
		leg->dns_reason = REASON_DNS_AWAY;
}

static void
on_dns(void *arg, enum dns_result r, const struct dns_target *t, size_t n)
{
	struct leg *leg = arg;

	leg->dns = NULL;
	note_failure(leg, r);
	targets_take(leg, t, r == DNS_OK ? n : 0, leg->next_host);
	leg->routed(leg);
}

const char *
targets_host(struct leg *leg, const char *uri)
{
	su_home_t *home = msg_home(leg->req->msg);
	const url_t *u = url_make(home, uri);
	char *host;

	if (u == NULL || u->url_host == NULL)
		return NULL;
	if (u->url_host[0] != '[')
		return u->url_host;
	host = su_strdup(home, u->url_host + 1);
	if (host != NULL)
		host[strcspn(host, "]")] = '\0';
	return host;
}

/* Ask for one URI. */
static enum targets_more
resolve(struct leg *leg, const char *uri)
{
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = 0;
	enum dns_result r;

	leg->next_host = targets_host(leg, uri);
	r = dns_resolve(leg->req->p->env.dns, uri, TARGETS_TIMEOUT_MS, t, &n,
	    on_dns, leg, &leg->dns);
	if (leg->dns != NULL)
		return TARGETS_WAIT;
	note_failure(leg, r);
	targets_take(leg, t, r == DNS_OK ? n : 0, leg->next_host);
	return leg->ntargets > 0 ? TARGETS_FOUND : TARGETS_EXHAUSTED;
}

enum targets_more
targets_more(struct leg *leg, void (*done)(struct leg *leg))
{
	enum targets_more more = TARGETS_EXHAUSTED;

	if (leg->next_target < leg->ntargets)
		return TARGETS_FOUND;
	leg->routed = done;
	if (leg->next_hop != NULL) {		/* one URI, and no other */
		const char *uri = leg->next_hop;

		leg->next_hop = NULL;
		return resolve(leg, uri);
	}
	if (leg->peer == NULL)
		return TARGETS_EXHAUSTED;
	while (more == TARGETS_EXHAUSTED && leg->next_uri < leg->peer->nuris)
		more = resolve(leg, leg->peer->uri[leg->next_uri++]);
	return more;
}

bool
targets_are_left(const struct leg *leg)
{
	return leg->next_target < leg->ntargets ||
	    (leg->peer != NULL && leg->next_uri < leg->peer->nuris);
}

const struct way *
targets_way(const struct leg *leg, const struct target *t)
{
	const struct request *req = leg->req;

	if (leg->flow_way != NULL)
		return leg->flow_way;
	return ways_out(req->p->env.ways, &t->addr, t->transport,
	    leg->peer == NULL ? NULL : leg->peer->listener, req->way);
}

struct hop
targets_hop(const struct leg *leg, const struct target *t,
    const struct way *way)
{
	const struct pipeline_env *env = &leg->req->p->env;
	struct hop hop = { .port = way->socket, .addr = t->addr,
		.connection = leg->flow_connection };

	if (t->transport == TRANSPORT_TLS && hop.connection == 0) {
		hop.tls.context = env->tls_towards(env->tls_arg,
		    leg->peer == NULL ? NULL : leg->peer->name);
		hop.tls.name = t->name;
	}
	return hop;
}
