/*
 * shared_bans.h -- bans that all instances know, by Redis.
 *
 * Each change has a number there; what is new since the last one that is
 * known is asked for, over and over, in portions.
 */
#ifndef MODULES_SHARED_BANS_H
#define MODULES_SHARED_BANS_H

#include "guard/shared.h"
#include "modules/shared_link.h"

enum {
	EPOCH_TEXT = 16,
	BAN_TEXT_MAX = SHARED_ID_TEXT + 64,	/* "source rest reason " */
	BANS_A_CALL = 64
};

struct shared_bans {
	struct shared_link *link;
	const struct shared_hooks *hooks;
	struct loop_timer *ask;
	struct loop_hook *leave;
	bool		 running;
	bool		 owing;		/* ours are to be told when all news
					 * were heard */
	int64_t		 push_ms;	/* not again before; 0: needed not */
	char		 epoch[EPOCH_TEXT + 1];
	int64_t		 since;		/* all is known up to this number */
	size_t		 max;
	/* those that leave at the end of this turn */
	size_t		 nleaving, text_len;
	char		 text[BANS_A_CALL * BAN_TEXT_MAX];
};

/* 0, or -ENOMEM. */
int shared_bans_init(struct shared_bans *b, struct loop *l);
void shared_bans_fini(struct shared_bans *b);

/* The link is good; the hooks will tell what is there. */
void shared_bans_start(struct shared_bans *b);
void shared_bans_stop(struct shared_bans *b);

void shared_bans_tell(struct shared_bans *b, const struct shared_ban *ban,
    size_t max);
/* That it was taken back.  It is remembered for as long as it would have
 * lasted, so that who was away hears of it before he tells of his own. */
void shared_bans_lift(struct shared_bans *b, const struct shared_ban *ban,
    size_t max);

#endif
