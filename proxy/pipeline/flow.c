#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "transport/line.h"

static void
mac(void *arg, unsigned which, bool path, const struct str *part, unsigned n,
    uint8_t out[32])
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
	memset(out, 0, sizeof *out);
	if (req->peer != NULL && peer_has_place(req->peer)) {
		out->kind = SIDE_PEER;
		out->peer = req->peer->id;
		return;
	}
	out->kind = SIDE_FLOW;
	out->listener = req->way->id;
	out->connection = req->connection;
	out->transport = req->transport;
	out->addr = req->reach;
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
		    addr_same(&req->reach, &s->addr);
	case SIDE_ADDR:
		return addr_same_ip(&req->source, &s->addr);
	case SIDE_NONE:
		break;
	}
	return false;
}

static struct str
tag_of(const char *tag)
{
	return str_of(tag == NULL ? "" : tag);
}

static bool
same_peer(const struct side *a, const struct side *b)
{
	return a->kind == SIDE_PEER && b->kind == SIDE_PEER &&
	    a->peer == b->peer;
}

/* The first token keeps the sender's side, the next one gives the other. */
static void
join(struct request *req, const struct dialog_token *next)
{
	struct dialog_token *t = &req->token;

	if (req->from_caller && same_peer(&t->callee, &next->caller)) {
		t->callee = next->callee;
		memcpy(t->callee_user, next->callee_user,
		    sizeof t->callee_user);
	} else if (!req->from_caller &&
	    same_peer(&t->caller, &next->callee)) {
		t->caller = next->caller;
		memcpy(t->user, next->user, sizeof t->user);
	}
}

enum token_verdict
flow_open_dialog(struct request *req, struct str text)
{
	const sip_t *sip = req->sip;
	struct token_signer signer = flow_signer(req->p);
	struct dialog_token t;
	bool from_caller;
	enum token_verdict v;

	v = dialog_token_open(&signer, text, str_of(sip->sip_call_id->i_id),
	    tag_of(sip->sip_from->a_tag), tag_of(sip->sip_to->a_tag),
	    req->unix_ms / 1000, req->policy->auth->dialog_max_ms / 1000, &t,
	    &from_caller);
	if (v != TOKEN_OK)
		return v;
	if (req->own_routes) {
		join(req, &t);
	} else {
		req->token = t;
		req->from_caller = from_caller;
		req->own_routes = true;
	}
	return TOKEN_OK;
}

bool
flow_to_target(struct request *req, const struct side *flow)
{
	struct leg *leg = &req->leg;

	leg->flow_way = ways_flow(req->p->env.ways, flow);
	if (leg->flow_way == NULL)
		return false;
	if (flow->connection != 0 && !transport_is_open(
	    req->p->env.transports, flow->connection))
		return false;
	leg->flow_connection = flow->connection;
	leg->target[0].addr = flow->addr;
	leg->target[0].transport = flow->transport;
	leg->ntargets = 1;
	return true;
}

static void
put_transport(struct writer *w, enum transport t)
{
	if (t == TRANSPORT_UDP)
		return;
	put_text(w, ";transport=");
	put_text(w, transport_name(t));
}

/* "<sip:TOKEN@host:port;transport=tcp;lr>"; RFC 5630 3.1.3: sips in what a
 * request to a SIPS URI leaves behind. */
static void
put_own_uri(const struct request *req, struct writer *w,
    const struct way *way, const char *token)
{
	const char *cluster = req->p->env.ways->record_route;
	bool sips = req->sip->sip_request->rq_url->url_type == url_sips;

	put_text(w, sips ? "<sips:" : "<sip:");
	if (*token != '\0') {
		put_text(w, token);
		put_text(w, "@");
	}
	if (*cluster != '\0') {
		put_text(w, cluster);
	} else {
		put_text(w, way->host);
		put_text(w, ":");
		put_uint(w, way->port);
	}
	if (!sips)
		put_transport(w, way->transport);
	put_text(w, ";lr>");
}

static void
put_record_route(const struct request *req, struct writer *w,
    const struct way *way, const char *token)
{
	put_text(w, "Record-Route: ");
	put_own_uri(req, w, way, token);
	put_text(w, "\r\n");
}

/* RFC 5658: a second one, for the other side, unless one name and transport
 * stand for both. */
static bool
needs_two(const struct request *req, const struct way *out)
{
	return req->way != out && (*req->p->env.ways->record_route == '\0' ||
	    out->transport != req->way->transport);
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
	const sip_t *sip = req->sip;
	char token[TOKEN_TEXT_MAX + 1];

	flow_of_sender(req, &t.caller);
	if (*req->user != '\0') {
		t.flags = TOKEN_CALLER_DIGEST;
		memcpy(t.user, req->user, sizeof t.user);
	}
	if (req->path != NULL)
		memcpy(t.callee_user, req->path->user, sizeof t.callee_user);
	if (dialog_token_seal(&signer, &t, str_of(sip->sip_call_id->i_id),
	    tag_of(sip->sip_from->a_tag), token) == 0)
		return -EMSGSIZE;
	if (needs_two(req, out))
		put_record_route(req, w, out, "");
	put_record_route(req, w, req->way, token);
	return 0;
}

