/*
 * pipeline.c -- one request, step by step.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/secret.h"
#include "guard/deny.h"
#include "pipeline/branch.h"
#include "pipeline/calls.h"
#include "pipeline/client_owner.h"
#include "pipeline/hush.h"
#include "pipeline/intake.h"
#include "pipeline/media.h"
#include "pipeline/message.h"
#include "pipeline/moved.h"
#include "pipeline/probe.h"
#include "pipeline/registration.h"
#include "pipeline/stray.h"
#include "pipeline/watch.h"

/* The order of the steps stands here, and nowhere else. */
static const struct step request_steps[] = {
	{ "arrive",	step_arrive },
	{ "rate",	step_rate },
	{ "screen",	step_screen },
	{ "classify",	step_classify },
	{ "challenge",	step_challenge },
	{ "nonce",	step_nonce },
	{ "secret",	step_secret },
	{ "slow",	step_slow },
	{ "verify",	step_verify },
	{ "consume",	step_consume },
	{ "proved",	step_proved },
	{ "authorize",	step_authorize },
	{ "loop",	step_loop },
	{ "calls",	step_calls },
	{ "route",	step_route },
	{ "media",	step_media },
	{ "targets",	step_targets },
	{ "relay",	step_relay },
};

static const struct step ack_steps[] = {
	{ "arrive",	step_arrive },
	{ "rate",	step_rate },
	{ "screen",	step_screen_ack },
	{ "ours",	step_ack_ours },
	{ "classify",	step_classify },
	{ "may-pass",	step_ack_may_pass },
	{ "route",	step_route },
	{ "media",	step_media },
	{ "targets",	step_targets },
	{ "relay",	step_ack_relay },
};

static const struct step cancel_steps[] = {
	{ "arrive",	step_arrive },
	{ "rate",	step_rate },
	{ "screen",	step_screen },
	{ "cancel",	step_cancel },
};

struct policy *
policy_ref(struct policy *p)
{
	p->refs++;
	return p;
}

void
policy_unref(struct policy *p)
{
	if (p != NULL && --p->refs == 0)
		p->release(p);
}

static int
add_metrics(struct pipeline *p, struct metrics *m)
{
	static const struct metric by_reason = {
		"requests_ended_total", "Requests and stray responses by the "
		"reason they ended for.", METRIC_COUNTER, "reason",
		reason_words, REASON_COUNT
	};
	static const struct metric requests = { .name = "requests_total",
		.help = "Requests taken up, without retransmissions." };
	static const struct metric responses = { .name = "responses_total",
		.help = "Responses from targets, without 100." };
	static const struct metric pending = { .name = "requests_pending",
		.help = "Requests under way.", .kind = METRIC_GAUGE };
	static const struct metric misplaced = { .name = "peers_misplaced_total",
		.help = "Packets with a peer's address that came in where the "
		"peer does not live." };
	static const struct metric plain = { .name = "plain_challenges_total",
		.help = "Challenges that were made of the bytes of a datagram "
		"alone." };

	p->by_reason = metrics_add(m, &by_reason);
	p->requests_total = metrics_add(m, &requests);
	p->responses_total = metrics_add(m, &responses);
	p->pending_gauge = metrics_add(m, &pending);
	p->misplaced_total = metrics_add(m, &misplaced);
	p->plain_total = metrics_add(m, &plain);
	return p->by_reason == NULL || p->requests_total == NULL ||
	    p->responses_total == NULL || p->pending_gauge == NULL ||
	    p->misplaced_total == NULL || p->plain_total == NULL ? -1 : 0;
}

static int
add_timers(struct pipeline *p)
{
	const struct pipeline_env *env = &p->env;

	p->timer_c = timeouts_new(env->loop, env->timer_c_ms, branch_timer_c,
	    p);
	p->timer_cancel = timeouts_new(env->loop, 64 * env->t1_ms,
	    branch_timer_cancel, p);
	p->timer_silence = timeouts_new(env->loop, env->target_timeout_ms,
	    branch_timer_silence, p);
	p->moved_ends = timeouts_new(env->loop, 64 * env->t1_ms, moved_end, p);
	return p->timer_c == NULL || p->timer_cancel == NULL ||
	    p->timer_silence == NULL || p->moved_ends == NULL ? -1 : 0;
}

static int
send_for_transaction(void *arg, const struct hop *h, const void *bytes,
    size_t len, uint32_t *connection)
{
	struct pipeline *p = arg;

	return transport_send(p->env.transports, h, bytes, len, connection);
}

