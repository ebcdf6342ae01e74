/*
 * dns_cache.h -- answers of name servers, as long as they may be kept.
 *
 * Bounded: when it is full, the one that was used least recently goes.
 */
#ifndef IO_DNS_CACHE_H
#define IO_DNS_CACHE_H

#include "io/dns_answer.h"

struct dns_cache;

/* NULL: no memory. */
struct dns_cache *dns_cache_new(size_t size);
void dns_cache_free(struct dns_cache *c);	/* NULL is allowed */

/* NULL: not known.  Lent until the next dns_cache_put(). */
const struct dns_answer *dns_cache_find(struct dns_cache *c,
    enum dns_type type, const char *name, int64_t now_ms);

/* Keep a copy for its ttl_s, instead of what is there.  For want of memory
 * it is not kept. */
void dns_cache_put(struct dns_cache *c, const char *name,
    const struct dns_answer *a, int64_t now_ms);

size_t dns_cache_count(const struct dns_cache *c);

#endif
