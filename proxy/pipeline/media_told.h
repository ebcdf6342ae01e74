/*
 * media_told.h -- what is said of bodies: counted, logged, answered.
 */
#ifndef PIPELINE_MEDIA_TOLD_H
#define PIPELINE_MEDIA_TOLD_H

#include "pipeline/request.h"

/* What was found in a message, on its way between these. */
struct media_about {
	const sip_t	*sip;
	const struct sdp_judged *judged;
	const char	*from, *to;	/* peers; NULL: none */
	bool		 passed;
};

/* Count it; and log it, once a second at most, if something was wrong. */
void media_tell(struct pipeline *p, const struct media_about *a);

/* What a request is refused for.  REASON_COUNT: nothing. */
enum reason media_reason(const struct sdp_judged *j);

#endif
