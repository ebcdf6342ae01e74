#include "config.h"

#include <stdlib.h>

#include "pipeline/linger.h"
#include "transport/types.h"

struct lingering {
	struct timeout	 timeout;	/* first: the timer hands it back */
	nta_incoming_t	*irq;
};

void
linger(struct pipeline *p, nta_incoming_t *irq)
{
	struct lingering *l = calloc(1, sizeof *l);

	if (l == NULL) {
		nta_incoming_destroy(irq);
		return;
	}
	nta_incoming_bind(irq, NULL, NULL);
	l->irq = irq;
	timeouts_add(p->lingering, &l->timeout);
}

void
linger_end(void *arg, struct timeout *t)
{
	struct lingering *l = (struct lingering *)t;

	(void)arg;
	/* nta answers whatever it lets go; after a 2xx it says no more */
	transport_mute(true);
	nta_incoming_treply(l->irq, SIP_200_OK, TAG_END());
	nta_incoming_destroy(l->irq);
	transport_mute(false);
	free(l);
}

void
linger_free(struct pipeline *p)
{
	struct timeout *t;

	while ((t = timeouts_first(p->lingering)) != NULL) {
		timeouts_remove(p->lingering, t);
		linger_end(NULL, t);
	}
}
