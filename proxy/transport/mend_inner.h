/*
 * mend_inner.h -- what mend.c is made of.
 */
#ifndef TRANSPORT_MEND_INNER_H
#define TRANSPORT_MEND_INNER_H

#include <stdbool.h>

#include <sofia-sip/sip.h>

#include "base/text.h"

/* mend_line.c: the first line, with its end and what is folded behind it. */
struct str mend_first_line(struct str s);
/* The first header of that name behind the first line; len 0: there is none. */
struct str mend_header(struct str s, const char *name, const char *compact);

/* mend_party.c: was one of From, To and Contact misread for what we can
 * mend? */
bool mend_parties_wanted(const sip_t *sip, struct str whole);
/* Change them, and give back their names; base is where whole stands. */
void mend_parties(char *base, struct str whole);
void mend_parties_undo(msg_t *msg, struct str whole);

/* A text of the message's own; without memory the old one stays. */
void mend_rename(msg_t *msg, const char **name, struct str as);

#endif
