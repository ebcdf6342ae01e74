/*
 * edit.h -- what a request looks like when it leaves (RFC 3261 16.6).
 */
#ifndef PIPELINE_EDIT_H
#define PIPELINE_EDIT_H

#include "pipeline/request.h"

/* Edits that are the same for every target: our credentials off,
 * Max-Forwards, identity headers.  -ENOMEM. */
int edit_request(struct request *req);

/* A response on its way back: a stranger asserts nothing, and is told nothing
 * that is private (RFC 3325 section 7). */
void edit_response(const struct request *req, msg_t *msg, sip_t *sip);

/* Edits that depend on where it leaves: Record-Route, Path.  -ENOMEM. */
int edit_for_way(struct request *req, msg_t *msg, sip_t *sip,
    const struct way *out);

/* A later try: the Record-Routes of the first are replaced, for the target
 * that is now tried. */
int edit_change_way(struct request *req, msg_t *msg, sip_t *sip,
    const struct way *out);

#endif
