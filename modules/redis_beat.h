/*
 * redis_beat.h -- being alive, once a second, and looking around.
 *
 * Says that our owner id and our instance id are in use and which master key
 * we have; keeps the canaries; notices who else has our instance id, another
 * master key, a clock that is off, and a server that is not fit any more.
 */
#ifndef MODULES_REDIS_BEAT_H
#define MODULES_REDIS_BEAT_H

#include "modules/redis_server.h"
#include "modules/redis_space.h"

enum {
	FINGERPRINTS_MAX = 2,
	FINGERPRINT_HEX = 17		/* keys_fingerprint() */
};

enum beat_event {
	BEAT_OK,		/* all of this beat was answered, and well */
	BEAT_BAD,		/* the server is of no use: see reason */
	BEAT_CANARY_GONE,
	BEAT_TWIN,		/* another has our instance id; or no more */
	BEAT_OTHER_KEY,		/* the master key differs; or no more */
	BEAT_CLOCK		/* server.offset_ms is new */
};

struct beat {
	const struct redis_space *space;
	struct loop_timer *timer;
	unsigned	 instance;
	char		 fingerprint[FINGERPRINTS_MAX][FINGERPRINT_HEX];
	size_t		 nfingerprints;	/* of our master keys */
	struct redis_server *server;	/* as it was found at connect */
	unsigned	 count;		/* of beats on this link */
	int64_t		 sent_ms;	/* of TIME, wall clock */
	bool		 running, twin, other_key;
	void		(*tell)(void *arg, enum beat_event what,
			    const char *reason);
	void		*arg;
};

/* timer is the caller's to end: loop_timer_free(). */
int beat_init(struct beat *b, struct loop *l);
/* The first beat, at once, and then each second until the link has ended. */
void beat_start(struct beat *b);
void beat_stop(struct beat *b);

#endif
