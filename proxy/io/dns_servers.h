/*
 * dns_servers.h -- which name servers are asked, as resolv.conf(5) says.
 *
 * c-ares reads the lines `nameserver`.  What 1.18 of it does not know is read
 * here: of `options` timeout and attempts (and rotate, as each question has a
 * channel of its own), and a line `port` of our own, which gives all servers
 * another port than 53.  No search domain is put behind a name.
 */
#ifndef IO_DNS_SERVERS_H
#define IO_DNS_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

#include <ares.h>

enum { DNS_SERVERS_MAX = 3 };

struct dns_servers {
	struct ares_addr_port_node server[DNS_SERVERS_MAX];	/* no next */
	size_t		n;		/* 1 or more */
	int		timeout_ms;	/* of the first try; then doubled */
	int		attempts;	/* with each server */
	bool		rotate;		/* begin with another one each time */
};

/* Without the file, or without a server in it: 127.0.0.1.  false: no memory,
 * and *s is as it was. */
bool dns_servers_read(struct dns_servers *s, const char *path);

#endif
