#include "config.h"

#include <ctype.h>
#include <string.h>

#include "pipeline/cancel.h"
#include "pipeline/linger.h"
#include "pipeline/message.h"

/* nta compares branches from the eighth byte on, whatever their case, and so
 * must we. */
static size_t
lower(char *out, size_t size, const char *s)
{
	size_t n = 0;

	if (s != NULL && strlen(s) >= 7)
		s += 7;
	for (; s != NULL && *s != '\0' && n < size; s++)
		out[n++] = (char)tolower((unsigned char)*s);
	return n;
}

uint64_t
transaction_key(struct pipeline *p, const sip_t *sip, const sip_via_t *via)
{
	char branch[256];
	uint32_t cseq = sip->sip_cseq->cs_seq;
	uint8_t mac[MAC_BYTES];
	uint64_t key;
	struct mac_part part[3] = {
		{ sip->sip_call_id->i_id, strlen(sip->sip_call_id->i_id) + 1 },
		{ &cseq, sizeof cseq },
		{ branch, lower(branch, sizeof branch, via->v_branch) },
	};

	keys_mac(p->env.keys, 0, KEY_TO_TAG, 0, part, 3, mac);
	memcpy(&key, mac, sizeof key);
	return key | 1;			/* 0: none */
}

void
cancel_expect(struct request *req)
{
	struct request *other;

	if (req->method != sip_method_invite)
		return;
	if (req->caller_key == 0)
		req->caller_key = transaction_key(req->p, req->sip,
		    req->sip->sip_via);
	HASH_FIND(by_caller, req->p->invites, &req->caller_key,
	    sizeof req->caller_key, other);
	if (other != NULL)		/* one entry serves for both */
		return;
	HASH_ADD(by_caller, req->p->invites, caller_key,
	    sizeof req->caller_key, req);
	req->cancellable = req->by_caller.tbl != NULL;
}

void
cancel_forget(struct request *req)
{
	if (req->cancellable)
		HASH_DELETE(by_caller, req->p->invites, req);
	req->cancellable = false;
}

/* A CANCEL from elsewhere than its INVITE: answered, and not let in. */
static bool
is_foreign_cancel(struct pipeline *p, msg_t *msg, sip_t *sip)
{
	const struct request *invite;
	struct addr from;
	char source[ADDR_TEXT_MAX];
	uint64_t key;

	if (sip->sip_request->rq_method != sip_method_cancel)
		return false;
	key = transaction_key(p, sip, sip->sip_via);
	HASH_FIND(by_caller, p->invites, &key, sizeof key, invite);
	if (invite == NULL || !addr_from_sockaddr(&from,
	    (const struct sockaddr *)msg_addr(msg)) ||
	    addr_same_ip(&from, &invite->source))
		return false;
	log_event(EV_CANCEL_FOREIGN,
	    kv_str("source", addr_text(&from, source)),
	    kv_str("call_id", sip->sip_call_id->i_id));
	p->by_reason[REASON_NO_TRANSACTION]++;
	message_be_symmetric(msg, sip, &from);
	nta_msg_treply(p->env.agent, msg_ref(msg), SIP_481_NO_TRANSACTION,
	    TAG_END());
	return true;
}

bool
pipeline_may_enter(struct pipeline *p, msg_t *msg)
{
	sip_t *sip = sip_object(msg);

	if (sip->sip_request == NULL || sip->sip_via == NULL ||
	    sip->sip_call_id == NULL || sip->sip_cseq == NULL)
		return true;
	return !linger_has(p, sip) && !is_foreign_cancel(p, msg, sip);
}
