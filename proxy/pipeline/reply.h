/*
 * reply.h -- answers of our own.
 *
 * Without a transaction nothing is kept: the To tag is a keyed hash of
 * Call-ID and the caller's tag, so the ACK to such an answer can be known.
 */
#ifndef PIPELINE_REPLY_H
#define PIPELINE_REPLY_H

#include "base/writer.h"
#include "pipeline/request.h"

/* Send the answer that a reason stands for; stateless while there is no
 * server transaction.  Returns the status that went out, 0 if none did. */
int reply_send(struct request *req, enum reason r);

/* RFC 4320 section 4.2: who asked has given up just before, and nothing is said
 * to him. */
bool reply_is_too_late(const struct request *req, int status);

/* 100 Trying, for an INVITE. */
void reply_trying(struct request *req);

/* That tag. */
enum { REPLY_TAG_TEXT = 18 };
void reply_tag(struct keys *k, size_t master, struct str call_id,
    struct str from_tag, char out[REPLY_TAG_TEXT + 1]);

/* Lines of an answer; tag: NULL: none is added. */
void reply_put_status(struct writer *w, int status, const char *phrase);
void reply_put_to(struct writer *w, struct str value, const char *tag);

/* Does this request (an ACK) carry the To tag of an answer of ours? */
bool reply_is_acked(struct request *req);

#endif
