/*
 * stray.h -- responses that belong to no client transaction.
 */
#ifndef PIPELINE_STRAY_H
#define PIPELINE_STRAY_H

#include "pipeline/request.h"

/* Takes over msg. */
void stray_response(struct pipeline *p, msg_t *msg);

#endif
