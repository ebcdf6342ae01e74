/*
 * password_hash.h -- what a users file keeps of a password.
 */
#ifndef TOOLS_PASSWORD_HASH_H
#define TOOLS_PASSWORD_HASH_H

#include "modules/users.h"
#include "tools/password.h"

/* For the name and realm of u, by all algorithms that may be used. */
void password_hash(struct ha1_set *set, const struct user_line *u,
    const struct password *p);

/* Every hash that the user has must be that of the password. */
bool password_fits(const struct user *user, const struct password *p);

#endif
