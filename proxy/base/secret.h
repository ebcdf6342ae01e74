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
/* So many of them in hex: twice as many digits, and a NUL. */
void random_hex(char *out, size_t bytes);
/* From 0 to most, which is not negative. */
int64_t random_upto(int64_t most);

#endif
