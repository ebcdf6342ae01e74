/*
 * descriptors.h -- are there as many as the connections need?
 */
#ifndef DAEMON_DESCRIPTORS_H
#define DAEMON_DESCRIPTORS_H

#include "daemon/settings.h"

/* Take as many as the system lets us have, and say so if they are too few:
 * accepted connections would leave none for targets, files and names. */
void descriptors_raise(const struct settings *s);

#endif
