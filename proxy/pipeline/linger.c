#include "config.h"

#include <stdlib.h>

#include "pipeline/cancel.h"
#include "pipeline/linger.h"
#include "transport/types.h"

struct lingering {
	struct timeout	 timeout;	/* first: the timers hand it back */
	UT_hash_handle	 hh;
	uint64_t	 key;
	nta_incoming_t	*irq;		/* NULL: answered into the void */
};

static struct lingering *
find(struct pipeline *p, uint64_t key)
{
	struct lingering *l;

	HASH_FIND(hh, p->absorbed, &key, sizeof key, l);
	return l;
}

static void
answer_into_the_void(nta_incoming_t *irq)
{
	transport_mute(true);
	nta_incoming_treply(irq, SIP_200_OK, TAG_END());
	nta_incoming_destroy(irq);
	transport_mute(false);
}

void
linger(struct request *req)
{
	struct pipeline *p = req->p;
	uint64_t key = transaction_key(p, req->sip, req->sip->sip_via);
	struct lingering *l = find(p, key) != NULL ? NULL :
	    calloc(1, sizeof *l);

	if (l == NULL) {
		answer_into_the_void(req->irq);
		return;
	}
	nta_incoming_bind(req->irq, NULL, NULL);
	l->irq = req->irq;
	l->key = key;
	HASH_ADD(hh, p->absorbed, key, sizeof l->key, l);
	if (l->hh.tbl == NULL) {
		answer_into_the_void(req->irq);
		free(l);
		return;
	}
	timeouts_add(p->lingering, &l->timeout);
}

bool
linger_has(struct pipeline *p, const sip_t *sip)
{
	return p->absorbed != NULL && find(p, transaction_key(p, sip,
	    sip->sip_via)) != NULL;
}

void
linger_mute(void *arg, struct timeout *t)
{
	struct pipeline *p = arg;
	struct lingering *l = (struct lingering *)t;

	answer_into_the_void(l->irq);
	l->irq = NULL;
	timeouts_add(p->muted, &l->timeout);
}

void
linger_end(void *arg, struct timeout *t)
{
	struct pipeline *p = arg;
	struct lingering *l = (struct lingering *)t;

	HASH_DELETE(hh, p->absorbed, l);
	free(l);
}

void
linger_free(struct pipeline *p)
{
	struct timeout *t;

	while ((t = timeouts_first(p->lingering)) != NULL) {
		timeouts_remove(p->lingering, t);
		linger_mute(p, t);
	}
	while ((t = timeouts_first(p->muted)) != NULL) {
		timeouts_remove(p->muted, t);
		linger_end(p, t);
	}
}
