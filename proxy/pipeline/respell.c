/*
 * respell.c -- requests that open something new, as their peer wants them:
 * numbers and names in Request-URI, To, From and P-Asserted-Identity.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "pipeline/identities.h"
#include "pipeline/message.h"
#include "pipeline/respell.h"
#include "transport/line.h"

enum { NUMBER_TEXT_MAX = 128 };		/* what is longer is no number */

bool
respell_is_due(const struct leg *leg)
{
	const struct request *req = leg->req;

	return leg->peer != NULL && req->token_state != TOKEN_GOOD &&
	    req->sip->sip_to->a_tag == NULL && !req->handed &&
	    (rewrite_is_any(&leg->peer->called) ||
	    rewrite_is_any(&leg->peer->caller));
}

/* ---- one URI */

/* RFC 3261 19.1.6: of a telephone-subscriber only the number, not its
 * parameters; elsewhere a user with parameters is no number. */
static struct str
number_part(const url_t *u, const char *user)
{
	struct str all = str_of(user);

	if (u->url_params != NULL && url_has_param(u, "user=phone"))
		all.len = strcspn(user, ";");
	return all;
}

/* As it shall be; the same where nothing changes.  NULL: no memory. */
static const char *
respelt_user(su_home_t *home, const url_t *u, const char *user,
    const struct rewrite *r)
{
	char text[2 * NUMBER_TEXT_MAX];
	struct writer w = writer_on(text, sizeof text);
	struct str part = number_part(u, user == NULL ? "" : user);

	if (r->user == NULL && (part.len > NUMBER_TEXT_MAX ||
	    !rewrite_is_number(part)))
		return user == NULL ? "" : user;
	rewrite_put_user(r, part, &w);
	if (r->user == NULL)
		return su_sprintf(home, "%.*s%s", (int)w.len, w.p,
		    part.p + part.len);
	return su_strndup(home, w.p, (isize_t)w.len);
}

static bool
respell_tel(su_home_t *home, url_t *u, const struct rewrite *r)
{
	const char *number = u->url_user != NULL ? u->url_user : u->url_host;
	const char *user = respelt_user(home, u, number, r);
	const char *params = u->url_params;

	if (user == NULL || r->domain == NULL) {
		if (u->url_user != NULL)
			u->url_user = user;
		else
			u->url_host = user;
		return user != NULL;
	}
	u->url_type = url_sip;
	u->url_scheme = "sip";
	u->url_host = r->domain;
	u->url_params = "user=phone";
	u->url_user = params == NULL ? user :
	    su_sprintf(home, "%s;%s", user, params);
	return u->url_user != NULL;
}

/* u: a copy, whose texts stay where they are.  false: no memory. */
static bool
respell_url(su_home_t *home, url_t *u, const struct rewrite *r)
{
	const char *user;

	if (u->url_type == url_tel)
		return respell_tel(home, u, r);
	if (u->url_type != url_sip && u->url_type != url_sips)
		return true;
	user = respelt_user(home, u, u->url_user, r);
	if (user == NULL)
		return false;
	u->url_user = *user == '\0' ? NULL : user;
	if (r->domain != NULL) {
		u->url_host = r->domain;
		u->url_port = NULL;
	}
	return true;
}

/* ---- the headers */

static int
respell_uri(struct leg *leg)
{
	url_t u = *leg->sip->sip_request->rq_url;

	if (!respell_url(msg_home(leg->msg), &u, &leg->peer->called))
		return -ENOMEM;
	return message_set_uri(leg->msg, leg->sip, &u);
}

/* Whoever is called stays as he is; only the house is named anew. */
static int
respell_to(struct leg *leg)
{
	const struct rewrite r = { .domain = leg->peer->called.domain };
	sip_to_t *to = leg->sip->sip_to;

	if (r.domain == NULL)
		return 0;
	line_rewrite((msg_header_t *)to, (msg_header_t *)to);
	return respell_url(msg_home(leg->msg), to->a_url, &r) ? 0 : -ENOMEM;
}

static bool
is_anonymous(struct leg *leg)
{
	struct identity_uri from;

	return identity_of_url(msg_home(leg->msg), leg->sip->sip_from->a_url,
	    &from) && identity_is_anonymous(&from);
}

static int
respell_from(struct leg *leg)
{
	sip_from_t *from = leg->sip->sip_from;

	if (leg->peer->caller_header == CALLER_PAI || is_anonymous(leg))
		return 0;
	line_rewrite((msg_header_t *)from, (msg_header_t *)from);
	return respell_url(msg_home(leg->msg), from->a_url,
	    &leg->peer->caller) ? 0 : -ENOMEM;
}

/* The values of one header; what cannot be read stays.  NULL: no memory. */
static const char *
respelt_identities(struct leg *leg, const char *value)
{
	su_home_t *home = msg_home(leg->msg);
	sip_contact_t *m = identities_read(home, value);
	const char *out = m == NULL ? value : "";

	for (; m != NULL && out != NULL; m = m->m_next) {
		const char *name = m->m_display == NULL ? "" : m->m_display;

		if (m->m_url->url_type == url_invalid)
			return value;
		if (!respell_url(home, m->m_url, &leg->peer->caller))
			return NULL;
		out = su_sprintf(home, "%s%s%s<" URL_PRINT_FORMAT ">%s", out,
		    name, *name == '\0' ? "" : " ",
		    URL_PRINT_ARGS(m->m_url), m->m_next != NULL ? ", " : "");
	}
	return out;
}

static int
respell_asserted(struct leg *leg)
{
	const char *all = NULL, *one;
	su_home_t *home = msg_home(leg->msg);
	sip_unknown_t *un = NULL;

	if (leg->peer->caller_header == CALLER_FROM)
		return 0;
	while ((un = message_other(leg->sip, "P-Asserted-Identity", un))) {
		one = respelt_identities(leg, un->un_value);
		if (one == NULL)
			return -ENOMEM;
		all = su_sprintf(home, "%s%s%s", all == NULL ?
		    "P-Asserted-Identity: " : all, all == NULL ? "" : ", ",
		    one);
		if (all == NULL)
			return -ENOMEM;
	}
	message_drop_other(leg->msg, leg->sip, "P-Asserted-Identity");
	return all == NULL ? 0 : message_add_other(leg->msg, leg->sip, all);
}

static int
respell_caller(struct leg *leg)
{
	if (!rewrite_is_any(&leg->peer->caller))
		return 0;
	return respell_from(leg) < 0 || respell_asserted(leg) < 0 ? -ENOMEM :
	    0;
}

int
respell_request(struct leg *leg)
{
	if (rewrite_is_any(&leg->peer->called) &&
	    (respell_uri(leg) < 0 || respell_to(leg) < 0))
		return -ENOMEM;
	return respell_caller(leg);
}

/* All but the parameters, among which is the tag. */
static void
lend(sip_addr_t *to, const sip_addr_t *own)
{
	line_rewrite((msg_header_t *)to, (msg_header_t *)to);
	to->a_display = own->a_display;
	*to->a_url = *own->a_url;
}

void
respell_response(const struct leg *leg, sip_t *sip)
{
	const sip_t *own = leg->req->sip;

	if (!respell_is_due(leg) || sip->sip_from == NULL ||
	    sip->sip_to == NULL)
		return;
	lend(sip->sip_from, own->sip_from);
	lend(sip->sip_to, own->sip_to);
}
