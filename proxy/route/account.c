/*
 * account.c -- what we are to a peer.
 */
#include "config.h"

#include "route/account.h"

#include <stddef.h>
#include <string.h>

#include "io/target.h"

#define AT(member) offsetof(struct account_conf, member)

const struct conf_opt account_opts[] = {
	CONF_LINE(struct account_conf),
	{ "user", CONF_T_STR, AT(user), CONF_REQUIRED | CONF_RELOAD,
	    .min = 1, .max = 128,
	    .help = "Our name there." },
	{ "password_file", CONF_T_PATH, AT(password_file),
	    CONF_REQUIRED | CONF_RELOAD,
	    .help = "File with our password in its only line. It must not be "
	    "open to group or others (chmod 0400)." },
	{ "realm", CONF_T_STR, AT(realm), CONF_REQUIRED | CONF_RELOAD,
	    .min = 1, .max = 255,
	    .help = "The realm that it asks for, to the letter. No other is "
	    "answered." },
	{ "legacy", CONF_T_BOOL, AT(legacy), CONF_RELOAD, .dflt = "false",
	    .help = "Answer challenges without qop as well (RFC 2069), "
	    "which protect less." },
	CONF_END
};

#undef AT
#define AT(member) offsetof(struct register_conf, member)

const struct conf_opt register_opts[] = {
	CONF_LINE(struct register_conf),
	{ "aor", CONF_T_STR, AT(aor), CONF_REQUIRED | CONF_RELOAD,
	    .min = 1, .max = 255,
	    .help = "The address that is registered: sip:USER@DOMAIN. The "
	    "REGISTER asks for that domain." },
	{ "contact", CONF_T_STR, AT(contact), CONF_RELOAD, .min = 1,
	    .max = 255,
	    .help = "Where calls to it shall come: a SIP URI that leads to "
	    "us. By default the user of aor at the listener by which the "
	    "peer is reached." },
	{ "expires", CONF_T_TIME, AT(expires_ms), CONF_RELOAD, .dflt = "1h",
	    .min = 10 * 1000, .max = 7 * 24 * 3600 * 1000LL,
	    .help = "How long a registration shall last. It is renewed when "
	    "half of what the peer grants is over." },
	{ "retry", CONF_T_TIME, AT(retry_ms), CONF_RELOAD, .dflt = "30s",
	    .min = 1000, .max = 3600 * 1000,
	    .help = "How long to wait after none of the targets took it; "
	    "longer each time." },
	{ "retry_max", CONF_T_TIME, AT(retry_max_ms), CONF_RELOAD,
	    .dflt = "10m", .min = 1000, .max = 24 * 3600 * 1000,
	    .help = "The longest such wait." },
	CONF_END
};

/* A header of ours will hold it in angle brackets. */
static bool
is_uri(const char *s)
{
	struct target_uri t;

	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("<>\"\\", *p) != NULL)
			return false;
	return target_parse(&t, str_of(s));
}

void
account_check(struct conf *c, const struct account_conf *a)
{
	if (a->line == 0 || a->user == NULL || a->realm == NULL)
		return;
	if (str_has_control(str_of(a->user)))
		conf_error(c, a->line, "peers.credentials.user",
		    "holds a control character");
	if (str_has_control(str_of(a->realm)))
		conf_error(c, a->line, "peers.credentials.realm",
		    "holds a control character");
}

void
register_check(struct conf *c, const struct register_conf *r)
{
	const char *at;

	if (r->line == 0 || r->aor == NULL)
		return;
	at = strchr(r->aor, '@');
	if (!is_uri(r->aor) || at == NULL || at[-1] == ':' ||
	    strpbrk(r->aor, ";?") != NULL)
		conf_error(c, r->line, "peers.register.aor",
		    "\"%s\" is not of the form sip:USER@DOMAIN", r->aor);
	if (r->contact != NULL && (!is_uri(r->contact) ||
	    strchr(r->contact, '?') != NULL))
		conf_error(c, r->line, "peers.register.contact",
		    "\"%s\" is not a SIP URI", r->contact);
	if (r->retry_max_ms < r->retry_ms)
		conf_error(c, r->line, "peers.register.retry_max",
		    "is shorter than retry");
}
