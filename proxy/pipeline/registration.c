/*
 * registration.c -- one address that we register at a peer: what comes of
 * asking its targets; when none takes it, again after a while.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "io/loop.h"
#include "pipeline/message.h"
#include "pipeline/registration_inner.h"

enum {
	LEAST_MS = 1000,		/* between two of our requests */
	MOST_S = 7 * 24 * 3600		/* that a peer may ask for by 423 */
};

/* A part of it, up to a quarter, is left out: others began when we did. */
static int64_t
with_jitter(int64_t ms)
{
	return ms - random_upto(ms / 4);
}

void
registration_start(struct registration *r, int64_t after_ms)
{
	r->state = REG_WAIT;
	loop_timer_start(r->timer, after_ms);
}

static void
over(struct registration *r)
{
	r->until_ms = 0;
	r->state = REG_OVER;
	loop_timer_start(r->timer, 0);
}

void
registration_round_failed(struct registration *r)
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
	registration_try(r);
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
		registration_say(r, EV_UPLINK_FAILED, "silence", 0);
		registration_try(r);
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
		registration_say(r, EV_UPLINK_FAILED, "not-registered", 200);
		registration_try(r);
		return;
	}
	r->until_ms = now_ms + granted_ms;
	r->at = r->now;
	memcpy(r->at_host, r->host, sizeof r->at_host);
	r->at_uri = r->uri;
	r->connection = r->p->arrived->connection;
	r->rounds = 0;
	if (!before)
		registration_say(r, EV_UPLINK_REGISTERED, NULL, 200);
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
		return asks_for_longer(r, sip) && registration_ask(r);
	if (status != 401 && status != 407)
		return false;
	return u != NULL && uplink_judge(u, &c) == UPLINK_AGAIN &&
	    registration_ask(r);
}

/* A 5xx is that target's own trouble, the rest would be the same at the
 * next. */
static void
refused(struct registration *r, int status)
{
	if (status >= 500 && status < 600) {
		registration_say(r, EV_UPLINK_FAILED, "status", status);
		registration_try(r);
		return;
	}
	registration_say(r, EV_UPLINK_REFUSED, "status", status);
	registration_round_failed(r);
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
	uint8_t mac[MARK_BYTES];

	for (size_t i = 0; i < keys_count(r->p->env.keys); i++) {
		keys_mark(r->p->env.keys, i, KEY_LINE, 0, who, 2, mac);
		base64url_encode(r->line[i], mac, LINE_BYTES);
	}
	random_hex(r->call_id, sizeof r->call_id / 2);
	random_hex(r->tag, sizeof r->tag / 2);
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
		r->until_ms = now_ms + REGISTER_END_MS;
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
