/*
 * own_uri.h -- the URIs that stand for us.
 */
#ifndef PIPELINE_OWN_URI_H
#define PIPELINE_OWN_URI_H

#include "base/writer.h"
#include "pipeline/request.h"

/* How those on one side of us know us. */
struct own_name {
	const char	*host;
	uint16_t	 port;
	enum transport	 transport;
};

struct own_name own_name_sender(const struct request *req);
/* For what leaves by `out`.  Who is behind another instance knows us by the
 * transport that he speaks with that one. */
struct own_name own_name_target(const struct leg *leg,
    const struct way *out);

/* ";transport=tcp", where it is not UDP. */
void own_put_transport(struct writer *w, enum transport t);

/* "TOKEN@host:port", or the host that stands for all of us. */
void own_put_place(const struct request *req, struct writer *w,
    const struct own_name *us, const char *token);

/* "<sip:TOKEN@host:port;transport=tcp;lr", yet to be closed; RFC 5630 3.1.3:
 * sips in what a request to a SIPS URI leaves behind. */
void own_put_uri(const struct request *req, struct writer *w,
    const struct own_name *us, const char *token);

#endif
