/*
 * leaving.h -- may the request leave for this address?
 */
#ifndef PIPELINE_LEAVING_H
#define PIPELINE_LEAVING_H

#include "pipeline/request.h"

/* By the list of the route that was taken; what it refuses is logged. */
bool leaving_is_allowed(const struct leg *leg, const struct dns_target *t);

#endif
