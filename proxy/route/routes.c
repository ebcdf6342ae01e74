/*
 * routes.c -- what becomes of a request: the first route that fits.
 */
#include "config.h"

#include <string.h>

#include "route/routes_inner.h"

/* The first thing about a route that does not fit. */
enum miss {
	FITS, MISS_FROM, MISS_LISTENER, MISS_METHOD, MISS_CLASS, MISS_PREFIX,
	MISS_URI, MISS_FROM_URI, MISS_FOREIGN, MISS_RELAY, MISS_OURS,
	MISS_BACK, MISS_REGEX, GAVE_UP
};

static const char *const why[] = {
	[MISS_FROM] = "from does not name who sent it",
	[MISS_LISTENER] = "it came in on another listener",
	[MISS_METHOD] = "the method is another one",
	[MISS_CLASS] = "the user is not of its class",
	[MISS_PREFIX] = "no prefix fits the number called",
	[MISS_URI] = "uri does not match the Request-URI",
	[MISS_FROM_URI] = "from_uri does not match From",
	[MISS_FOREIGN] = "the domain is not ours, and only a route that names "
	    "strangers and leads to no peer is for that",
	[MISS_RELAY] = "request-uri is not for strangers, unless from names "
	    "them and digest proved a user",
	[MISS_OURS] = "the Request-URI is ours, and would lead back here",
	[MISS_BACK] = "it would lead back to the peer that it came from",
	[MISS_REGEX] = "uri_regex does not match the Request-URI",
	[GAVE_UP] = "uri_regex gave up on the Request-URI"
};

static bool
has_prefix(const struct conf_list *l, struct str number)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t len = strlen(l->v[i]);

		if (number.len >= len && memcmp(number.p, l->v[i], len) == 0)
			return true;
	}
	return l->n == 0;
}

/* What is refused stays so with a bit of text behind it, which whoever dials
 * it may pass over, or where its parameters make it another number, or one
 * that nobody can tell. */
static bool
fits_number(const struct route *r, const struct route_query *q)
{
	const struct conf_list *prefix = &r->conf->prefix;

	if (r->action != ROUTE_REJECT)
		return has_prefix(prefix, q->number);
	for (size_t i = 0; i < q->nreadings; i++)
		if (has_prefix(prefix, q->digits[i]))
			return true;
	return prefix->n == 0 || q->nreadings == 0;
}

static bool
matches(const char *pattern, struct str text)
{
	return pattern == NULL || glob_match(str_of(pattern), text, true);
}

/* No open relay. */
static enum miss
judge_stranger(const struct route *r, const struct route_query *q)
{
	if (q->foreign && (!r->strangers || r->action == ROUTE_PEER))
		return MISS_FOREIGN;
	if (r->action != ROUTE_REQUEST_URI)
		return FITS;
	if (!r->strangers || !q->proved)
		return MISS_RELAY;
	return q->foreign ? FITS : MISS_OURS;
}

/* No way back, unless the file asks for it by name. */
static bool
is_target(const struct route *r, size_t i, const struct route_query *q)
{
	return r->conf->from.n > 0 || r->to[i] != q->source;
}

static enum miss
judge_way(const struct route *r, const struct route_query *q)
{
	if (q->source == NULL)
		return judge_stranger(r, q);
	for (size_t i = 0; i < r->nto; i++)
		if (is_target(r, i, q))
			return FITS;
	return r->nto > 0 ? MISS_BACK : FITS;
}

static enum miss
judge_regex(const struct route *r, const struct route_query *q)
{
	if (r->regex == NULL)
		return FITS;
	switch (pattern_match(r->regex, q->uri)) {
	case PATTERN_YES:
		return FITS;
	case PATTERN_NO:
		return MISS_REGEX;
	case PATTERN_GAVE_UP:
		break;
	}
	return GAVE_UP;
}

/* The dearest comes last. */
static enum miss
judge(const struct route *r, const struct route_query *q)
{
	const struct route_conf *conf = r->conf;
	enum miss miss;

	if (!route_is_from(r, q->source))
		return MISS_FROM;
	if (!conf_list_takes(&conf->listener, str_of(q->listener)))
		return MISS_LISTENER;
	if (!conf_list_takes(&conf->method, q->method))
		return MISS_METHOD;
	if (!conf_list_takes(&conf->class, str_of(q->class)))
		return MISS_CLASS;
	if (!fits_number(r, q))
		return MISS_PREFIX;
	if (!matches(conf->uri, q->uri))
		return MISS_URI;
	if (!matches(conf->from_uri, q->from_uri))
		return MISS_FROM_URI;
	miss = judge_way(r, q);
	return miss == FITS ? judge_regex(r, q) : miss;
}

static struct route_choice
choice_of(const struct routes *rs, size_t index, const struct route_query *q)
{
	const struct route *r = &rs->v[index];
	struct route_choice c = {
		.verdict = r->action, .egress = r->egress, .index = index,
		.status = (int)r->conf->reject,
		.phrase = r->conf->phrase, .line = r->line, .route = r
	};

	for (size_t i = 0; i < r->nto; i++)
		if (is_target(r, i, q))
			c.peer[c.npeers++] = r->to[i];
	return c;
}

struct route_choice
routes_choose(const struct routes *rs, const struct route_query *q)
{
	for (size_t i = 0; i < rs->n; i++) {
		switch (judge(&rs->v[i], q)) {
		case FITS:
			return choice_of(rs, i, q);
		case GAVE_UP:
			return (struct route_choice){
				.verdict = ROUTE_GAVE_UP, .index = i,
				.line = rs->v[i].line };
		default:
			break;
		}
	}
	return (struct route_choice){ .verdict = ROUTE_NONE };
}

void
route_redirect(const struct route_choice *choice, const struct route_query *q,
    struct writer *w)
{
	const struct route *r = choice->route;

	if (r->regex == NULL)
		put_text(w, r->conf->redirect);
	else
		pattern_expand(r->regex, q->uri, r->conf->redirect, w);
}

bool
routes_let_out(const struct routes *rs)
{
	return rs->let_out;
}

size_t
routes_count(const struct routes *rs)
{
	return rs->n;
}

int
routes_line(const struct routes *rs, size_t i)
{
	return rs->v[i].line;
}

const char *
routes_why_not(const struct routes *rs, size_t i, const struct route_query *q)
{
	return why[judge(&rs->v[i], q)];
}
