/*
 * explain.h -- which route would a request take, and why not another?
 */
#ifndef PIPELINE_EXPLAIN_H
#define PIPELINE_EXPLAIN_H

#include <stdio.h>

#include "guard/classes.h"
#include "pipeline/ways.h"
#include "route/domains.h"
#include "route/routes.h"

struct explain {
	const struct peers	*peers;
	const struct routes	*routes;
	const struct classes	*classes;
	const struct domains	*domains;
	const struct ways	*ways;
	const struct addr	*source;	/* NULL: a stranger's */
	enum transport		 transport;
	const char		*listener;	/* NULL: any that fits */
	const char		*user;		/* proved by digest; or NULL */
	const char		*class;		/* of the user; or NULL */
	int64_t			 now_s;
	FILE			*out;
};

enum explain_verdict {
	EXPLAIN_FITS,		/* a route fits */
	EXPLAIN_NONE,
	EXPLAIN_UNREADABLE	/* no SIP request, or it cannot come in so */
};

/* Say it, a line a route; nothing is sent or looked up. */
enum explain_verdict explain_request(const struct explain *e,
    const char *bytes, size_t len);

#endif
