/*
 * request.c -- one request on its way through the steps.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "pipeline/branch.h"
#include "pipeline/call_course.h"
#include "pipeline/calls.h"
#include "pipeline/hush.h"
#include "pipeline/intake.h"
#include "pipeline/message.h"
#include "pipeline/moved.h"
#include "pipeline/reply.h"
#include "pipeline/watch.h"

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
note_arrival(struct request *req, const struct arrived *a)
{
	req->way = port_owner(a->port);
	req->transport = a->transport;
	req->connection = a->connection;
	req->source = a->source;
	req->reach = a->reach;
}

struct request *
request_new(struct pipeline *p, const struct arrived *a, msg_t *msg,
    uint64_t key)
{
	struct request *req = take_spare(p);
	sip_t *sip = sip_object(msg);

	if (req == NULL) {
		msg_destroy(msg);
		return NULL;
	}
	req->p = p;
	req->policy = policy_ref(p->policy);
	req->msg = msg;
	req->sip = sip;
	req->key = key;
	req->unix_ms = clock_unix_ms();
	req->start_us = clock_mono_us();
	req->method = sip->sip_request->rq_method;
	req->method_name = str_of(sip->sip_request->rq_method_name);
	req->uri = message_raw_uri(sip);
	req->stale = REASON_COUNT;
	req->leg = (struct leg){ .req = req, .msg = msg, .sip = sip };
	p->requests_total[0]++;
	note_arrival(req, a);
	return req;
}

static bool
is_balanced(const struct request *req)
{
	return !addr_same(&req->source, &req->reach);
}

/* RFC 3261 18.2.2: a peer that does not ask for rport (RFC 3581) may send from
 * another port than it listens at. */
static uint16_t
answer_port(const struct request *req)
{
	const sip_via_t *v = req->sip->sip_via;
	int port = v == NULL ? -1 : via_port_number(v);

	if (req->peer == NULL || req->transport != TRANSPORT_UDP ||
	    is_balanced(req) || v->v_rport != NULL || port <= 0)
		return req->reach.port;
	return (uint16_t)port;
}

struct hop
request_back(const struct request *req)
{
	struct hop back = { .port = req->way->socket, .addr = req->reach,
		.connection = req->connection };

	back.addr.port = answer_port(req);
	return back;
}

struct leg *
request_fork(struct request *req, const struct peer *peer)
{
	struct leg *leg = calloc(1, sizeof *leg), **end = &req->leg.next;

	if (leg == NULL)
		return NULL;
	leg->msg = msg_copy(req->msg);
	if (leg->msg == NULL) {
		free(leg);
		return NULL;
	}
	leg->sip = sip_object(leg->msg);
	leg->req = req;
	leg->peer = peer;
	leg->dns_reason = REASON_NO_SUCH_NAME;
	while (*end != NULL)
		end = &(*end)->next;
	*end = leg;
	return leg;
}

bool
request_part(struct leg *leg)
{
	msg_t *copy;

	if (leg->msg != leg->req->msg)
		return true;
	copy = msg_copy(leg->msg);
	if (copy == NULL)
		return false;
	leg->msg = copy;
	leg->sip = sip_object(copy);
	return true;
}

static void
free_forks(struct request *req)
{
	struct leg *leg;

	while ((leg = req->leg.next) != NULL) {
		req->leg.next = leg->next;
		msg_destroy(leg->msg);
		free(leg);
	}
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
	req->p->pending_gauge[0] = --req->p->pending;
}

/* RFC 3261 18.2.2: where a new connection would reach who asked, if the one
 * that he asked on is gone.  A balancer is no place for what his Via says. */
static struct addr
by_via(const struct request *req)
{
	struct addr again = req->reach;
	int port = via_port_number(req->sip->sip_via);

	again.port = req->transport == TRANSPORT_TCP && port > 0 &&
	    !is_balanced(req) ? (uint16_t)port : 0;
	return again;
}

static bool
open_server(struct request *req)
{
	struct server_conf conf = {
		.key = req->key,
		.kind = req->method == sip_method_invite ? SERVER_INVITE :
		    SERVER_OTHER,
		.back = request_back(req),
		.again = by_via(req),
		.owner = req,
	};

	req->server = server_new(req->p->transactions, &conf);
	return req->server != NULL;
}

