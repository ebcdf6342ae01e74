/*
 * failures.h -- who failed to prove himself, how often, and when is it too
 * much?
 *
 * A source that fails ban_after times within ban_window is to be banned; each
 * further time for twice as long.  Two things keep an honest address alive
 * behind which many phones are:
 *
 * - Once anybody proved himself from a source (in the last day), no user's
 *   failures make up more than FAILURES_SHARE of its count.  So one phone with
 *   an old password cannot take the others down.
 * - Each success takes one failure back, at most FAILURES_SHARE a user and
 *   window.  So one good account does not wash an attacker clean.
 *
 * All stands in fixed memory, in sets of eight, what ends first going first;
 * who is forgotten begins with a count of 0.  What counts as a failure, and
 * that the source is no forged one, is the caller's affair.
 */
#ifndef GUARD_FAILURES_H
#define GUARD_FAILURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard/limits.h"
#include "guard/mark.h"

enum { FAILURES_SHARE = 5, PROVED_S = 24 * 3600 };

struct failures;

/* n: entries, a power of two of 8 at least.  NULL: no memory. */
struct failures *failures_new(size_t n, const uint8_t key[MARK_KEY_BYTES]);
void failures_free(struct failures *f);		/* NULL is allowed */

struct failures_who {
	uint64_t	source;		/* MARK_SOURCE */
	uint64_t	user;		/* MARK_USER; 0: nobody was named */
};

/* One failure.  Returns for how long the source is to be banned now, in
 * seconds; 0: it is not. */
int64_t failures_add(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s);

/* The user proved himself from there. */
void failures_forgive(struct failures *f, const struct limits_conf *limits,
    const struct failures_who *who, int64_t now_s);

/* Did he, within PROVED_S? */
bool failures_proved(const struct failures *f,
    const struct failures_who *who, int64_t now_s);

#endif
