/*
 * wire.h -- a UDP socket towards the proxy, read and written in batches, so
 * that the load costs less than what it measures.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>

#include "base/addr.h"

struct wire;

/* Bound to self, where port 0 takes a free one; gets datagrams of the proxy
 * only.  NULL with errno. */
struct wire *wire_open(const struct addr *self, const struct addr *proxy);
void wire_close(struct wire *w);

/* "1.2.3.4:5060" */
const char *wire_self(const struct wire *w);
int wire_fd(const struct wire *w);

/* Goes out with the next flush, or when the batch is full. */
void wire_send(struct wire *w, const char *p, size_t len);
void wire_flush(struct wire *w);

/* What is there now, at most a batch; returns how many there were. */
typedef void wire_f(void *arg, const char *p, size_t len);
unsigned wire_read(struct wire *w, wire_f *f, void *arg);

#endif
