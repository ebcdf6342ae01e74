#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "pipeline/branch.h"
#include "pipeline/branch_id.h"
#include "pipeline/edit.h"
#include "pipeline/message.h"
#include "pipeline/targets.h"

enum { TOP_MAX = 4096 };	/* Via, Record-Routes with tokens, Path */

/* How many branches are under way to one address. */
struct target_load {
	UT_hash_handle	 hh;
	struct target	 target;
	int64_t		 pending;
};

struct branch {
	struct timeout	 timeout;	/* first: the timers hand it back */
	struct timeout	 silence;
	struct leg	*leg;
	struct request	*req;
	struct client	*client;	/* NULL: it has ended */
	struct target_load *load;
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
	int64_t max = req->policy->limits->pending_per_target;

	return max >= 0 && l->pending > max && req->token_state != TOKEN_GOOD;
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

static void
start_timer_c(struct branch *b)
{
	if (b->req->method == sip_method_invite && !b->cancel_sent)
		timeouts_add(b->req->p->timer_c, &b->timeout);
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
	struct branch *b = (struct branch *)t;
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
	struct branch *b = (struct branch *)t;

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

bool
branch_asked(const struct branch *b, const sip_t *sip)
{
	return sip->sip_cseq->cs_method == b->req->method &&
	    sip->sip_via->v_next != NULL && strcmp(
	    sip->sip_cseq->cs_method_name,
	    b->req->sip->sip_cseq->cs_method_name) == 0;
}

void
branch_response(struct branch *b, msg_t *msg, int status)
{
	timeouts_remove(b->req->p->timer_silence, &b->silence);
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
put_top(struct leg *leg, const struct way *way, const char *id,
    struct writer *w)
{
	put_text(w, "Via: SIP/2.0/");
	put_text(w, transport_via_name(way->transport));
	put_text(w, " ");
	put_text(w, way->host);
	put_text(w, ":");
	put_uint(w, way->port);
	put_text(w, ";rport;branch=");
	put_text(w, id);
	put_text(w, "\r\n");
	if (!leg->edited && edit_request(leg, way) < 0)
		return false;
	leg->edited = true;
	return edit_for_way(leg, way, w) == 0 && !w->full;
}

/* The key of the transaction that starts with our Via. */
static uint64_t
key_of(const struct request *req, const struct way *way, const char *id)
{
	char host[sizeof way->host + 8];
	struct writer w = writer_on(host, sizeof host);
	struct transaction_id t = { .branch = str_of(id),
		.call_id = str_of(req->sip->sip_call_id->i_id),
		.cseq = req->sip->sip_cseq->cs_seq };

	put_text(&w, way->host);
	put_text(&w, ":");
	put_uint(&w, way->port);
	t.sent_by = (struct str){ host, w.len };
	return transaction_key(req->p->transactions, &t);
}

/* The request as it leaves by this way; in the pipeline's scratch. */
static bool
write_request(struct leg *leg, const struct way *way, const char *id,
    struct writer *out)
{
	char top[TOP_MAX];
	struct writer w = writer_on(top, sizeof top - 1);

	if (!put_top(leg, way, id, &w))
		return false;
	top[w.len] = '\0';
	*out = writer_on(leg->req->p->scratch, SCRATCH_SIZE);
	return message_write(out, leg->msg, top);
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
		.hop = targets_hop(b->leg, t, way), .hooks = &hooks,
		.owner = b,
	};
	int error;

	branch_id_make(req, id);
	if (!write_request(b->leg, way, id, &w))
		return NULL;
	conf.key = key_of(req, way, id);
	return client_new(req->p->transactions, &conf, w.p, w.len, &error);
}

bool
branch_pass(struct leg *leg, const struct target *t)
{
	const struct way *way = targets_way(leg, t);
	char id[BRANCH_ID_TEXT + 1];
	struct writer w;
	struct hop hop;

	if (way == NULL)
		return false;
	leg->tried = t->addr;
	branch_id_make(leg->req, id);
	if (!write_request(leg, way, id, &w))
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
	b->leg = leg;
	b->req = leg->req;
	leg->branch = b;
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
	leg->tried = t->addr;
	b->client = send_request(b, t, way);
	if (b->client == NULL)
		return branch_free(b), BRANCH_FAILED;
	start_timer_c(b);
	if (targets_are_left(leg))
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
	if (b->client != NULL)
		client_release(b->client);
	free(b);
}
