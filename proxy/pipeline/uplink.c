/*
 * uplink.c -- challenges of a peer's targets, answered with our credentials.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "pipeline/message.h"
#include "pipeline/request.h"
#include "pipeline/targets.h"
#include "pipeline/uplink.h"

enum {
	PLACES_MAX = 8,			/* targets whose nonces are kept */
	HEADERS_MAX = 16,		/* challenges of an answer, looked at */
	CNONCE_BYTES = 12
};

/* What is known of one target. */
struct place {
	struct addr	 addr;		/* port 0: free */
	uint64_t	 used;		/* when, in uses of the uplink */
	struct answer_nonce www, proxy;
};

struct uplink {
	UT_hash_handle	 hh;
	uint32_t	 peer_id;
	char		*peer;
	struct answer_as as;		/* its texts are ours */
	uint64_t	 uses;
	int64_t		 said_s;	/* one line a second is enough */
	struct place	 place[PLACES_MAX];
};

struct uplinks {
	struct uplink	*by_peer;
};

static void
free_uplink(struct uplink *u)
{
	free(u->peer);
	free((char *)(uintptr_t)u->as.user);
	free((char *)(uintptr_t)u->as.realm);
	secret_free(u, sizeof *u);
}

static struct uplink *
new_uplink(const struct account *a)
{
	struct uplink *u = calloc(1, sizeof *u);

	if (u == NULL)
		return NULL;
	u->peer_id = a->peer_id;
	u->peer = strdup(a->peer);
	u->as = a->as;
	u->as.user = strdup(a->as.user);
	u->as.realm = strdup(a->as.realm);
	if (u->peer != NULL && u->as.user != NULL && u->as.realm != NULL)
		return u;
	free_uplink(u);
	return NULL;
}

static bool
same_secrets(const struct ha1_set *a, const struct ha1_set *b)
{
	bool same = memcmp(a->has, b->has, sizeof a->has) == 0;

	return secret_eq(a->ha1, sizeof a->ha1, b->ha1, sizeof b->ha1) && same;
}

static bool
is_as_before(const struct uplink *u, const struct account *a)
{
	return strcmp(u->peer, a->peer) == 0 &&
	    strcmp(u->as.user, a->as.user) == 0 &&
	    strcmp(u->as.realm, a->as.realm) == 0 &&
	    u->as.legacy == a->as.legacy &&
	    same_secrets(&u->as.ha1, &a->as.ha1);
}

static bool
add(struct uplinks *us, const struct account *a)
{
	struct uplink *u = new_uplink(a);

	if (u == NULL)
		return false;
	HASH_ADD(hh, us->by_peer, peer_id, sizeof u->peer_id, u);
	if (u->hh.tbl != NULL)
		return true;
	free_uplink(u);
	return false;
}

void
uplinks_free(struct uplinks *us)
{
	struct uplink *u, *next;

	if (us == NULL)
		return;
	HASH_ITER(hh, us->by_peer, u, next) {
		HASH_DELETE(hh, us->by_peer, u);
		free_uplink(u);
	}
	free(us);
}

/* What was known, where nothing else changed. */
static void
keep_nonces(struct uplinks *now, const struct uplinks *before,
    const struct account *a)
{
	struct uplink *u, *old = NULL;

	HASH_FIND(hh, now->by_peer, &a->peer_id, sizeof a->peer_id, u);
	if (before != NULL)
		HASH_FIND(hh, before->by_peer, &a->peer_id,
		    sizeof a->peer_id, old);
	if (u == NULL || old == NULL || !is_as_before(old, a))
		return;
	u->uses = old->uses;
	memcpy(u->place, old->place, sizeof u->place);
}

bool
uplinks_update(struct pipeline *p)
{
	const struct policy *policy = p->policy;
	struct uplinks *us = calloc(1, sizeof *us);

	if (us == NULL)
		return false;
	for (size_t i = 0; i < policy->naccounts; i++) {
		if (!add(us, &policy->accounts[i])) {
			uplinks_free(us);
			return false;
		}
		keep_nonces(us, p->uplinks, &policy->accounts[i]);
	}
	uplinks_free(p->uplinks);
	p->uplinks = us;
	return true;
}

struct uplink *
uplink_find(const struct pipeline *p, uint32_t peer_id)
{
	struct uplink *u;

	HASH_FIND(hh, p->uplinks->by_peer, &peer_id, sizeof peer_id, u);
	return u;
}

static struct place *
find_place(struct uplink *u, const struct addr *a)
{
	for (size_t i = 0; i < PLACES_MAX; i++)
		if (u->place[i].addr.port != 0 &&
		    addr_same(&u->place[i].addr, a))
			return &u->place[i];
	return NULL;
}

/* A free one, or that which was not used for longest. */
static struct place *
take_place(struct uplink *u, const struct addr *a)
{
	struct place *place = find_place(u, a);

	if (place != NULL)
		return place;
	place = &u->place[0];
	for (size_t i = 1; i < PLACES_MAX; i++)
		if (u->place[i].used < place->used)
			place = &u->place[i];
	memset(place, 0, sizeof *place);
	place->addr = *a;
	return place;
}

