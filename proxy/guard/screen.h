/*
 * screen.h -- are these bytes the head of a SIP message that everybody reads
 * in the same way?
 *
 * Looked at before any parser, on bytes that anybody can send.  Refused is
 * what two implementations would cut or read differently: line ends other
 * than CRLF, NUL, header lines without a name, a Content-Length that is no
 * number or is there twice; and more lines or bytes than allowed.
 * Quoted pairs do not excuse a NUL or a bare CR; RFC 3261 25.1 would.
 */
#ifndef GUARD_SCREEN_H
#define GUARD_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/head.h"

/*
 * Judge the len bytes at p, which begin where the message does.  On HEAD_MORE
 * call again when bytes were added at the end; none is looked at twice, so a
 * head that dribbles in costs no more than one that comes at once.
 *
 * Blank lines (CRLF) before the start line are passed over (RFC 3261 7.5) and
 * counted in h->start; RFC 5626 3.5.1 makes keep-alives of them.
 */
enum head_verdict screen_head(struct head *h, const char *p, size_t len);

/* As it stands in the log and in metrics; "?" for no verdict. */
const char *screen_verdict_name(enum head_verdict v);

/* A Binding message of RFC 5389 section 6: class and method fit and the cookie
 * is right. */
bool screen_is_stun(const char *p, size_t len);

#endif
