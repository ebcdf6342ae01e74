/*
 * acked.c -- which INVITEs inside dialogs we answered ourselves.
 */
#include "config.h"

#include "pipeline/acked.h"

void
acked_note(struct request *req)
{
	/* without a dialog the To tag tells, and strangers' ACKs end here,
	 * unless a token takes them further */
	if (req->method != sip_method_invite || req->key == 0 ||
	    req->sip->sip_to == NULL || req->sip->sip_to->a_tag == NULL ||
	    (req->peer == NULL && !req->own_routes && !req->token_is_loose))
		return;
	req->p->acked[req->key % ACKED_MAX] = req->key;
}

bool
acked_has(struct request *req)
{
	return req->key != 0 &&
	    req->p->acked[req->key % ACKED_MAX] == req->key;
}
