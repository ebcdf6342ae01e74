/*
 * mend.h -- showing the parser what it cannot read in a form that it can.
 *
 * Of a request whose start line or top Via it does not understand Sofia gives
 * nothing to answer with; and it does not know '+' and '`' in a method, nor one
 * that is shorter than another of its own with the same first letter
 * ("SERVICE"), which are legal (RFC 3261 25.1, token), nor UTF-8 in a display
 * name without quotes, which many send; and a line end that is folded behind a
 * URI without brackets becomes part of it.  So it is shown the message once
 * more, with other bytes in these places, and ours are put back afterwards:
 * what is sent on, and what is judged, is what came.  A message whose URI or
 * Via was mended must only be answered.
 */
#ifndef TRANSPORT_MEND_H
#define TRANSPORT_MEND_H

#include <stddef.h>

#include <sofia-sip/sip.h>

enum mend { MEND_NOTHING, MEND_METHOD, MEND_URI, MEND_VIA, MEND_PARTIES };

/* What is to be tried after this came of len bytes at p. */
enum mend mend_wanted(const sip_t *sip, const char *p, size_t len);

/* Change the bytes at p, which are as many as before. */
void mend_bytes(enum mend what, char *p, size_t len);

/* Put the bytes back that sip was made of. */
void mend_undo(enum mend what, msg_t *msg, const char *from, size_t len);

#endif
