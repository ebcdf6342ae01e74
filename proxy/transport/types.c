/*
 * types.c -- our own "udp" and "tcp" under Sofia's transaction layer: what
 * both have in common.
 */
#include "config.h"

#include "transport/types.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sofia-sip/msg_addr.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "transport/conns.h"
#include "transport/deliver.h"
#include "transport/internal.h"
#include "transport/sofia_vt.h"

/* The hooks get no argument of ours: see the top of types.h. */
static struct transports *opened;

static const char *const refusals[] = {
#define V(id, name) [id] = name,
	HEAD_VERDICTS(V)
#undef V
#define R(id, name) [id] = name,
	REFUSALS(R)
#undef R
};

static const char *const protocols[] = {
	[COUNT_UDP] = "udp", [COUNT_TCP] = "tcp"
};

static const char *const directions[] = {
	[COUNT_ACCEPTED] = "accepted", [COUNT_OUTGOING] = "outgoing"
};

static const struct metric m_refused = {
	.name = "transport_refused_total",
	.help = "Bytes and connections turned away before nta saw them.",
	.kind = METRIC_COUNTER, .label = "reason",
	.values = refusals + HEAD_MORE, .nvalues = REFUSAL_COUNT - HEAD_MORE
};

static const struct metric m_messages = {
	.name = "transport_messages_total",
	.help = "Whole messages that came in.",
	.kind = METRIC_COUNTER, .label = "protocol",
	.values = protocols, .nvalues = 2
};

static const struct metric m_connections = {
	.name = "transport_connections",
	.help = "TCP connections that are open.",
	.kind = METRIC_GAUGE, .label = "direction",
	.values = directions, .nvalues = 2
};

static bool
add_metrics(struct transports *t, struct metrics *m)
{
	t->refused = metrics_add(m, &m_refused);
	t->messages = metrics_add(m, &m_messages);
	t->connections = metrics_add(m, &m_connections);
	return t->refused != NULL && t->messages != NULL &&
	    t->connections != NULL;
}

static int
fill(struct transports *t, struct metrics *metrics)
{
	int rc;

	t->scratch = malloc(DATAGRAM_MAX + 1);
	if (t->scratch == NULL || !add_metrics(t, metrics))
		return -ENOMEM;
	t->spare_fd = eventfd(0, EFD_CLOEXEC);
	if (t->spare_fd == -1)
		return -errno;
	rc = transport_udp_register();
	return rc == 0 ? transport_tcp_register() : rc;
}

static size_t
message_max(const struct transports *t, bool stream)
{
	if (t->conf.message_size > 0)
		return (size_t)t->conf.message_size;
	return stream ? STREAM_MESSAGE_MAX : DATAGRAM_MAX;
}

static void
damaged(struct delivery *d, unsigned flags, enum refusal why)
{
	d->damage = flags | MSG_FLG_ERROR;
	d->why = why;
}

struct transports *
transport_self(void)
{
	return opened;
}

/* One line a second for each reason is enough to tell what goes on. */
void
transport_refuse(struct transports *t, enum refusal why,
    const struct addr *from)
{
	char text[ADDR_TEXT_MAX];
	int64_t now = clock_mono_ms();

	t->refused[why - HEAD_MORE]++;
	if (t->quiet[why].said_ms != 0 &&
	    now - t->quiet[why].said_ms < 1000) {
		t->quiet[why].unsaid++;
		return;
	}
	log_event(EV_TRANSPORT_REFUSE, kv_str("reason", refusals[why]),
	    kv_str("from", from == NULL ? NULL : addr_text(from, text)),
	    kv_uint("unsaid", t->quiet[why].unsaid));
	t->quiet[why].said_ms = now;
	t->quiet[why].unsaid = 0;
}

struct head
transport_head(const struct transports *t)
{
	struct head h = { .max_bytes = HEAD_BYTES_MAX };

	if (t->conf.message_size > 0 && t->conf.message_size < HEAD_BYTES_MAX)
		h.max_bytes = (size_t)t->conf.message_size;
	if (t->conf.headers > 0)
		h.max_lines = (size_t)t->conf.headers;
	return h;
}

/*
 * RFC 3261 18.3.  A datagram ends its message, and what is behind it is
 * thrown away; a stream must say how long the body is (20.14).  What is too
 * large goes on without its body, only to be answered with 413.
 */
