#include "config.h"

#include <stdlib.h>

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

void
accepted_note(struct request *req)
{
	struct pipeline *p = req->p;
	struct accepted *a;

	if (req->caller_key == 0 || find(p, req->caller_key) != NULL)
		return;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return;
	a->key = req->caller_key;
	HASH_ADD(hh, p->accepted, key, sizeof a->key, a);
	timeouts_add(p->accepting, &a->timeout);
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
	req->caller_key = cancel_key(req->p, req->sip);
	return find(req->p, req->caller_key) != NULL ?
	    refuse(req, REASON_ACCEPTED) : STEP_NEXT;
}
