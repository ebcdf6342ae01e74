/*
 * leaving.c -- may the request leave for this address?
 */
#include "config.h"

#include "pipeline/leaving.h"
#include "pipeline/route_query.h"

static void
log_filtered(const struct request *req, const struct egress_query *q)
{
	char to[ADDR_TEXT_MAX], source[ADDR_TEXT_MAX];

	log_event(EV_EGRESS_FILTERED,
	    kv_str("target", addr_text(&q->to, to)),
	    kv_str("transport", transport_name(q->transport)),
	    kv_str("list", egress_name(req->egress)),
	    kv_int("route", req->route_line),
	    kv_mem("uri", req->uri.p, req->uri.len),
	    kv_str("source", addr_text(&req->source, source)),
	    kv_str("user", *req->user == '\0' ? NULL : req->user),
	    kv_str("call_id", req->sip->sip_call_id->i_id));
}

/* In a dialog the address of the other side was judged when it began. */
static bool
is_known(const struct request *req, const struct addr *a)
{
	return req->known.port != 0 && addr_same_ip(&req->known, a);
}

bool
leaving_is_allowed(const struct leg *leg, const struct dns_target *t)
{
	const struct request *req = leg->req;
	const struct pipeline *p = req->p;
	struct writer w = writer_on(p->scratch, SCRATCH_SIZE);
	struct egress_query q = {
		.to = t->addr, .transport = t->transport,
		.is_ours = ways_have_ip(p->env.ways, &t->addr),
		.of_peer = req->peer != NULL, .source = req->source,
		.peers = req->policy->peers,
	};

	if (req->egress == NULL || is_known(req, &t->addr))
		return true;
	q.uri = route_query_put_uri(&w, req->sip->sip_request->rq_url);
	if (!w.full && egress_judge(req->egress, &q))
		return true;
	log_filtered(req, &q);
	return false;
}
