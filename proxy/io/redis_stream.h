/*
 * redis_stream.h -- bytes to and from a server: TCP, unix socket or TLS.
 */
#ifndef IO_REDIS_STREAM_H
#define IO_REDIS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "io/tls.h"

struct loop;
struct redis_stream;

/* Where a server is; nothing in it is looked up any more. */
struct redis_place {
	const char	*path;		/* unix socket, or NULL: addr */
	struct addr	 addr;
	struct tls_context *tls;	/* NULL: no TLS */
	const char	*host;		/* with TLS: whose certificate */
};

/* Any of them may free the stream. */
struct redis_stream_hooks {
	void	(*open)(void *arg);
	void	(*bytes)(void *arg, const char *p, size_t len);
	void	(*end)(void *arg, const char *reason);	/* once, the last */
	void	*arg;
};

/* Begin to connect.  What goes wrong is told by end(), later; NULL: no
 * memory.  place is not needed after this. */
struct redis_stream *redis_stream_new(struct loop *l,
    const struct redis_place *place, const struct redis_stream_hooks *hooks);
void redis_stream_free(struct redis_stream *s);	/* NULL is allowed */

/* Queue bytes, to leave when flushed; false: no memory, none was queued. */
bool redis_stream_write(struct redis_stream *s, const char *p, size_t len);
void redis_stream_flush(struct redis_stream *s);
/* At the next turn of the loop, together with what is queued until then. */
void redis_stream_flush_soon(struct redis_stream *s);

#endif
