/*
 * identities.h -- who somebody says that he is, besides From.
 */
#ifndef PIPELINE_IDENTITIES_H
#define PIPELINE_IDENTITIES_H

#include "pipeline/sofia.h"

/* The addresses of a P-Preferred-Identity or P-Asserted-Identity (RFC 3325 9);
 * NULL: it cannot be read.  The parser takes UTF-8 in a name in quotes only:
 * they are put there. */
sip_contact_t *identities_read(su_home_t *home, const char *value);

#endif
