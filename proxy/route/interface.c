/*
 * interface.c -- by which interface the kernel reaches an address.
 */
#include "config.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include "route/peer.h"

static bool
has_address(const struct ifaddrs *i, const struct addr *a)
{
	struct addr own;

	return i->ifa_addr != NULL && addr_from_sockaddr(&own, i->ifa_addr) &&
	    addr_same_ip(&own, a);
}

unsigned
ifindex_of_local(const struct addr *a)
{
	struct ifaddrs *all;
	unsigned index = 0;

	/* All of 127/8 is local, but one address of it is listed. */
	if (addr_is_loopback(a))
		return if_nametoindex("lo");
	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i != NULL && index == 0;
	    i = i->ifa_next)
		if (has_address(i, a))
			index = if_nametoindex(i->ifa_name);
	freeifaddrs(all);
	return index;
}

/* To connect a UDP socket sends nothing; it makes the kernel choose the local
 * address. */
static bool
local_towards(const struct addr *a, struct addr *local)
{
	struct addr to = *a;
	struct sockaddr_storage ss;
	socklen_t len, local_len = sizeof ss;
	bool ok;
	int fd;

	if (to.port == 0)
		to.port = SIP_PORT;
	len = addr_to_sockaddr(&to, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ok = connect(fd, (struct sockaddr *)&ss, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&ss, &local_len) == 0 &&
	    addr_from_sockaddr(local, (struct sockaddr *)&ss);
	close(fd);
	return ok;
}

unsigned
ifindex_to(const struct addr *a)
{
	struct addr local;

	if (addr_is_loopback(a))
		return if_nametoindex("lo");
	return local_towards(a, &local) ? ifindex_of_local(&local) : 0;
}