static void
say_refused(struct uplink *u, const struct uplink_challenge *c,
    const char *why)
{
	int64_t now_s = clock_mono_ms() / 1000;
	char target[ADDR_TEXT_MAX];

	if (u->said_s == now_s)
		return;
	u->said_s = now_s;
	log_event(EV_UPLINK_REFUSED, kv_str("peer", u->peer),
	    kv_str("target", addr_text(c->from, target)),
	    kv_str("reason", why),
	    kv_int("status", c->sip->sip_status->st_status));
}

/* Once; and once more if only the nonce was too old. */
static bool
may_answer(uint8_t *tries, const struct challenge *c)
{
	if (*tries > 1 || (*tries == 1 && !c->stale))
		return false;
	++*tries;
	return true;
}

static void
read_challenges(struct uplink *u, const sip_t *sip, const char *header,
    struct challenges *all)
{
	sip_unknown_t *un = NULL;

	memset(all, 0, offsetof(struct challenges, c));
	for (unsigned n = 0; n < HEADERS_MAX; n++) {
		un = message_other(sip, header, un);
		if (un == NULL)
			break;
		challenges_add(all, message_raw_value(un->un_common), &u->as);
	}
}

static enum uplink_verdict
judge(struct uplink *u, const struct uplink_challenge *c, bool proxy)
{
	struct challenges all;
	struct place *place;
	uint8_t *tries = proxy ? &c->tries->proxy : &c->tries->www;
	struct answer_nonce *nonce;

	read_challenges(u, c->sip, proxy ? "Proxy-Authenticate" :
	    "WWW-Authenticate", &all);
	if (!all.seen)
		return UPLINK_NOT_OURS;
	place = take_place(u, c->from);
	place->used = ++u->uses;
	nonce = proxy ? &place->proxy : &place->www;
	if (all.fit && may_answer(tries, &all.c[all.best])) {
		answer_learn(nonce, &all.c[all.best]);
		return UPLINK_AGAIN;
	}
	nonce->live = false;
	say_refused(u, c, all.fit ? "credentials" : all.fault);
	return UPLINK_REFUSED;
}

/* RFC 3261 16.7 item 7: a 401 may bear Proxy-Authenticate, too. */
enum uplink_verdict
uplink_judge(struct uplink *u, const struct uplink_challenge *c)
{
	enum uplink_verdict www = judge(u, c, false),
	    proxy = judge(u, c, true);

	return www > proxy ? www : proxy;
}

static void
put(struct writer *w, const char *header, struct answer_nonce *nonce,
    const struct answer_as *as, const struct answer_request *r)
{
	if (!nonce->live)
		return;
	put_text(w, header);
	answer_write(w, nonce, as, r);
	put_text(w, "\r\n");
}

void
uplink_put(struct uplink *u, const struct uplink_request *r, struct writer *w)
{
	struct place *place = find_place(u, r->to);
	char cnonce[2 * CNONCE_BYTES + 1];
	struct answer_request a = { .method = r->method, .uri = r->uri,
		.body = r->body, .cnonce = { cnonce, 2 * CNONCE_BYTES } };

	if (place == NULL || (!place->www.live && !place->proxy.live))
		return;
	place->used = ++u->uses;
	random_hex(cnonce, CNONCE_BYTES);
	put(w, "Authorization: ", &place->www, &u->as, &a);
	put(w, "Proxy-Authorization: ", &place->proxy, &u->as, &a);
}

/* Only targets that the file names for the peer; in a dialog also the address
 * that its sides name, if one of those led there before. */
static struct uplink *
uplink_of(struct leg *leg)
{
	struct uplink *u;

	if (leg->peer == NULL || leg->peer->account == NULL ||
	    leg->flow_way != NULL || leg->flow_connection != 0)
		return NULL;
	u = uplink_find(leg->req->p, leg->peer->id);
	if (u == NULL || targets_are_own(leg) ||
	    find_place(u, &leg->tried) != NULL)
		return u;
	return NULL;
}

enum uplink_verdict
uplink_judge_leg(struct leg *leg, const sip_t *sip)
{
	struct uplink *u = uplink_of(leg);
	struct uplink_challenge c = { &leg->tried, &leg->answers, sip };

	return u == NULL ? UPLINK_NOT_OURS : uplink_judge(u, &c);
}

/* As it leaves: an edited one is not yet written. */
static struct str
uri_of(struct leg *leg)
{
	struct str uri = message_raw_uri(leg->sip);

	if (uri.p == NULL)
		uri = str_of(url_as_string(msg_home(leg->msg),
		    leg->sip->sip_request->rq_url));
	return uri;
}

bool
uplink_put_leg(struct leg *leg, struct writer *w)
{
	struct uplink *u = uplink_of(leg);
	const sip_payload_t *pl = leg->sip->sip_payload;
	struct uplink_request r = { .to = &leg->tried,
		.method = leg->req->method_name };

	/* an ACK cannot be challenged (RFC 3261 22.1) */
	if (u == NULL || leg->req->method == sip_method_ack)
		return true;
	r.uri = uri_of(leg);
	if (pl != NULL)
		r.body = (struct str){ pl->pl_data, pl->pl_len };
	uplink_put(u, &r, w);
	return r.uri.p != NULL;
}
