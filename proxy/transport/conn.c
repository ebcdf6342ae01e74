/*
 * conn.c -- the life of a connection.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop.h"
#include "transport/conns.h"

enum { ROUNDS = 8 };		/* reads before others get their turn */

static unsigned
wanted(const struct conn *c)
{
	unsigned events = LOOP_IN;

	switch (c->state) {
	case CONN_BALANCER:
	case CONN_LINGER:
		return LOOP_IN;
	case CONN_CONNECT:
		return LOOP_OUT;
	case CONN_HANDSHAKE:
		return tls_wants_out(c->tls) ? LOOP_OUT : LOOP_IN;
	case CONN_OPEN:
		if (c->read_wants_out ||
		    (c->out.len > 0 && !c->write_wants_in))
			events |= LOOP_OUT;
		return events;
	case CONN_LAST:
	case CONN_DRAIN:
		return c->write_wants_in ? LOOP_IN : LOOP_OUT;
	case CONN_BROKEN:
		break;
	}
	return 0;
}

static void
opened(struct conn *c)
{
	c->state = CONN_OPEN;
	deadline_stop(c, DUE_CONNECT);
	deadline_stop(c, DUE_HANDSHAKE);
	if (c->accepted) {
		deadline_start(c, DUE_FIRST);
		if (c->tls == NULL)	/* RFC 5923: it may serve us, too */
			conns_offer(c);
	}
	conn_flush(c);
	if (c->tls != NULL && conn_is_reading(c) && tls_has_bytes(c->tls))
		conn_read(c);
}

static void
shake_hands(struct conn *c)
{
	int rc = tls_handshake(c->tls);

	if (rc == 0)
		opened(c);
	else if (rc != -EAGAIN)
		conn_break_tls(c);
}

static const char *
name_wanted(const struct conn *c)
{
	return c->waylen > offsetof(struct way, name) ? c->way.name : NULL;
}

static bool
may_shake_hands(const struct conn *c)
{
	const struct transport_hooks *hooks = &c->t->hooks;

	return !c->accepted || hooks->admit_handshake == NULL ||
	    hooks->admit_handshake(hooks->arg, &c->from);
}

/* The TCP connection stands. */
static void
secure(struct conn *c)
{
	if (c->port->conf.transport != TRANSPORT_TLS) {
		opened(c);
		return;
	}
	if (!may_shake_hands(c)) {
		conn_break(c, REFUSE_HANDSHAKES, NULL);
		return;
	}
	c->tls = c->accepted ? tls_accept(c->port->conf.tls, c->fd) :
	    tls_connect(c->way.context, c->fd, name_wanted(c));
	if (c->tls == NULL) {
		conn_break(c, REFUSE_NO_MEMORY, NULL);
		return;
	}
	c->state = CONN_HANDSHAKE;
	shake_hands(c);
}

static enum refusal
admit(struct conn *c)
{
	return transport_admits(c->t, &c->from) ? conns_enter_source(c) :
	    REFUSE_BANNED;
}

/* The balancer said who it is from. */
static void
welcome(struct conn *c)
{
	enum refusal why = admit(c);

	if (why == REFUSE_BEFORE)
		secure(c);
	else
		conn_break(c, why, NULL);
}

/* It enters last, since that may end another one to make room. */
static enum refusal
enter(struct conn *c, bool balanced)
{
	enum refusal why = REFUSE_BEFORE;

	if (!balanced)
		why = admit(c);
	else if (!port_has_balancer(c->port, &c->peer))
		why = REFUSE_NO_BALANCER;
	return why == REFUSE_BEFORE ? conns_enter(c) : why;
}

static void
receive(struct conn *c)
{
	bool balanced = c->port->conf.nbalancers > 0;
	enum refusal why = enter(c, balanced);

	if (why != REFUSE_BEFORE) {
		conn_break(c, why, NULL);
		return;
	}
	deadline_use(c);
	deadline_start(c, DUE_PROOF);
	if (balanced || c->port->conf.transport == TRANSPORT_TLS)
		deadline_start(c, DUE_HANDSHAKE);
	if (!balanced)
		secure(c);
}

/* SO_ERROR says nothing while the answer has not come. */
static bool
is_connected(const struct conn *c)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	return getpeername(c->fd, (struct sockaddr *)&ss, &len) == 0;
}

static void
connected(struct conn *c)
{
	int e = 0;
	socklen_t len = sizeof e;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &len) == -1)
		e = errno;
	if (e != 0)
		conn_break(c, REFUSE_CONNECT, strerror(e));
	else if (is_connected(c))
		secure(c);
}

static void
exchange(struct conn *c, unsigned events)
{
	if ((events & LOOP_OUT) || c->write_wants_in)
		conn_flush(c);
	if (conn_is_reading(c) && ((events & LOOP_IN) || c->read_wants_out))
		conn_read(c);
}

/* TLS says its own farewell before the socket's half is closed. */
static void
close_half(struct conn *c)
{
	tls_free(c->tls);
	c->tls = NULL;
	c->state = shutdown(c->fd, SHUT_WR) == 0 ? CONN_LINGER : CONN_DRAIN;
}

static void
read_away(struct conn *c)
{
	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n = recv(c->fd, c->t->scratch, DATAGRAM_MAX,
		    MSG_DONTWAIT);

		if (n > 0)
			continue;
		if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK &&
		    errno != EINTR))
			conn_break(c, REFUSE_BEFORE, NULL);
		return;
	}
}

/* Nobody heard of one that was accepted and brought no message. */
static void
end(struct conn *c)
{
	const struct transport_hooks *hooks = &c->t->hooks;
	bool known = !c->accepted || c->spoke;
	uint32_t id = c->id;

	conn_free(c);
	if (known && hooks->on_lost != NULL)
		hooks->on_lost(hooks->arg, id);
}

