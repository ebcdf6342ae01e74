#include "config.h"

#include <string.h>

#include "pipeline/cancel.h"
#include "pipeline/message.h"

/* The caller's transaction: Call-ID and branch, hashed with our key. */
uint64_t
cancel_key(struct pipeline *p, const sip_t *sip)
{
	const char *branch = sip->sip_via->v_branch;
	uint8_t mac[MAC_BYTES];
	uint64_t key;
	struct mac_part part[2] = {
		{ sip->sip_call_id->i_id, strlen(sip->sip_call_id->i_id) + 1 },
		{ branch == NULL ? "" : branch,
		    branch == NULL ? 0 : strlen(branch) },
	};

	keys_mac(p->env.keys, 0, KEY_TO_TAG, 0, part, 2, mac);
	memcpy(&key, mac, sizeof key);
	return key | 1;			/* 0: none */
}

void
cancel_expect(struct request *req)
{
	struct request *other;

	if (req->method != sip_method_invite)
		return;
	HASH_FIND(by_caller, req->p->invites, &req->caller_key,
	    sizeof req->caller_key, other);
	if (other != NULL)		/* one entry serves for both */
		return;
	HASH_ADD(by_caller, req->p->invites, caller_key,
	    sizeof req->caller_key, req);
	req->cancellable = true;
}

void
cancel_forget(struct request *req)
{
	if (req->cancellable)
		HASH_DELETE(by_caller, req->p->invites, req);
	req->cancellable = false;
}

bool
pipeline_may_enter(struct pipeline *p, msg_t *msg)
{
	sip_t *sip = sip_object(msg);
	const struct request *invite;
	struct addr from;
	char source[ADDR_TEXT_MAX];
	uint64_t key;

	if (sip->sip_request == NULL || sip->sip_via == NULL ||
	    sip->sip_call_id == NULL ||
	    sip->sip_request->rq_method != sip_method_cancel)
		return true;
	key = cancel_key(p, sip);
	HASH_FIND(by_caller, p->invites, &key, sizeof key, invite);
	if (invite == NULL || !addr_from_sockaddr(&from,
	    (const struct sockaddr *)msg_addr(msg)) ||
	    addr_same_ip(&from, &invite->source))
		return true;
	log_event(EV_CANCEL_FOREIGN,
	    kv_str("source", addr_text(&from, source)),
	    kv_str("call_id", sip->sip_call_id->i_id));
	p->by_reason[REASON_NO_TRANSACTION]++;
	message_be_symmetric(msg, sip, &from);
	nta_msg_treply(p->env.agent, msg_ref(msg), SIP_481_NO_TRANSACTION,
	    TAG_END());
	return false;
}
