/*
 * route_query.c -- what a message asks for, as routes see it.
 */
#include "config.h"

#include <ctype.h>

#include "pipeline/message.h"
#include "pipeline/route_query.h"

enum { PARAMS_MAX = 1024 };		/* in more nobody can tell */

/* In a tel URI the number stands where a host would. */
static const char *
number_in(const url_t *u)
{
	return u->url_user != NULL || u->url_type != url_tel ? u->url_user :
	    u->url_host;
}

static void
put_part(struct writer *w, const char *s)
{
	if (s != NULL)
		put_text(w, s);
}

/* In small letters, since case counts in a regex. */
static void
put_service(struct writer *w, const char *name)
{
	char c;

	put_text(w, "urn:service:");
	for (; *name != '\0'; name++) {
		c = ascii_lower(*name);
		put_mem(w, &c, 1);
	}
}

struct str
route_query_put_uri(struct writer *w, const url_t *u)
{
	struct str out = { w->p + w->len, 0 };

	if (u->url_type == url_tel) {
		put_text(w, "tel:");
		put_part(w, number_in(u));
	} else if (url_is_service(u)) {
		put_service(w, u->url_port);
	} else {
		put_text(w, "sip:");
		put_part(w, u->url_user);
		put_text(w, "@");
		put_part(w, u->url_host);
	}
	out.len = (size_t)(w->p + w->len - out.p);
	return out;
}

/* The number that a URI calls, without visual separators (RFC 3966 5.1.1);
 * empty: it calls none.  Not even a part of what is no number: it would seem
 * to be a shorter one. */
static struct str
put_number(struct writer *w, const url_t *u)
{
	char text[NUMBER_MAX];
	struct writer n = writer_on(text, sizeof text);
	struct str out = { w->p + w->len, 0 };
	const char *s = number_in(u);

	if (s == NULL)
		return out;
	if (*s == '+')
		put_mem(&n, s++, 1);
	for (; *s != '\0'; s++) {
		if (*s >= '0' && *s <= '9')
			put_mem(&n, s, 1);
		else if (strchr("-.()", *s) == NULL)
			return out;
	}
	if (n.full || n.len == 0 || (n.len == 1 && text[0] == '+'))
		return out;
	put_mem(w, n.p, n.len);
	out.len = n.len;
	return out;
}

/* Its parameters stand in the user part, where the first semicolon may be
 * escaped, and those of tel behind it; some look behind the host as well. */
static void
put_params(struct writer *w, const url_t *u)
{
	put_part(w, number_in(u));
	put_text(w, ";");
	put_part(w, u->url_params);
}

void
route_query_called(const url_t *u, struct called *out)
{
	char params[PARAMS_MAX];
	struct writer w = writer_on(params, sizeof params);
	const char *s = number_in(u);

	put_params(&w, u);
	out->is_bare = s == NULL || strchr(s, ';') == NULL;
	out->n = w.full ? 0 : number_readings(out->reading, str_of(s),
	    (struct str){ w.p, w.len });
}

bool
route_query_class_lets(const struct class *c, const struct called *called)
{
	for (size_t i = 0; i < called->n; i++)
		if (!class_lets(c, &called->reading[i]))
			return false;
	return called->n > 0;
}

/* Its digits up to a letter or a parameter, and a + before them, whatever
 * stands between: whom we send it to may dial these. */
static struct str
put_digits(struct writer *w, const struct number *n)
{
	struct str out = { w->p + w->len, 0 };

	for (size_t i = 0; i < n->len && !isalpha((unsigned char)n->text[i]);
	    i++)
		if (n->text[i] != '*' && n->text[i] != '#')
			put_mem(w, &n->text[i], 1);
	out.len = (size_t)(w->p + w->len - out.p);
	return out;
}

static void
put_readings(struct writer *w, const url_t *u, struct route_query *out)
{
	struct called called;

	_Static_assert(ROUTE_READINGS == (int)NUMBER_READINGS, "as many");
	route_query_called(u, &called);
	out->nreadings = called.n;
	for (size_t i = 0; i < called.n; i++)
		out->digits[i] = put_digits(w, &called.reading[i]);
}

bool
route_query_call(struct writer *w, const url_t *u, struct route_query *out)
{
	out->uri = route_query_put_uri(w, u);
	out->number = put_number(w, u);
	put_readings(w, u, out);
	return !w->full;
}

bool
route_query_fill(struct writer *w, const sip_t *sip, struct route_query *out)
{
	out->method = str_of(sip->sip_request->rq_method_name);
	out->from_uri = route_query_put_uri(w, sip->sip_from->a_url);
	return route_query_call(w, sip->sip_request->rq_url, out);
}
