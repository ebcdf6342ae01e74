/*
 * transport.c -- the transports as a whole: their ports, and which of them a
 * message leaves by.
 */
#include "config.h"

#include "transport/transport.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/metrics.h"
#include "transport/conns.h"
#include "transport/internal.h"

static const char *const protocols[TRANSPORTS] = {
	[TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp",
	[TRANSPORT_TLS] = "tls"
};

static const char *const directions[] = {
	[COUNT_ACCEPTED] = "accepted", [COUNT_OUTGOING] = "outgoing"
};

static const struct metric m_messages = {
	.name = "transport_messages_total",
	.help = "Whole messages that came in.",
	.kind = METRIC_COUNTER, .label = "protocol",
	.values = protocols, .nvalues = TRANSPORTS
};

static const struct metric m_connections = {
	.name = "transport_connections",
	.help = "TCP connections that are open, those under TLS as well.",
	.kind = METRIC_GAUGE, .label = "direction",
	.values = directions, .nvalues = 2
};

static const struct metric m_unsent = {
	.name = "transport_unsent_bytes",
	.help = "Bytes that wait until a connection can take them.",
	.kind = METRIC_GAUGE
};

static const char *const drops[] = {
	[DROPPED_FULL] = "full", [DROPPED_ERROR] = "error"
};

static const struct metric m_send_dropped = {
	.name = "transport_send_dropped_total",
	.help = "Datagrams that the system did not send.",
	.kind = METRIC_COUNTER, .label = "reason",
	.values = drops, .nvalues = 2
};

static bool
add_metrics(struct transports *t, struct metrics *m)
{
	t->refused = refuse_metric(m);
	t->messages = metrics_add(m, &m_messages);
	t->connections = metrics_add(m, &m_connections);
	t->unsent = metrics_add(m, &m_unsent);
	t->send_dropped = metrics_add(m, &m_send_dropped);
	return t->refused != NULL && t->messages != NULL &&
	    t->connections != NULL && t->unsent != NULL &&
	    t->send_dropped != NULL;
}

static int
fill(struct transports *t, struct metrics *metrics)
{
	t->scratch = malloc(DATAGRAM_MAX + 1);
	if (t->scratch == NULL || !add_metrics(t, metrics))
		return -ENOMEM;
	t->conns = conns_new(t);
	return t->conns != NULL ? 0 : -errno;
}

static int
open_port(struct port *p)
{
	return p->conf.transport == TRANSPORT_UDP ? udp_open(p) : tcp_open(p);
}

static void
close_port(struct port *p)
{
	if (p->conf.transport == TRANSPORT_UDP)
		udp_close(p);
	else
		tcp_close(p);
}

struct transports *
transport_open(struct loop *l, const struct transport_conf *conf,
    const struct transport_hooks *hooks, const struct msg_mclass_s *mclass,
    struct metrics *metrics)
{
	struct transports *t = calloc(1, sizeof *t);
	int rc = -ENOMEM;

	assert(hooks->judge != NULL && hooks->on_message != NULL);
	if (t != NULL) {
		t->loop = l;
		t->conf = *conf;
		t->hooks = *hooks;
		t->mclass = mclass;
		rc = fill(t, metrics);
	}
	if (rc == 0)
		return t;
	log_event(EV_TRANSPORT_FAIL, kv_str("reason", strerror(-rc)));
	transport_close(t);
	return NULL;
}

void
transport_close(struct transports *t)
{
	struct port *p;

	if (t == NULL)
		return;
	conns_free(t->conns);
	while ((p = t->ports) != NULL) {
		t->ports = p->next;
		close_port(p);
		free(p);
	}
	free(t->scratch);
	free(t);
}

void
transport_set_conf(struct transports *t, const struct transport_conf *conf)
{
	t->conf = *conf;
	deadlines_set_conf(t->conns->deadlines);
}

struct port *
transport_listen(struct transports *t, const struct port_conf *conf)
{
	struct port *p = calloc(1, sizeof *p);
	int rc;

	if (p == NULL)
		return NULL;
	p->t = t;
	p->conf = *conf;
	p->fd = -1;
	rc = open_port(p);
	if (rc < 0) {
		free(p);
		errno = -rc;
		return NULL;
	}
	p->next = t->ports;
	t->ports = p;
	return p;
}

void *
port_owner(const struct port *p)
{
	return p->conf.owner;
}

const struct addr *
port_addr(const struct port *p)
{
	return &p->conf.addr;
}

void
socket_set(int fd, int level, int name)
{
	int one = 1;

	(void)setsockopt(fd, level, name, &one, sizeof one);
}

bool
port_has_balancer(const struct port *p, const struct addr *a)
{
	return nets_have(p->conf.balancer, p->conf.nbalancers, a);
}

bool
transport_admits(const struct transports *t, const struct addr *source)
{
	return t->hooks.admit == NULL ||
	    t->hooks.admit(t->hooks.arg, source);
}

int
transport_send(struct transports *t, const struct hop *h, const void *p,
    size_t len, uint32_t *connection)
{
	if (h->connection == 0 && h->port->conf.transport == TRANSPORT_UDP) {
		if (connection != NULL)
			*connection = 0;
		return (h->run ? udp_send_run : udp_send)(h->port, &h->addr,
		    p, len);
	}
	return tcp_send(t, h, p, len, connection);
}

void
transport_vouch(struct transports *t, uint32_t connection)
{
	struct conn *c = connection == 0 ? NULL :
	    conns_find(t->conns, connection);

	if (c != NULL)
		deadline_stop(c, DUE_PROOF);
}

bool
transport_is_open(const struct transports *t, uint32_t connection)
{
	return conns_find(t->conns, connection) != NULL;
}
