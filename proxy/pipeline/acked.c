#include "config.h"

#include <string.h>

#include "pipeline/acked.h"

static uint64_t
hash(struct request *req)
{
	const sip_t *sip = req->sip;
	const char *branch = sip->sip_via->v_branch;
	uint32_t cseq = sip->sip_cseq->cs_seq;
	uint8_t mac[MAC_BYTES];
	uint64_t h;
	struct mac_part part[3] = {
		{ &cseq, sizeof cseq },
		{ branch, branch == NULL ? 0 : strlen(branch) + 1 },
		{ sip->sip_call_id->i_id, strlen(sip->sip_call_id->i_id) },
	};

	keys_mac(req->p->env.keys, 0, KEY_TO_TAG, 0, part, 3, mac);
	memcpy(&h, mac, sizeof h);
	return h | 1;			/* 0 is an empty place */
}

void
acked_note(struct request *req)
{
	uint64_t h;

	/* without a dialog the To tag tells, and strangers' ACKs end here */
	if (req->method != sip_method_invite ||
	    req->sip->sip_to->a_tag == NULL ||
	    (req->peer == NULL && !req->own_routes))
		return;
	h = hash(req);
	req->p->acked[h % ACKED_MAX] = h;
}

bool
acked_has(struct request *req)
{
	uint64_t h = hash(req);

	return req->p->acked[h % ACKED_MAX] == h;
}
