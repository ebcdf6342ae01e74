/*
 * server.c -- requests that we answer (RFC 3261 17.2, RFC 6026 7.1).
 */
#include "config.h"

#include "transaction/inner.h"

#include <errno.h>

static bool
is_invite(const struct server *s)
{
	return s->t.entry.kind == KIND_SERVER_INVITE;
}

void
server_free(struct server *s)
{
	struct transactions *ts = s->t.ts;

	pace_stop(&s->t);
	table_remove(&ts->all, &s->t.entry);
	ts->open[COUNT_SERVERS]--;
	bytes_clear(&s->last);
	pool_give(&ts->servers, s);
}

/* It ends now, or as soon as its owner lets go. */
static void
end(struct server *s)
{
	pace_stop(&s->t);
	s->over = true;
	if (!s->held)
		server_free(s);
}

/* RFC 3261 18.2.2: the connection is gone, so a new one, once. */
static int
send_elsewhere(struct server *s, const void *p, size_t len)
{
	const struct transactions_env *env = &s->t.ts->env;
	uint32_t connection = 0;
	int rc;

	s->back.addr = s->again;
	s->back.connection = 0;
	s->again.port = 0;
	rc = env->send(env->arg, &s->back, p, len, &connection);
	s->back.connection = connection;
	return rc;
}

static int
send_back(struct server *s, const void *p, size_t len)
{
	const struct transactions_env *env = &s->t.ts->env;
	int rc = env->send(env->arg, &s->back, p, len, NULL);

	if (rc == -ENOTCONN && s->again.port != 0)
		rc = send_elsewhere(s, p, len);
	return rc;
}

static void
repeat(struct server *s)
{
	if (s->last.len == 0)
		return;
	s->t.ts->again[COUNT_SENT]++;
	/* whether it arrives shows in whether it must be repeated again */
	send_back(s, s->last.p, s->last.len);
}

void
server_due(struct transaction *t, enum due what)
{
	struct server *s = (struct server *)t;

	if (what == DUE_AGAIN)
		repeat(s);			/* Timer G */
	else
		end(s);				/* Timers H, I, J, L */
}

struct server *
server_new(struct transactions *ts, const struct server_conf *conf)
{
	struct server *s;

	if (server_find(ts, conf->key, conf->kind) != NULL)
		return NULL;
	s = pool_take(&ts->servers);
	if (s == NULL)
		return NULL;
	s->t.ts = ts;
	s->t.entry.key = conf->key;
	s->t.entry.kind = (uint8_t)(conf->kind == SERVER_INVITE ?
	    KIND_SERVER_INVITE : KIND_SERVER_OTHER);
	s->back = conf->back;
	s->again = conf->again;
	s->reliable = conf->back.connection != 0;
	s->state = SERVER_PROCEEDING;
	s->held = true;
	s->owner = conf->owner;
	table_add(&ts->all, &s->t.entry);
	ts->open[COUNT_SERVERS]++;
	return s;
}

/* struct server begins with its transaction. */
struct server *
server_find(const struct transactions *ts, uint64_t key, enum server_kind kind)
{
	return (struct server *)transaction_of(table_find(&ts->all, key,
	    kind == SERVER_INVITE ? KIND_SERVER_INVITE : KIND_SERVER_OTHER));
}

void *
server_owner(const struct server *s)
{
	return s->owner;
}

const struct hop *
server_back(const struct server *s)
{
	return &s->back;
}

enum server_state
server_state(const struct server *s)
{
	return s->state;
}

void
server_again(struct server *s)
{
	s->t.ts->again[COUNT_ABSORBED]++;
	repeat(s);
}

bool
server_acked(struct server *s)
{
	if (!is_invite(s) || s->state == SERVER_PROCEEDING ||
	    s->state == SERVER_ACCEPTED)
		return false;
	if (s->state == SERVER_CONFIRMED) {
		s->t.ts->again[COUNT_ABSORBED]++;
		return true;
	}
	s->state = SERVER_CONFIRMED;
	bytes_clear(&s->last);
	if (s->reliable)
		end(s);
	else
		pace_wait(&s->t, PACE_T4);	/* Timer I */
	return true;
}

/* Absorbs repeats of the request. */
static void
fall_silent(struct server *s)
{
	s->state = SERVER_ACCEPTED;
	bytes_clear(&s->last);
	pace_wait(&s->t, PACE_LIFE);		/* Timer L */
}

static void
complete(struct server *s)
{
	s->state = SERVER_COMPLETED;
	if (is_invite(s) && !s->reliable)
		pace_start(&s->t);		/* Timers G, H */
	else if (is_invite(s) || !s->reliable)
		pace_wait(&s->t, PACE_LIFE);	/* Timers H, J */
	else
		end(s);
}

int
server_respond(struct server *s, int status, const void *p, size_t len)
{
	bool accepts = is_invite(s) && status / 100 == 2;
	int rc;

	if (s->state != SERVER_PROCEEDING && !accepts)
		return -EALREADY;
	rc = send_back(s, p, len);
	if (s->state != SERVER_PROCEEDING)
		return rc;
	/* Without memory for a copy there are no repeats: the other side asks
	 * in vain, or gives up. */
	if (!accepts && !s->reliable)
		bytes_set(&s->last, p, len);
	if (accepts)
		fall_silent(s);
	else if (status >= 200)
		complete(s);
	return rc;
}

void
server_release(struct server *s)
{
	s->held = false;
	s->owner = NULL;
	if (s->over)
		server_free(s);
	else if (s->state == SERVER_PROCEEDING)
		fall_silent(s);
}
