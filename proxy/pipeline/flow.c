/*
 * flow.c -- tokens in Record-Route, Path and Contact, put on and taken off.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "guard/shared.h"
#include "pipeline/flow.h"
#include "pipeline/own_uri.h"
#include "pipeline/targets.h"
#include "transport/line.h"

enum { HANDED_S = 60 };		/* clocks may differ, and hops wait */

static void
mac(void *arg, unsigned which, bool path, const struct str *part, unsigned n,
    uint8_t out[TOKEN_MAC_BYTES])
{
	struct pipeline *p = arg;
	struct mac_part parts[8];

	for (unsigned i = 0; i < n && i < 8; i++)
		parts[i] = (struct mac_part){ part[i].p, part[i].len };
	keys_mac(p->env.keys, which, path ? KEY_PATH : KEY_DIALOG, 0, parts,
	    n, out);
}

struct token_signer
flow_signer(struct pipeline *p)
{
	return (struct token_signer){ .mac = mac, .arg = p,
	    .nkeys = (unsigned)keys_count(p->env.keys) };
}

void
flow_of_sender(const struct request *req, struct side *out)
{
	const struct way *inside = req->p->env.ways->inside;

	memset(out, 0, sizeof *out);
	if (req->peer != NULL && !req->by_digest &&
	    peer_has_place(req->peer)) {
		out->kind = SIDE_PEER;
		out->peer = req->peer->id;
		return;
	}
	out->kind = SIDE_FLOW;
	out->listener = req->way->id;
	out->connection = req->connection;
	out->transport = req->transport;
	out->addr = req->reach;
	out->instance = req->p->env.instance;
	if (inside != NULL) {
		out->inside_transport = inside->transport;
		out->inside = inside->addr;
	}
}

static bool
is_held_here(const struct request *req, const struct side *flow)
{
	return flow->instance == req->p->env.instance;
}

bool
flow_is_sender(const struct request *req, const struct side *s)
{
	switch (s->kind) {
	case SIDE_PEER:
		return req->peer != NULL && req->peer->id == s->peer;
	case SIDE_FLOW:
		return req->way->id == s->listener &&
		    req->transport == s->transport &&
		    req->connection == s->connection &&
		    (s->connection == 0 || is_held_here(req, s)) &&
		    addr_same(&req->reach, &s->addr);
	case SIDE_ADDR:
		return addr_same_ip(&req->source, &s->addr);
	case SIDE_NONE:
		break;
	}
	return false;
}

static bool
same_peer(const struct side *a, const struct side *b)
{
	return a->kind == SIDE_PEER && b->kind == SIDE_PEER &&
	    a->peer == b->peer;
}

static struct joined
joined_of(const struct dialog_token *t)
{
	struct joined j = { .flags = t->flags };

	memcpy(j.call, t->call, sizeof j.call);
	memcpy(j.before, t->before, sizeof j.before);
	return j;
}

/*
 * Who has tokens of two calls that share a Call-ID must not end the one, whose
 * far side never hears of it, by the far side of the other.
 */
static bool
is_made_of(const struct joined *later, const struct joined *call)
{
	return !(call->flags & TOKEN_COUNTED) ||
	    (later->flags & TOKEN_BEHIND &&
	    memcmp(later->before, call->call, sizeof call->call) == 0);
}

static bool
may_join(const struct request *req, const struct dialog_token *next)
{
	const struct dialog_token *t = &req->token;
	const struct joined first = joined_of(t), new = joined_of(next);
	const struct joined *last = req->njoined == 0 ? &first :
	    &req->joined[req->njoined - 1];

	if (req->njoined == JOINED_MAX)
		return false;
	return req->from_caller ? same_peer(&t->callee, &next->caller) &&
	    is_made_of(&new, last) : same_peer(&t->caller, &next->callee) &&
	    is_made_of(last, &new);
}

/* The first token keeps the sender's side, the next one gives the other. */
static void
join(struct request *req, const struct dialog_token *next, bool is_loose)
{
	struct dialog_token *t = &req->token;

	if (!may_join(req, next))
		return;
	req->token_is_loose |= is_loose;
	req->joined[req->njoined++] = joined_of(next);
	if (req->from_caller) {
		t->callee = next->callee;
		memcpy(t->callee_user, next->callee_user,
		    sizeof t->callee_user);
	} else {
		t->caller = next->caller;
		memcpy(t->user, next->user, sizeof t->user);
	}
}

enum token_verdict
flow_read_dialog(const struct request *req, struct str text,
    struct dialog_token *t, bool *from_caller)
{
	const sip_t *sip = req->sip;
	struct token_signer signer = flow_signer(req->p);
	const struct token_bearer by = {
		.call_id = str_of(sip->sip_call_id->i_id),
		.from_tag = str_of(sip->sip_from->a_tag),
		.to_tag = str_of(sip->sip_to->a_tag),
		.now_s = req->unix_ms / 1000,
		.max_s = req->policy->auth->dialog_max_ms / 1000,
	};

	return dialog_token_open(&signer, text, &by, t, from_caller);
}

