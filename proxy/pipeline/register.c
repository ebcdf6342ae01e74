/*
 * register.c -- the text of our REGISTER, and what an answer to it grants.
 */
#include "config.h"

#include <string.h>

#include "base/secret.h"
#include "pipeline/message.h"
#include "pipeline/registration_inner.h"

enum { HEAD_MAX = 8192 };

static void
put_line(struct writer *w, const char *name, const char *value)
{
	put_text(w, name);
	put_text(w, value);
	put_text(w, "\r\n");
}

static struct str
after(const char *text, char c)
{
	const char *p = strchr(text, c);

	return str_of(p == NULL ? text : p + 1);
}

/* "sip:" or "sips:" */
static struct str
scheme_of(const struct registration *r)
{
	return (struct str){ r->aor, strcspn(r->aor, ":") + 1 };
}

static struct str
user_of(const struct registration *r)
{
	struct str user = after(r->aor, ':');

	user.len = strcspn(user.p, "@");
	return user;
}

static void
put_domain(const struct registration *r, struct writer *w)
{
	put_str(w, scheme_of(r));
	put_str(w, after(r->aor, '@'));
}

/* RFC 3261 10.2.1: To is what is registered, From who does it. */
static void
put_names(const struct registration *r, struct writer *w)
{
	put_text(w, "From: <");
	put_text(w, r->aor);
	put_line(w, ">;tag=", r->tag);
	put_text(w, "To: <");
	put_line(w, r->aor, ">");
	put_line(w, "Call-ID: ", r->call_id);
	put_text(w, "CSeq: ");
	put_uint(w, r->cseq);
	put_text(w, " REGISTER\r\nMax-Forwards: 70\r\n");
}

static void
put_own_contact(const struct registration *r, struct writer *w)
{
	put_str(w, scheme_of(r));
	put_str(w, user_of(r));
	put_text(w, "@");
	branch_put_place(w, r->way, &r->now.addr);
	if (r->way->transport == TRANSPORT_UDP || scheme_of(r).len > 4)
		return;
	put_text(w, ";transport=");
	put_text(w, transport_name(r->way->transport));
}

static void
put_contact(const struct registration *r, struct writer *w)
{
	put_text(w, "Contact: <");
	if (r->contact != NULL)
		put_text(w, r->contact);
	else
		put_own_contact(r, w);
	put_text(w, ";line=");
	put_text(w, r->line[0]);
	put_text(w, ">;expires=");
	put_uint(w, (uint64_t)r->asked_s);
	put_text(w, "\r\nExpires: ");
	put_uint(w, (uint64_t)r->asked_s);
	put_text(w, "\r\n");
}

static void
put_credentials(struct registration *r, struct writer *w)
{
	struct uplink *u = uplink_find(r->p, r->peer_id);
	char domain[256];
	struct writer uri = writer_on(domain, sizeof domain);
	struct uplink_request ask = { .to = &r->now.addr,
		.method = str_of("REGISTER") };

	put_domain(r, &uri);
	ask.uri = (struct str){ uri.p, uri.len };
	if (u != NULL)
		uplink_put(u, &ask, w);
	w->full |= uri.full;
}

bool
register_write(struct registration *r, const struct branch_asks *asks,
    struct writer *w)
{
	*w = writer_on(r->p->scratch, HEAD_MAX);
	put_text(w, "REGISTER ");
	put_domain(r, w);
	put_text(w, " SIP/2.0\r\n");
	branch_put_via(w, r->way, asks);
	put_names(r, w);
	put_contact(r, w);
	put_credentials(r, w);
	put_text(w, "Content-Length: 0\r\n\r\n");
	return !w->full;
}

bool
register_is_line(const struct registration *r, const url_t *u)
{
	char line[LINE_TEXT + 2];
	bool found = false;

	if (u->url_params == NULL || url_param(u->url_params, "line", line,
	    sizeof line) != LINE_TEXT + 1)
		return false;
	for (size_t i = 0; i < keys_count(r->p->env.keys); i++)
		found |= secret_eq(line, LINE_TEXT, r->line[i], LINE_TEXT);
	return found;
}

/* RFC 3261 10.2.4 and 10.3 item 8: of our Contact, among others that may stand
 * there; else the header's; else it is as asked for. */
int64_t
register_granted(const struct registration *r, const sip_t *sip)
{
	const sip_contact_t *m;
	uint64_t s;
	int64_t all;

	for (m = sip->sip_contact; m != NULL; m = m->m_next)
		if (register_is_line(r, m->m_url))
			break;
	if (m != NULL && m->m_expires != NULL &&
	    parse_uint(str_of(m->m_expires), UINT32_MAX, &s))
		return (int64_t)s;
	all = message_seconds(sip, "Expires");
	return all >= 0 ? all : r->asked_s;
}
