/*
 * master_keys.h -- the key files that the settings name.
 */
#ifndef DAEMON_MASTER_KEYS_H
#define DAEMON_MASTER_KEYS_H

#include <stdbool.h>

#include "auth/keys.h"
#include "daemon/settings.h"

/* Read them; where the first is absent and `make` is said, make it (and the
 * folder).  NULL after logging the cause. */
struct keys *master_keys_load(const struct settings *s, bool make);

#endif
