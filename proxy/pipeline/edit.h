/*
 * edit.h -- what a request looks like when it leaves (RFC 3261 16.6).
 */
#ifndef PIPELINE_EDIT_H
#define PIPELINE_EDIT_H

#include "base/writer.h"
#include "pipeline/request.h"

/* Edits that are the same for every target: our credentials off,
 * Max-Forwards, identity headers, Contact tokens (out: of the first).
 * -errno. */
int edit_request(struct leg *leg, const struct way *out);

/* What it bears on top when it leaves by this way: Record-Route or Path, as
 * whole lines.  -errno. */
int edit_for_way(struct leg *leg, const struct way *out,
    struct writer *w);

#endif
