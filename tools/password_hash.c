/*
 * password_hash.c -- what a users file keeps of a password.
 */
#include "config.h"

#include "tools/password_hash.h"

#include <string.h>

#include "base/secret.h"

void
password_hash(struct ha1_set *set, const struct user_line *u,
    const struct password *p)
{
	struct str password = { p->text, p->len };

	memset(set, 0, sizeof *set);
	for (int i = 0; i < DIGEST_ALGS; i++) {
		enum digest_alg alg = (enum digest_alg)i;

		/* MD5 may be forbidden here (FIPS). */
		if (!digest_alg_usable(alg))
			continue;
		digest_ha1(set->ha1[alg], alg, u->name, u->realm, password);
		set->has[alg] = true;
	}
}

bool
password_fits(const struct user *user, const struct password *p)
{
	struct user_line u = { .name = user->name, .realm = user->realm };
	bool right = true;

	password_hash(&u.ha1, &u, p);
	for (int i = 0; i < DIGEST_ALGS; i++) {
		size_t len = digest_alg_bytes((enum digest_alg)i);

		if (user->ha1.has[i] && (!u.ha1.has[i] ||
		    !secret_eq(u.ha1.ha1[i], len, user->ha1.ha1[i], len)))
			right = false;
	}
	secret_wipe(&u.ha1, sizeof u.ha1);
	return right;
}
