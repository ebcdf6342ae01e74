/*
 * stun.h -- the answer to a STUN binding request, by which a client learns
 * how we see it and keeps its NAT open (RFC 5626 3.5.2).
 *
 * Source: RFC 8489.  No other STUN message is ever answered, and no error is,
 * so that whoever writes another's address as its own gains next to nothing.
 */
#ifndef TRANSPORT_STUN_H
#define TRANSPORT_STUN_H

#include <stddef.h>

#include "base/addr.h"

enum { STUN_ANSWER_MAX = 44 };

/* The answer to the datagram p of len bytes that came from `from`; its length,
 * or 0: there is none. */
size_t stun_answer(char out[STUN_ANSWER_MAX], const char *p, size_t len,
    const struct addr *from);

#endif
