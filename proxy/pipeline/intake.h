/*
 * intake.h -- how many requests may be under way: in all, and of one peer.
 *
 * What belongs to a dialog of ours always goes on.  Emergency calls may take
 * as many places again.
 */
#ifndef PIPELINE_INTAKE_H
#define PIPELINE_INTAKE_H

#include "pipeline/request.h"

/* 0, or -ENOMEM. */
int intake_open(struct pipeline *p);
void intake_free(struct pipeline *p);

/* Does it call a number of limits.emergency, or urn:service:sos? */
bool intake_is_emergency(const struct request *req);

/* Is there no place for it?  What limits.emergency names has more. */
bool intake_is_full(const struct request *req);
bool intake_is_over(const struct request *req, int64_t max, int64_t pending);

/* Count a request that is under way for its peer; twice is once.  false: no
 * memory. */
bool intake_begin(struct request *req);
void intake_end(struct request *req);

#endif