/* Who called never sees the token of a call but bound to its dialog. */
static bool
is_far_sides(const struct dialog_token *t)
{
	return t->flags & TOKEN_CALL && !(t->flags & TOKEN_BOUND);
}

/*
 * A phone may keep the Record-Route of a 18x though another one answers (its
 * 2xx then has another To tag), and a call may outlast dialog_max: its ACK must
 * arrive, and it must end.  No call may begin so.
 */
static bool
serves(const struct request *req, enum token_verdict v)
{
	switch (v) {
	case TOKEN_OK:
		return true;
	case TOKEN_OF_CALL:
		return req->method != sip_method_invite;
	case TOKEN_EXPIRED:
		return req->method == sip_method_bye ||
		    req->method == sip_method_ack;
	case TOKEN_FOREIGN:
		break;
	}
	return false;
}

enum token_verdict
flow_open_dialog(struct request *req, struct str text)
{
	struct dialog_token t;
	bool from_caller;
	enum token_verdict v = flow_read_dialog(req, text, &t, &from_caller);

	if (v == TOKEN_OK && from_caller && is_far_sides(&t))
		v = TOKEN_OF_CALL;
	if (!serves(req, v)) {
		req->token_is_loose |= !req->own_routes && v != TOKEN_FOREIGN;
		return v;
	}
	if (req->own_routes) {
		join(req, &t, v != TOKEN_OK);
	} else {
		req->token = t;
		req->token_is_loose = v != TOKEN_OK;
		req->from_caller = from_caller;
		req->own_routes = true;
	}
	return TOKEN_OK;
}

/* The place of a flow itself, as the next target. */
static bool
add_place(struct leg *leg, const struct side *flow)
{
	leg->flow_way = ways_flow(leg->req->p->env.ways, flow);
	if (leg->flow_way == NULL)
		return false;
	leg->flow_connection = flow->connection;
	leg->target[leg->ntargets++] = (struct target){
		.addr = flow->addr, .transport = flow->transport };
	return true;
}

/* The instance that has it; its certificate is for its address. */
static void
add_holder(struct leg *leg, const struct side *flow)
{
	char host[ADDR_TEXT_MAX];
	struct addr bare = flow->inside;

	bare.port = 0;
	leg->target[leg->ntargets++] = (struct target){
		.addr = flow->inside, .transport = flow->inside_transport,
		.name = targets_host(leg, su_sprintf(msg_home(leg->req->msg),
		    "sip:%s", addr_host_text(&bare, host))),
		.handed = true };
}

/* Over UDP the phone may hear us, too: when its instance is gone, or was just
 * now. */
static bool
hand_over(struct leg *leg, const struct side *flow)
{
	const struct pipeline *p = leg->req->p;
	bool is_gone;

	if (leg->req->handed || p->env.ways->inside == NULL ||
	    flow->inside.port == 0 ||
	    ways_have(p->env.ways, &flow->inside))
		return false;
	leg->away = flow;
	is_gone = grey_has(p->grey, &flow->inside, flow->inside_transport,
	    clock_mono_ms());
	if (flow->connection == 0 && is_gone)
		add_place(leg, flow);
	add_holder(leg, flow);
	if (flow->connection == 0 && !is_gone)
		add_place(leg, flow);
	return true;
}

bool
flow_to_target(struct request *req, const struct side *flow)
{
	if (!is_held_here(req, flow)) {
		if (hand_over(&req->leg, flow))
			return true;
		if (flow->connection != 0 || req->handed)
			return false;
	}
	if (flow->connection != 0 && !transport_is_open(
	    req->p->env.transports, flow->connection))
		return false;
	return add_place(&req->leg, flow);
}

/* The call that it opens, or that its dialog is. */
static void
put_call(const struct request *req, struct dialog_token *t)
{
	const uint8_t *call = req->counted ? req->ask->call :
	    req->token.call;

	if (!req->counted && (req->token_state != TOKEN_GOOD ||
	    !(req->token.flags & TOKEN_COUNTED)))
		return;
	t->flags |= TOKEN_COUNTED;
	memcpy(t->call, call, sizeof t->call);
}

/* Good for this request alone, from an instance to another. */
static bool
seal_handed(const struct leg *leg, char token[TOKEN_TEXT_MAX + 1])
{
	const struct request *req = leg->req;
	struct token_signer signer = flow_signer(req->p);
	struct dialog_token t = {
		.issued_s = (uint32_t)(req->unix_ms / 1000),
		.flags = TOKEN_HANDED, .callee = *leg->away,
	};

	put_call(req, &t);
	return dialog_token_seal(&signer, &t,
	    str_of(req->sip->sip_call_id->i_id),
	    str_of(req->sip->sip_from->a_tag), token) > 0;
}

bool
flow_put_handed(struct leg *leg, struct writer *w)
{
	char token[TOKEN_TEXT_MAX + 1], host[ADDR_TEXT_MAX];

	if (!leg->handed)
		return true;
	if (!seal_handed(leg, token))
		return false;
	put_text(w, "Route: <sip:");
	put_text(w, token);
	put_text(w, "@");
	put_text(w, addr_text(&leg->tried, host));
	own_put_transport(w, leg->tried_by);
	put_text(w, ";lr>\r\n");
	return true;
}

