/*
 * edit.c -- what a request looks like when it leaves (RFC 3261 16.6).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "pipeline/edit.h"
#include "pipeline/flow.h"
#include "pipeline/message.h"
#include "pipeline/respell.h"
#include "pipeline/trust.h"

static int
edit_max_forwards(msg_t *msg, sip_t *sip)
{
	if (sip->sip_max_forwards == NULL) {
		sip_max_forwards_t *mf = sip_max_forwards_make(msg_home(msg),
		    "70");

		return mf == NULL || msg_header_insert(msg, (msg_pub_t *)sip,
		    (msg_header_t *)mf) < 0 ? -ENOMEM : 0;
	}
	sip->sip_max_forwards->mf_count--;
	msg_fragment_clear(sip->sip_max_forwards->mf_common);
	return 0;
}

/* A route that names a peer chose by the Request-URI, and goes to no Route. */
static bool
goes_by_route(const struct leg *leg)
{
	return leg->peer == NULL || leg->req->token_state == TOKEN_GOOD;
}

/*
 * RFC 3261 16.6 item 6: the next hop is a strict router, which wants to see
 * itself in the Request-URI and the real one as the last Route.
 */
static int
edit_for_strict_router(struct leg *leg)
{
	msg_t *msg = leg->msg;
	sip_t *sip = leg->sip;
	const url_t *first = message_strict_hop(sip);
	sip_route_t *last;
	url_t *hop;

	if (first == NULL || !goes_by_route(leg))
		return 0;
	hop = url_hdup(msg_home(msg), first);
	last = sip_route_create(msg_home(msg), sip->sip_request->rq_url, NULL);
	if (hop == NULL || last == NULL || msg_header_insert(msg,
	    (msg_pub_t *)sip, (msg_header_t *)last) < 0)
		return -ENOMEM;
	sip_route_remove(msg, sip);
	return message_set_uri(msg, sip, hop);
}

/* Where we have an account we are the one who answers. */
static void
drop_others_credentials(struct leg *leg)
{
	const char *realm;

	if (leg->peer == NULL || leg->peer->account == NULL)
		return;
	realm = leg->peer->account->realm;
	message_drop_credentials(leg->msg, leg->sip, realm, true);
	message_drop_credentials(leg->msg, leg->sip, realm, false);
}

static bool
registers(const struct leg *leg)
{
	return leg->req->method == sip_method_register && leg->peer != NULL;
}

int
edit_request(struct leg *leg, const struct way *out)
{
	struct request *req = leg->req;
	int rc;

	if (respell_is_due(leg) && !request_part(leg))
		return -ENOMEM;
	message_drop_credentials(leg->msg, leg->sip, req->realm, req->www);
	drop_others_credentials(leg);
	if (!req->handed && (trust_request(leg) < 0 ||
	    (respell_is_due(leg) && respell_request(leg) < 0) ||
	    edit_for_strict_router(leg) < 0))
		return -ENOMEM;
	rc = registers(leg) ? flow_register(leg, out) : 0;
	if (rc < 0)
		return rc;
	return edit_max_forwards(leg->msg, leg->sip);
}

/* Methods that neither open a dialog nor belong into one we must follow. */
static bool
opens_no_dialog(sip_method_t m)
{
	switch (m) {
	case sip_method_register:
	case sip_method_message:
	case sip_method_options:
	case sip_method_publish:
	case sip_method_bye:
	case sip_method_cancel:
	case sip_method_ack:
	case sip_method_prack:
	case sip_method_info:
	case sip_method_update:
		return true;
	default:
		return false;
	}
}

/* The side of the dialog that the request goes to. */
static void
side_of_target(const struct leg *leg, struct side *out)
{
	const struct request *req = leg->req;

	memset(out, 0, sizeof *out);
	if (req->path != NULL) {
		*out = req->path->flow;
	} else if (leg->peer != NULL) {
		out->kind = SIDE_PEER;
		out->peer = leg->peer->id;
	} else {
		out->kind = SIDE_ADDR;
		out->addr = leg->target[leg->next_target - 1].addr;
		out->transport = leg->target[leg->next_target - 1].transport;
	}
}

int
edit_for_way(struct leg *leg, const struct way *out, struct writer *w)
{
	const struct request *req = leg->req;
	struct side callee;

	if (registers(leg))
		return flow_path(leg, out, w);
	if (req->token_state == TOKEN_GOOD || opens_no_dialog(req->method))
		return 0;
	side_of_target(leg, &callee);
	return flow_record_route(leg, out, &callee, w);
}
