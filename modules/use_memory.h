/*
 * use_memory.h -- uses of nonces, counted in this process.
 *
 * The whole of the store `memory`, and what other stores count in while they
 * are alone.
 */
#ifndef MODULES_USE_MEMORY_H
#define MODULES_USE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "auth/nonce_store.h"
#include "base/metrics.h"

struct use_memory;

/* At most size nonces are held.  Its metrics are named nonce_memory_...;
 * there is one memory in a registry.  NULL: no memory, or a second one. */
struct use_memory *use_memory_new(size_t size, uint32_t nc_max,
    struct metrics *metrics);
void use_memory_free(struct use_memory *m);	/* NULL is allowed */

/* ACCEPT, REPLAY, FENCED (forgotten, or of another generation), or
 * UNAVAILABLE (no memory).  Whether the nonce is local is not looked at. */
enum use_verdict use_memory_judge(struct use_memory *m,
    const struct nonce_use *use);

/* Of the nonces that it counts; changes when the clock is set far back. */
uint32_t use_memory_generation(const struct use_memory *m);

#endif
