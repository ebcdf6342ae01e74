/*
 * registration.c -- one address that we register at a peer: its targets are
 * asked one after the other; when none takes it, again after a while.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "io/loop.h"
#include "pipeline/message.h"
#include "pipeline/registration_inner.h"
#include "pipeline/targets.h"

enum {
	LOOK_MS = 5000,			/* for the addresses of a target */
	LEAST_MS = 1000,		/* between two of our requests */
	END_MS = 2000,			/* to be taken back */
	MOST_S = 7 * 24 * 3600		/* that a peer may ask for by 423 */
};

static void next_target(struct registration *r);

/* A part of it, up to a quarter, is left out: others began when we did. */
static int64_t
with_jitter(int64_t ms)
{
	uint8_t random[4];

	random_bytes(random, sizeof random);
	return ms - ms / 4 * (get_u32(random) % 1024) / 1024;
}

void
registration_start(struct registration *r, int64_t after_ms)
{
	r->state = REG_WAIT;
	loop_timer_start(r->timer, after_ms);
}

static void
say(const struct registration *r, enum event ev, const char *reason,
    int status)
{
	char target[ADDR_TEXT_MAX];

	log_event(ev, kv_str("peer", r->peer), kv_str("aor", r->aor),
	    kv_str("target", r->now.addr.port == 0 ? NULL :
	    addr_text(&r->now.addr, target)),
	    kv_str("reason", reason), kv_int("status", status));
}

static void
over(struct registration *r)
{
	r->until_ms = 0;
	r->state = REG_OVER;
	loop_timer_start(r->timer, 0);
}

/* None of the targets took it. */
static void
round_failed(struct registration *r)
{
	int64_t wait_ms = r->retry_ms, now_ms = clock_mono_ms();

	if (r->ending) {
		over(r);
		return;
	}
	for (unsigned i = 0; i < r->rounds && wait_ms < r->retry_max_ms; i++)
		wait_ms *= 2;
	if (wait_ms > r->retry_max_ms)
		wait_ms = r->retry_max_ms;
	r->rounds++;
	if (!registration_stands(r, now_ms))
		r->until_ms = 0;
	registration_start(r, with_jitter(wait_ms));
}

/* The host that the URI names, without brackets. */
static void
keep_host(struct registration *r, const char *uri)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const url_t *u = url_make(home, uri);
	const char *host = u == NULL || u->url_host == NULL ? "" :
	    u->url_host;
	size_t n;

	host += *host == '[';
	n = strcspn(host, "]");
	if (n >= sizeof r->host)
		n = 0;
	memcpy(r->host, host, n);
	r->host[n] = '\0';
	su_home_deinit(home);
}

static void
take_targets(struct registration *r, enum dns_result result,
    const struct dns_target *t, size_t n)
{
	r->ntargets = 0;
	r->next_target = 0;
	if (result != DNS_OK || n == 0)
		say(r, EV_UPLINK_FAILED, "dns", 0);
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
	next_target(r);
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
		.timeout_ms = LOOK_MS, .done = on_dns, .arg = r };
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = 0;
	enum dns_result result;

	keep_host(r, uri);
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
	say(r, EV_UPLINK_FAILED, why == CLIENT_TIMEOUT ? "timeout" :
	    "transport", 0);
	next_target(r);
}

static struct target
target_of(const struct registration *r)
{
	return (struct target){ .addr = r->now.addr,
		.transport = r->now.transport, .name = r->host };
}

static void
make_branch(char out[7 + 33])
{
	uint8_t random[16];

	random_bytes(random, sizeof random);
	memcpy(out, "z9hG4bK", 7);
	hex_encode(out + 7, random, sizeof random);
}

/* When nothing was heard by then, the next one is tried. */
static int64_t
patience_ms(const struct registration *r)
{
	const struct peer *peer = peer_of(r);

	if (r->ending)
		return END_MS;
	if (r->next_target < r->ntargets ||
	    (peer != NULL && r->next_uri < peer->nuris))
		return r->p->env.target_timeout_ms;
	return 64 * r->p->env.t1_ms + LEAST_MS;
}

