/*
 * route_query.h -- what a message asks for, as routes see it.
 */
#ifndef PIPELINE_ROUTE_QUERY_H
#define PIPELINE_ROUTE_QUERY_H

#include "base/writer.h"
#include "guard/classes.h"
#include "pipeline/sofia.h"
#include "route/routes.h"

/* Method, URIs and number; their text goes to w.  false: no room. */
bool route_query_fill(struct writer *w, const sip_t *sip,
    struct route_query *out);
/* The same request, but for another URI. */
bool route_query_call(struct writer *w, const url_t *u,
    struct route_query *out);

/* "sip:user@host" or "tel:number", behind what w has. */
struct str route_query_put_uri(struct writer *w, const url_t *u);

/* What may be dialled. */
struct called {
	struct number	 reading[NUMBER_READINGS];
	size_t		 n;
	bool		 is_bare;	/* no parameters in a user part */
};
void route_query_called(const url_t *u, struct called *out);
/* Does a class let anybody call it, however it is read? */
bool route_query_class_lets(const struct class *c,
    const struct called *called);

#endif
