/*
 * branch.c -- one client transaction of a leg, towards one target.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "pipeline/branch.h"
#include "pipeline/branch_id.h"
#include "pipeline/call_course.h"
#include "pipeline/client_owner.h"
#include "pipeline/edit.h"
#include "pipeline/intake.h"
#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/targets.h"

enum { TOP_MAX = 8192 };	/* Via, Record-Routes with tokens, Path, our
				 * credentials */

/* How many branches are under way to one address. */
struct target_load {
	UT_hash_handle	 hh;
	struct target	 target;
	int64_t		 pending;
};

struct branch {
	struct client_owner owner;	/* first */
	struct timeout	 timeout;	/* Timer C, or after a CANCEL */
	struct timeout	 silence;
	struct leg	*leg;
	struct request	*req;
	struct client	*client;	/* NULL: it has ended */
	struct target_load *load;
	struct member	*member;	/* of the peer's set; may be NULL */
	bool		 provisional, cancel_wanted, cancel_sent;
};

static struct target_load *
load_take(struct pipeline *p, const struct target *t)
{
	struct target_load *l;
	struct target key;

	memset(&key, 0, sizeof key);	/* padding is hashed, too */
	key.addr = t->addr;
	key.transport = t->transport;
	HASH_FIND(hh, p->loads, &key, sizeof key, l);
	if (l == NULL) {
		l = calloc(1, sizeof *l);
		if (l == NULL)
			return NULL;
		l->target = key;
		HASH_ADD(hh, p->loads, target, sizeof l->target, l);
		if (l->hh.tbl == NULL) {
			free(l);
			return NULL;
		}
	}
	l->pending++;
	return l;
}

static void
load_give(struct pipeline *p, struct target_load *l)
{
	if (l == NULL || --l->pending > 0)
		return;
	HASH_DELETE(hh, p->loads, l);
	free(l);
}

void
branch_loads_free(struct pipeline *p)
{
	struct target_load *l, *tmp;

	HASH_ITER(hh, p->loads, l, tmp) {
		HASH_DELETE(hh, p->loads, l);
		free(l);
	}
}

static bool
is_too_busy(const struct request *req, const struct target_load *l)
{
	return intake_is_over(req, req->policy->limits->pending_per_target,
	    l->pending - 1);
}

/* RFC 3261 9.1: on the INVITE's own branch, on its way. */
static void
send_cancel(struct pipeline *p, struct client *c, const char *reason)
{
	struct derived d = { .method = "CANCEL", .more = reason };
	struct writer w = writer_on(p->scratch, SCRATCH_SIZE);
	struct client_conf conf = {
		.key = client_key(c), .kind = CLIENT_OTHER,
		.hop = *client_hop(c),
	};
	int error;

	message_derive(&w, client_request(c), &d);
	if (!w.full)
		client_new(p->transactions, &conf, w.p, w.len, &error);
}

void
branch_cancel_orphan(struct pipeline *p, struct client *c)
{
	if (client_request(c).len > 0)
		send_cancel(p, c, NULL);
}

static struct branch *
of_timeout(struct timeout *t)
{
	return (struct branch *)((char *)t - offsetof(struct branch,
	    timeout));
}

static void
start_timer_c(struct branch *b)
{
	if (b->req->method != sip_method_invite || b->cancel_sent)
		return;
	timeouts_add(b->req->p->timer_c, &b->timeout);
	call_rings(b->req);
}

void
branch_cancel(struct branch *b)
{
	struct pipeline *p = b->req->p;

	b->cancel_wanted = true;
	if (b->cancel_sent || b->client == NULL || !b->provisional ||
	    b->req->method != sip_method_invite)
		return;
	b->cancel_sent = true;
	send_cancel(p, b->client, b->req->cancel_reason);
	timeouts_remove(p->timer_c, &b->timeout);
	timeouts_add(p->timer_cancel, &b->timeout);
}

void
branch_timer_c(void *arg, struct timeout *t)
{
	struct branch *b = of_timeout(t);
	char target[ADDR_TEXT_MAX];

	(void)arg;
	log_event(EV_TIMER_C, kv_str("call_id",
	    b->req->sip->sip_call_id->i_id),
	    kv_str("target", addr_text(&b->leg->tried, target)));
	if (b->provisional)
		branch_cancel(b);
	else
		relay_failure(b->leg, 408);
}

void
branch_timer_cancel(void *arg, struct timeout *t)
{
	struct branch *b = of_timeout(t);

	(void)arg;
	relay_failure(b->leg, 408);
}

void
branch_timer_silence(void *arg, struct timeout *t)
{
	struct branch *b = (struct branch *)((char *)t -
	    offsetof(struct branch, silence));

	(void)arg;
	relay_silence(b->leg);
}

static void
on_provisional(struct branch *b)
{
	b->provisional = true;
	start_timer_c(b);
	if (b->cancel_wanted)
		branch_cancel(b);
}

static void
on_failed(void *owner, enum client_failure why)
{
	struct branch *b = owner;

	b->client = NULL;
	relay_failure(b->leg, why == CLIENT_TIMEOUT ? 408 : 503);
}

static bool
branch_asked(const struct client_owner *o, const sip_t *sip)
{
	const struct branch *b = (const struct branch *)o;

	return sip->sip_cseq->cs_method == b->req->method &&
	    sip->sip_via->v_next != NULL && strcmp(
	    sip->sip_cseq->cs_method_name,
	    b->req->sip->sip_cseq->cs_method_name) == 0;
}

