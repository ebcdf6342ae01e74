#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "pipeline/accepted.h"
#include "pipeline/branch.h"
#include "pipeline/cancel.h"
#include "pipeline/linger.h"
#include "pipeline/message.h"
#include "pipeline/reply.h"

enum { SPARE_MAX = 64 };		/* freed requests kept for reuse */

static struct request *
take_spare(struct pipeline *p)
{
	struct request *req = p->spare;

	if (req == NULL)
		return calloc(1, sizeof *req);
	p->spare = req->next;
	p->nspare--;
	memset(req, 0, sizeof *req);
	return req;
}

static void
give_spare(struct pipeline *p, struct request *req)
{
	if (p->nspare == SPARE_MAX) {
		free(req);
		return;
	}
	req->next = p->spare;
	p->spare = req;
	p->nspare++;
}

static void
note_arrival(struct request *req)
{
	nta_agent_t *agent = req->p->env.agent;
	tport_t *tp = tport_delivered_by(nta_agent_tports(agent), req->msg);

	addr_from_sockaddr(&req->source,
	    (const struct sockaddr *)msg_addr(req->msg));
	req->way = ways_of(req->p->env.ways, tp);
	if (req->way == NULL)
		return;
	req->transport = req->way->transport;
	if (req->transport != TRANSPORT_UDP)
		req->connection = req->p->env.connection_id(tp);
}

struct request *
request_new(struct pipeline *p, msg_t *msg, sip_t *sip)
{
	struct request *req = take_spare(p);

	if (req == NULL) {
		msg_destroy(msg);
		return NULL;
	}
	req->p = p;
	req->policy = policy_ref(p->policy);
	req->msg = msg;
	req->sip = sip;
	req->unix_ms = clock_unix_ms();
	req->start_us = clock_mono_us();
	req->method = sip->sip_request->rq_method;
	req->method_name = str_of(sip->sip_request->rq_method_name);
	req->uri = message_raw_uri(sip);
	req->stale = REASON_COUNT;
	req->choice.verdict = ROUTE_NONE;
	p->requests_total[0]++;
	note_arrival(req);
	return req;
}

static void
link_request(struct request *req)
{
	struct pipeline *p = req->p;

	req->next = p->requests;
	req->prev = &p->requests;
	if (req->next != NULL)
		req->next->prev = &req->next;
	p->requests = req;
	p->pending_gauge[0] = ++p->pending;
}

static void
unlink_request(struct request *req)
{
	if (req->prev == NULL)
		return;
	*req->prev = req->next;
	if (req->next != NULL)
		req->next->prev = req->prev;
	req->prev = NULL;
	cancel_forget(req);
	req->p->pending_gauge[0] = --req->p->pending;
}

/* Why the caller gives up, for the target's CANCEL. */
static void
take_cancel_reason(struct request *req, const sip_t *sip)
{
	const sip_unknown_t *un = message_other(sip, "Reason", NULL);

	if (un != NULL)
		req->cancel_reason = su_sprintf(msg_home(req->msg),
		    "Reason: %s", un->un_value);
}

/* From nta: a CANCEL, or (sip == NULL) the transaction's end. */
static int
on_ack_cancel(struct request *req, nta_incoming_t *irq, const sip_t *sip)
{
	(void)irq;
	if (sip != NULL && sip->sip_request != NULL &&
	    sip->sip_request->rq_method == sip_method_cancel) {
		take_cancel_reason(req, sip);
		relay_cancel(req);
	}
	return 0;
}

static bool
is_full(const struct request *req)
{
	int64_t max = req->policy->limits->pending;

	return max >= 0 && (int64_t)req->p->pending >= max &&
	    req->token_state != TOKEN_GOOD;
}

bool
request_hold(struct request *req)
{
	if (req->prev != NULL)
		return true;
	if (is_full(req)) {
		req->reason = REASON_OVERLOAD;
		return false;
	}
	if (req->method == sip_method_ack) {	/* has no transaction */
		link_request(req);
		return true;
	}
	/* nta takes the message over, and lends it back */
	msg_ref(req->msg);
	req->irq = nta_incoming_create(req->p->env.agent, NULL, req->msg,
	    req->sip, TAG_END());
	if (req->irq == NULL) {
		req->reason = REASON_NO_MEMORY;
		return false;
	}
	/* no 100 before the verdict: we send our own */
	nta_incoming_set_params(req->irq, NTATAG_EXTRA_100(0), TAG_END());
	nta_incoming_bind(req->irq, on_ack_cancel, req);
	link_request(req);
	cancel_expect(req);
	return true;
}

