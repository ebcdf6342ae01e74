/*
 * trust.c -- what crosses the border of those who trust each other.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "base/grammar.h"
#include "pipeline/identities.h"
#include "pipeline/message.h"
#include "pipeline/trust.h"

/* What a header is, to those at the border: bits. */
enum kind {
	ASSERTED = 1,			/* who somebody is */
	PRIVATE = 2,			/* of no meaning outside */
	IDENTITY = 4, SESSION_ID = 8, HISTORY_INFO = 16, DIVERSION = 32
};

/* RFC 3325, 7315, 5502, 6050, 7316, 8496 (who pays), and those of 3GPP TS
 * 24.229 that say who somebody is, or what a call costs; Remote-Party-ID was
 * before them. */
static const struct {
	const char	*name;
	unsigned	 kind;
} known[] = {
	{ "P-Asserted-Identity", ASSERTED },
	{ "Remote-Party-ID", ASSERTED },
	{ "P-Preferred-Identity", PRIVATE },
	{ "P-Charging-Vector", PRIVATE },
	{ "P-Charging-Function-Addresses", PRIVATE },
	{ "P-Access-Network-Info", PRIVATE },
	{ "P-Visited-Network-ID", PRIVATE },
	{ "P-Called-Party-ID", PRIVATE },
	{ "P-Profile-Key", PRIVATE },
	{ "P-Served-User", PRIVATE },
	{ "P-User-Database", PRIVATE },
	{ "P-Asserted-Service", PRIVATE },
	{ "P-Preferred-Service", PRIVATE },
	{ "P-Private-Network-Indication", PRIVATE },
	{ "P-Charge-Info", PRIVATE },
	{ "Additional-Identity", PRIVATE },
	{ "Attestation-Info", PRIVATE },
	{ "Cellular-Network-Info", PRIVATE },
	{ "Origination-Id", PRIVATE },
	{ "Relayed-Charge", PRIVATE },
	{ "Identity", IDENTITY }, { "y", IDENTITY },
	{ "Session-ID", SESSION_ID },
	{ "History-Info", HISTORY_INFO },
	{ "Diversion", DIVERSION },
};

/* Between whom a message goes. */
struct border {
	bool	from, to;		/* are they trusted? */
	bool	to_peer;
	unsigned pass;			/* PASS_... of whom it goes to */
};

static unsigned
kind_of(const char *name)
{
	if (name == NULL)
		return 0;
	for (size_t i = 0; i < COUNT(known); i++)
		if ((known[i].name[0] | 0x20) == (*name | 0x20) &&
		    strcasecmp(known[i].name, name) == 0)
			return known[i].kind;
	/* RFC 5503 has a whole family */
	return strncasecmp(name, "P-DCS-", 6) == 0 ? PRIVATE : 0;
}

static void
drop_kinds(msg_t *msg, sip_t *sip, unsigned kinds)
{
	sip_unknown_t *un = sip->sip_unknown, *next;

	for (; kinds != 0 && un != NULL; un = next) {
		next = un->un_next;
		if (kind_of(un->un_name) & kinds)
			msg_header_remove(msg, (msg_pub_t *)sip,
			    (msg_header_t *)un);
	}
}

static bool
wants(const sip_t *sip, const char *privacy)
{
	return message_has_token(sip, "Privacy", privacy);
}

/*
 * RFC 3325 section 7: what one of us asserts may be told to others, unless
 * "id" forbids it.  A phone is told who calls; a peer that is not trusted
 * only if "none" wants it to.
 */
static bool
may_tell_who(const struct border *b, const sip_t *sip)
{
	if (!b->from)
		return false;
	if (b->to)
		return true;
	return b->to_peer ? wants(sip, "none") : !wants(sip, "id");
}

/* RFC 7044 section 10.1.2: these hide where a call has been. */
static bool
may_tell_history(const struct border *b, const sip_t *sip)
{
	return (b->pass & PASS_HISTORY_INFO) && (b->to ||
	    (!wants(sip, "history") && !wants(sip, "header") &&
	    !wants(sip, "session")));
}

static unsigned
kinds_to_drop(const struct border *b, const sip_t *sip)
{
	unsigned kinds = 0;

	if (!may_tell_who(b, sip))
		kinds |= ASSERTED;
	if (!b->from || !b->to)
		kinds |= PRIVATE;
	if (!(b->pass & PASS_IDENTITY))
		kinds |= IDENTITY;
	if (!(b->pass & PASS_SESSION_ID))
		kinds |= SESSION_ID;
	if (!may_tell_history(b, sip))
		kinds |= HISTORY_INFO;
	if (!(b->pass & PASS_DIVERSION))
		kinds |= DIVERSION;
	return kinds;
}

