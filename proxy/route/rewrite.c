/*
 * rewrite.c -- numbers and names as a peer wants them.
 */
#include "config.h"

#include "route/rewrite.h"

#include <stddef.h>
#include <string.h>

#include "base/grammar.h"
#include "io/target.h"

#define AT(member) offsetof(struct caller_conf, member)

static const char *const header_choices[] = {
	[CALLER_BOTH] = "both", [CALLER_FROM] = "from", [CALLER_PAI] = "pai",
	NULL
};

const struct conf_opt caller_opts[] = {
	CONF_LINE(struct caller_conf),
	{ "domain", CONF_T_STR, AT(domain), CONF_RELOAD, .min = 1,
	    .max = TARGET_HOST_MAX,
	    .help = "The host of the caller's URI, as the peer shall see "
	    "it." },
	{ "user", CONF_T_STR, AT(user), CONF_RELOAD, .min = 1, .max = 64,
	    .help = "The user of the caller's URI, whoever calls." },
	{ "strip", CONF_T_LIST, AT(strip), CONF_RELOAD, .min = 1, .max = 32,
	    .help = "What is taken off the front of the caller's number: of "
	    "several the first that fits." },
	{ "prefix", CONF_T_STR, AT(prefix), CONF_RELOAD, .min = 1,
	    .max = 32,
	    .help = "What is put in front of it then, unless a + is "
	    "there." },
	{ "header", CONF_T_CHOICE, AT(header), CONF_RELOAD, .dflt = "both",
	    .choices = header_choices,
	    .help = "Where: in From (\"from\"), in P-Asserted-Identity "
	    "(\"pai\"), or in \"both\"." },
	CONF_END
};

bool
rewrite_is_any(const struct rewrite *r)
{
	return r->nstrip > 0 || r->prefix != NULL || r->user != NULL ||
	    r->domain != NULL;
}

bool
rewrite_is_number(struct str user)
{
	bool digit = false;

	for (size_t i = 0; i < user.len; i++) {
		char c = user.p[i];

		if (grammar_is(c, IS_DIGIT))
			digit = true;
		else if (!(c == '+' && i == 0) && !grammar_is(c, IS_SEPARATOR))
			return false;
	}
	return digit;
}

static struct str
stripped(const struct rewrite *r, struct str number)
{
	for (size_t i = 0; i < r->nstrip; i++) {
		size_t n = strlen(r->strip[i]);

		/* something must be left to call */
		if (number.len > n && memcmp(number.p, r->strip[i], n) == 0)
			return (struct str){ number.p + n, number.len - n };
	}
	return number;
}

void
rewrite_put_user(const struct rewrite *r, struct str user, struct writer *w)
{
	if (r->user != NULL) {
		put_text(w, r->user);
		return;
	}
	if (rewrite_is_number(user)) {
		user = stripped(r, user);
		if (r->prefix != NULL && user.p[0] != '+')
			put_text(w, r->prefix);
	}
	put_str(w, user);
}

/* Of a URI, without escapes (RFC 3261 25.1). */
static bool
is_user(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,/")] == '\0';
}

static void
check_user(struct conf *c, int line, const char *option, const char *s)
{
	if (s != NULL && !is_user(s))
		conf_error(c, line, option, "\"%s\" holds what the user of a "
		    "URI may not", s);
}

void
rewrite_check(struct conf *c, int line, const char *option,
    const struct rewrite *r)
{
	char host[TARGET_HOST_MAX + 1];
	struct addr a;

	check_user(c, line, option, r->user);
	check_user(c, line, option, r->prefix);
	for (size_t i = 0; i < r->nstrip; i++)
		check_user(c, line, option, r->strip[i]);
	if (r->domain != NULL && !target_host_copy(host,
	    str_of(r->domain)) && !(addr_parse_host(&a, str_of(r->domain)) &&
	    (addr_is_v4(&a) || *r->domain == '[')))
		conf_error(c, line, option, "\"%s\" is not a host",
		    r->domain);
}
