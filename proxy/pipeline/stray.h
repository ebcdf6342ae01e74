/*
 * stray.h -- responses that belong to no client transaction.
 */
#ifndef PIPELINE_STRAY_H
#define PIPELINE_STRAY_H

#include "pipeline/request.h"
#include "pipeline/sane.h"

/* Both take over msg. */
void stray_response(struct pipeline *p, msg_t *msg);
/* This one is no good, whosever it is. */
void stray_refuse(struct pipeline *p, msg_t *msg, const struct fault *f);

#endif
