/*
 * cancel.c -- a CANCEL, which is never challenged, ends here; what goes on to
 * the target is one of ours (RFC 3261 9.2, 16.10).
 *
 * It is taken from the hop only that sent the INVITE.
 */
#include "config.h"

#include "pipeline/message.h"
#include "pipeline/reply.h"
#include "pipeline/request.h"

/* Why the caller gives up, for the target's CANCEL (RFC 3326).  Once: whoever
 * repeats himself must not make the INVITE grow. */
static void
take_reason(struct request *invite, const sip_t *sip)
{
	const sip_unknown_t *un = message_other(sip, "Reason", NULL);

	if (un != NULL && invite->cancel_reason == NULL)
		invite->cancel_reason = su_sprintf(msg_home(invite->msg),
		    "Reason: %s\r\n", un->un_value);
}

static void
log_foreign(const struct request *req)
{
	char source[ADDR_TEXT_MAX];

	if (!request_may_log(req))
		return;
	log_event(EV_CANCEL_FOREIGN,
	    kv_str("source", addr_text(&req->source, source)),
	    kv_str("call_id", req->sip->sip_call_id->i_id));
}

enum step_verdict
step_cancel(struct request *req)
{
	struct server *invite = req->key == 0 ? NULL :
	    server_find(req->p->transactions, req->key, SERVER_INVITE);
	struct request *owner;

	if (invite == NULL)
		return refuse(req, REASON_NO_TRANSACTION);
	if (!addr_same_ip(&req->reach, &server_back(invite)->addr)) {
		log_foreign(req);
		return refuse(req, REASON_NO_TRANSACTION);
	}
	owner = server_owner(invite);
	if (owner != NULL)
		take_reason(owner, req->sip);
	request_reply(req, REASON_CANCEL_TAKEN);
	if (owner != NULL)
		relay_cancel(owner);
	return STEP_DONE;
}
