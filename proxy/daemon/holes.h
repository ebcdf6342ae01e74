/*
 * holes.h -- configurations that work, and leave a hole: what -t warns of.
 */
#ifndef DAEMON_HOLES_H
#define DAEMON_HOLES_H

#include <stdint.h>

#include "daemon/settings.h"

void holes_warn(const struct settings *s);
/* Algorithms (bits) that some users have no H(A1) for. */
void holes_warn_lacking(const struct settings *s, uint8_t algs);

#endif