bool
flow_is_handed(const struct request *req)
{
	int64_t age_s = req->unix_ms / 1000 - (int64_t)req->token.issued_s;

	return (req->token.flags & TOKEN_HANDED) && req->from_caller &&
	    age_s >= -HANDED_S && age_s <= HANDED_S &&
	    ways_are_member(req->p->env.ways, req->way, &req->source);
}

static void
put_record_route(const struct request *req, struct writer *w,
    const struct own_name *us, const char *token)
{
	put_text(w, "Record-Route: ");
	own_put_uri(req, w, us, token);
	put_text(w, ">\r\n");
}

/* RFC 5658: a second one, for the other side, unless one name and transport
 * stand for both. */
static bool
needs_two(const struct request *req, const struct own_name *in,
    const struct own_name *out)
{
	if (in->transport != out->transport)
		return true;
	return *req->p->env.ways->record_route == '\0' &&
	    (in->port != out->port || strcmp(in->host, out->host) != 0);
}

/* The token that the peer got from us with this INVITE, if it stays out of
 * the dialog: no Route of its own lies on ours. */
static bool
find_before(const struct request *req, struct dialog_token *out)
{
	const sip_record_route_t *rr = req->sip->sip_record_route;
	bool from_caller;

	while (rr != NULL && rr->r_url->url_user == NULL)
		rr = rr->r_next;
	return rr != NULL && flow_read_dialog(req,
	    str_of(rr->r_url->url_user), out, &from_caller) == TOKEN_OK;
}

static void
put_before(const struct request *req, struct dialog_token *t)
{
	struct dialog_token before;

	if (req->method != sip_method_invite ||
	    req->sip->sip_to->a_tag != NULL || t->caller.kind != SIDE_PEER ||
	    !find_before(req, &before) || !(before.flags & TOKEN_COUNTED) ||
	    !same_peer(&before.callee, &t->caller))
		return;
	t->flags |= TOKEN_BEHIND;
	memcpy(t->before, before.call, sizeof t->before);
}

int
flow_record_route(struct leg *leg, const struct way *out,
    const struct side *callee, struct writer *w)
{
	struct request *req = leg->req;
	struct dialog_token t = {
		.issued_s = (uint32_t)(req->unix_ms / 1000),
		.callee = *callee,
	};
	struct token_signer signer = flow_signer(req->p);
	struct own_name to_in = own_name_sender(req);
	struct own_name to_out = own_name_target(leg, out);
	const sip_t *sip = req->sip;
	char token[TOKEN_TEXT_MAX + 1];

	flow_of_sender(req, &t.caller);
	if (*req->user != '\0') {
		t.flags = TOKEN_CALLER_DIGEST;
		memcpy(t.user, req->user, sizeof t.user);
	}
	if (req->method == sip_method_invite)
		t.flags |= TOKEN_CALL;
	put_call(req, &t);
	put_before(req, &t);
	if (req->path != NULL)
		memcpy(t.callee_user, req->path->user, sizeof t.callee_user);
	if (dialog_token_seal(&signer, &t, str_of(sip->sip_call_id->i_id),
	    str_of(sip->sip_from->a_tag), token) == 0)
		return -EMSGSIZE;
	if (needs_two(req, &to_in, &to_out))
		put_record_route(req, w, &to_out, "");
	put_record_route(req, w, &to_in, token);
	return 0;
}

static bool
opens_dialog(const sip_t *sip)
{
	return sip->sip_cseq->cs_method == sip_method_invite &&
	    sip->sip_status->st_status < 300 && sip->sip_from != NULL &&
	    sip->sip_to != NULL && sip->sip_call_id != NULL;
}

static void
set_user(msg_t *msg, sip_t *sip, sip_record_route_t *rr, const char *user)
{
	char *text = su_strdup(msg_home(msg), user);

	if (text == NULL)		/* he shall not act in his call then */
		return;
	line_rewrite((msg_header_t *)sip->sip_record_route,
	    (msg_header_t *)rr);
	rr->r_url->url_user = text;
}

/* RFC 3261 16.7 item 8: a proxy may change its own. */
void
flow_bind(struct pipeline *p, msg_t *msg, sip_t *sip)
{
	struct token_signer signer = flow_signer(p);
	char token[TOKEN_TEXT_MAX + 1];
	struct dialog_tags tags;

	if (!opens_dialog(sip))
		return;
	tags = (struct dialog_tags){ str_of(sip->sip_call_id->i_id),
		str_of(sip->sip_from->a_tag), str_of(sip->sip_to->a_tag) };
	for (sip_record_route_t *rr = sip->sip_record_route; rr != NULL;
	    rr = rr->r_next)
		if (dialog_token_bind(&signer, str_of(rr->r_url->url_user),
		    &tags, token))
			set_user(msg, sip, rr, token);
}
