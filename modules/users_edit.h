/*
 * users_edit.h -- change a users file: comments and order stay.
 *
 * The new text takes the place of the old at once (rename), so a daemon that
 * watches the file sees the one or the other.  Two programs that edit files
 * of one folder wait for each other.
 */
#ifndef MODULES_USERS_EDIT_H
#define MODULES_USERS_EDIT_H

#include <stdbool.h>

#include "modules/users_file.h"

struct users_edit;

/*
 * Begin; a file that is not there is an empty one.  0; or -errno after saying
 * why (-EINVAL: the file has faults, which are to be mended by hand).
 */
int users_edit_open(struct users_edit **out, const struct users_reading *r);
/* What is not saved is forgotten; wipes; NULL is allowed. */
void users_edit_close(struct users_edit *e);

/* A user as first seen: in the file, or when it was put.  NULL: never. */
const struct user *users_edit_find(const struct users_edit *e,
    struct str realm, struct str name);

/* Write the user's line in place of the old one, or after the last.  0,
 * -ENOMEM, or -E2BIG: the line would be too long. */
int users_edit_put(struct users_edit *e, const struct user_line *u);

/* false: no such user. */
bool users_edit_remove(struct users_edit *e, struct str realm,
    struct str name);

/*
 * Save.  A new file has mode 0600; an old one keeps its owner, its group and
 * what they may do.  0 or -errno.
 */
int users_edit_save(struct users_edit *e);

#endif
