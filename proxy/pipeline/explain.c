/*
 * explain.c -- which route would a request take, and why not another?
 */
#include "config.h"

#include <stdlib.h>

#include "io/target.h"
#include "pipeline/explain.h"
#include "pipeline/message.h"
#include "pipeline/pipeline.h"
#include "pipeline/route_query.h"

enum { TEXT_SIZE = 65536 };

/* A request that is explained. */
struct inquiry {
	const struct explain *e;
	const sip_t	*sip;
	const struct way *way;
	struct route_query q;
	struct writer	 text;
};

static const struct way *
way_in(const struct explain *e)
{
	const struct ways *ws = e->ways;

	for (size_t i = 0; i < ws->n; i++) {
		const struct way *w = &ws->way[i];

		if ((e->listener == NULL ||
		    strcmp(w->listener, e->listener) == 0) &&
		    (e->source == NULL || (w->transport == e->transport &&
		    addr_is_v4(&w->addr) == addr_is_v4(e->source))))
			return w;
	}
	return NULL;
}

/* By its address, or as the user that he is. */
static const struct peer *
peer_of(const struct explain *e, const struct way *way, const url_t *u)
{
	struct arrival a = { .transport = e->transport,
		.listener = way->listener, .ifindex = way->ifindex,
		.domain = url_domain(u) };
	const struct peer *p = NULL;

	if (e->source != NULL) {
		a.source = *e->source;
		peers_classify(e->peers, &a, &p);
	}
	if (p == NULL && e->user != NULL)
		p = peers_by_user(e->peers, e->user, a.domain);
	return p;
}

static bool
is_ours(const struct explain *e, const url_t *u)
{
	return !url_names_host(u) ||
	    domains_has(e->domains, str_of(u->url_host)) ||
	    ways_are(e->ways, str_of(u->url_host), url_port_number(u));
}

static void
say_who(const struct inquiry *in)
{
	const struct explain *e = in->e;
	char source[ADDR_TEXT_MAX];

	fprintf(e->out, "from: %s", in->q.source == NULL ? "a stranger" :
	    in->q.source->name);
	if (e->source != NULL)
		fprintf(e->out, ", at %s over %s",
		    addr_text(e->source, source),
		    transport_name(e->transport));
	fprintf(e->out, ", on listener %s", in->way->listener);
	if (e->user != NULL)
		fprintf(e->out, ", as user %s of class %s", e->user,
		    e->class == NULL || *e->class == '\0' ? "-" :
		    e->class);
	else if (in->q.source == NULL)
		fputs("; it would be challenged first (see --user)", e->out);
	fputc('\n', e->out);
}

static void
say_what(const struct inquiry *in)
{
	const struct route_query *q = &in->q;

	fprintf(in->e->out, "request: %.*s %.*s, From %.*s, number %.*s\n",
	    (int)q->method.len, q->method.p, (int)q->uri.len, q->uri.p,
	    (int)q->from_uri.len, q->from_uri.p,
	    q->number.len == 0 ? 1 : (int)q->number.len,
	    q->number.len == 0 ? "-" : q->number.p);
}

static void
say_class(const struct inquiry *in, const struct class *c)
{
	FILE *out = in->e->out;
	struct called called;

	if (c == NULL)
		return;
	route_query_called(in->sip->sip_request->rq_url, &called);
	fprintf(out, "class %s: %s this number%s\n", class_conf(c)->name,
	    route_query_class_lets(c, &called) ? "may call" : "may not call",
	    class_is_open(c, in->e->now_s) ? "" : ", and not at this time");
}

/* How many calls there are is not known here. */
static void
say_classes(const struct inquiry *in)
{
	const struct explain *e = in->e;
	const struct peer *p = in->q.source;

	if (in->sip->sip_request->rq_method != sip_method_invite)
		return;
	if (e->user != NULL)
		say_class(in, classes_of_user(e->classes,
		    e->class == NULL ? "" : e->class));
	if (p != NULL && p->class != NULL)
		say_class(in, classes_by_name(e->classes, p->class));
}

static bool
is_allowed(const struct inquiry *in, const struct route_choice *c,
    const struct target_uri *t)
{
	struct egress_query q = {
		.to = t->addr, .of_peer = in->q.source != NULL,
		.uri = in->q.uri, .peers = in->e->peers,
		.transport = t->transport == TARGET_OPEN ? TRANSPORT_UDP :
		    (enum transport)t->transport,
	};

	q.to.port = t->port != 0 ? t->port :
	    target_default_port((int)q.transport);
	q.is_ours = ways_have_ip(in->e->ways, &q.to);
	if (in->e->source != NULL)
		q.source = *in->e->source;
	return egress_judge(c->egress, &q);
}

static void
say_target(const struct inquiry *in, const struct route_choice *c,
    const char *uri)
{
	FILE *out = in->e->out;
	struct target_uri t;

	fprintf(out, "  %s", uri);
	if (!target_parse(&t, str_of(uri)))
		fputs(": not a target", out);
	else if (!t.numeric)
		fputs(": by DNS", out);
	if (c->egress != NULL && !t.numeric)
		fprintf(out, ", each address judged by egress \"%s\"",
		    egress_name(c->egress));
	else if (c->egress != NULL)
		fprintf(out, ": %s by egress \"%s\"", is_allowed(in, c, &t) ?
		    "allowed" : "denied", egress_name(c->egress));
	fputc('\n', out);
}

