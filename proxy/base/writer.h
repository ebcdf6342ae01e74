/*
 * writer.h -- text put together in a buffer of fixed size.
 *
 * What does not fit is left out, and `full` says so: it is asked once, at the
 * end.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

struct writer {
	char	*p;
	size_t	 len, size;
	bool	 full;
};

static inline struct writer
writer_on(char *p, size_t size)
{
	return (struct writer){ .p = p, .size = size };
}

static inline void
put_mem(struct writer *w, const void *p, size_t len)
{
	if (len > w->size - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->p + w->len, p, len);
	w->len += len;
}

static inline void
put_str(struct writer *w, struct str s)
{
	put_mem(w, s.p, s.len);
}

static inline void
put_text(struct writer *w, const char *s)
{
	put_mem(w, s, strlen(s));
}

static inline void
put_uint(struct writer *w, uint64_t n)
{
	char digits[20], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	put_mem(w, p, (size_t)(digits + sizeof digits - p));
}

#endif
