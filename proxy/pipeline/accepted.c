#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/accepted.h"
#include "pipeline/cancel.h"

struct accepted {
	struct timeout	 timeout;	/* first: the timer hands it back */
	UT_hash_handle	 hh;
	uint64_t	 key;
};

static struct accepted *
find(struct pipeline *p, uint64_t key)
{
	struct accepted *a;

	HASH_FIND(hh, p->accepted, &key, sizeof key, a);
	return a;
}

static void
note(struct pipeline *p, uint64_t key)
{
	struct accepted *a;

	if (find(p, key) != NULL)
		return;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return;
	a->key = key;
	HASH_ADD(hh, p->accepted, key, sizeof a->key, a);
	if (a->hh.tbl == NULL)
		free(a);
	else
		timeouts_add(p->accepting, &a->timeout);
}

/* A call and who speaks in it, as a number. */
static uint64_t
place_key(const struct request *req)
{
	const char *call_id = req->sip->sip_call_id->i_id;
	uint8_t mac[MAC_BYTES];
	uint64_t key;
	struct mac_part part[3] = {
		{ &req->source.ip, sizeof req->source.ip },
		{ &req->source.port, sizeof req->source.port },
		{ call_id, strlen(call_id) },
	};

	keys_mac(req->p->env.keys, 0, KEY_TO_TAG, 0, part, 3, mac);
	memcpy(&key, mac, sizeof key);
	return key | 1;
}

void
accepted_note(struct request *req)
{
	if (req->method != sip_method_invite)
		return;
	note(req->p, req->caller_key);
	if (req->moved)
		note(req->p, place_key(req));
}

bool
accepted_moved(struct request *req)
{
	return find(req->p, place_key(req)) != NULL;
}

bool
accepted_response(struct pipeline *p, const sip_t *sip)
{
	return find(p, transaction_key(p, sip, sip->sip_via->v_next)) != NULL;
}

void
accepted_end(void *arg, struct timeout *t)
{
	struct pipeline *p = arg;
	struct accepted *a = (struct accepted *)t;

	HASH_DELETE(hh, p->accepted, a);
	free(a);
}

void
accepted_free(struct pipeline *p)
{
	struct timeout *t;

	while ((t = timeouts_first(p->accepting)) != NULL) {
		timeouts_remove(p->accepting, t);
		accepted_end(p, t);
	}
}

enum step_verdict
step_accepted(struct request *req)
{
	if (req->method != sip_method_invite)
		return STEP_NEXT;
	req->caller_key = transaction_key(req->p, req->sip,
	    req->sip->sip_via);
	return find(req->p, req->caller_key) != NULL ?
	    refuse(req, REASON_ACCEPTED) : STEP_NEXT;
}