static void
say_peers(const struct inquiry *in, const struct route_choice *c)
{
	for (size_t i = 0; i < c->npeers; i++) {
		const struct peer *p = c->peer[i];

		fprintf(in->e->out, "to peer %s:\n", p->name);
		for (size_t k = 0; k < p->nuris; k++)
			say_target(in, c, p->uri[k]);
	}
}

static void
say_next_hop(const struct inquiry *in, const struct route_choice *c)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_route_t *r = in->sip->sip_route;
	const url_t *u = r != NULL ? r->r_url :
	    in->sip->sip_request->rq_url;
	const char *text = url_as_string(home, u);

	fprintf(in->e->out, "to where its %s says:\n",
	    r != NULL ? "Route" : "Request-URI");
	if (text != NULL)
		say_target(in, c, text);
	su_home_deinit(home);
}

static void
say_redirect(struct inquiry *in, const struct route_choice *c)
{
	char uri[2048];
	struct writer w = writer_on(uri, sizeof uri);

	route_redirect(c, &in->q, &w);
	fprintf(in->e->out, "answer: 302, Contact: <%.*s>\n", (int)w.len,
	    w.p);
}

static void
say_choice(struct inquiry *in, const struct route_choice *c)
{
	switch (c->verdict) {
	case ROUTE_PEER:
		say_peers(in, c);
		break;
	case ROUTE_REQUEST_URI:
		say_next_hop(in, c);
		break;
	case ROUTE_REJECT:
		fprintf(in->e->out, "answer: %d%s%s\n", c->status,
		    c->phrase == NULL ? "" : " ",
		    c->phrase == NULL ? "" : c->phrase);
		break;
	case ROUTE_REDIRECT:
		say_redirect(in, c);
		break;
	case ROUTE_GAVE_UP:
		fputs("answer: 400\n", in->e->out);
		break;
	case ROUTE_NONE:
		fprintf(in->e->out, "no route fits: %d\n",
		    in->q.foreign ? 403 : 404);
		break;
	}
}

static enum explain_verdict
say_routes(struct inquiry *in)
{
	const struct routes *rs = in->e->routes;
	struct route_choice c = routes_choose(rs, &in->q);
	size_t n = c.verdict == ROUTE_NONE ? routes_count(rs) : c.index + 1;
	const char *why;

	for (size_t i = 0; i < n; i++) {
		why = routes_why_not(rs, i, &in->q);
		fprintf(in->e->out, "route in line %d: %s\n",
		    routes_line(rs, i), why == NULL ? "fits" : why);
	}
	say_choice(in, &c);
	return c.verdict == ROUTE_NONE || c.verdict == ROUTE_GAVE_UP ?
	    EXPLAIN_NONE : EXPLAIN_FITS;
}

static enum explain_verdict
inquire(struct inquiry *in)
{
	const struct explain *e = in->e;

	in->way = way_in(e);
	if (in->way == NULL) {
		fputs("no listener takes it from there\n", e->out);
		return EXPLAIN_UNREADABLE;
	}
	in->q.source = peer_of(e, in->way,
	    in->sip->sip_request->rq_url);
	in->q.listener = in->way->listener;
	in->q.proved = e->user != NULL;
	in->q.class = e->class;
	in->q.foreign = in->q.source == NULL &&
	    !is_ours(e, in->sip->sip_request->rq_url);
	if (!route_query_fill(&in->text, in->sip, &in->q))
		return EXPLAIN_UNREADABLE;
	say_who(in);
	say_what(in);
	say_classes(in);
	return say_routes(in);
}

static bool
is_request(const sip_t *sip)
{
	return sip != NULL && sip->sip_request != NULL &&
	    sip->sip_from != NULL && !(sip->sip_flags & MSG_FLG_ERROR) &&
	    (sip->sip_request->rq_url->url_host != NULL ||
	    sip->sip_request->rq_url->url_type == url_tel);
}

/* What is our own Route comes off, as in a request that came in. */
static void
drop_own_routes(const struct explain *e, msg_t *msg)
{
	sip_t *sip = sip_object(msg);

	while (sip->sip_route != NULL && is_ours(e, sip->sip_route->r_url))
		sip_route_remove(msg, sip);
}

enum explain_verdict
explain_request(const struct explain *e, const char *bytes, size_t len)
{
	msg_mclass_t *mc = pipeline_message_class();
	msg_t *msg = mc == NULL ? NULL :
	    msg_make(mc, MSG_DO_EXTRACT_COPY, bytes, (ssize_t)len);
	char *text = malloc(TEXT_SIZE);
	enum explain_verdict v = EXPLAIN_UNREADABLE;

	if (msg == NULL || text == NULL || !is_request(sip_object(msg)) ||
	    message_read_tel(msg, sip_object(msg)) < 0) {
		fputs("this is not a SIP request\n", e->out);
	} else {
		struct inquiry in = { .e = e, .sip = sip_object(msg),
			.text = writer_on(text, TEXT_SIZE) };

		drop_own_routes(e, msg);
		v = inquire(&in);
	}
	free(text);
	if (msg != NULL)
		msg_destroy(msg);
	free(mc);
	return v;
}
