/*
 * calls.h -- whose calls are under way, as long as no shared memory of all
 * instances can tell (shared.h, whose words these are).
 *
 * A call that nothing is heard of is forgotten.  At the bound of the table the
 * one that would be forgotten first goes: whoever is forgotten may one more
 * than his limit, never one less.
 */
#ifndef GUARD_CALLS_H
#define GUARD_CALLS_H

#include "guard/shared.h"

struct calls;

/* max: calls at most.  NULL: no memory. */
struct calls *calls_new(size_t max);
void calls_free(struct calls *cs);		/* NULL is allowed */

/* Is it kept at all?  Not one of accounts that may have any number: nobody has
 * to hear what becomes of it. */
bool calls_keep(const struct calls_ask *ask);

/* Never CALLS_PENDING; CALLS_UNAVAILABLE: no memory. */
enum calls_verdict calls_begin(struct calls *cs, const struct calls_ask *ask,
    int64_t now_ms);
/* As in struct shared_ops.  false: it is not counted here. */
bool calls_rings(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms);
bool calls_answered(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms);
bool calls_touch(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    int64_t lasts_ms, int64_t now_ms);
bool calls_end(struct calls *cs, const uint8_t call[CALL_ID_BYTES],
    enum calls_end how);

size_t calls_count(struct calls *cs, int64_t now_ms);

#endif
