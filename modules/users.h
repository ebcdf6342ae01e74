/*
 * users.h -- users and their secrets, in memory.
 *
 * Found by name and realm, or by the hash of both (userhash, RFC 7616
 * section 3.4.4).  What is given out is lent until users_free().
 */
#ifndef MODULES_USERS_H
#define MODULES_USERS_H

#include <stddef.h>
#include <stdint.h>

#include "auth/cred.h"
#include "auth/digest.h"
#include "base/text.h"
#include "conf/conf.h"
#include "modules/user_line.h"

struct users;

struct user {
	struct str	 name, realm;
	struct ha1_set	 ha1;
	const char *const *identity;
	size_t		 nidentities;
	const char	*class;		/* NULL: none */
	const char *const *prefix;
	size_t		 nprefixes;
	int		 line;		/* where it stands in its file */
};

struct users *users_new(void);		/* NULL: no memory */
void users_free(struct users *us);	/* wipes; NULL is allowed */

/* 0, -ENOMEM, or -EEXIST: there is such a user. */
int users_add(struct users *us, const struct user_line *u, int line);
size_t users_count(const struct users *us);

/* NULL: there is none. */
const struct user *users_find(const struct users *us, struct str realm,
    struct str name);

/* In the order they were added, after prev (NULL: the first). */
const struct user *users_next(const struct users *us,
    const struct user *prev);

/* Make the tables by userhash, for these algorithms (bit: enum digest_alg),
 * when all users are added.  0 or -ENOMEM. */
int users_index(struct users *us, uint8_t algs);

/*
 * Answer a query: CRED_SECRET or CRED_UNKNOWN.  The work is the same for
 * both: for an unknown user there is an H(A1) too, which fits no password.
 */
void users_answer(const struct users *us, const struct cred_query *q,
    struct cred_answer *out);

bool users_have_realm(const struct users *us, struct str realm);

/* Algorithms that every user of the realm has; all, where there is none. */
uint8_t users_algs(const struct users *us, struct str realm);

/* Who lacks a hash of this algorithm? */
struct users_lack {
	size_t	count;
	int	line;			/* of the first */
};

struct users_lack users_lacking(const struct users *us, enum digest_alg alg);

#endif
