/*
 * firewall.h -- hand bans over to the kernel, which drops what comes from
 * there before it gets to us.
 *
 * We go on dropping ourselves, so nothing is lost while the kernel does not
 * have a ban yet, or cannot be told.
 */
#ifndef DAEMON_FIREWALL_H
#define DAEMON_FIREWALL_H

#include <stddef.h>

#include "base/metrics.h"
#include "daemon/settings.h"
#include "guard/bans.h"
#include "pipeline/ways.h"

struct firewall;
struct loop;

/* guard.firewall: complaints go to s->conf. */
void firewall_check(const struct settings *s);
/* What -t warns of. */
void firewall_warn(const struct settings *s);

/* Early, as it makes a process.  *out is NULL if there is to be none.  0, or
 * -1 after logging the cause. */
int firewall_new(struct firewall **out, struct loop *l, struct metrics *m,
    const struct settings *s);
/* After bans has ended, and before the loop does. */
void firewall_free(struct firewall *fw);	/* NULL is allowed */

/* From now on; fw may be NULL. */
void firewall_start(struct firewall *fw, struct bans *bans,
    const struct ways *ways);
/* limits.bans_max, which a reload may change. */
void firewall_set_max(struct firewall *fw, int64_t bans_max);

#endif
