/*
 * spared.h -- addresses that the operator wants never to be banned.
 */
#ifndef GUARD_SPARED_H
#define GUARD_SPARED_H

#include <stdbool.h>

#include "base/addr.h"
#include "conf/conf.h"

struct spared;

/* From the option limits.ban_never; complaints go to c.  NULL when there were
 * any. */
struct spared *spared_new(struct conf *c, const struct conf_list *nets);
void spared_free(struct spared *s);	/* NULL is allowed */

/* Is one of them in this network, which is banned as a whole? */
bool spared_meets(const struct spared *s, const struct net *banned);

#endif