/* To r->now by r->way. */
static bool
ask(struct registration *r)
{
	static const struct client_hooks hooks = { on_failed };
	char branch[7 + 33];
	struct branch_asks asks = { .branch = branch, .call_id = r->call_id,
		.cseq = ++r->cseq, .to = &r->now.addr };
	const struct target t = target_of(r);
	struct client_conf conf = { .kind = CLIENT_OTHER,
		.hop = targets_own_hop(r->p, peer_of(r), &t, r->way),
		.hooks = &hooks, .owner = &r->owner };
	struct writer w;
	int error;

	make_branch(branch);
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
	r->way = targets_own_way(r->p, peer_of(r), &target);
	if (r->way != NULL && ask(r))
		return true;
	say(r, EV_UPLINK_FAILED, r->way == NULL ? "no-way-out" : "send", 0);
	return false;
}

static void
next_target(struct registration *r)
{
	const struct peer *peer = peer_of(r);

	for (;;) {
		while (r->next_target < r->ntargets)
			if (ask_target(r, &r->target[r->next_target++]))
				return;
		if (r->ending || peer == NULL || r->next_uri >= peer->nuris) {
			round_failed(r);
			return;
		}
		if (!look(r, peer->uri[r->next_uri++]))
			return;
	}
}

/* Where it stands comes first, and at the end it is the only one. */
static void
begin_round(struct registration *r)
{
	bool stands = registration_stands(r, clock_mono_ms());

	r->next_uri = 0;
	r->ntargets = 0;
	r->next_target = 0;
	if (!stands)
		r->until_ms = 0;
	if (stands) {
		r->target[r->ntargets++] = r->at;
		memcpy(r->host, r->at_host, sizeof r->host);
		r->uri = r->at_uri;
	}
	next_target(r);
}

static void
let_go(struct registration *r)
{
	if (r->client != NULL)
		client_release(r->client);
	r->client = NULL;
	if (r->dns != NULL)
		dns_cancel(r->p->env.dns, r->dns);
	r->dns = NULL;
	loop_timer_stop(r->timer);
}

static void
unlink_and_free(struct registration *r)
{
	struct registration **at = &r->p->registrations->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	registration_free(r);
}

static void
on_timer(void *arg)
{
	struct registration *r = arg;

	switch (r->state) {
	case REG_WAIT:
		begin_round(r);
		break;
	case REG_ASK:
		let_go(r);
		say(r, EV_UPLINK_FAILED, "silence", 0);
		next_target(r);
		break;
	case REG_LOOK:			/* ends by itself */
		break;
	case REG_OVER:
		unlink_and_free(r);
		break;
	}
}

/* RFC 3261 10.2.4: it stands, and is renewed at half its time. */
static void
taken(struct registration *r, const sip_t *sip)
{
	int64_t granted_ms = register_granted(r, sip) * 1000,
	    now_ms = clock_mono_ms(), wait_ms = with_jitter(granted_ms / 2);
	bool before = registration_stands(r, now_ms) &&
	    addr_same(&r->at.addr, &r->now.addr);

	if (r->ending) {
		over(r);
		return;
	}
	if (granted_ms == 0) {
		say(r, EV_UPLINK_FAILED, "not-registered", 200);
		next_target(r);
		return;
	}
	r->until_ms = now_ms + granted_ms;
	r->at = r->now;
	memcpy(r->at_host, r->host, sizeof r->at_host);
	r->at_uri = r->uri;
	r->connection = r->p->arrived->connection;
	r->rounds = 0;
	if (!before)
		say(r, EV_UPLINK_REGISTERED, NULL, 200);
	registration_start(r, wait_ms < LEAST_MS ? LEAST_MS : wait_ms);
}

