/*
 * srv.h -- the order in which the targets of SRV records are tried.
 *
 * Source: RFC 2782, "Usage rules" and the weight field.
 */
#ifndef IO_SRV_H
#define IO_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/transport.h"

struct srv {
	uint16_t	rank;		/* of the service; the least is first */
	uint16_t	priority, weight, port;
	enum transport	transport;
	unsigned	host;		/* whose, as the caller counts */
};

/* Does a come before b whatever the lot? */
bool srv_before(const struct srv *a, const struct srv *b);

/* A number from 0 to most, both included, each as likely. */
typedef uint32_t srv_pick_f(void *arg, uint32_t most);

/* By rank, then priority, then by lot: a heavier one is the more likely to
 * come first. */
void srv_order(struct srv *v, size_t n, srv_pick_f *pick, void *arg);

#endif
