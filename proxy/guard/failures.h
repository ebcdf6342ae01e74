/*
 * failures.h -- who failed to prove himself, how often, and when is it too
 * much?
 *
 * A source that fails ban_after times within ban_window is to be banned; each
 * further time for twice as long.  An honest address behind which many phones
 * are stays alive, whoever else is behind it:
 *
 * - One phone with an old password is its own affair.  Of the failures of one
 *   user only the first few count against the source (a quarter of ban_after,
 *   FAILURES_SHARE at most), if they do not come faster than one in
 *   FAILURES_PACE_S.
 * - Once anybody proved himself from the source (in the last day), that holds
 *   for failures of any pace; failures of nobody (a scanner's) do not count;
 *   and the source is not to be banned, but slowed, for as long: of users who
 *   did not prove themselves from there no answer is to be looked at.  So who
 *   guesses there learns nothing, and the others do not notice.
 * - Each success takes one failure back, at most a share of them a user and
 *   window, so that one good account does not wash a guesser clean.
 *
 * Who guesses at one user meets a rate, which is the caller's; the user's own
 * phone is told apart by its flow (address and port), if it was right there in
 * the last hour.
 *
 * All stands in fixed memory, in sets of eight, what ends first going first,
 * and proofs apart; who is forgotten begins with a count of 0.  What counts as a failure, and
 * that the source is no forged one, is the caller's affair.
 */
#ifndef GUARD_FAILURES_H
#define GUARD_FAILURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard/limits.h"
#include "guard/mark.h"

enum { FAILURES_SHARE = 5, FAILURES_PACE_S = 2 };
enum { PROVED_S = 24 * 3600, PROVED_FLOW_S = 3600 };

struct failures;

/* n: entries of failures, and as many of proofs; a power of two of 8 at
 * least.  NULL: no memory. */
struct failures *failures_new(size_t n, const uint8_t key[MARK_KEY_BYTES]);
void failures_free(struct failures *f);		/* NULL is allowed */

struct failures_who {
	uint64_t	source;		/* MARK_SOURCE */
	uint64_t	user;		/* MARK_USER; 0: nobody was named */
	uint64_t	flow;		/* MARK_FLOW */
};

enum failures_verdict {
	FAILURES_WITHIN,
	FAILURES_BAN,			/* the source is to be banned now */
	FAILURES_SLOW			/* it is slowed from now on */
};

/* One failure.  *lasts_s: for how long the source is banned or slowed. */
enum failures_verdict failures_add(struct failures *f,
    const struct limits_conf *limits, const struct failures_who *who,
    int64_t now_s, int64_t *lasts_s);

/* Another instance banned the source: the next ban of it here is no first
 * one. */
void failures_told(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s);

/* The user proved himself from there. */
void failures_forgive(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s);

/* Did he, within PROVED_S? */
bool failures_proved(const struct failures *f,
    const struct failures_who *who, int64_t now_s);
/* Did anybody from there? */
bool failures_proved_any(const struct failures *f,
    const struct failures_who *who, int64_t now_s);
/* By this very flow, within PROVED_FLOW_S? */
bool failures_proved_flow(const struct failures *f,
    const struct failures_who *who, int64_t now_s);

/* Is his source slowed? */
bool failures_slowed(const struct failures *f,
    const struct failures_who *who, int64_t now_s);

#endif
