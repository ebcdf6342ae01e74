/*
 * identity.h -- may this user call himself that?
 *
 * The check of a request's From, P-Preferred-Identity and (for REGISTER) To,
 * as OpenSER's uri table did it: own name in our domains by default, or a
 * list a user, with wildcards.
 */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* A SIP URI, taken apart by the caller; scheme "sip", "sips" or "tel". */
struct identity_uri {
	struct str scheme, user, host;	/* user with %-escapes undone;
					 * tel: number in user, no host */
};

/* sip:anonymous@anonymous.invalid, or host anonymous.invalid (RFC 3323). */
bool identity_is_anonymous(const struct identity_uri *u);

/*
 * list, n: the user's own (cred_answer); n == 0: `user` in any of `domains`
 * (ASCII case-blind host).  sip and sips count as the same.  A list entry is
 * a glob over "sip:user@host" or "tel:number"; a pattern without * or ?
 * compares the host case-blind and the user exactly.
 */
bool identity_is_allowed(const struct identity_uri *u, struct str user,
    const char *const *list, size_t n,
    const char *const *domains, size_t ndomains);

#endif