static int
add_transactions(struct pipeline *p)
{
	struct transactions_env env = { .loop = p->env.loop,
		.metrics = p->env.metrics, .t1_ms = p->env.t1_ms,
		.send = send_for_transaction, .arg = p };

	p->transactions = transactions_new(&env);
	p->scratch = malloc(SCRATCH_SIZE);
	p->grey = grey_new();
	p->no_tcp = grey_new();
	return p->transactions == NULL || p->scratch == NULL ||
	    p->grey == NULL || p->no_tcp == NULL ? -1 : 0;
}

struct pipeline *
pipeline_new(const struct pipeline_env *env, struct policy *policy)
{
	struct pipeline *p = calloc(1, sizeof *p);
	uint8_t start[6];

	if (p == NULL)
		return NULL;
	p->env = *env;
	p->policy = policy_ref(policy);
	random_bytes(start, sizeof start);
	p->sequence = get_u48(start);
	p->watch = watch_new(p);
	p->calls = call_watch_new(p);
	p->hush = hush_new(env->metrics);
	if (p->watch == NULL || p->calls == NULL || p->hush == NULL ||
	    add_metrics(p, env->metrics) < 0 ||
	    media_add_metrics(p, env->metrics) < 0 ||
	    add_timers(p) < 0 ||
	    add_transactions(p) < 0 || !uplinks_update(p) ||
	    !registrations_open(p) || intake_open(p) < 0) {
		pipeline_free(p);
		return NULL;
	}
	return p;
}

