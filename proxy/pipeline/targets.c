/*
 * targets.c -- fixing the targets of a request, in the order of trial.
 */
#include "config.h"

#include <string.h>

#include "pipeline/targets.h"

bool
targets_may_use(const struct request *req, enum transport t)
{
	return t == TRANSPORT_TLS ||
	    req->sip->sip_request->rq_url->url_type != url_sips;
}

void
targets_take(struct request *req, const struct dns_target *t, size_t n,
    const char *host)
{
	req->ntargets = 0;
	req->next_target = 0;
	for (size_t i = 0; i < n; i++) {
		/* never to ourselves: it would come back as one of us */
		if (ways_have(req->p->env.ways, &t[i].addr))
			continue;
		if (!targets_may_use(req, (enum transport)t[i].transport)) {
			req->dns_reason = REASON_NO_SECURE_WAY;
			continue;
		}
		req->target[req->ntargets++] = (struct target){ t[i].addr,
			(enum transport)t[i].transport, host };
	}
}

static void
note_failure(struct request *req, enum dns_result r)
{
	if (r == DNS_NO_NAME)
		req->dns_reason = REASON_NO_SUCH_NAME;
	else if (r == DNS_UNAVAILABLE)
		req->dns_reason = REASON_DNS_AWAY;
}

static void
on_dns(void *arg, enum dns_result r, const struct dns_target *t, size_t n)
{
	struct request *req = arg;

	req->dns = NULL;
	note_failure(req, r);
	targets_take(req, t, r == DNS_OK ? n : 0, req->next_host);
	req->routed(req);
}

const char *
targets_host(struct request *req, const char *uri)
{
	const url_t *u = url_make(msg_home(req->msg), uri);
	char *host;

	if (u == NULL || u->url_host == NULL)
		return NULL;
	if (u->url_host[0] != '[')
		return u->url_host;
	host = su_strdup(msg_home(req->msg), u->url_host + 1);
	if (host != NULL)
		host[strcspn(host, "]")] = '\0';
	return host;
}

/* Ask for one URI. */
static enum targets_more
resolve(struct request *req, const char *uri)
{
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = 0;
	enum dns_result r;

	req->next_host = targets_host(req, uri);
	r = dns_resolve(req->p->env.dns, uri, TARGETS_TIMEOUT_MS, t, &n, on_dns,
	    req, &req->dns);
	if (req->dns != NULL)
		return TARGETS_WAIT;
	note_failure(req, r);
	targets_take(req, t, r == DNS_OK ? n : 0, req->next_host);
	return req->ntargets > 0 ? TARGETS_FOUND : TARGETS_EXHAUSTED;
}

enum targets_more
targets_more(struct request *req, void (*done)(struct request *req))
{
	enum targets_more more = TARGETS_EXHAUSTED;

	if (req->next_target < req->ntargets)
		return TARGETS_FOUND;
	req->routed = done;
	if (req->next_hop != NULL) {		/* one URI, and no other */
		const char *uri = req->next_hop;

		req->next_hop = NULL;
		return resolve(req, uri);
	}
	if (req->choice.peer == NULL)
		return TARGETS_EXHAUSTED;
	while (more == TARGETS_EXHAUSTED &&
	    req->next_uri < req->choice.peer->nuris)
		more = resolve(req, req->choice.peer->uri[req->next_uri++]);
	return more;
}

const struct way *
targets_way(const struct request *req, const struct target *t)
{
	if (req->flow_way != NULL)
		return req->flow_way;
	return ways_out(req->p->env.ways, &t->addr, t->transport,
	    req->choice.peer == NULL ? NULL : req->choice.peer->listener,
	    req->way);
}

struct hop
targets_hop(const struct request *req, const struct target *t,
    const struct way *way)
{
	const struct pipeline_env *env = &req->p->env;
	struct hop hop = { .port = way->socket, .addr = t->addr,
		.connection = req->flow_connection };

	if (t->transport == TRANSPORT_TLS && hop.connection == 0) {
		hop.tls.context = env->tls_towards(env->tls_arg,
		    req->choice.peer == NULL ? NULL : req->choice.peer->name);
		hop.tls.name = t->name;
	}
	return hop;
}