void
request_run(struct request *req)
{
	for (;;) {
		switch (req->steps[req->step++].run(req)) {
		case STEP_NEXT:
			break;
		case STEP_REPLY:
			request_reply(req, req->reason);
			return;
		case STEP_WAIT:
		case STEP_DONE:
			return;
		}
	}
}

void
request_resume(struct request *req)
{
	request_run(req);
}

void
request_refuse(struct request *req, enum reason r)
{
	request_reply(req, r);
}

void
request_reply(struct request *req, enum reason r)
{
	request_end(req, r, reply_send(req, r));
}

static void
stop_waiting(struct request *req)
{
	const struct pipeline_env *env = &req->p->env;

	if (req->lookup != NULL)
		env->users->ops->cancel(env->users, req->lookup);
	if (req->using)
		nonce_use_cancel(env->nonces, &req->use);
	if (req->dns != NULL)
		dns_cancel(env->dns, req->dns);
	relay_release(req);
}

static enum event
event_of(enum reason r)
{
	switch (r) {
	case REASON_RELAYED:
	case REASON_ACK_RELAYED:
		return EV_REQUEST_RELAYED;
	case REASON_NO_CREDENTIALS:
		return EV_REQUEST_CHALLENGED;
	case REASON_ACK_OURS:
	case REASON_ABSORBED:
	case REASON_ACCEPTED:
		return EV_REQUEST_DROPPED;
	default:
		return EV_REQUEST_REFUSED;
	}
}

static const char *
call_id_of(const struct request *req)
{
	return req->sip->sip_call_id == NULL ? NULL :
	    req->sip->sip_call_id->i_id;
}

/* Whom the sender claims to be, while that is not proved. */
static struct str
claim_of(const struct request *req)
{
	if (*req->user != '\0' || req->cred == NULL)
		return str_of("-");
	return req->cred->username;
}

/* The instance whose nonce was answered. */
static const char *
issuer_of(const struct request *req, char out[8])
{
	if (req->nonce.lifetime_s == 0)
		return NULL;
	snprintf(out, 8, "%u", (unsigned)req->nonce.instance);
	return out;
}

static void
log_end(const struct request *req, enum reason r, int status)
{
	char source[ADDR_TEXT_MAX], issuer[8];
	struct str claim = claim_of(req);
	enum event ev = event_of(r);

	if (!log_wants(log_event_level(ev)))
		return;
	log_event(ev,
	    kv_mem("method", req->method_name.p, req->method_name.len),
	    kv_mem("uri", req->uri.p, req->uri.len),
	    kv_str("call_id", call_id_of(req)),
	    kv_str("source", addr_text(&req->source, source)),
	    kv_str("transport", transport_name(req->transport)),
	    kv_str("listener", req->way == NULL ? NULL : req->way->listener),
	    kv_str("peer", req->peer == NULL ? NULL : req->peer->name),
	    kv_str("user", *req->user == '\0' ? NULL : req->user),
	    kv_mem("claims", claim.p, claim.len),
	    kv_str("reason", reason_word(r)), kv_int("status", status),
	    kv_str("issued_by", issuer_of(req, issuer)),
	    kv_str("to", req->choice.peer == NULL ? NULL :
	    req->choice.peer->name),
	    kv_str("target", *req->target_text == '\0' ? NULL :
	    req->target_text),
	    kv_uint("tries", req->tries),
	    kv_int("us", clock_mono_us() - req->start_us));
}

static void
release(struct request *req)
{
	struct pipeline *p = req->p;

	if (req->cred != NULL) {
		secret_wipe(req->cred, sizeof *req->cred);
		free(req->cred);
	}
	free(req->path);
	if (req->flow_tport != NULL)
		tport_unref(req->flow_tport);
	msg_destroy(req->msg);
	policy_unref(req->policy);
	secret_wipe(&req->answer, sizeof req->answer);
	give_spare(p, req);
}

void
request_end(struct request *req, enum reason r, int status)
{
	struct pipeline *p = req->p;

	stop_waiting(req);
	unlink_request(req);
	if (req->irq != NULL && status / 100 == 2)
		accepted_note(req);
	p->by_reason[r]++;
	log_end(req, r, status);
	if (req->irq == NULL)
		;
	else if (r == REASON_ABSORBED)
		linger(req);
	else
		nta_incoming_destroy(req->irq);
	release(req);
}
