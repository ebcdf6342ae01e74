/*
 * methods.h -- the methods that a sender may use: peers.methods, or
 * auth.methods of who is no peer.
 */
#ifndef PIPELINE_METHODS_H
#define PIPELINE_METHODS_H

#include "base/writer.h"
#include "pipeline/request.h"

bool methods_allow(const struct request *req);
/* Is it one that we know, but for its case?  That counts (RFC 3261 7.1), but
 * not for all who read it behind us: an "invite" is an INVITE to some. */
bool methods_is_misspelt(struct str method);

/* A line Allow: what he may use instead. */
void methods_put(const struct request *req, struct writer *w);

#endif