/* RFC 3261 10.3 item 7: once, and within reason. */
static bool
asks_for_longer(struct registration *r, const sip_t *sip)
{
	int64_t least_s = message_seconds(sip, "Min-Expires");

	if (r->ending || least_s <= r->asked_s || least_s > MOST_S ||
	    r->asked_s != r->expires_ms / 1000)
		return false;
	r->asked_s = least_s;
	return true;
}

/* The same target once more: with credentials, or for a longer time. */
static bool
again(struct registration *r, const sip_t *sip, int status)
{
	struct uplink *u = uplink_find(r->p, r->peer_id);
	struct uplink_challenge c = { &r->now.addr, &r->tries, sip };

	if (status == 423)
		return asks_for_longer(r, sip) && ask(r);
	if (status != 401 && status != 407)
		return false;
	return u != NULL && uplink_judge(u, &c) == UPLINK_AGAIN && ask(r);
}

/* A 5xx is that target's own trouble, the rest would be the same at the
 * next. */
static void
refused(struct registration *r, int status)
{
	if (status >= 500 && status < 600) {
		say(r, EV_UPLINK_FAILED, "status", status);
		next_target(r);
		return;
	}
	say(r, EV_UPLINK_REFUSED, "status", status);
	round_failed(r);
}

static void
on_response(struct client_owner *o, msg_t *msg, int status)
{
	struct registration *r = (struct registration *)o;
	const sip_t *sip = sip_object(msg);

	if (status >= 200) {
		r->client = NULL;
		loop_timer_stop(r->timer);
		if (status < 300)
			taken(r, sip);
		else if (!again(r, sip, status))
			refused(r, status);
	}
	msg_destroy(msg);
}

static bool
was_asked(const struct client_owner *o, const sip_t *sip)
{
	(void)o;
	return sip->sip_cseq->cs_method == sip_method_register &&
	    sip->sip_via->v_next == NULL;
}

static void
make_names(struct registration *r)
{
	const struct mac_part who[] = { { r->peer, strlen(r->peer) + 1 },
		{ r->aor, strlen(r->aor) } };
	uint8_t mac[MARK_BYTES], random[16 + 8];

	for (size_t i = 0; i < keys_count(r->p->env.keys); i++) {
		keys_mark(r->p->env.keys, i, KEY_LINE, 0, who, 2, mac);
		base64url_encode(r->line[i], mac, LINE_BYTES);
	}
	random_bytes(random, sizeof random);
	hex_encode(r->call_id, random, 16);
	hex_encode(r->tag, random + 16, 8);
}

struct registration *
registration_new(struct pipeline *p, const struct peer *peer)
{
	const struct register_conf *conf = peer->registration;
	struct registration *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->owner = (struct client_owner){ was_asked, on_response };
	r->p = p;
	r->peer_id = peer->id;
	r->expires_ms = conf->expires_ms;
	r->retry_ms = conf->retry_ms;
	r->retry_max_ms = conf->retry_max_ms;
	r->peer = strdup(peer->name);
	r->aor = strdup(conf->aor);
	if (conf->contact != NULL)
		r->contact = strdup(conf->contact);
	r->timer = loop_timer_new(p->env.loop, on_timer, r);
	if (r->peer == NULL || r->aor == NULL || r->timer == NULL ||
	    (r->contact == NULL) != (conf->contact == NULL)) {
		registration_free(r);
		return NULL;
	}
	make_names(r);
	return r;
}

void
registration_end(struct registration *r)
{
	int64_t now_ms = clock_mono_ms();

	if (r->ending)
		return;
	let_go(r);
	r->ending = true;
	if (r->state == REG_ASK && !registration_stands(r, now_ms)) {
		r->at = r->now;		/* it may be taken all the same */
		memcpy(r->at_host, r->host, sizeof r->at_host);
		r->until_ms = now_ms + END_MS;
	}
	if (registration_stands(r, now_ms))
		begin_round(r);
	else
		over(r);
}

void
registration_free(struct registration *r)
{
	if (r->timer != NULL)
		let_go(r);
	loop_timer_free(r->timer);
	free(r->peer);
	free(r->aor);
	free(r->contact);
	free(r);
}
