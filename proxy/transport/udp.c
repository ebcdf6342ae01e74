/*
 * udp.c -- the sockets of UDP.
 */
#include "config.h"

#include "transport/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/loop.h"

enum { BUFFER_BYTES = 8 << 20 };	/* of the kernel, each way */

/* FORCE goes beyond the system's limit, for who may. */
static void
set_buffer(int fd, int force, int plain)
{
	int bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) == -1)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

/* Errors come through the error queue, with the address they are about.
 * Datagrams may be fragmented; with IPv6 that is the sender's work, so there
 * the kernel goes on looking for the path's MTU. */
static void
set_options(int fd, int family)
{
	int dont = IP_PMTUDISC_DONT;

	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (family == AF_INET6) {
		socket_set(fd, IPPROTO_IPV6, IPV6_RECVERR);
		socket_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		return;
	}
	socket_set(fd, IPPROTO_IP, IP_RECVERR);
	socket_set(fd, IPPROTO_IP, IP_PKTINFO);
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof dont);
}

/* Each address family has sockets of its own.  Nobody else may have the port:
 * a second daemon, started by mistake, would get a part of our packets. */
static int
bind_socket(int fd, struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);
	int one = 1;

	if (ss.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &one, sizeof one) == -1)
		return -errno;
	set_options(fd, ss.ss_family);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		return -errno;
	len = sizeof ss;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return -errno;
	(void)addr_from_sockaddr(a, (struct sockaddr *)&ss);
	return 0;
}

static void
before_sleep(void *arg)
{
	struct transports *t = arg;

	udp_flush_all(t);
	udp_tell_failures(t);
}

static void
ready(void *arg, unsigned events)
{
	struct port *p = arg;
	struct udp_shared *shared = p->t->udp;

	shared->awake = true;
	if (events & LOOP_ERR)		/* else they would spoil the reading */
		udp_read_errors(p);
	if (events & LOOP_IN)
		udp_receive(p);
	shared->awake = false;
	udp_flush_all(p->t);
}

static void
shared_free(struct transports *t)
{
	loop_hook_free(t->udp->before_sleep);
	free(t->udp);
	t->udp = NULL;
}

static int
shared_take(struct transports *t)
{
	if (t->udp == NULL) {
		t->udp = calloc(1, sizeof *t->udp);
		if (t->udp == NULL)
			return -ENOMEM;
		udp_in_init(&t->udp->in);
		t->udp->before_sleep = loop_hook_new(t->loop, before_sleep, t);
		if (t->udp->before_sleep == NULL) {
			shared_free(t);
			return -ENOMEM;
		}
	}
	t->udp->ports++;
	return 0;
}

/* Nobody is told about a port that is gone. */
static void
forget_failures(struct udp_shared *shared, const struct port *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < shared->nfailures; i++)
		if (shared->failures[i].port != p)
			shared->failures[kept++] = shared->failures[i];
	shared->nfailures = kept;
}

static void
shared_leave(struct port *p)
{
	forget_failures(p->t->udp, p);
	if (--p->t->udp->ports == 0)
		shared_free(p->t);
}

static int
open_socket(struct port *p)
{
	int family = addr_is_v4(&p->conf.addr) ? AF_INET : AF_INET6;
	int rc;

	p->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd == -1)
		return -errno;
	rc = bind_socket(p->fd, &p->conf.addr);
	if (rc < 0)
		return rc;
	udp_out_measure(p);
	p->watch = loop_fd_new(p->t->loop, p->fd, LOOP_IN | LOOP_ERR, ready,
	    p);
	return p->watch == NULL ? -ENOMEM : 0;
}

static void
close_socket(struct port *p)
{
	loop_fd_free(p->watch);
	p->watch = NULL;
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

int
udp_open(struct port *p)
{
	int rc;

	p->fd = -1;
	p->udp = calloc(1, sizeof *p->udp);
	if (p->udp == NULL)
		return -ENOMEM;
	udp_out_init(p->udp);
	rc = shared_take(p->t);
	if (rc == 0) {
		rc = open_socket(p);
		if (rc == 0)
			return 0;
		close_socket(p);
		shared_leave(p);
	}
	free(p->udp);
	p->udp = NULL;
	return rc;
}

void
udp_close(struct port *p)
{
	if (p->udp == NULL)
		return;
	udp_flush(p);			/* our last words */
	close_socket(p);
	free(p->udp);
	p->udp = NULL;
	shared_leave(p);
}
