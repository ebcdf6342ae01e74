/*
 * calls.c -- may this call begin, by who begins it?
 *
 * What is counted is counted by all instances together, or, while they cannot
 * tell, by each of them for itself.
 */
#include "config.h"

#include "pipeline/calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "guard/calls.h"
#include "guard/classes.h"
#include "guard/shared.h"
#include "pipeline/branch_id.h"
#include "pipeline/call_course.h"
#include "pipeline/intake.h"
#include "pipeline/message.h"
#include "pipeline/route_query.h"

enum { CALLS_MAX = 200000 };	/* of this instance's own count */

/* What a class refused. */
enum limited {
	LIMITED_CALLS, LIMITED_STARTS, LIMITED_NUMBER, LIMITED_HOURS,
	LIMITED_KINDS
};

static const char *const limited_words[LIMITED_KINDS] = {
	[LIMITED_CALLS] = "calls", [LIMITED_STARTS] = "calls_started",
	[LIMITED_NUMBER] = "number", [LIMITED_HOURS] = "hours"
};

static const enum reason limited_reasons[LIMITED_KINDS] = {
	[LIMITED_CALLS] = REASON_TOO_MANY_CALLS,
	[LIMITED_STARTS] = REASON_CALLS_TOO_FAST,
	[LIMITED_NUMBER] = REASON_FORBIDDEN_NUMBER,
	[LIMITED_HOURS] = REASON_OUTSIDE_HOURS
};

struct call_watch {
	struct calls	*calls;
	struct {
		int64_t	 said_ms;
		uint64_t unsaid;
	} quiet[LIMITED_KINDS];
	uint64_t	*limited_total;
};

/* Who begins the call; either may be NULL. */
struct parties { const struct class *user, *peer; };

static void
tell(void *owner, const struct metric *what, metrics_visit_f *visit, void *arg)
{
	struct call_watch *w = owner;

	visit(arg, what, NULL, calls_count(w->calls, clock_mono_ms()));
}

static int
add_metrics(struct call_watch *w, struct metrics *m)
{
	static const struct metric limited = { "fraud_limited_total",
		"Calls that a class refused, by what of it.", METRIC_COUNTER,
		"of", limited_words, LIMITED_KINDS };
	static const struct metric under_way = { .name = "calls_under_way",
		.kind = METRIC_GAUGE, .help = "Calls of classes that this "
		"instance counts by itself." };

	w->limited_total = metrics_add(m, &limited);
	return w->limited_total == NULL ? -1 :
	    metrics_add_live(m, &under_way, tell, w);
}

struct call_watch *
call_watch_new(struct pipeline *p)
{
	struct call_watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->calls = calls_new(CALLS_MAX);
	if (w->calls != NULL && add_metrics(w, p->env.metrics) == 0)
		return w;
	call_watch_free(w);
	return NULL;
}

void
call_watch_free(struct call_watch *w)
{
	if (w == NULL)
		return;
	calls_free(w->calls);
	free(w);
}

struct calls *
call_watch_own(const struct call_watch *w)
{
	return w->calls;
}

/* ---- names of accounts */

static void
account_id(const struct request *req, const char *realm, const char *name,
    uint8_t out[CALL_ID_BYTES])
{
	struct mac_part part[3] = {
		{ realm == NULL ? "peer" : "user", 5 },
		{ realm, realm == NULL ? 0 : strlen(realm) + 1 },
		{ name, strlen(name) },
	};

	_Static_assert(CALL_ID_BYTES == (int)MARK_BYTES, "one mark");
	keys_mark(req->p->env.keys, 0, KEY_CALLS, 0, part, 3, out);
}

/* ---- refusing */

static void
note(struct request *req, const struct parties *who, enum limited what)
{
	struct call_watch *w = req->p->calls;
	int64_t now_ms = clock_mono_ms();
	char source[ADDR_TEXT_MAX];

	w->limited_total[what]++;
	if (w->quiet[what].said_ms != 0 &&
	    now_ms - w->quiet[what].said_ms < 1000) {
		w->quiet[what].unsaid++;
		return;
	}
	log_event(EV_FRAUD_LIMIT, kv_str("of", limited_words[what]),
	    kv_str("user", *req->user == '\0' ? NULL : req->user),
	    kv_str("peer", req->peer == NULL ? NULL : req->peer->name),
	    kv_str("class", who->user == NULL ? NULL :
	    class_conf(who->user)->name),
	    kv_str("peer_class", who->peer == NULL ? NULL :
	    class_conf(who->peer)->name),
	    kv_mem("uri", req->uri.p, req->uri.len),
	    kv_str("source", addr_text(&req->source, source)),
	    kv_uint("unsaid", w->quiet[what].unsaid));
	w->quiet[what].said_ms = now_ms;
	w->quiet[what].unsaid = 0;
}

static struct parties
parties_of(const struct request *req)
{
	const struct classes *cs = req->policy->classes;
	struct parties who = { NULL, NULL };

	if (*req->user != '\0')
		who.user = classes_of_user(cs, req->class);
	if (req->peer != NULL && req->peer->class != NULL)
		who.peer = classes_by_name(cs, req->peer->class);
	return who;
}

