/*
 * route.h -- fixing the targets of a request, in the order of trial.
 */
#ifndef PIPELINE_ROUTE_H
#define PIPELINE_ROUTE_H

#include "pipeline/request.h"

enum route_more {
	ROUTE_FOUND,		/* req->target holds some that are untried */
	ROUTE_WAIT,		/* done() will be called with req */
	ROUTE_EXHAUSTED		/* req->dns_reason says why, if DNS did */
};

/* The next URI of the chosen peer; for the first try and for fail-over.
 * done() comes later, from the loop; it calls route_more() again. */
enum route_more route_more(struct request *req,
    void (*done)(struct request *req));

#endif
