/*
 * hosts.h -- the names of the hosts file, read once.
 */
#ifndef IO_HOSTS_H
#define IO_HOSTS_H

#include <stddef.h>

#include "base/addr.h"
#include "base/text.h"

enum { HOSTS_MAX = 4096 };		/* names; later ones are left out */

struct hosts;

/* A file that cannot be read has no names.  NULL: no memory. */
struct hosts *hosts_new(const char *path);
void hosts_free(struct hosts *h);	/* NULL is allowed */

/* Addresses of a name, at most max, in the order of the file; the number of
 * them.  "localhost" and what ends in ".localhost" is always known and always
 * loopback (RFC 6761 section 6.3). */
size_t hosts_find(const struct hosts *h, struct str name, struct addr *out,
    size_t max);

#endif
