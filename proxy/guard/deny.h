/*
 * deny.h -- addresses that get nothing from us but silence.
 *
 * Asked for each packet and each connection before anything is done for it,
 * so it is a search in a table that was sorted once.
 */
#ifndef GUARD_DENY_H
#define GUARD_DENY_H

#include <stdbool.h>

#include "base/addr.h"
#include "conf/conf.h"

struct deny;

/* From the option `deny`; complaints go to c.  NULL when there were any. */
struct deny *deny_new(struct conf *c, const struct conf_list *nets);
void deny_free(struct deny *d);		/* NULL is allowed */

bool deny_has(const struct deny *d, const struct addr *source);

#endif
