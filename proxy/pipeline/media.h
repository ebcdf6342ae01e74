/*
 * media.h -- the bodies of messages against what peers and phones ask for.
 *
 * Nothing is changed in them.  A request is refused, or one of its legs left
 * out; responses and ACKs cannot be refused: they are told in the log.
 */
#ifndef PIPELINE_MEDIA_H
#define PIPELINE_MEDIA_H

#include "base/writer.h"
#include "pipeline/request.h"

/* -1: no memory. */
int media_add_metrics(struct pipeline *p, struct metrics *m);

/* May it leave by this transport, if others can read along on it?  Asked for
 * each target; what is refused is noted for the answer. */
bool media_may_leave(struct leg *leg, enum transport t);

/* A response on its way back. */
void media_response(const struct leg *leg, const sip_t *sip);
/* The same, when nobody knows any more who asked.  from: whose it is, or
 * NULL. */
void media_late_response(struct pipeline *p, const sip_t *sip,
    const struct peer *from);

/* What an answer for one of our reasons has to say about the body. */
void media_put_told(const struct request *req, struct writer *w,
    enum reason r);

#endif
