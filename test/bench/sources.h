/*
 * sources.h -- one UDP socket that sends from many addresses of loopback.
 *
 * All of 127.0.0.0/8 is this machine's, so the kernel lets any of them be the
 * source of a datagram, and answers to all of them come back to the socket.
 * Forged sources come through a raw socket (root): then the port is another's,
 * too, and answers go to whoever has it.
 *
 * Nothing here can leave the machine: other addresses than those of loopback
 * are refused, and so are IPv6 networks but fd00::/8, which a scenario routes
 * to loopback in a network namespace of its own.
 */
#ifndef BENCH_SOURCES_H
#define BENCH_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

enum { SOURCES_MAX = 1 << 24, DATAGRAM_BYTES = 65000 };

struct sources_conf {
	struct addr	 first, proxy;	/* first.port 0: a free one */
	unsigned	 n;		/* first, first + 1, ...; IPv6: so many
					 * networks of 64 bits */
	bool		 forged;
};

struct sources;

/* NULL with errno; EPERM also for what is not loopback. */
struct sources *sources_open(const struct sources_conf *conf);
void sources_close(struct sources *s);

/* The address of number i. */
struct addr sources_addr(const struct sources *s, unsigned i);
int sources_fd(const struct sources *s);

/* Goes out with the next flush, or when the batch is full. */
void sources_send(struct sources *s, unsigned i, const char *p, size_t len);
void sources_flush(struct sources *s);

/* What came for number i, at most a batch; returns how many there were. */
typedef void sources_f(void *arg, unsigned i, const char *p, size_t len);
unsigned sources_read(struct sources *s, sources_f *f, void *arg);

#endif
