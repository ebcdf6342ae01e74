/*
 * resolv_conf.h -- which name servers are asked, as resolv.conf(5) says.
 *
 * `nameserver`, and of `options` timeout, attempts and rotate; nothing else
 * concerns us, as no search domain is put behind a name.  A line `port` of
 * our own gives all servers another port than 53.
 */
#ifndef IO_RESOLV_CONF_H
#define IO_RESOLV_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { RESOLV_SERVERS_MAX = 3 };

struct resolv_conf {
	struct sockaddr_storage server[RESOLV_SERVERS_MAX];
	size_t		n;		/* 1 or more */
	int64_t		timeout_ms;	/* of the first try */
	unsigned	attempts;	/* with each server */
	bool		rotate;		/* begin with another one each time */
};

/* Without the file, or without a server in it: 127.0.0.1. */
void resolv_conf_read(struct resolv_conf *c, const char *path);

#endif