void
pipeline_free(struct pipeline *p)
{
	struct request *req;

	if (p == NULL)
		return;
	while ((req = p->requests) != NULL) {
		req->cancelled = true;		/* no other target, now */
		for (struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
			if (leg->branch != NULL)
				branch_cancel(leg->branch);
		if (p->requests == req)
			request_reply(req, REASON_STOPPED);
	}
	registrations_free(p);
	probes_free(p);
	if (p->moved_ends != NULL)
		moved_free(p);
	transactions_free(p->transactions);
	timeouts_free(p->timer_c);
	timeouts_free(p->timer_cancel);
	timeouts_free(p->timer_silence);
	timeouts_free(p->moved_ends);
	grey_free(p->grey);
	grey_free(p->no_tcp);
	free(p->scratch);
	branch_loads_free(p);
	intake_free(p);
	uplinks_free(p->uplinks);
	watch_free(p->watch);
	call_watch_free(p->calls);
	hush_free(p->hush);
	while ((req = p->spare) != NULL) {
		p->spare = req->next;
		free(req);
	}
	policy_unref(p->policy);
	free(p);
}

static void
update_registrations(struct pipeline *p)
{
	if (!registrations_update(p))
		log_event(EV_RELOAD_LATER, kv_str("option",
		    "peers.register"));
}

static void
update_probes(struct pipeline *p)
{
	if (!probes_update(p))
		log_event(EV_RELOAD_LATER, kv_str("option", "peers.probe"));
}

void
pipeline_set_transports(struct pipeline *p, struct transports *t)
{
	p->env.transports = t;
	update_registrations(p);
	update_probes(p);
}

void
pipeline_set_policy(struct pipeline *p, struct policy *policy)
{
	struct policy *old = p->policy;

	p->policy = policy_ref(policy);
	watch_forget_peers(p->watch);
	watch_bans_spare(p);
	if (!uplinks_update(p))
		log_event(EV_RELOAD_LATER, kv_str("option",
		    "peers.credentials"));
	update_registrations(p);
	update_probes(p);
	policy_unref(old);
}

struct bans *
pipeline_bans(struct pipeline *p)
{
	return p->watch->bans;
}

size_t
pipeline_pending(const struct pipeline *p)
{
	return p->pending;
}

void
pipeline_drain(struct pipeline *p)
{
	p->draining = true;
	registrations_stop(p);
}

bool
pipeline_is_idle(const struct pipeline *p)
{
	return p->pending == 0 && registrations_are_over(p);
}

static const struct step *
steps_of(sip_method_t method)
{
	return method == sip_method_ack ? ack_steps :
	    method == sip_method_cancel ? cancel_steps : request_steps;
}

/* Does it belong to a server transaction?  true: msg was taken. */
static bool
is_repeat(struct pipeline *p, msg_t *msg, uint64_t key)
{
	sip_method_t method = sip_object(msg)->sip_request->rq_method;
	struct server *s;

	if (key == 0 || method == sip_method_cancel)
		return false;
	s = server_find(p->transactions, key, method == sip_method_invite ||
	    method == sip_method_ack ? SERVER_INVITE : SERVER_OTHER);
	if (s == NULL)
		return false;
	if (method != sip_method_ack)
		server_again(s);
	else if (!server_acked(s))
		return false;
	msg_destroy(msg);
	return true;
}

static void
take_request(struct pipeline *p, const struct arrived *a, msg_t *msg)
{
	const sip_t *sip = sip_object(msg);
	uint64_t key = message_key(p->transactions, sip, sip->sip_via);
	struct request *req;

	if (is_repeat(p, msg, key))
		return;
	req = request_new(p, a, msg, key);
	if (req == NULL)
		return;
	req->steps = steps_of(req->method);
	request_run(req);
}

/* RFC 3261 17.1.1.3: a final answer to an INVITE that is no 2xx. */
static void
acknowledge(struct pipeline *p, struct client *c, const sip_t *sip)
{
	struct str invite = client_request(c);
	struct writer to = writer_on(p->scratch, SCRATCH_SIZE / 2), w;
	struct derived d = { .method = "ACK" };

	if (invite.len == 0 || sip->sip_to == NULL)
		return;
	message_put_headers(&to, sip->sip_to->a_common);
	d.to = (struct str){ to.p, to.len };
	w = writer_on(p->scratch + to.len, SCRATCH_SIZE - to.len);
	message_derive(&w, invite, &d);
	if (!to.full && !w.full)
		client_ack(c, w.p, w.len);
}

static struct client *
asked_by(struct pipeline *p, const sip_t *sip, enum client_kind *kind)
{
	uint64_t key = message_key(p->transactions, sip, sip->sip_via);

	if (key == 0)
		return NULL;
	*kind = sip->sip_cseq->cs_method == sip_method_invite ?
	    CLIENT_INVITE : CLIENT_OTHER;
	return client_find(p->transactions, key, *kind);
}

static void
take_sane_response(struct pipeline *p, msg_t *msg)
{
	const sip_t *sip = sip_object(msg);
	int status = sip->sip_status->st_status;
	enum client_kind kind;
	struct client *c = asked_by(p, sip, &kind);
	struct client_owner *o = c == NULL ? NULL : client_owner(c);

	if (c == NULL || (o != NULL && !o->asked(o, sip))) {
		stray_response(p, msg);
		return;
	}
	if (kind == CLIENT_INVITE && status >= 300)
		acknowledge(p, c, sip);
	if (kind == CLIENT_INVITE && status < 200 && o == NULL)
		branch_cancel_orphan(p, c);
	switch (client_response(c, status)) {
	case CLIENT_PASS:
		o->response(o, msg, status);
		break;
	case CLIENT_STRAY:
		stray_response(p, msg);
		break;
	case CLIENT_ABSORBED:
		msg_destroy(msg);
		break;
	}
}

static void
take_response(struct pipeline *p, msg_t *msg)
{
	struct fault f = sane_response(sip_object(msg));

	if (f.why != REASON_COUNT)
		stray_refuse(p, msg, &f);
	else
		take_sane_response(p, msg);
}

void
pipeline_message(void *arg, const struct arrived *a, msg_t *msg)
{
	struct pipeline *p = arg;
	const sip_t *sip = sip_object(msg);

	p->arrived = a;
	if (sip->sip_status != NULL)
		take_response(p, msg);
	else
		take_request(p, a, msg);
	p->arrived = NULL;
}

bool
pipeline_admit(void *arg, const struct addr *source)
{
	const struct pipeline *p = arg;

	return !deny_has(p->policy->deny, source) &&
	    watch_admits(p->watch, source);
}

bool
pipeline_admit_handshake(void *arg, const struct addr *source)
{
	const struct pipeline *p = arg;
	const struct policy *policy = p->policy;
	const struct knock k = { .watch = p->watch, .limits = policy->limits,
		.source = source, .now_us = clock_mono_us() };

	return rate_take_handshake(&k) || (policy->limits->exempt_peers &&
	    watch_is_spared(p, policy, source));
}

void
pipeline_lost(void *arg, uint32_t connection)
{
	struct pipeline *p = arg;

	transactions_lost(p->transactions, connection);
	registrations_lost(p, connection);
}

void
pipeline_unreachable(void *arg, const struct port *port,
    const struct addr *to)
{
	struct pipeline *p = arg;

	transactions_unreachable(p->transactions, port, to);
}
