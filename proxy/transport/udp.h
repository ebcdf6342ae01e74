/*
 * udp.h -- what the files of UDP share.
 *
 * Datagrams are read in batches, into buffers that all ports share, and what
 * is sent is gathered by each port.  It leaves at the end of the batch that
 * was read, when the port's buffer is full, or, sent elsewhere (a timer, a
 * stream, an answer of Redis), at the end of that turn of the loop.
 */
#ifndef TRANSPORT_UDP_H
#define TRANSPORT_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "transport/internal.h"

enum {
	IN_DATAGRAMS = 32,		/* a batch */
	/* A power of two would put the first bytes of all buffers, which are
	 * most of the messages, into the same few sets of the caches. */
	IN_BYTES = DATAGRAM_MAX + 1 + 33 * 64,
	IN_CONTROL = 64,		/* room for an IPV6_PKTINFO */
	OUT_DATAGRAMS = 64,
	OUT_BYTES = 2 * (DATAGRAM_MAX + 1),
	FAILURES_MAX = 64
};

/* What was read: one for all ports. */
struct udp_in {
	struct mmsghdr		 msg[IN_DATAGRAMS];
	struct iovec		 iov[IN_DATAGRAMS];
	struct sockaddr_storage	 from[IN_DATAGRAMS];
	union {
		struct cmsghdr	 align;
		char		 bytes[IN_CONTROL];
	}			 control[IN_DATAGRAMS];
	char			 bytes[IN_DATAGRAMS][IN_BYTES];
};

/* How the kernel is told the length of each datagram of a run. */
union udp_control {
	struct cmsghdr		 header;
	char			 bytes[CMSG_SPACE(sizeof(uint16_t))];
};

/* What a port has to send: each message is one datagram, or a run of them. */
struct udp {
	struct mmsghdr		 msg[OUT_DATAGRAMS];
	struct iovec		 iov[OUT_DATAGRAMS];
	struct sockaddr_storage	 to[OUT_DATAGRAMS];
	union udp_control	 control[OUT_DATAGRAMS];
	uint16_t		 each[OUT_DATAGRAMS];
	struct addr		 run_to;
	bool			 running;	/* the last may take more */
	unsigned		 apart;		/* so many are sent singly:
						 * the kernel took no run */
	int			 room;	/* of the socket's buffer, for what
					 * may go to forged addresses */
	bool			 asked;	/* how much waits there */
	int			 waiting;
	unsigned		 count;
	size_t			 used;	/* of bytes */
	char			 bytes[OUT_BYTES];
};

struct udp_failure {
	const struct port	*port;
	struct addr		 to;
};

/* What the ports share; while one is open. */
struct udp_shared {
	unsigned		 ports;
	bool			 awake;		/* a batch is being handled */
	struct loop_hook	*before_sleep;
	unsigned		 nfailures;	/* that nobody was told yet */
	struct udp_failure	 failures[FAILURES_MAX];
	struct udp_in		 in;
};

/* udp_in.c */
void udp_in_init(struct udp_in *in);
/* Read what is there, a few batches at most. */
void udp_receive(struct port *p);

/* udp_out.c */
void udp_out_init(struct udp *out);
/* When its socket has its buffers. */
void udp_out_measure(struct port *p);
void udp_flush(struct port *p);
/* Those of all ports. */
void udp_flush_all(struct transports *t);
void udp_tell_failures(struct transports *t);

/* Of one datagram: that there was no room, or what became of others before,
 * is only counted; else nobody is there, or so it seems: told later. */
void udp_note_unsent(struct port *p, const struct sockaddr_storage *to,
    int error);

/* udp_run.c: the last message may become a run */
void udp_run_begin(struct udp *out, const struct addr *to, size_t len);
/* false: it has to be one of its own. */
bool udp_run_join(struct udp *out, const struct addr *to, const void *bytes,
    size_t len);
/* How many datagrams this message is. */
unsigned udp_run_length(const struct udp *out, unsigned at);
/* One by one, since as a run it did not leave. */
void udp_run_send_apart(struct port *p, unsigned at);

/* udp_error.c: the network's complaints */
void udp_read_errors(struct port *p);

#endif
