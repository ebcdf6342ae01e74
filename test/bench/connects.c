/*
 * connects.c -- connections that are made, say nothing, and are held until
 * others need their places.
 */
#include "config.h"

#include "connects.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct connects {
	struct addr	 proxy;
	struct connects_tally tally;
	unsigned	 next, held;
	int		 fd[];		/* -1: none */
};

struct connects *
connects_new(const struct addr *proxy, unsigned held)
{
	struct connects *cs = calloc(1, sizeof *cs + held * sizeof cs->fd[0]);

	if (cs == NULL)
		return NULL;
	cs->proxy = *proxy;
	cs->held = held;
	for (unsigned i = 0; i < held; i++)
		cs->fd[i] = -1;
	return cs;
}

/* Nothing is ever said to it, so what can be read is its end. */
static void
end(struct connects *cs, int *fd)
{
	char byte;

	if (*fd < 0)
		return;
	if (recv(*fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno == ECONNRESET)
		cs->tally.closed++;
	else if (errno == EAGAIN)
		cs->tally.open++;
	else
		cs->tally.failed++;
	close(*fd);
	*fd = -1;
}

/* A socket that was told to connect; -1. */
static int
start(const struct addr *from, const struct addr *to)
{
	int fd = socket(addr_is_v4(to) ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct addr self = *from;
	struct sockaddr_storage ss;
	socklen_t len;

	if (fd < 0)
		return -1;
	self.port = 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	len = addr_to_sockaddr(&self, &ss);
	if (bind(fd, (struct sockaddr *)&ss, len) == 0) {
		len = addr_to_sockaddr(to, &ss);
		if (connect(fd, (struct sockaddr *)&ss, len) == 0 ||
		    errno == EINPROGRESS)
			return fd;
	}
	close(fd);
	return -1;
}

void
connects_make(struct connects *cs, const struct addr *from)
{
	int *fd = &cs->fd[cs->next];

	cs->next = (cs->next + 1) % cs->held;
	end(cs, fd);
	*fd = start(from, &cs->proxy);
	if (*fd < 0)
		cs->tally.failed++;
}

struct connects_tally
connects_end(struct connects *cs)
{
	for (unsigned i = 0; i < cs->held; i++)
		end(cs, &cs->fd[i]);
	return cs->tally;
}

void
connects_free(struct connects *cs)
{
	if (cs == NULL)
		return;
	connects_end(cs);
	free(cs);
}