/* The last thing of each turn; c may be gone after it. */
static void
settle(struct conn *c)
{
	if (c->state == CONN_LAST && c->out.len == 0)
		close_half(c);
	if (c->state == CONN_DRAIN && (c->out.len == 0 || c->write_wants_in))
		conn_break(c, REFUSE_BEFORE, NULL);
	conn_watch(c);
	if (c->state == CONN_BROKEN)
		end(c);
}

static void
on_ready(void *arg, unsigned events)
{
	struct conn *c = arg;

	switch (c->state) {
	case CONN_BALANCER:
		if (conn_read_balancer(c))
			welcome(c);
		break;
	case CONN_CONNECT:
		connected(c);
		break;
	case CONN_HANDSHAKE:
		shake_hands(c);
		break;
	case CONN_OPEN:
		exchange(c, events);
		break;
	case CONN_LAST:
	case CONN_DRAIN:
		conn_flush(c);
		break;
	case CONN_LINGER:
		read_away(c);
		break;
	case CONN_BROKEN:
		break;
	}
	settle(c);
}

/* NULL: no memory; the descriptor is closed. */
static struct conn *
make(struct port *p, int fd, const struct addr *peer, size_t namelen)
{
	struct conn *c = calloc(1, sizeof *c + namelen + 1);

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->t = p->t;
	c->port = p;
	c->fd = fd;
	c->peer = c->from = *peer;
	c->head = transport_head(p->t);
	return c;
}

static bool
begin_to_watch(struct conn *c)
{
	c->watch = loop_fd_new(c->t->loop, c->fd, wanted(c), on_ready, c);
	return c->watch != NULL;
}

void
conn_accept(struct port *p, int fd, const struct addr *peer)
{
	struct conn *c = make(p, fd, peer, 0);

	if (c == NULL) {
		transport_refuse(p->t, REFUSE_NO_MEMORY, peer);
		return;
	}
	c->accepted = true;
	c->state = CONN_BALANCER;
	c->way.port = p;
	c->way.to = *peer;
	c->waylen = offsetof(struct way, name);
	receive(c);
	if (c->state != CONN_BROKEN && !begin_to_watch(c))
		conn_break(c, REFUSE_NO_MEMORY, NULL);
	settle(c);
}

struct conn *
conn_new(struct transports *t, const struct hop *h, int fd)
{
	size_t namelen = h->tls.name != NULL ? strlen(h->tls.name) : 0;
	struct conn *c = make(h->port, fd, &h->addr, namelen);

	if (c == NULL)
		return NULL;
	c->state = CONN_CONNECT;
	c->waylen = way_of(&c->way, h);
	if (conns_enter(c) != REFUSE_BEFORE || !begin_to_watch(c)) {
		transport_refuse(t, REFUSE_NO_MEMORY, &h->addr);
		conn_free(c);
		return NULL;
	}
	conns_offer(c);
	deadline_start(c, DUE_CONNECT);
	deadline_use(c);
	return c;
}

void
conn_free(struct conn *c)
{
	deadline_stop_all(c);
	conns_leave(c);
	loop_fd_free(c->watch);
	tls_free(c->tls);
	close(c->fd);
	*c->t->unsent -= c->out.len;
	buffer_free(&c->in);
	buffer_free(&c->out);
	free(c);
}

void
conn_is_due(struct conn *c, enum due_kind kind)
{
	static const enum refusal why[DUES] = {
		[DUE_CONNECT] = REFUSE_CONNECT,
		[DUE_HANDSHAKE] = REFUSE_HANDSHAKE,
		[DUE_FIRST] = REFUSE_FIRST, [DUE_WHOLE] = REFUSE_SLOW,
		[DUE_IDLE] = REFUSE_IDLE, [DUE_UNUSED] = REFUSE_IDLE,
		[DUE_LINGER] = REFUSE_BEFORE
	};

	if (kind != DUE_SOON)
		conn_break(c, why[kind], NULL);
	else if (conn_is_reading(c))
		conn_read(c);
	settle(c);
}

void
conn_break(struct conn *c, enum refusal why, const char *detail)
{
	if (c->state == CONN_BROKEN)
		return;
	if (why != REFUSE_BEFORE)
		transport_refuse_for(c->t, why, &c->from, detail);
	c->state = CONN_BROKEN;
	conns_withdraw(c);
	deadline_start(c, DUE_SOON);
}

/* With TLS 1.3 a client learns only after its handshake that it was refused. */
void
conn_break_tls(struct conn *c)
{
	enum tls_failure f = tls_failure(c->tls);

	if (f == TLS_FAIL_NONE)
		f = TLS_FAIL_CLOSED;
	if (f == TLS_FAIL_CLOSED && c->state != CONN_HANDSHAKE)
		conn_break(c, REFUSE_BEFORE, NULL);
	else
		conn_break(c, (enum refusal)(REFUSE_TLS + f - 1),
		    tls_reason(c->tls));
}

void
conn_finish(struct conn *c, enum conn_state state)
{
	c->state = state;
	conns_withdraw(c);
	for (enum due_kind k = 0; k < DUES; k++)
		if (k != DUE_PROOF)	/* it still takes a place */
			deadline_stop(c, k);
	deadline_start(c, DUE_LINGER);
}

void
conn_watch(struct conn *c)
{
	if (c->watch != NULL && loop_fd_events(c->watch, wanted(c)) < 0)
		conn_break(c, REFUSE_NO_MEMORY, NULL);
}