static void
path_of_sender(const struct leg *leg, struct path_token *t)
{
	const struct request *req = leg->req;

	memset(t, 0, sizeof *t);
	flow_of_sender(req, &t->flow);
	t->registrar = leg->peer->id;
	memcpy(t->user, req->user, sizeof t->user);
}

static int
support_path(msg_t *msg, sip_t *sip)
{
	if (message_has_token(sip, "Supported", "path") ||
	    message_has_token(sip, "k", "path"))
		return 0;
	return message_add_other(msg, sip, "Supported: path");
}

/* One Contact's URI becomes a token that holds it. */
static int
seal_contact(struct leg *leg, sip_contact_t *m, const struct way *out)
{
	struct path_token t;
	struct token_signer signer = flow_signer(leg->req->p);
	su_home_t *home = msg_home(leg->msg);
	char token[PATH_TOKEN_TEXT_MAX + 1];
	url_t *u;

	if (m->m_url->url_type == url_any)	/* "*" */
		return 0;
	path_of_sender(leg, &t);
	if (t.flow.kind != SIDE_FLOW)
		return 0;
	if (url_e(t.contact, sizeof t.contact, m->m_url) >=
	    (issize_t)sizeof t.contact ||
	    path_token_seal(&signer, &t, token) == 0)
		return -EMSGSIZE;
	u = url_make(home, su_sprintf(home, "sip:%s@%s:%u%s%s", token,
	    out->host, out->port, out->transport == TRANSPORT_UDP ? "" :
	    ";transport=", out->transport == TRANSPORT_UDP ? "" :
	    transport_name(out->transport)));
	if (u == NULL)
		return -ENOMEM;
	line_rewrite((msg_header_t *)leg->sip->sip_contact, (msg_header_t *)m);
	*m->m_url = *u;
	return 0;
}

int
flow_register(struct leg *leg, const struct way *out)
{
	sip_t *sip = leg->sip;
	int rc = 0;

	if (leg->peer->path == PATH_ALWAYS)
		return support_path(leg->msg, sip);
	if (leg->peer->path != PATH_CONTACT)
		return 0;
	for (sip_contact_t *m = sip->sip_contact; m != NULL && rc == 0;
	    m = m->m_next)
		rc = seal_contact(leg, m, out);
	msg_fragment_clear_chain((msg_header_t *)sip->sip_contact);
	return rc;
}

static bool
wants_path(const struct leg *leg)
{
	const sip_t *sip = leg->sip;

	switch (leg->peer->path) {
	case PATH_RFC:
		return message_has_token(sip, "Supported", "path") ||
		    message_has_token(sip, "k", "path");
	case PATH_ALWAYS:
		return true;
	case PATH_CONTACT:
		break;
	}
	return false;
}

int
flow_path(struct leg *leg, const struct way *out, struct writer *w)
{
	struct path_token t;
	struct token_signer signer = flow_signer(leg->req->p);
	char token[PATH_TOKEN_TEXT_MAX + 1];

	if (!wants_path(leg))
		return 0;
	path_of_sender(leg, &t);
	if (t.flow.kind != SIDE_FLOW ||
	    path_token_seal(&signer, &t, token) == 0)
		return 0;		/* a peer is reached without */
	put_text(w, "Path: ");
	put_own_uri(leg->req, w, out, token);
	put_text(w, "\r\n");
	return 0;
}

void
flow_registered(struct request *req, msg_t *msg, sip_t *sip)
{
	struct token_signer signer = flow_signer(req->p);
	struct path_token t;
	sip_contact_t *m;
	url_t *u;

	for (m = sip->sip_contact; m != NULL; m = m->m_next) {
		if (m->m_url->url_user == NULL ||
		    path_token_open(&signer, str_of(m->m_url->url_user),
		    &t) != TOKEN_OK || t.contact[0] == '\0')
			continue;
		u = url_make(msg_home(msg), t.contact);
		if (u == NULL)
			continue;
		line_rewrite((msg_header_t *)sip->sip_contact,
		    (msg_header_t *)m);
		*m->m_url = *u;
	}
}

/* What only we make, or who wants to look like it. */
static bool
looks_sealed(struct str user)
{
	uint8_t bytes[TOKEN_URI_MAX + 128];
	int n = base64url_decode(bytes, sizeof bytes, user);

	return n > 40 && bytes[0] == 2;
}

enum contact_verdict
flow_open_contact(struct request *req, struct str user)
{
	struct token_signer signer = flow_signer(req->p);
	struct path_token *t;
	url_t *u;

	if (!looks_sealed(user))
		return CONTACT_PLAIN;
	t = malloc(sizeof *t);
	if (t == NULL)
		return CONTACT_FOREIGN;
	if (path_token_open(&signer, user, t) != TOKEN_OK ||
	    t->contact[0] == '\0' || t->registrar != req->peer->id)
		goto foreign;
	u = url_make(msg_home(req->msg), t->contact);
	if (u == NULL || message_set_uri(req->msg, req->sip, u) < 0)
		goto foreign;
	req->path = t;
	return CONTACT_OPENED;
foreign:
	free(t);
	return CONTACT_FOREIGN;
}