static void
branch_response(struct client_owner *o, msg_t *msg, int status)
{
	struct branch *b = (struct branch *)o;

	timeouts_remove(b->req->p->timer_silence, &b->silence);
	if (status != 503)
		targets_note(b->leg, TARGET_SERVED, 0);
	if (status >= 200)
		b->client = NULL;
	if (status > 100)
		relay_response(b->leg, msg, status);
	else
		msg_destroy(msg);
	if (status < 200)	/* then the request goes on */
		on_provisional(b);
}

/* Our Via, and what else a request bears on top that leaves by this way. */
static bool
put_top(struct leg *leg, const struct way *way,
    const struct branch_asks *asks, struct writer *w)
{
	branch_put_via(w, way, asks);
	if (!leg->edited && edit_request(leg, way) < 0)
		return false;
	leg->edited = true;
	return edit_for_way(leg, way, w) == 0 && uplink_put_leg(leg, w) &&
	    flow_put_handed(leg, w) && !w->full;
}

/* What the request of this leg will be known by, with a branch of its own. */
static struct branch_asks
asks_of(const struct leg *leg, char id[BRANCH_ID_TEXT + 1])
{
	const sip_t *sip = leg->req->sip;

	branch_id_make(leg->req, id);
	return (struct branch_asks){ id, sip->sip_call_id->i_id,
		sip->sip_cseq->cs_seq, &leg->tried };
}

/* The request as it leaves by this way; in the pipeline's scratch. */
static bool
write_request(struct leg *leg, const struct way *way,
    const struct branch_asks *asks, struct writer *out)
{
	char top[TOP_MAX];
	struct writer w = writer_on(top, sizeof top - 1);

	if (!put_top(leg, way, asks, &w))
		return false;
	top[w.len] = '\0';
	*out = writer_on(leg->req->p->scratch, SCRATCH_SIZE);
	return message_write(out, leg->msg, top);
}

/* The same, by the way that its length asks for: *way and *t may change. */
static bool
write_to_fit(struct leg *leg, const struct branch_asks *asks,
    const struct target **t, const struct way **way, struct writer *out)
{
	const struct way *stream;

	if (!write_request(leg, *way, asks, out))
		return false;
	stream = targets_stream(leg, *t, *way, out->len);
	if (stream == NULL)
		return true;
	*t = &leg->stream;
	*way = stream;
	return write_request(leg, stream, asks, out);
}

static struct client *
send_request(struct branch *b, const struct target *t, const struct way *way)
{
	static const struct client_hooks hooks = { on_failed };
	struct request *req = b->req;
	char id[BRANCH_ID_TEXT + 1];
	struct writer w;
	struct client_conf conf = {
		.kind = req->method == sip_method_invite ? CLIENT_INVITE :
		    CLIENT_OTHER,
		.hooks = &hooks, .owner = &b->owner,
	};
	struct branch_asks asks = asks_of(b->leg, id);
	int error;

	if (!write_to_fit(b->leg, &asks, &t, &way, &w))
		return NULL;
	conf.hop = targets_hop(b->leg, t, way);
	conf.key = branch_key(req->p, way, &asks);
	return client_new(req->p->transactions, &conf, w.p, w.len, &error);
}

bool
branch_pass(struct leg *leg, const struct target *t)
{
	const struct way *way = targets_way(leg, t);
	char id[BRANCH_ID_TEXT + 1];
	struct branch_asks asks;
	struct writer w;
	struct hop hop;

	if (way == NULL)
		return false;
	targets_turn_to(leg, t);
	asks = asks_of(leg, id);
	if (!write_request(leg, way, &asks, &w))
		return false;
	hop = targets_hop(leg, t, way);
	return transport_send(leg->req->p->env.transports, &hop, w.p, w.len,
	    NULL) == 0;
}

static struct branch *
branch_new(struct leg *leg, const struct target *t)
{
	struct branch *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->owner = (struct client_owner){ branch_asked, branch_response };
	b->leg = leg;
	b->req = leg->req;
	leg->branch = b;
	b->member = t->member;
	if (b->member != NULL)
		member_begin(b->member);
	b->load = load_take(b->req->p, t);
	if (b->load != NULL)
		return b;
	branch_free(b);
	return NULL;
}

enum branch_start
branch_start(struct leg *leg, const struct target *t)
{
	const struct way *way = targets_way(leg, t);
	struct branch *b;

	if (way == NULL)
		return BRANCH_NO_WAY;
	b = branch_new(leg, t);
	if (b == NULL)
		return BRANCH_FAILED;
	if (is_too_busy(leg->req, b->load))
		return branch_free(b), BRANCH_BUSY;
	targets_turn_to(leg, t);
	b->client = send_request(b, t, way);
	if (b->client == NULL && targets_no_stream(leg))
		b->client = send_request(b, t, way);
	if (b->client == NULL)
		return branch_free(b), BRANCH_FAILED;
	start_timer_c(b);
	if (targets_may_move_on(leg))
		timeouts_add(leg->req->p->timer_silence, &b->silence);
	return BRANCH_STARTED;
}

void
branch_free(struct branch *b)
{
	struct pipeline *p;

	if (b == NULL)
		return;
	p = b->req->p;
	b->leg->branch = NULL;
	timeouts_remove(p->timer_silence, &b->silence);
	timeouts_remove(b->cancel_sent ? p->timer_cancel : p->timer_c,
	    &b->timeout);
	load_give(p, b->load);
	if (b->member != NULL)
		member_end(b->member);
	if (b->client != NULL)
		client_release(b->client);
	free(b);
}
