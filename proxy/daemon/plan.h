/*
 * plan.h -- which sockets the `listen` entries stand for.
 */
#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include "daemon/settings.h"
#include "pipeline/ways.h"

/*
 * One way for each address and transport.  0.0.0.0 and [::] become every
 * address that the machine has now: an answer must leave from the address
 * that was asked, and Via must name it.  IPv6 link-local ones are left out.
 * 0, or -errno after logging the cause.
 */
int plan_ways(const struct settings *s, struct ways *out);

#endif
