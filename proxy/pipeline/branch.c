#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "pipeline/branch.h"
#include "pipeline/branch_id.h"
#include "pipeline/edit.h"
#include "pipeline/message.h"
#include "pipeline/targets.h"

/* How many branches are under way to one address. */
struct target_load {
	UT_hash_handle	 hh;
	struct target	 target;
	int64_t		 pending;
};

struct branch {
	struct timeout	 timeout;	/* first: the timers hand it back */
	struct request	*req;
	nta_outgoing_t	*orq;
	const struct way *way;
	struct target	 target;
	struct target_load *load;
	bool		 provisional, cancel_wanted, cancel_sent, final;
	bool		 sending;	/* nta_outgoing_mcreate() runs */
	int		 early;		/* a failure that came meanwhile */
};

static struct target_load *
load_take(struct pipeline *p, const struct target *t)
{
	struct target_load *l;
	struct target key;

	memset(&key, 0, sizeof key);
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

static void
send_cancel(struct branch *b)
{
	msg_t *invite = nta_outgoing_getrequest(b->orq), *msg;
	sip_t *is = sip_object(invite), *sip;
	nta_agent_t *agent = b->req->p->env.agent;
	nta_outgoing_t *orq;
	sip_via_t via = *is->sip_via;
	char url[TARGET_URL_MAX];

	b->cancel_sent = true;
	msg = nta_msg_create(agent, 0);
	if (msg == NULL)
		goto out;
	sip = sip_object(msg);
	via.v_next = NULL;
	sip_add_dup(msg, sip, (sip_header_t *)&via);
	sip_header_insert(msg, sip, (sip_header_t *)sip_request_create(
	    msg_home(msg), SIP_METHOD_CANCEL,
	    (url_string_t *)is->sip_request->rq_url, NULL));
	sip_header_insert(msg, sip, (sip_header_t *)sip_cseq_create(
	    msg_home(msg), is->sip_cseq->cs_seq, SIP_METHOD_CANCEL));
	sip_add_dup(msg, sip, (sip_header_t *)is->sip_from);
	sip_add_dup(msg, sip, (sip_header_t *)is->sip_to);
	sip_add_dup(msg, sip, (sip_header_t *)is->sip_call_id);
	sip_add_dup(msg, sip, (sip_header_t *)is->sip_route);
	sip_add_dup(msg, sip, (sip_header_t *)is->sip_max_forwards);
	if (b->req->cancel_reason != NULL)
		message_add_other(msg, sip, b->req->cancel_reason);
	targets_url(&b->target, url);
	orq = nta_outgoing_mcreate(agent, NULL, NULL, (url_string_t *)url,
	    msg, NTATAG_USER_VIA(1),
	    NTATAG_BRANCH_KEY(nta_outgoing_branch(b->orq)),
	    TPTAG_IDENT(b->way->ident),
	    TAG_IF(b->req->flow_tport != NULL,
	    NTATAG_TPORT(b->req->flow_tport)), TAG_END());
	if (orq == NULL)
		msg_destroy(msg);
	else
		nta_outgoing_destroy(orq);	/* it goes on by itself */
out:
	msg_destroy(invite);
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
	if (b->cancel_sent || b->final || !b->provisional)
		return;
	/* what it finds broken may fail the INVITE at once */
	b->sending = true;
	send_cancel(b);
	b->sending = false;
	timeouts_remove(p->timer_c, &b->timeout);
	if (b->early != 0)
		relay_failure(b->req, b->early);
	else
		timeouts_add(p->timer_cancel, &b->timeout);
}

void
branch_timer_c(void *arg, struct timeout *t)
{
	struct branch *b = (struct branch *)t;

	(void)arg;
	log_event(EV_TIMER_C, kv_str("call_id",
	    b->req->sip->sip_call_id->i_id),
	    kv_str("target", b->req->target_text));
	if (b->provisional)
		branch_cancel(b);
	else
		relay_failure(b->req, 408);
}

void
branch_timer_cancel(void *arg, struct timeout *t)
{
	struct branch *b = (struct branch *)t;

	(void)arg;
	relay_failure(b->req, 408);
}

static void
on_provisional(struct branch *b)
{
	b->provisional = true;
	start_timer_c(b);
	if (b->cancel_wanted)
		branch_cancel(b);
}

/* A final answer whose CSeq is for another method would stop nta. */
static bool
is_for_us(const struct branch *b, const sip_t *sip)
{
	return sip->sip_cseq != NULL &&
	    sip->sip_cseq->cs_method == b->req->method &&
	    sip->sip_via != NULL && sip->sip_via->v_next != NULL;
}

static void
report_failure(struct branch *b, int status)
{
	if (b->sending)
		b->early = status;
	else
		relay_failure(b->req, status);
}

/* false: it is no message that can be passed back. */
static bool
pass_back(struct branch *b, nta_outgoing_t *orq, int status)
{
	msg_t *msg = nta_outgoing_getresponse(orq);

	if (msg == NULL)
		return false;
	relay_response(b->req, msg, status);
	return true;
}

static int
on_response(struct branch *b, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = sip != NULL ? sip->sip_status->st_status :
	    nta_outgoing_status(orq);
	bool ours = sip != NULL && !nta_sip_is_internal(sip) &&
	    is_for_us(b, sip);

	b->final = status >= 200;
	if (!b->final) {
		if (ours && status > 100)
			pass_back(b, orq, status);
		on_provisional(b);	/* may end the request */
	} else if (!ours || !pass_back(b, orq, status)) {
		report_failure(b, ours || status != 408 ? 503 : 408);
	}
	return 0;
}

/* The received message for the first try; a copy without our Via later. */
static msg_t *
message_to_send(struct request *req, const struct way *way)
{
	msg_t *msg;
	sip_t *sip;

	if (!req->relayed) {
		if (edit_request(req) < 0 ||
		    edit_for_way(req, req->msg, req->sip, way) < 0)
			return NULL;
		req->relayed = true;
		return msg_ref(req->msg);
	}
	msg = msg_copy(req->msg);
	if (msg == NULL)
		return NULL;
	sip = sip_object(msg);
	if (sip_via_remove(msg, sip) == NULL ||
	    edit_change_way(req, msg, sip, way) < 0) {
		msg_destroy(msg);
		return NULL;
	}
	return msg;
}

static nta_outgoing_t *
send_request(struct branch *b, msg_t *msg, const sip_via_t *below)
{
	struct request *req = b->req;
	char url[TARGET_URL_MAX], id[BRANCH_ID_TEXT + 1];

	targets_url(&b->target, url);
	branch_id_make(req, below, id);
	return nta_outgoing_mcreate(req->p->env.agent, on_response, b,
	    (url_string_t *)url, msg, NTATAG_BRANCH_KEY(id),
	    TPTAG_IDENT(b->way->ident),
	    TAG_IF(req->flow_tport != NULL, NTATAG_TPORT(req->flow_tport)),
	    TAG_END());
}

enum branch_start
branch_start(struct request *req, const struct target *t)
{
	struct branch *b = calloc(1, sizeof *b);
	msg_t *msg;

	if (b == NULL)
		return BRANCH_FAILED;
	b->req = req;
	b->target = *t;
	req->branch = b;
	b->way = targets_way(req, t);
	if (b->way == NULL)
		return branch_free(b), BRANCH_NO_WAY;
	b->load = load_take(req->p, t);
	if (b->load == NULL)
		return branch_free(b), BRANCH_FAILED;
	if (is_too_busy(req, b->load))
		return branch_free(b), BRANCH_BUSY;
	addr_text(&t->addr, req->target_text);
	msg = message_to_send(req, b->way);
	if (msg == NULL)
		return branch_free(b), BRANCH_FAILED;
	b->sending = true;
	b->orq = send_request(b, msg, sip_object(msg)->sip_via);
	b->sending = false;
	if (b->orq == NULL)
		msg_destroy(msg);
	if (b->orq == NULL || b->early != 0)
		return branch_free(b), BRANCH_FAILED;
	start_timer_c(b);
	return BRANCH_STARTED;
}

void
branch_free(struct branch *b)
{
	struct pipeline *p;

	if (b == NULL)
		return;
	p = b->req->p;
	b->req->branch = NULL;
	timeouts_remove(p->timer_c, &b->timeout);
	timeouts_remove(p->timer_cancel, &b->timeout);
	load_give(p, b->load);
	if (b->orq != NULL)
		nta_outgoing_destroy(b->orq);
	free(b);
}
