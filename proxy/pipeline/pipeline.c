#include "config.h"

#include <stdlib.h>

#include "base/secret.h"
#include "pipeline/accepted.h"
#include "pipeline/branch.h"
#include "pipeline/linger.h"
#include "pipeline/stray.h"

/* The order of the steps stands here, and nowhere else. */
static const struct step request_steps[] = {
	{ "arrive",	step_arrive },
	{ "screen",	step_screen },
	{ "classify",	step_classify },
	{ "challenge",	step_challenge },
	{ "nonce",	step_nonce },
	{ "accepted",	step_accepted },
	{ "secret",	step_secret },
	{ "verify",	step_verify },
	{ "consume",	step_consume },
	{ "authorize",	step_authorize },
	{ "loop",	step_loop },
	{ "route",	step_route },
	{ "relay",	step_relay },
};

static const struct step ack_steps[] = {
	{ "arrive",	step_arrive },
	{ "screen",	step_screen_ack },
	{ "ours",	step_ack_ours },
	{ "classify",	step_classify },
	{ "may-pass",	step_ack_may_pass },
	{ "route",	step_route },
	{ "relay",	step_ack_relay },
};

/* One that matched no transaction: there is nothing to cancel. */
static enum step_verdict
step_no_transaction(struct request *req)
{
	return refuse(req, REASON_NO_TRANSACTION);
}

static const struct step cancel_steps[] = {
	{ "arrive",	step_arrive },
	{ "screen",	step_screen },
	{ "unmatched",	step_no_transaction },
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

	p->by_reason = metrics_add(m, &by_reason);
	p->requests_total = metrics_add(m, &requests);
	p->responses_total = metrics_add(m, &responses);
	p->pending_gauge = metrics_add(m, &pending);
	p->misplaced_total = metrics_add(m, &misplaced);
	return p->by_reason == NULL || p->requests_total == NULL ||
	    p->responses_total == NULL || p->pending_gauge == NULL ||
	    p->misplaced_total == NULL ? -1 : 0;
}

static int
add_timers(struct pipeline *p)
{
	const struct pipeline_env *env = &p->env;

	p->timer_c = timeouts_new(env->loop, env->timer_c_ms, branch_timer_c,
	    p);
	p->timer_cancel = timeouts_new(env->loop, 64 * env->t1_ms,
	    branch_timer_cancel, p);
	p->lingering = timeouts_new(env->loop, 64 * env->t1_ms, linger_mute,
	    p);
	p->muted = timeouts_new(env->loop, 64 * env->t1_ms + 1000, linger_end,
	    p);
	p->accepting = timeouts_new(env->loop, 64 * env->t1_ms, accepted_end,
	    p);
	return p->timer_c == NULL || p->timer_cancel == NULL ||
	    p->lingering == NULL || p->muted == NULL ||
	    p->accepting == NULL ? -1 : 0;
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
	if (add_metrics(p, env->metrics) < 0 || add_timers(p) < 0) {
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
		if (req->branch != NULL)
			branch_cancel(req->branch);
		if (p->requests == req)
			request_reply(req, REASON_STOPPED);
	}
	if (p->lingering != NULL && p->muted != NULL)
		linger_free(p);
	if (p->accepting != NULL)
		accepted_free(p);
	timeouts_free(p->timer_c);
	timeouts_free(p->timer_cancel);
	timeouts_free(p->lingering);
	timeouts_free(p->muted);
	timeouts_free(p->accepting);
	branch_loads_free(p);
	while ((req = p->spare) != NULL) {
		p->spare = req->next;
		free(req);
	}
	policy_unref(p->policy);
	free(p);
}

void
pipeline_set_agent(struct pipeline *p, nta_agent_t *agent)
{
	p->env.agent = agent;
}

void
pipeline_set_policy(struct pipeline *p, struct policy *policy)
{
	struct policy *old = p->policy;

	p->policy = policy_ref(policy);
	policy_unref(old);
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
}

static void
take_request(struct pipeline *p, msg_t *msg, sip_t *sip)
{
	struct request *req = request_new(p, msg, sip);

	if (req == NULL)
		return;
	if (req->way == NULL) {		/* its connection is gone already */
		request_end(req, REASON_BAD_VIA, 0);
		return;
	}
	req->steps = req->method == sip_method_ack ? ack_steps :
	    req->method == sip_method_cancel ? cancel_steps : request_steps;
	request_run(req);
}

int
pipeline_message(struct pipeline *p, nta_agent_t *agent, msg_t *msg,
    sip_t *sip)
{
	(void)agent;
	if (sip->sip_status != NULL)
		stray_response(p, msg, sip);
	else if (sip->sip_request != NULL)
		take_request(p, msg, sip);
	else
		msg_destroy(msg);
	return 0;
}
