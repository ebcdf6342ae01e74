/*
 * domains.h -- the hosts that we are responsible for (RFC 3261 16.4, 16.5).
 */
#ifndef ROUTE_DOMAINS_H
#define ROUTE_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "conf/conf.h"

struct domains;

/*
 * Those given; or, where none is, the realm, to which the daemon adds its own
 * listening and advertised names.  Everything is copied.  NULL: no memory.
 */
struct domains *domains_new(const struct conf_list *given, const char *realm);
void domains_free(struct domains *d);	/* NULL is allowed */

/* Twice the same host is no error.  0 or -ENOMEM. */
int domains_add(struct domains *d, const char *host);

/* ASCII case and a dot at the end make no difference; numeric addresses are
 * compared as addresses, with or without brackets. */
bool domains_has(const struct domains *d, struct str host);

/* As text, in lower case, an IPv6 address in brackets; valid until the next
 * domains_add(). */
const char *const *domains_list(const struct domains *d, size_t *n);

#endif
