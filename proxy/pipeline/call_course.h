/*
 * call_course.h -- what becomes of a call that is counted.
 *
 * It counts from the INVITE that opens its dialog until that fails, or, once
 * that was answered 2xx, a BYE in it is answered 2xx or came from who was
 * called, at whatever instance.  Its number is a lot, and stands in the token
 * of the dialog: so whoever has the token may end this call, and no other; and
 * INVITEs that share a Call-ID (a PBX that forks, or sends back to us what we
 * sent there) are calls of their own.
 */
#ifndef PIPELINE_CALL_COURSE_H
#define PIPELINE_CALL_COURSE_H

#include "guard/shared.h"
#include "pipeline/request.h"

/* As guard/ knows it. */
void call_id(const uint8_t number[TOKEN_CALL_BYTES],
    uint8_t out[CALL_ID_BYTES]);

/* Until it is answered it counts as long as it may ring: should we be gone by
 * then, nobody ends it; were it less, who lets it ring would not be counted. */
int64_t call_ring_ms(const struct request *req);

/* It may ring as long as Timer C says, from now on. */
void call_rings(struct request *req);
/* A 2xx to this request came by. */
void call_heard(struct request *req, const sip_t *sip);
/* The request ends with this status. */
void call_ended(struct request *req, int status);

#endif
