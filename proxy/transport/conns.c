/*
 * conns.c -- the TCP connections: who has how many, and until when each may
 * go on as it does.
 */
#include "config.h"

/* Out of memory is an answer (the connection is refused), not an exit. */
#define HASH_NONFATAL_OOM 1

#include "transport/conns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

struct source {
	uint8_t		ip[16];
	int64_t		count;
	UT_hash_handle	hh;
};

static void
peer_of(struct addr *peer, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	memset(peer, 0, sizeof *peer);
	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr(peer, (struct sockaddr *)&ss);
}

struct due {
	int64_t		at_ms;
	enum refusal	why;
};

/* Whoever has an IPv6 address has the whole /64 (RFC 6177). */
static struct source *
source_enter(struct transports *t, const struct addr *peer)
{
	struct source *s;
	uint8_t ip[16];

	memcpy(ip, peer->ip, sizeof ip);
	if (!addr_is_v4(peer))
		memset(ip + 8, 0, 8);
	HASH_FIND(hh, t->sources, ip, sizeof ip, s);
	if (s == NULL) {
		s = calloc(1, sizeof *s);
		if (s == NULL)
			return NULL;
		memcpy(s->ip, ip, sizeof ip);
		HASH_ADD(hh, t->sources, ip, sizeof s->ip, s);
		if (s->hh.tbl == NULL) {
			free(s);
			return NULL;
		}
	}
	s->count++;
	return s;
}

static void
source_leave(struct transports *t, struct source *s)
{
	if (--s->count > 0)
		return;
	HASH_DELETE(hh, t->sources, s);
	free(s);
}

static uint32_t
new_id(const struct transports *t)
{
	uint32_t id;

	do
		random_bytes(&id, sizeof id);
	while (id == 0 || conn_by_id(t, id) != NULL);
	return id;
}

/* Count an accepted connection, or say why not. */
static bool
admit(struct transports *t, struct conn *c, enum refusal *why)
{
	const struct transport_conf *conf = &t->conf;

	*why = REFUSE_CONNECTIONS;
	if (conf->connections > 0 && t->accepted >= conf->connections)
		return false;
	*why = REFUSE_NO_MEMORY;
	c->source = source_enter(t, &c->peer);
	if (c->source == NULL)
		return false;
	*why = REFUSE_SOURCE;
	if (conf->connections_per_source > 0 &&
	    c->source->count > conf->connections_per_source) {
		source_leave(t, c->source);
		return false;
	}
	t->accepted++;
	return true;
}

/* Put it into both tables, or in none. */
static bool
enter(struct transports *t, struct conn *c)
{
	c->id = new_id(t);
	HASH_ADD(by_tport, t->by_tport, tp, sizeof c->tp, c);
	if (c->by_tport.tbl == NULL)
		return false;
	HASH_ADD(by_id, t->by_id, id, sizeof c->id, c);
	if (c->by_id.tbl != NULL)
		return true;
	HASH_DELETE(by_tport, t->by_tport, c);
	return false;
}

static void
leave_source(struct transports *t, struct conn *c)
{
	if (c->source == NULL)
		return;
	source_leave(t, c->source);
	c->source = NULL;
	t->accepted--;
}

static void
sooner(struct due *due, int64_t since_ms, int64_t limit_ms, enum refusal why)
{
	if (limit_ms <= 0 || since_ms + limit_ms >= due->at_ms)
		return;
	due->at_ms = since_ms + limit_ms;
	due->why = why;
}

struct conn *
conn_open(struct transports *t, tport_t *tp, int fd, bool accepted,
    enum refusal *why)
{
	struct conn *c = calloc(1, sizeof *c);

	*why = REFUSE_NO_MEMORY;
	if (c == NULL)
		return NULL;
	c->tp = tp;
	c->fd = fd;
	c->accepted = c->connected = accepted;
	c->opened_ms = c->active_ms = clock_mono_ms();
	c->head = transport_head(t);
	peer_of(&c->peer, fd);
	if (accepted && !admit(t, c, why)) {
		transport_refuse(t, *why, &c->peer);
		free(c);
		return NULL;
	}
	if (!enter(t, c)) {
		*why = REFUSE_NO_MEMORY;
		transport_refuse(t, *why, &c->peer);
		leave_source(t, c);
		free(c);
		return NULL;
	}
	t->connections[accepted ? COUNT_ACCEPTED : COUNT_OUTGOING]++;
	return c;
}

void
conn_close(struct transports *t, struct conn *c)
{
	if (c->fd == -1)
		return;
	c->fd = -1;
	t->connections[c->accepted ? COUNT_ACCEPTED : COUNT_OUTGOING]--;
	leave_source(t, c);
	HASH_DELETE(by_id, t->by_id, c);
}

void
conn_free(struct transports *t, struct conn *c)
{
	conn_close(t, c);
	HASH_DELETE(by_tport, t->by_tport, c);
	free(c->buf);
	free(c);
}

struct conn *
conn_of(const struct transports *t, const tport_t *tp)
{
	struct conn *c;

	HASH_FIND(by_tport, t->by_tport, &tp, sizeof tp, c);
	return c;
}

struct conn *
conn_by_id(const struct transports *t, uint32_t id)
{
	struct conn *c;

	HASH_FIND(by_id, t->by_id, &id, sizeof id, c);
	return c;
}

int64_t
conn_due_ms(const struct transports *t, const struct conn *c,
    enum refusal *why)
{
	const struct transport_conf *conf = &t->conf;
	struct due due = { .at_ms = INT64_MAX, .why = REFUSE_IDLE };

	if (c->closing_ms != 0) {
		sooner(&due, c->closing_ms, LINGER_MS, REFUSE_IDLE);
		*why = due.why;
		return due.at_ms;
	}
	if (!c->connected)
		sooner(&due, c->opened_ms, conf->connect_ms, REFUSE_CONNECT);
	if (c->accepted && !c->spoke)
		sooner(&due, c->opened_ms, conf->first_message_ms,
		    REFUSE_FIRST);
	if (c->partial_ms != 0)
		sooner(&due, c->partial_ms, conf->whole_message_ms,
		    REFUSE_SLOW);
	sooner(&due, c->active_ms, conf->idle_ms, REFUSE_IDLE);
	*why = due.why;
	return due.at_ms;
}
