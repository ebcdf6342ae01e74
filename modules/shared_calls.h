/*
 * shared_calls.h -- calls that all instances count together, by Redis.
 */
#ifndef MODULES_SHARED_CALLS_H
#define MODULES_SHARED_CALLS_H

#include "guard/shared.h"
#include "modules/shared_link.h"

enum { CALL_NEWS_MAX = 4096 };

/* What became of a call. */
struct call_news {
	uint8_t		call[CALL_ID_BYTES];
	char		what;		/* as the scripts read it */
	int64_t		lasts_ms;	/* from then on; 0: it ended */
	int64_t		noted_ms;
};

struct shared_calls {
	struct shared_link *link;
	struct loop_hook *leave;
	bool		 running;
	uint64_t	*asked;		/* metric, by verdict */
	uint64_t	*lost;		/* metric */
	int64_t		 said_ms;	/* that some were; 0: never */
	uint64_t	 unsaid;
	/* What is not known there, oldest first; it waits while the server is
	 * away, or else calls that ended would count for hours.  Beyond
	 * CALL_NEWS_MAX the oldest is lost: that call ends by itself.  Of
	 * what only goes on no more than a half waits, so that whoever goes on
	 * often does not push out the ends of others. */
	size_t		 first, nnews;
	struct call_news news[CALL_NEWS_MAX];
};

/* 0, or -ENOMEM. */
int shared_calls_init(struct shared_calls *c, struct loop *l);
void shared_calls_fini(struct shared_calls *c);

void shared_calls_start(struct shared_calls *c);
void shared_calls_stop(struct shared_calls *c);
/* What waits leaves now: there is no later. */
void shared_calls_flush(struct shared_calls *c);

/* As in struct shared_ops. */
enum calls_verdict shared_calls_begin(struct shared_calls *c,
    struct calls_ask *ask);
void shared_calls_cancel(struct calls_ask *ask);
void shared_calls_rings(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
void shared_calls_answered(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
void shared_calls_touch(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
void shared_calls_end(struct shared_calls *c,
    const uint8_t call[CALL_ID_BYTES], enum calls_end how);

#endif
