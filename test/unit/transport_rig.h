/*
 * transport_rig.h -- a small nta agent on loopback over our transports, and
 * the sockets of those who talk to it.  Everything runs on one loop: whoever
 * waits for an answer lets the agent work meanwhile.
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

#define NTA_AGENT_MAGIC_T	struct rig
#define NTA_OUTGOING_MAGIC_T	struct rig
#include <sofia-sip/nta.h>

#include "base/metrics.h"
#include "transport/types.h"

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

enum { ANSWER_MS = 2000, SILENCE_MS = 60, BUF = 70000 };

struct rig {
	su_root_t		*root;
	struct metrics		*metrics;
	struct transports	*transport;
	nta_agent_t		*agent;
	struct sockaddr_in	 udp, tcp;
	unsigned		 requests;	/* that reached our callback */
	size_t			 body;		/* of the last one */
	unsigned		 ifindex;
	uint32_t		 connection;
	enum transport_verdict	 verdict;
	int			 status;	/* of our own request */
	const char		*wanted;	/* a metric's label value */
	uint64_t		 found;
};

/* Limits that no test runs into; what set_up() gives the transports. */
extern const struct transport_conf generous;

int set_up(void **state);
int tear_down(void **state);

/* Let the agent work for so long. */
void run(struct rig *rig, int64_t ms);
/* The cell of the metric that has such a label value. */
uint64_t counted(struct rig *rig, const char *label_value);

/* A socket bound to that address; a connection from there, or from
 * 127.0.0.1, to the agent. */
int peer(int type, const char *from);
int call_from(struct rig *rig, const char *from);
int call(struct rig *rig);
void close_all(const int *fd, size_t n);

/* Send on a connection; send a datagram to the agent. */
void say(int fd, const char *p, size_t len);
void cast(struct rig *rig, int fd, const char *p, size_t len);
/* A sound OPTIONS into buf (BUF bytes), via appended to its Via. */
size_t request(char *buf, const char *proto, const char *via, size_t body);

/* What arrives within so long, as text; -1: nothing, 0: the end. */
ssize_t hear(struct rig *rig, int fd, char *buf, int64_t ms);
/* The status of the next answer; 0: none came in time. */
int answer(struct rig *rig, int fd, int64_t ms);
bool is_closed(struct rig *rig, int fd, int64_t ms);

#endif
