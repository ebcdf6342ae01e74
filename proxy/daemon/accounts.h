/*
 * accounts.h -- our passwords at peers: read, hashed, and wiped.
 */
#ifndef DAEMON_ACCOUNTS_H
#define DAEMON_ACCOUNTS_H

#include "daemon/settings.h"

/* Read the files that `credentials` of peers name into s->accounts.  -1 after
 * complaints as those of settings_load(). */
int accounts_load(struct settings *s);

/* Wiped; NULL is allowed. */
void accounts_free(struct account *accounts, size_t n);

#endif
