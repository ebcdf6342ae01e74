/*
 * plain_challenge.c -- a stranger's first request over UDP, answered from its
 * bytes.
 *
 * Nothing is decided here that the steps would decide otherwise: who may be
 * more than a stranger, and what may be more than challenged or met with
 * silence, goes the full way, and so does all that would be logged there.
 * The bytes of the answer are the same, and so are the counters.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "pipeline/branch_id.h"
#include "pipeline/offer.h"
#include "pipeline/plain.h"
#include "pipeline/reply.h"
#include "pipeline/watch.h"
#include "transport/transport.h"

/* A request, and what its answer is made of. */
struct plain_request {
	struct pipeline	*p;
	const struct arrived *a;
	const struct way *way;
	struct plain	 text;
	struct knock	 knock;
	struct offer	 offer;
};

/* As step_arrive and step_rate tell. */
static bool
is_strangers(const struct plain_request *r)
{
	struct arrival in = { .source = r->a->source,
		.transport = TRANSPORT_UDP, .listener = r->way->listener,
		.ifindex = r->way->ifindex, .domain = r->text.domain };
	const struct peer *peer;

	return peers_classify(r->p->policy->peers, &in, &peer) ==
	    ARRIVAL_STRANGER &&
	    !ways_are_member(r->p->env.ways, r->way, &r->a->source);
}

/* As step_screen tells; what may be a branch of ours is looked at there. */
static bool
via_is_sane(const struct plain_request *r)
{
	return r->text.branch.len != BRANCH_ID_TEXT &&
	    (ways_have_ip(r->p->env.ways, &r->a->source) ||
	    !way_is(r->way, r->text.via_host, r->text.via_port));
}

static bool
may_use_method(const struct plain_request *r)
{
	return conf_list_takes(&r->p->policy->auth->methods, r->text.method);
}

/* The key is message_key()'s. */
static bool
is_repeat(const struct plain_request *r)
{
	struct transactions *ts = r->p->transactions;
	char host[256];
	struct writer w = writer_on(host, sizeof host);
	struct transaction_id id = { .branch = r->text.branch,
		.call_id = r->text.call_id, .cseq = r->text.cseq };

	put_str(&w, r->text.sent_by);
	if (r->text.sent_by.len == r->text.via_host.len)
		put_text(&w, ":");
	id.sent_by = (struct str){ host, w.len };
	return server_find(ts, transaction_key(ts, &id),
	    str_is(r->text.method, "INVITE") ? SERVER_INVITE :
	    SERVER_OTHER) != NULL;
}

static struct offer
offer_to(const struct plain_request *r)
{
	const struct policy *policy = r->p->policy;

	return (struct offer){ .env = &r->p->env, .auth = policy->auth,
		.realm = policy->realm, .source = &r->a->source,
		.unix_ms = clock_unix_ms(),
		.www = str_is(r->text.method, "REGISTER") &&
		    policy->auth->register_challenge == REGISTER_WWW };
}

static struct knock
knock_by(const struct plain_request *r)
{
	return (struct knock){ .watch = r->p->watch,
		.limits = r->p->policy->limits, .source = &r->a->source,
		.method = r->text.method, .now_us = clock_mono_us() };
}

/* A 503 is for the full way, which then draws on the rates. */
static bool
is_told_of_rates(const struct plain_request *r)
{
	return r->knock.limits->over == OVER_503 && !rate_would(&r->knock);
}

static bool
is_plain(struct plain_request *r)
{
	if (!plain_read(&r->text, (struct str){ r->a->raw, r->a->len }) ||
	    !via_is_sane(r) || !may_use_method(r) || !is_strangers(r) ||
	    is_repeat(r))
		return false;
	r->knock = knock_by(r);
	r->offer = offer_to(r);
	return !is_told_of_rates(r) && offer_make(&r->offer);
}

/* As message_tell_source() does for strangers: both in any case. */
static void
put_via(struct writer *w, const struct plain_request *r)
{
	char host[ADDR_TEXT_MAX];
	struct str ip = str_of(addr_host_text(&r->a->source, host));

	if (*ip.p == '[')
		ip = (struct str){ ip.p + 1, ip.len - 2 };
	put_text(w, "Via: SIP/2.0/UDP ");
	put_str(w, r->text.sent_by);
	put_str(w, r->text.before);
	put_text(w, ";rport=");
	put_uint(w, r->a->source.port);
	put_str(w, r->text.after);
	put_text(w, ";received=");
	put_str(w, ip);
	put_text(w, "\r\n");
}

static void
put_answer(struct writer *w, const struct plain_request *r)
{
	char tag[REPLY_TAG_TEXT + 1];

	if (r->offer.www)
		reply_put_status(w, 401, sip_401_Unauthorized);
	else
		reply_put_status(w, reason_status(REASON_NO_CREDENTIALS),
		    reason_phrase(REASON_NO_CREDENTIALS));
	put_via(w, r);
	put_str(w, r->text.from);
	reply_tag(r->p->env.keys, 0, r->text.call_id, r->text.from_tag, tag);
	reply_put_to(w, r->text.to, tag);
	put_str(w, r->text.call_id_line);
	put_str(w, r->text.cseq_line);
	offer_put(w, &r->offer);
	put_text(w, "Content-Length: 0\r\n\r\n");
}

static void
challenge(const struct plain_request *r)
{
	struct pipeline *p = r->p;
	struct writer w = writer_on(p->scratch, SCRATCH_SIZE);
	struct hop back = { .port = r->way->socket, .addr = r->a->reach,
		.run = true };

	put_answer(&w, r);
	if (!w.full)
		(void)transport_send(p->env.transports, &back, w.p, w.len,
		    NULL);
	p->plain_total[0]++;
}

/* As step_rate tells. */
static enum reason
judge(const struct plain_request *r)
{
	enum over over = rate_take(&r->knock);

	if (over != WITHIN) {
		watch_over_knock(&r->knock, over, NULL, str_of(""));
		return REASON_OVER_RATE;
	}
	if (r->text.user_agent.p == NULL || !scanners_have(
	    r->p->policy->scanners, r->text.user_agent))
		return REASON_NO_CREDENTIALS;
	watch_dropped(&r->knock, DROPPED_SCANNER, str_of(""),
	    r->text.user_agent);
	return REASON_SCANNER;
}

/* Of each the full way would write a line. */
static bool
is_logged(void)
{
	return log_wants(log_event_level(EV_REQUEST_CHALLENGED)) ||
	    log_wants(log_event_level(EV_REQUEST_DROPPED));
}

bool
pipeline_plain(void *arg, const struct arrived *a)
{
	struct plain_request r = { .p = arg, .a = a,
		.way = port_owner(a->port) };
	enum reason reason;

	if (r.p->draining || is_logged() || !is_plain(&r))
		return false;
	r.p->requests_total[0]++;
	reason = judge(&r);
	if (reason == REASON_NO_CREDENTIALS)
		challenge(&r);
	r.p->by_reason[reason]++;
	return true;
}
