/*
 * registration_ask.c -- the targets of a peer where we register are asked, one
 * after the other, by a REGISTER each.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "io/loop.h"
#include "pipeline/registration_inner.h"
#include "pipeline/targets.h"
#include "pipeline/watch.h"

enum { HEARD_MS = 1000 };		/* after the last retransmission */

void
registration_say(const struct registration *r, enum event ev,
    const char *reason, int status)
{
	char target[ADDR_TEXT_MAX];

	log_event(ev, kv_str("peer", r->peer), kv_str("aor", r->aor),
	    kv_str("target", r->now.addr.port == 0 ? NULL :
	    addr_text(&r->now.addr, target)),
	    kv_str("reason", reason), kv_int("status", status));
}

static void
take_targets(struct registration *r, enum dns_result result,
    const struct dns_target *t, size_t n)
{
	r->ntargets = 0;
	r->next_target = 0;
	if (result != DNS_OK || n == 0)
		registration_say(r, EV_UPLINK_FAILED, "dns", 0);
	for (size_t i = 0; result == DNS_OK && i < n; i++)
		if (!ways_have(r->p->env.ways, &t[i].addr))
			r->target[r->ntargets++] = t[i];
}

static void
on_dns(void *arg, enum dns_result result, const struct dns_target *t,
    size_t n)
{
	struct registration *r = arg;

	r->dns = NULL;
	take_targets(r, result, t, n);
	registration_try(r);
}

static const struct peer *
peer_of(const struct registration *r)
{
	return peers_by_id(r->p->policy->peers, r->peer_id);
}

static unsigned
transports(const struct registration *r)
{
	unsigned all = targets_transports(r->p, peer_of(r));

	return strncasecmp(r->aor, "sips:", 5) != 0 ? all :
	    all & TRANSPORT_BIT(TRANSPORT_TLS);
}

/* false: the answer will come later. */
static bool
look(struct registration *r, const char *uri)
{
	const struct dns_query q = { .uri = uri, .transports = transports(r),
		.timeout_ms = TARGETS_TIMEOUT_MS, .done = on_dns, .arg = r };
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = 0;
	enum dns_result result;

	if (!targets_copy_host(r->host, sizeof r->host, uri))
		r->host[0] = '\0';
	r->uri = peer_id(uri);
	r->state = REG_LOOK;
	result = dns_resolve(r->p->env.dns, &q, t, &n, &r->dns);
	if (r->dns != NULL)
		return false;
	take_targets(r, result, t, n);
	return true;
}

static void
on_failed(void *owner, enum client_failure why)
{
	struct registration *r = owner;

	r->client = NULL;
	registration_say(r, EV_UPLINK_FAILED, why == CLIENT_TIMEOUT ?
	    "timeout" : "transport", 0);
	registration_try(r);
}

static struct target
target_of(const struct registration *r)
{
	return (struct target){ .addr = r->now.addr,
		.transport = r->now.transport, .name = r->host };
}

/* When nothing was heard by then, the next one is tried. */
static int64_t
patience_ms(const struct registration *r)
{
	const struct peer *peer = peer_of(r);

	if (r->ending)
		return REGISTER_END_MS;
	if (r->next_target < r->ntargets ||
	    (peer != NULL && r->next_uri < peer->nuris))
		return r->p->env.target_timeout_ms;
	return 64 * r->p->env.t1_ms + HEARD_MS;
}

bool
registration_ask(struct registration *r)
{
	static const struct client_hooks hooks = { on_failed };
	char branch[BRANCH_DRAWN_TEXT + 1];
	struct branch_asks asks = { .branch = branch, .call_id = r->call_id,
		.cseq = ++r->cseq, .to = &r->now.addr };
	const struct target t = target_of(r);
	struct client_conf conf = { .kind = CLIENT_OTHER,
		.hop = targets_own_hop(r->p, peer_of(r), &t, r->way),
		.hooks = &hooks, .owner = &r->owner };
	struct writer w;
	int error;

	branch_draw(branch);
	if (!register_write(r, &asks, &w))
		return false;
	conf.key = branch_key(r->p, r->way, &asks);
	r->client = client_new(r->p->transactions, &conf, w.p, w.len, &error);
	if (r->client == NULL)
		return false;
	r->state = REG_ASK;
	loop_timer_start(r->timer, patience_ms(r));
	return true;
}

static bool
ask_target(struct registration *r, const struct dns_target *t)
{
	struct target target;

	r->now = *t;
	r->tries = (struct uplink_tries){ 0 };
	r->asked_s = r->ending ? 0 : r->expires_ms / 1000;
	target = target_of(r);
	watch_know_peer(r->p->watch, &target.addr, clock_mono_ms());
	r->way = targets_own_way(r->p, peer_of(r), &target);
	if (r->way != NULL && registration_ask(r))
		return true;
	registration_say(r, EV_UPLINK_FAILED, r->way == NULL ?
	    "no-way-out" : "send", 0);
	return false;
}

void
registration_try(struct registration *r)
{
	const struct peer *peer = peer_of(r);

	for (;;) {
		while (r->next_target < r->ntargets)
			if (ask_target(r, &r->target[r->next_target++]))
				return;
		if (r->ending || peer == NULL || r->next_uri >= peer->nuris) {
			registration_round_failed(r);
			return;
		}
		if (!look(r, peer->uri[r->next_uri++]))
			return;
	}
}
