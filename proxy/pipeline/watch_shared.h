/*
 * watch_shared.h -- bans that other instances know, too.
 */
#ifndef PIPELINE_WATCH_SHARED_H
#define PIPELINE_WATCH_SHARED_H

#include "guard/bans.h"
#include "pipeline/pipeline.h"

enum { WATCH_LIFTS_MAX = 1024 };	/* one more is told once */

struct watch_shared {
	struct pipeline	*p;
	struct bans	*bans;
	bool		 telling;	/* what changes now was told to us */
	/* Those of all that we have that are yet to be told; a copy, since
	 * bans move about. */
	struct ban	*tell;
	size_t		 ntell, room;
	struct loop_timer *next;	/* portion */
	/* Of what was taken back here: what did not come back yet, so that
	 * the others may not know it. */
	struct ban	 lifted[WATCH_LIFTS_MAX];
	size_t		 nlifted;
};

/* NULL: no memory. */
struct watch_shared *watch_shared_new(struct pipeline *p, struct bans *bans);
void watch_shared_free(struct watch_shared *s);	/* NULL is allowed */

/* Tell the others, if there are any. */
void watch_shared_tell(struct watch_shared *s, const struct ban *ban);
/* That the operator took it back. */
void watch_shared_lift(struct watch_shared *s, const struct ban *ban);

#endif
