/*
 * identity.c -- may this user call himself that?
 */
#include "config.h"

#include "auth/identity.h"

#include <string.h>

#include "base/count.h"

/* Longest user@host that a pattern without @ is held against. */
enum { WHOLE_MAX = 512 };

enum scheme { SCHEME_SIP, SCHEME_TEL, SCHEME_OTHER };

/* sip and sips count as the same. */
static enum scheme
scheme_of(const struct identity_uri *u)
{
	if (str_caseis(u->scheme, "sip") || str_caseis(u->scheme, "sips"))
		return SCHEME_SIP;
	return str_caseis(u->scheme, "tel") ? SCHEME_TEL : SCHEME_OTHER;
}

/* Steps over the scheme of a pattern; SCHEME_OTHER: it names none. */
static enum scheme
take_scheme(const char **pattern)
{
	static const struct {
		const char	*prefix;
		enum scheme	 scheme;
	} known[] = {
		{ "sip:", SCHEME_SIP }, { "sips:", SCHEME_SIP },
		{ "tel:", SCHEME_TEL },
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		size_t len = strlen(known[i].prefix);

		if (!str_caseis((struct str){ *pattern,
		    strnlen(*pattern, len) }, known[i].prefix))
			continue;
		*pattern += len;
		return known[i].scheme;
	}
	return SCHEME_OTHER;
}

/*
 * A pattern without @ that has wildcards, such as "sip:*.example.com", over
 * user@host as one text.  Such a pattern cannot say where its host begins,
 * so here the host's letters are made small and case counts.
 */
static bool
match_whole(const struct identity_uri *u, const char *pattern)
{
	char text[WHOLE_MAX];
	size_t len = u->user.len;

	if (len >= sizeof text || u->host.len >= sizeof text - len)
		return false;
	if (len > 0) {
		memcpy(text, u->user.p, len);
		text[len++] = '@';
	}
	for (size_t i = 0; i < u->host.len; i++)
		text[len++] = ascii_lower(u->host.p[i]);
	return glob_match(str_of(pattern), (struct str){ text, len }, false);
}

/*
 * The sides of the @ are matched apart, split at the pattern's last and at
 * the URI's own: a user part that holds an escaped @ brings no second host.
 */
static bool
match_sip(const struct identity_uri *u, const char *pattern)
{
	const char *at = strrchr(pattern, '@');

	if (at == NULL && strpbrk(pattern, "*?") != NULL)
		return match_whole(u, pattern);
	if (at == NULL)
		return u->user.len == 0 && str_caseis(u->host, pattern);
	return u->user.len > 0 && glob_match(
	    (struct str){ pattern, (size_t)(at - pattern) }, u->user, false) &&
	    glob_match(str_of(at + 1), u->host, true);
}

static bool
matches(const struct identity_uri *u, const char *pattern)
{
	enum scheme have = scheme_of(u), want = take_scheme(&pattern);

	if (want != SCHEME_OTHER && want != have)
		return false;
	return have == SCHEME_SIP ? match_sip(u, pattern) :
	    glob_match(str_of(pattern), u->user, false);
}

static bool
is_own_name(const struct identity_uri *u, struct str user,
    const char *const *domains, size_t ndomains)
{
	if (scheme_of(u) != SCHEME_SIP || user.len == 0 ||
	    !str_eq(u->user, user))
		return false;
	for (size_t i = 0; i < ndomains; i++)
		if (str_caseis(u->host, domains[i]))
			return true;
	return false;
}

bool
identity_is_anonymous(const struct identity_uri *u)
{
	return scheme_of(u) == SCHEME_SIP &&
	    str_caseis(u->host, "anonymous.invalid");
}

bool
identity_is_allowed(const struct identity_uri *u, struct str user,
    const char *const *list, size_t n, const char *const *domains,
    size_t ndomains)
{
	if (scheme_of(u) == SCHEME_OTHER)
		return false;
	if (n == 0)
		return is_own_name(u, user, domains, ndomains);
	for (size_t i = 0; i < n; i++)
		if (matches(u, list[i]))
			return true;
	return false;
}
