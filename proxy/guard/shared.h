/*
 * shared.h -- what several instances know together: who is banned, and who
 * has how many calls.
 *
 * Without it, or while it is away, each instance knows its own.  The one
 * implementation stands in modules/ (Redis).
 *
 * The rules
 *   1. Nothing blocks, and nothing is called back from inside a call.
 *   2. calls_begin() that returned CALLS_PENDING calls ask->done() exactly
 *      once, later, from the loop, within the timeout of the store; never
 *      after calls_cancel().
 *   3. All else is told and forgotten: what does not arrive is lost.
 */
#ifndef GUARD_SHARED_H
#define GUARD_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "guard/bans.h"

struct dns;
struct loop;
struct metrics;
struct shared;			/* one, open; begins with its ops: below */

/* A ban as it is told: clocks of instances differ, so it has no end, but a
 * rest. */
struct shared_ban {
	uint8_t		source[SOURCE_BYTES];	/* bans_source() */
	int64_t		rest_ms;
	enum ban_reason	reason;
};

struct shared_hooks {
	/* Another instance banned somebody, or it was so before we came. */
	void	(*banned)(void *arg, const struct shared_ban *ban);
	/* ... or an operator took this one back, here or there; one that
	 * ends later is another one. */
	void	(*lifted)(void *arg, const struct shared_ban *ban);
	/* It may know nothing of the bans that are known here: tell it all of
	 * them, in portions.  Comes again when it has lost some. */
	void	(*up)(void *arg);
	void	*arg;
};

enum { CALL_ID_BYTES = 16, CALLS_ACCOUNTS = 2 };

/* Whose calls they are: a user, or a peer.  The same on all instances. */
struct calls_account {
	uint8_t		 id[CALL_ID_BYTES];
	int64_t		 calls;		/* at once, at most; -1: any number */
	struct conf_rate starts;	/* count 0: off */
};

enum calls_verdict {
	CALLS_WITHIN,		/* and counted */
	CALLS_TOO_MANY,		/* at once */
	CALLS_TOO_FAST,
	CALLS_TWICE,		/* a call of that id is under way */
	CALLS_UNAVAILABLE,	/* cannot tell: ask yourself */
	CALLS_PENDING		/* done() will say */
};

/*
 * Why a call ends.  While its INVITE is under way that decides alone: a BYE
 * ends one early dialog (RFC 3261 15), and another fork may still answer.
 */
enum calls_end {
	CALLS_OVER,		/* its INVITE failed, or was given up */
	CALLS_BYE		/* ends nothing that rings */
};

struct calls_ask;
typedef void calls_done_f(struct calls_ask *ask, enum calls_verdict v);

/* May this call begin?  All of the accounts, or none, count it.  It is kept if
 * one of them has a limit. */
struct calls_ask {
	/* in */
	uint8_t		 call[CALL_ID_BYTES];
	struct calls_account account[CALLS_ACCOUNTS];
	size_t		 naccounts;
	int64_t		 lasts_ms;	/* it counts so long, if nothing more
					 * is heard of it */
	calls_done_f	*done;
	void		*arg;
	/* the store's own, while pending */
	void		*pending;
};

struct shared_ops {
	/* Copied.  A hook that is NULL is not called. */
	void	(*listen)(struct shared *s, const struct shared_hooks *hooks);
	/* max: how many bans may be there at once; what ends first goes. */
	void	(*ban)(struct shared *s, const struct shared_ban *ban,
		    size_t max);
	/* The operator took this one back. */
	void	(*lift)(struct shared *s, const struct shared_ban *ban,
		    size_t max);
	enum calls_verdict (*calls_begin)(struct shared *s,
		    struct calls_ask *ask);
	void	(*calls_cancel)(struct shared *s, struct calls_ask *ask);
	/* One that rings counts for so long from now on, and no less than
	 * before.  Who is not counted stays so, here and below. */
	void	(*calls_rings)(struct shared *s,
		    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
	/* It rings no more, and counts for so long. */
	void	(*calls_answered)(struct shared *s,
		    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
	/* It goes on, and counts for so long; nothing while it rings: should
	 * it fail where it rings, nobody might hear of that. */
	void	(*calls_touch)(struct shared *s,
		    const uint8_t call[CALL_ID_BYTES], int64_t lasts_ms);
	void	(*calls_end)(struct shared *s,
		    const uint8_t call[CALL_ID_BYTES], enum calls_end how);
	void	(*close)(struct shared *s);
};

struct shared { const struct shared_ops *ops; };

/* What it gets when it is opened. */
struct shared_env {
	struct loop	*loop;
	struct dns	*dns;
	struct metrics	*metrics;
};

#endif