bool
request_hold(struct request *req)
{
	if (req->prev != NULL)
		return true;
	if (intake_is_full(req)) {
		req->reason = REASON_OVERLOAD;
		return false;
	}
	/* an ACK has no transaction */
	if (!intake_begin(req) || (req->method != sip_method_ack &&
	    !open_server(req))) {
		req->reason = REASON_NO_MEMORY;
		return false;
	}
	link_request(req);
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
	call_stop_waiting(req);
	for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		if (leg->dns != NULL)
			dns_cancel(env->dns, leg->dns);
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
	case REASON_CANCEL_TAKEN:
	case REASON_OVER_RATE:
	case REASON_OVER_RATE_TOLD:
	case REASON_SCANNER:
	case REASON_USER_SLOWED:
	case REASON_SOURCE_SLOWED:
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

/* Whom the sender claims to be, while that is not proved, and what he may not
 * call himself. */
static struct str
claim_of(const struct request *req, enum reason r)
{
	if (r == REASON_WRONG_IDENTITY)
		return message_raw_value(req->method == sip_method_register ?
		    req->sip->sip_to->a_common : req->sip->sip_from->a_common);
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

/* Where a refused answer's challenge went: if not to its source, that may be
 * forged. */
static const char *
nonce_of(const struct request *req, enum reason r)
{
	if (req->nonce.lifetime_s == 0 || event_of(r) != EV_REQUEST_REFUSED)
		return NULL;
	return source_has_nonce(req) ? "source" : "another";
}

/* Refused, and perhaps sent by nobody that we know: what is answered by a
 * challenge may be a copy of what a user sent, and a peer that has a password
 * to show has only an address until then. */
static bool
is_strangers(const struct request *req, enum reason r)
{
	bool peer = req->peer != NULL && !peer_asks_digest(req->peer);
	bool known = peer || *req->user != '\0' ||
	    req->token_state == TOKEN_GOOD;

	return event_of(r) == EV_REQUEST_REFUSED &&
	    (!known || (!peer && reason_status(r) == 407));
}

bool
request_may_log(const struct request *req)
{
	bool answers = req->nonce.lifetime_s > 0 && source_has_nonce(req);

	return hush_allows(req->p->hush, answers ? HUSH_ANSWERS :
	    HUSH_ANYBODY, &req->policy->limits->log_lines, req->start_us);
}

static bool
is_worth_a_line(const struct request *req, enum reason r)
{
	return log_wants(log_event_level(event_of(r))) &&
	    (!is_strangers(req, r) || request_may_log(req));
}

static void
log_end(const struct request *req, enum reason r, int status)
{
	char source[ADDR_TEXT_MAX], target[ADDR_TEXT_MAX], issuer[8];
	struct str claim = claim_of(req, r);

	if (!is_worth_a_line(req, r))
		return;
	log_event(event_of(r),
	    kv_mem("method", req->method_name.p, req->method_name.len),
	    kv_mem("uri", req->uri.p, req->uri.len),
	    kv_str("call_id", call_id_of(req)),
	    kv_str("source", addr_text(&req->source, source)),
	    kv_str("transport", transport_name(req->transport)),
	    kv_str("listener", req->way == NULL ? NULL : req->way->listener),
	    kv_str("peer", req->peer == NULL ? NULL : req->peer->name),
	    kv_str("user", *req->user == '\0' ? NULL : req->user),
	    kv_mem("claims", claim.p, claim.len),
	    kv_str("reason", reason_word(r)), kv_str("header", req->header),
	    kv_int("status", status),
	    kv_str("issued_by", issuer_of(req, issuer)),
	    kv_str("nonce_of", nonce_of(req, r)),
	    kv_int("route", req->route_line),
	    kv_str("to", req->leg.peer == NULL ? NULL : req->leg.peer->name),
	    kv_str("target", req->leg.tried.port == 0 ? NULL :
	    addr_text(&req->leg.tried, target)),
	    kv_uint("tries", req->leg.tries),
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
	free_forks(req);
	if (req->leg.msg != req->msg)
		msg_destroy(req->leg.msg);
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
	call_ended(req, status);
	unlink_request(req);
	intake_end(req);
	if (req->server != NULL) {
		if (status / 100 == 2)
			moved_note(req);
		server_release(req->server);
	}
	p->by_reason[r]++;
	watch_end(req, r);
	log_end(req, r, status);
	release(req);
}