static enum reason
refusal(struct request *req, enum limited what)
{
	struct parties who = parties_of(req);

	note(req, &who, what);
	return limited_reasons[what];
}

/* ---- counting */

static void
add_account(struct request *req, const struct class *c, const char *realm,
    const char *name)
{
	struct calls_ask *ask = req->ask;
	const struct class_conf *conf;
	struct calls_account *a = &ask->account[ask->naccounts];

	if (c == NULL)
		return;
	conf = class_conf(c);
	if (conf->calls < 0 && conf->calls_started.count == 0)
		return;
	account_id(req, realm, name, a->id);
	a->calls = conf->calls;
	a->starts = conf->calls_started;
	ask->naccounts++;
	if (req->lasts_ms < conf->calls_forgotten_ms)
		req->lasts_ms = conf->calls_forgotten_ms;
}

static enum calls_verdict
ask_own(struct request *req)
{
	return calls_begin(req->p->calls->calls, req->ask, clock_mono_ms());
}

static enum reason
reason_of(struct request *req, enum calls_verdict v)
{
	switch (v) {
	case CALLS_WITHIN:
		req->counted = calls_keep(req->ask);
		req->rang_ms = clock_mono_ms();
		return REASON_COUNT;
	case CALLS_TOO_MANY:
		return refusal(req, LIMITED_CALLS);
	case CALLS_TOO_FAST:
		return refusal(req, LIMITED_STARTS);
	case CALLS_TWICE:		/* a lot that was drawn before */
	case CALLS_UNAVAILABLE:
	case CALLS_PENDING:
		break;
	}
	return REASON_NO_MEMORY;
}

static void
on_verdict(struct calls_ask *ask, enum calls_verdict v)
{
	struct request *req = ask->arg;
	enum reason r;

	req->asking = false;
	r = reason_of(req, v == CALLS_UNAVAILABLE ? ask_own(req) : v);
	if (r == REASON_COUNT)
		request_run(req);
	else
		request_reply(req, r);
}

static enum calls_verdict
ask_all(struct request *req)
{
	struct shared *s = req->p->env.shared;
	enum calls_verdict v = s == NULL ? CALLS_UNAVAILABLE :
	    s->ops->calls_begin(s, req->ask);

	return v == CALLS_UNAVAILABLE ? ask_own(req) : v;
}

static enum step_verdict
count(struct request *req)
{
	enum calls_verdict v = ask_all(req);
	enum reason r;

	if (v == CALLS_PENDING) {
		req->asking = true;	/* request_end() cancels it */
		return request_hold(req) ? STEP_WAIT :
		    refuse(req, req->reason);
	}
	r = reason_of(req, v);
	return r == REASON_COUNT ? STEP_NEXT : refuse(req, r);
}

static enum step_verdict
begin(struct request *req, const struct parties *who)
{
	struct calls_ask *ask = su_zalloc(msg_home(req->msg), sizeof *ask);
	uint8_t number[TOKEN_CALL_BYTES];

	if (ask == NULL)
		return refuse(req, REASON_NO_MEMORY);
	req->ask = ask;
	add_account(req, who->user, req->realm, req->user);
	if (who->peer != NULL)
		add_account(req, who->peer, NULL, req->peer->name);
	if (ask->naccounts == 0)
		return STEP_NEXT;
	random_bytes(number, sizeof number);
	call_id(number, ask->call);
	ask->lasts_ms = call_ring_ms(req);
	ask->done = on_verdict;
	ask->arg = req;
	return count(req);
}

/* ---- the step */

static bool
may_call(const struct parties *who, const url_t *u)
{
	struct called called;

	route_query_called(u, &called);
	return (who->user == NULL ||
	    route_query_class_lets(who->user, &called)) &&
	    (who->peer == NULL || route_query_class_lets(who->peer, &called));
}

/* Also what a strict router would be told to call. */
static bool
number_fits(const struct request *req, const struct parties *who)
{
	const url_t *hop = message_strict_hop(req->sip);

	return may_call(who, req->sip->sip_request->rq_url) &&
	    (hop == NULL || may_call(who, hop));
}

static bool
is_open(const struct request *req, const struct class *c)
{
	return c == NULL || class_is_open(c, req->unix_ms / 1000);
}

/* Of the first INVITE of a dialog; what another instance handed over was
 * judged there. */
static bool
opens_a_call(const struct request *req)
{
	return req->method == sip_method_invite &&
	    req->token_state != TOKEN_GOOD && !req->handed &&
	    classes_count(req->policy->classes) > 0;
}

enum step_verdict
step_calls(struct request *req)
{
	struct parties who;

	if (!opens_a_call(req))
		return STEP_NEXT;
	who = parties_of(req);
	if ((who.user == NULL && who.peer == NULL) ||
	    intake_is_emergency(req) || branch_is_members(req))
		return STEP_NEXT;
	if (!number_fits(req, &who))
		return refuse(req, refusal(req, LIMITED_NUMBER));
	if (!is_open(req, who.user) || !is_open(req, who.peer))
		return refuse(req, refusal(req, LIMITED_HOURS));
	return begin(req, &who);
}

void
call_stop_waiting(struct request *req)
{
	struct shared *s = req->p->env.shared;

	if (req->asking)
		s->ops->calls_cancel(s, req->ask);
	req->asking = false;
}
