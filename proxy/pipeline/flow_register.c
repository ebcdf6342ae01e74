/*
 * flow_register.c -- the part of flow.h that a REGISTER needs: the way back to
 * the phone, in Path or Contact.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/own_uri.h"
#include "transport/line.h"

enum { CONTACT_MAX = PATH_TOKEN_TEXT_MAX + 300 };

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

/* A URI of ours with a token, which is no Route; in the leg's home. */
static url_t *
own_contact(const struct leg *leg, const struct way *out, const char *token)
{
	struct own_name us = own_name_target(leg, out);
	char text[CONTACT_MAX];
	struct writer w = writer_on(text, sizeof text - 1);

	put_text(&w, "sip:");
	own_put_place(leg->req, &w, &us, token);
	own_put_transport(&w, us.transport);
	text[w.len] = '\0';
	return w.full ? NULL : url_make(msg_home(leg->msg), text);
}

/* One Contact's URI becomes a token that holds it. */
static int
seal_contact(struct leg *leg, sip_contact_t *m, const struct way *out)
{
	struct path_token t;
	struct token_signer signer = flow_signer(leg->req->p);
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
	u = own_contact(leg, out, token);
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

static bool
has_reg_id(const sip_t *sip)
{
	for (const sip_contact_t *m = sip->sip_contact; m != NULL;
	    m = m->m_next)
		if (msg_header_find_param(m->m_common, "reg-id") != NULL)
			return true;
	return false;
}

/*
 * RFC 5626 5.1: who asks for it, and is next to us, has a flow that lasts and
 * may be used.  Over UDP he keeps it open by STUN (4.4.2), and takes it for
 * dead where nobody answers.
 */
static bool
wants_outbound(const struct leg *leg)
{
	const struct request *req = leg->req;
	const sip_t *sip = leg->sip;

	return req->policy->outbound && sip->sip_via->v_next == NULL &&
	    (req->transport != TRANSPORT_UDP ||
	    req->policy->limits->stun == STUN_ANSWER) &&
	    (message_has_token(sip, "Supported", "outbound") ||
	    message_has_token(sip, "k", "outbound")) && has_reg_id(sip);
}

int
flow_path(struct leg *leg, const struct way *out, struct writer *w)
{
	struct path_token t;
	struct token_signer signer = flow_signer(leg->req->p);
	struct own_name us = own_name_target(leg, out);
	char token[PATH_TOKEN_TEXT_MAX + 1];

	if (!wants_path(leg))
		return 0;
	path_of_sender(leg, &t);
	if (t.flow.kind != SIDE_FLOW ||
	    path_token_seal(&signer, &t, token) == 0)
		return 0;		/* a peer is reached without */
	put_text(w, "Path: ");
	own_put_uri(leg->req, w, &us, token);
	put_text(w, wants_outbound(leg) ? ";ob>\r\n" : ">\r\n");
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

enum contact_verdict
flow_open_contact(struct request *req, struct str user)
{
	struct token_signer signer = flow_signer(req->p);
	struct path_token *t;
	url_t *u;

	if (!path_token_is_like(user))
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
