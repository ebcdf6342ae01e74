/*
 * transport_rig.h -- the transports on loopback, with a callback that answers
 * each request, and the sockets of those who talk to it.  Everything runs on
 * one loop: whoever waits for an answer lets the transports work meanwhile.
 */
#ifndef TEST_TRANSPORT_RIG_H
#define TEST_TRANSPORT_RIG_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "io/loop.h"
#include "transport/transport.h"

enum { ANSWER_MS = 15000, SILENCE_MS = 60, BUF = 70000 };

struct rig {
	struct loop		*loop;
	struct metrics		*metrics;
	struct transports	*transport;
	struct port		*udp, *tcp;
	bool			 mute;		/* requests get no answer */
	bool			 known;		/* who sends one is vouched for */
	struct addr		 banned;
	bool			 exhausted;	/* no more handshakes */
	unsigned		 requests;	/* that reached the callback */
	size_t			 body;		/* of the last one */
	struct arrived		 last;		/* its bytes are gone */
	char			 peer[64];	/* first name that TLS knows */
	unsigned		 responses;
	unsigned		 lost;		/* connections */
	uint32_t		 lost_id;	/* the last of them */
	bool			 sending;
	const char		*wanted;	/* a metric's label value */
	uint64_t		 found;
};

/* Limits that no test runs into; what set_up() gives the transports. */
extern const struct transport_conf generous;

int set_up(void **state);
int tear_down(void **state);

/* Another port of 127.0.0.1; conf says what else of it matters. */
struct port *listen_on(struct rig *rig, struct port_conf conf);

/* Let the transports work: for so long; once, waiting so long at most. */
void run(struct rig *rig, int64_t ms);
void turn(struct rig *rig, int64_t ms);
/* The cell of the metric that has such a label value, or such a name. */
uint64_t counted(struct rig *rig, const char *what);

/* A socket bound to that address. */
int peer(int type, const char *from);
/* One that listens, and where. */
int listener(int backlog, struct addr *at);
/* Accept, while the transports work. */
int take_call(struct rig *rig, int listening);
/* A connection to a port, from there or from 127.0.0.1; to rig->tcp. */
int call_port(struct rig *rig, const struct port *to, const char *from);
int call_from(struct rig *rig, const char *from);
int call(struct rig *rig);
void close_all(const int *fd, size_t n);

/* Send on a connection; send a datagram to rig->udp. */
void say(int fd, const char *p, size_t len);
void cast(struct rig *rig, int fd, const char *p, size_t len);
/* A sound OPTIONS into buf (BUF bytes), via appended to its Via. */
size_t request(char *buf, const char *proto, const char *via, size_t body);

/* transport_send() to there, from rig->tcp if the hop has no port. */
int send_to(struct rig *rig, struct hop h, const char *text,
    uint32_t *connection);

/* What arrives within so long, as text; -1: nothing, 0: the end. */
ssize_t hear(struct rig *rig, int fd, char *buf, int64_t ms);
/* The status of the next answer; 0: none came in time. */
int answer(struct rig *rig, int fd, int64_t ms);
bool is_closed(struct rig *rig, int fd, int64_t ms);

#endif
