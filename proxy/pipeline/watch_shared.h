/*
 * watch_shared.h -- bans that other instances know, too.
 */
#ifndef PIPELINE_WATCH_SHARED_H
#define PIPELINE_WATCH_SHARED_H

#include "guard/bans.h"
#include "pipeline/pipeline.h"

struct watch_shared {
	struct pipeline	*p;
	struct bans	*bans;
	bool		 telling;	/* what changes now was told to us */
	/* Those of all that we have that are yet to be told; a copy, since
	 * bans move about. */
	struct ban	*tell;
	size_t		 ntell, room;
	struct loop_timer *next;	/* portion */
};

/* NULL: no memory. */
struct watch_shared *watch_shared_new(struct pipeline *p, struct bans *bans);
void watch_shared_free(struct watch_shared *s);	/* NULL is allowed */

/* Tell the others, if there are any. */
void watch_shared_tell(const struct watch_shared *s, const struct ban *ban);
/* That the operator took it back. */
void watch_shared_lift(const struct watch_shared *s, const struct ban *ban);

#endif
