/*
 * secret.h -- comparing, wiping, and making what nobody may see.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Constant time in the bytes; the lengths are no secret. */
bool secret_eq(const void *a, size_t alen, const void *b, size_t blen);

/* Overwrite in a way the compiler keeps. */
void secret_wipe(void *p, size_t len);

/* Wipe, then free().  NULL is allowed. */
void secret_free(void *p, size_t len);

/* Random bytes fit for keys (OpenSSL's generator); stops the process when
 * there are none: going on would be worse. */
void random_bytes(void *out, size_t len);

#endif