size_t
transport_frame(const struct transports *t, const struct head *h, size_t have,
    bool stream, struct delivery *d)
{
	size_t rest = have - h->len, max = message_max(t, stream);
	size_t body = h->body < 0 ? 0 : (size_t)h->body;

	if (stream && h->body < 0)
		damaged(d, 0, REFUSE_NO_LENGTH);
	if (!stream && h->body < 0)
		body = rest;
	if (h->len - h->start + body > max) {
		damaged(d, MSG_FLG_TOOLARGE, REFUSE_TOO_LARGE);
		body = 0;
	} else if (!stream && body > rest) {
		damaged(d, MSG_FLG_TRUNC, REFUSE_TRUNCATED);
		body = rest;
	}
	return h->len + body;
}

bool
transport_hand_over(struct transports *t, tport_t *tp,
    const struct delivery *d, const su_sockaddr_t *from, socklen_t fromlen)
{
	msg_iovec_t iov[msg_n_fragments] = { { 0 } };
	msg_t *msg = tport_msg_alloc(tp, d->raw.len);

	if (msg == NULL)
		return false;
	if (msg_recv_iovec(msg, iov, msg_n_fragments, d->raw.len, 1) != 1) {
		msg_destroy(msg);
		return false;
	}
	memcpy(iov[0].mv_base, d->raw.p, d->raw.len);
	msg_set_address(msg, from, fromlen);
	msg_recv_commit(msg, d->raw.len, 1);
	if (msg_extract(msg) <= 0)
		msg_mark_as_complete(msg, MSG_FLG_ERROR);
	msg_set_flags(msg, d->damage);
	t->messages[d->raw.connection == 0 ? COUNT_UDP : COUNT_TCP]++;
	t->delivery = d;
	tport_deliver(tp, msg, NULL, NULL, su_now());
	t->delivery = NULL;
	return true;
}

struct port *
transport_port(const struct transports *t, const tport_t *tp)
{
	struct port *p;

	for (p = t->ports; p != NULL; p = p->next)
		if (p->tp == tp)
			return p;
	return NULL;
}

struct port *
transport_port_add(struct transports *t, tport_t *tp, int fd)
{
	struct port *p = malloc(sizeof *p);

	if (p == NULL)
		return NULL;
	*p = (struct port){ .next = t->ports, .tp = tp, .fd = fd };
	t->ports = p;
	return p;
}

void
transport_port_remove(struct transports *t, const tport_t *tp)
{
	struct port **pp, *p;

	for (pp = &t->ports; (p = *pp) != NULL; pp = &p->next)
		if (p->tp == tp) {
			*pp = p->next;
			free(p);
			return;
		}
}

struct transports *
transport_open(const struct transport_conf *conf,
    const struct transport_hooks *hooks, struct metrics *metrics)
{
	struct transports *t;
	int rc = -ENOMEM;

	assert(opened == NULL && hooks->judge != NULL);
	t = calloc(1, sizeof *t);
	if (t != NULL) {
		t->conf = *conf;
		t->hooks = *hooks;
		t->spare_fd = -1;
		opened = t;
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
	if (t == NULL)
		return;
	assert(t->ports == NULL && t->by_tport == NULL);
	if (t->spare_fd != -1)
		close(t->spare_fd);
	free(t->scratch);
	free(t);
	opened = NULL;
}

void
transport_set_conf(struct transports *t, const struct transport_conf *conf)
{
	t->conf = *conf;
}

const struct transport_raw *
transport_current(void)
{
	if (opened == NULL || opened->delivery == NULL)
		return NULL;
	return &opened->delivery->raw;
}

uint32_t
transport_connection_id(const tport_t *tp)
{
	const struct conn *c;

	if (opened == NULL)
		return 0;
	c = conn_of(opened, tp);
	return c == NULL || c->fd == -1 ? 0 : c->id;
}

tport_t *
transport_connection_find(uint32_t id)
{
	const struct conn *c;

	if (opened == NULL)
		return NULL;
	c = conn_by_id(opened, id);
	return c == NULL ? NULL : c->tp;
}

void
transport_mute(bool mute)
{
	struct transports *t = transport_self();

	if (t != NULL)
		t->mute = mute;
}
