/*
 * descriptors.h -- are there as many as the connections need?
 */
#ifndef DAEMON_DESCRIPTORS_H
#define DAEMON_DESCRIPTORS_H

#include "daemon/settings.h"

/* Take as many as the system lets us have, and say so if they are too few. */
void descriptors_raise(const struct settings *s);

/* So many connections, accepted and to targets each, or as many as there are
 * descriptors for, also where they are not limited: callers must leave some
 * for targets, files and names. */
int64_t descriptors_allow(int64_t connections);

#endif
