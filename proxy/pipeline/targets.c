/*
 * targets.c -- fixing the targets of a request, in the order of trial.
 */
#include "config.h"

#include <stdio.h>

#include "pipeline/targets.h"

void
targets_take(struct request *req, const struct dns_target *t, size_t n)
{
	req->ntargets = 0;
	req->next_target = 0;
	for (size_t i = 0; i < n; i++) {
		/* never to ourselves: it would come back as one of us */
		if (ways_have(req->p->env.ways, &t[i].addr))
			continue;
		req->target[req->ntargets].addr = t[i].addr;
		req->target[req->ntargets++].transport =
		    (enum transport)t[i].transport;
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
	targets_take(req, t, r == DNS_OK ? n : 0);
	req->routed(req);
}

/* Ask for one URI. */
static enum targets_more
resolve(struct request *req, const char *uri)
{
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = 0;
	enum dns_result r;

	r = dns_resolve(req->p->env.dns, uri, TARGETS_TIMEOUT_MS, t, &n, on_dns,
	    req, &req->dns);
	if (req->dns != NULL)
		return TARGETS_WAIT;
	note_failure(req, r);
	targets_take(req, t, r == DNS_OK ? n : 0);
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

void
targets_url(const struct target *t, char *out)
{
	char addr[ADDR_TEXT_MAX];

	snprintf(out, TARGET_URL_MAX, "sip:%s;transport=%s",
	    addr_text(&t->addr, addr), transport_name(t->transport));
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
