/*
 * own_uri.c -- the URIs that stand for us.
 */
#include "config.h"

#include "pipeline/own_uri.h"

void
own_put_transport(struct writer *w, enum transport t)
{
	if (t == TRANSPORT_UDP)
		return;
	put_text(w, ";transport=");
	put_text(w, transport_name(t));
}

struct own_name
own_name_sender(const struct request *req)
{
	return (struct own_name){ way_host(req->way, &req->source),
		req->way->port, req->way->transport };
}

struct own_name
own_name_target(const struct leg *leg, const struct way *out)
{
	return (struct own_name){ way_host(out, &leg->tried), out->port,
		leg->handed ? leg->away->transport : out->transport };
}

void
own_put_place(const struct request *req, struct writer *w,
    const struct own_name *us, const char *token)
{
	const char *cluster = req->p->env.ways->record_route;

	if (*token != '\0') {
		put_text(w, token);
		put_text(w, "@");
	}
	if (*cluster != '\0') {
		put_text(w, cluster);
		return;
	}
	put_text(w, us->host);
	put_text(w, ":");
	put_uint(w, us->port);
}

void
own_put_uri(const struct request *req, struct writer *w,
    const struct own_name *us, const char *token)
{
	put_text(w, req->secure ? "<sips:" : "<sip:");
	own_put_place(req, w, us, token);
	if (!req->secure)
		own_put_transport(w, us->transport);
	put_text(w, ";lr");
}
