/*
 * shared_calls.h -- calls that all instances count together, by Redis.
 */
#ifndef MODULES_SHARED_CALLS_H
#define MODULES_SHARED_CALLS_H

#include "guard/shared.h"
#include "modules/shared_link.h"

enum { ENDS_MAX = 4096 };

struct shared_calls {
	struct shared_link *link;
	struct loop_hook *leave;
	bool		 running;
	uint64_t	*asked;		/* metric, by verdict */
	/* Calls that ended and are counted there still, oldest first; they
	 * wait while the server is away, or else would count for hours.
	 * Beyond ENDS_MAX the oldest is forgotten, and ends by itself. */
	size_t		 first, nends;
	uint8_t		 end[ENDS_MAX][CALL_ID_BYTES];
};

/* 0, or -ENOMEM. */
int shared_calls_init(struct shared_calls *c, struct loop *l);
void shared_calls_fini(struct shared_calls *c);

void shared_calls_start(struct shared_calls *c);
void shared_calls_stop(struct shared_calls *c);
/* Ends leave now: there is no later. */
void shared_calls_flush(struct shared_calls *c);

/* As in struct shared_ops. */
enum calls_verdict shared_calls_begin(struct shared_calls *c,
    struct calls_ask *ask);
void shared_calls_cancel(struct calls_ask *ask);
void shared_calls_touch(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
void shared_calls_end(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES]);

#endif