static bool
is_trusted(const struct peer *p)
{
	return p != NULL && p->trusted;
}

static struct border
border_between(const struct peer *from, const struct peer *to)
{
	return (struct border){ is_trusted(from), is_trusted(to), to != NULL,
		to != NULL ? to->pass : PASS_IDENTITY | PASS_SESSION_ID };
}

/* As the user part of a URI (RFC 3261 25.1). */
static const char *
escaped_user(su_home_t *home, const char *user)
{
	static const char plain[] = "-_.!~*'()&=+$,;?/";
	char *out = su_zalloc(home, (isize_t)(3 * strlen(user) + 1)), *p = out;

	for (; out != NULL && *user != '\0'; user++) {
		if (grammar_is(*user, IS_ALPHA | IS_DIGIT) ||
		    strchr(plain, *user) != NULL)
			*p++ = *user;
		else
			p += sprintf(p, "%%%02X", (unsigned char)*user);
	}
	return out == NULL ? "unknown" : out;
}

/* P-Preferred-Identity as we read it, and so as the next one will. */
static char *
preferred(su_home_t *home, const sip_unknown_t *ppi)
{
	const sip_contact_t *m = identities_read(home, ppi->un_value);
	char *out = m == NULL ? NULL : su_strdup(home, "P-Asserted-Identity:");

	for (; m != NULL && out != NULL; m = m->m_next)
		out = su_sprintf(home, "%s <" URL_PRINT_FORMAT ">%s", out,
		    URL_PRINT_ARGS(m->m_url), m->m_next != NULL ? "," : "");
	return out;
}

/* The identity to assert: what the user prefers, else From, if they were
 * found to be his; else (anonymous, or in a dialog) the user in his realm. */
static char *
asserted(struct leg *leg)
{
	const struct request *req = leg->req;
	const sip_t *sip = leg->sip;
	su_home_t *home = msg_home(leg->msg);
	const sip_unknown_t *ppi = message_other(sip, "P-Preferred-Identity",
	    NULL);
	struct identity_uri from;

	if (ppi != NULL && req->identity_ok)
		return preferred(home, ppi);
	if (req->identity_ok &&
	    identity_of_url(home, sip->sip_from->a_url, &from) &&
	    !identity_is_anonymous(&from))
		return su_sprintf(home, "P-Asserted-Identity: <"
		    URL_PRINT_FORMAT ">",
		    URL_PRINT_ARGS(sip->sip_from->a_url));
	return su_sprintf(home, "P-Asserted-Identity: <sip:%s@%s>",
	    escaped_user(home, req->user), req->realm);
}

/* Towards those who trust us we assert who proved himself. */
int
trust_request(struct leg *leg)
{
	const struct request *req = leg->req;
	struct border b = border_between(req->peer, leg->peer);
	char *header = NULL;

	if (!b.from && b.to && *req->user != '\0') {
		header = asserted(leg);
		if (header == NULL)
			return -ENOMEM;
	}
	drop_kinds(leg->msg, leg->sip, kinds_to_drop(&b, leg->sip));
	return header == NULL ? 0 :
	    message_add_other(leg->msg, leg->sip, header);
}

void
trust_response(const struct leg *leg, msg_t *msg, sip_t *sip)
{
	struct border b = border_between(leg->peer, leg->req->peer);

	drop_kinds(msg, sip, kinds_to_drop(&b, sip));
}

void
trust_late_response(msg_t *msg, sip_t *sip, const struct peer *from)
{
	struct border b = border_between(from, NULL);

	drop_kinds(msg, sip, kinds_to_drop(&b, sip));
}

/* What only a privacy service can do. */
static bool
asks_too_much(const sip_t *sip)
{
	return wants(sip, "critical") && (wants(sip, "header") ||
	    wants(sip, "session") || wants(sip, "user"));
}

/* Inside somebody else may be one. */
bool
trust_may_leave(const struct request *req)
{
	if (req->sip->sip_to->a_tag != NULL || !asks_too_much(req->sip))
		return true;
	for (const struct leg *leg = &req->leg; leg != NULL; leg = leg->next)
		if (!is_trusted(leg->peer))
			return false;
	return true;
}
