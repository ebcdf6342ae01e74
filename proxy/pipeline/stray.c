/*
 * stray.c -- responses that belong to no client transaction.
 *
 * A 2xx to an INVITE may come again, or from a second fork, after we let the
 * transaction go: it is passed on without state (RFC 6026 7.2, RFC 3261
 * 16.7), if our Via on it is one that we signed, and its INVITE was answered
 * 2xx not more than 64*T1 ago.  All else is dropped.
 */
#include "config.h"

#include "base/clock.h"
#include "pipeline/branch_id.h"
#include "pipeline/flow.h"
#include "pipeline/hush.h"
#include "pipeline/media.h"
#include "pipeline/message.h"
#include "pipeline/stray.h"
#include "pipeline/trust.h"

/* The server transaction of the INVITE that this is a 2xx to. */
static struct server *
accepted_by(struct pipeline *p, const sip_t *sip)
{
	struct branch_id id;
	struct server *s;

	if (sip->sip_cseq == NULL || sip->sip_call_id == NULL ||
	    sip->sip_via == NULL || sip->sip_via->v_next == NULL ||
	    sip->sip_cseq->cs_method != sip_method_invite ||
	    sip->sip_status->st_status / 100 != 2 ||
	    !branch_id_open(p, sip, sip->sip_via, &id))
		return NULL;
	s = server_find(p->transactions, message_key(p->transactions, sip,
	    sip->sip_via->v_next), SERVER_INVITE);
	return s != NULL && server_state(s) == SERVER_ACCEPTED ? s : NULL;
}

static const struct peer *
sender(const struct pipeline *p)
{
	const struct arrived *a = p->arrived;
	const struct way *way = port_owner(a->port);
	const struct arrival arrival = { .source = a->source,
		.transport = a->transport, .listener = way->listener,
		.ifindex = way->ifindex };
	const struct peer *peer;

	peers_classify(p->policy->peers, &arrival, &peer);
	return peer;
}

static void
pass_on(struct pipeline *p, struct server *s, msg_t *msg, sip_t *sip)
{
	struct writer w = writer_on(p->scratch, SCRATCH_SIZE);
	const struct peer *from = sender(p);

	media_late_response(p, sip, from);
	message_drop_via(msg, sip);
	trust_late_response(msg, sip, from);
	flow_bind(p, msg, sip);
	if (!message_write(&w, msg, ""))
		return;
	p->by_reason[REASON_RESPONSE_LATE]++;
	server_respond(s, sip->sip_status->st_status, w.p, w.len);
}

static void
log_dropped(struct pipeline *p, msg_t *msg, const struct fault *f)
{
	const sip_t *sip = sip_object(msg);
	struct addr from;
	char source[ADDR_TEXT_MAX] = "";

	if (!log_wants(log_event_level(EV_RESPONSE_DROPPED)) ||
	    !hush_allows(p->hush, HUSH_ANYBODY,
	    &p->policy->limits->log_lines, clock_mono_us()))
		return;
	if (addr_from_sockaddr(&from,
	    (const struct sockaddr *)msg_addr(msg)))
		addr_text(&from, source);
	log_event(EV_RESPONSE_DROPPED, kv_str("source", source),
	    kv_str("reason", reason_word(f->why)),
	    kv_str("header", f->header),
	    kv_int("status", sip->sip_status->st_status),
	    kv_str("call_id", sip->sip_call_id == NULL ? NULL :
	    sip->sip_call_id->i_id));
}

void
stray_refuse(struct pipeline *p, msg_t *msg, const struct fault *f)
{
	p->by_reason[f->why]++;
	log_dropped(p, msg, f);
	msg_destroy(msg);
}

void
stray_response(struct pipeline *p, msg_t *msg)
{
	static const struct fault stray = { .why = REASON_RESPONSE_STRAY };
	sip_t *sip = sip_object(msg);
	struct server *s = accepted_by(p, sip);

	if (s == NULL) {
		stray_refuse(p, msg, &stray);
		return;
	}
	pass_on(p, s, msg, sip);
	msg_destroy(msg);
}
