/*
 * client.c -- requests that we send (RFC 3261 17.1, RFC 6026 7.2).
 *
 * One that was answered is forgotten at once, since what comes after needs no
 * state: a repeat of its answer finds nothing here.  Only an INVITE that was
 * refused over UDP stays, to repeat its ACK.
 */
#include "config.h"

#include "transaction/inner.h"

#include <errno.h>

static bool
is_invite(const struct client *c)
{
	return c->t.entry.kind == KIND_CLIENT_INVITE;
}

static bool
is_reliable(const struct client *c)
{
	return c->hop.connection != 0;
}

static int
send_out(struct client *c, const void *p, size_t len)
{
	const struct transactions_env *env = &c->t.ts->env;
	uint32_t connection = c->hop.connection;
	int rc = env->send(env->arg, &c->hop, p, len, &connection);

	if (rc == 0)
		c->hop.connection = connection;
	return rc;
}

/* Without what client_new() adds last. */
static void
discard(struct client *c)
{
	bytes_clear(&c->sent);
	pool_give(&c->t.ts->clients, c);
}

void
client_free(struct client *c)
{
	struct transactions *ts = c->t.ts;

	pace_stop(&c->t);
	place_leave(c);
	table_remove(&ts->all, &c->t.entry);
	ts->open[COUNT_CLIENTS]--;
	discard(c);
}

void
client_fail(struct client *c, enum client_failure why)
{
	const struct client_hooks *hooks = c->hooks;
	void *owner = c->owner;

	client_free(c);
	if (owner != NULL)
		hooks->failed(owner, why);
}

static void
repeat(struct client *c)
{
	int rc;

	c->t.ts->again[COUNT_SENT]++;
	rc = send_out(c, c->sent.p, c->sent.len);
	/* what is only too much at once may get through the next time */
	if (rc < 0 && rc != -ENOBUFS && c->state != CLIENT_COMPLETED)
		client_fail(c, CLIENT_TRANSPORT);
}

static void
time_out(struct client *c)
{
	if (c->owner != NULL)
		c->t.ts->timeouts[0]++;
	client_fail(c, CLIENT_TIMEOUT);
}

void
client_due(struct transaction *t, enum due what)
{
	struct client *c = (struct client *)t;

	if (what == DUE_AGAIN)
		repeat(c);			/* Timers A, E */
	else
		time_out(c);			/* Timers B, D, F */
}

/* All that may need memory; NULL: there is none. */
static struct client *
prepare(struct transactions *ts, const struct client_conf *conf,
    const void *p, size_t len)
{
	struct client *c = pool_take(&ts->clients);

	if (c == NULL)
		return NULL;
	c->t.ts = ts;
	c->t.entry.key = conf->key;
	c->t.entry.kind = (uint8_t)(conf->kind == CLIENT_INVITE ?
	    KIND_CLIENT_INVITE : KIND_CLIENT_OTHER);
	c->hop = conf->hop;
	c->hooks = conf->hooks;
	c->owner = conf->owner;
	c->state = CLIENT_CALLING;
	if (!place_reserve(ts) || !bytes_set(&c->sent, p, len)) {
		discard(c);
		return NULL;
	}
	return c;
}

/* It is on its way. */
static void
begin(struct client *c)
{
	struct transactions *ts = c->t.ts;

	table_add(&ts->all, &c->t.entry);
	ts->open[COUNT_CLIENTS]++;
	place_enter(c);
	if (!is_reliable(c)) {
		pace_start(&c->t);
		return;
	}
	if (!is_invite(c))
		bytes_clear(&c->sent);
	pace_wait(&c->t, PACE_LIFE);
}

struct client *
client_new(struct transactions *ts, const struct client_conf *conf,
    const void *p, size_t len, int *error)
{
	struct client *c;

	*error = -EEXIST;
	if (client_find(ts, conf->key, conf->kind) != NULL)
		return NULL;
	*error = -ENOMEM;
	c = prepare(ts, conf, p, len);
	if (c == NULL)
		return NULL;
	*error = send_out(c, p, len);
	if (*error < 0) {
		discard(c);
		return NULL;
	}
	begin(c);
	return c;
}

/* struct client begins with its transaction. */
struct client *
client_find(const struct transactions *ts, uint64_t key, enum client_kind kind)
{
	return (struct client *)transaction_of(table_find(&ts->all, key,
	    kind == CLIENT_INVITE ? KIND_CLIENT_INVITE : KIND_CLIENT_OTHER));
}

void *
client_owner(const struct client *c)
{
	return c->owner;
}

const struct hop *
client_hop(const struct client *c)
{
	return &c->hop;
}

uint64_t
client_key(const struct client *c)
{
	return c->t.entry.key;
}

struct str
client_request(const struct client *c)
{
	return c->acked ? str_of(NULL) :
	    (struct str){ c->sent.p, c->sent.len };
}

static void
provisional(struct client *c)
{
	if (c->state != CLIENT_CALLING)
		return;
	if (!is_invite(c)) {
		c->state = CLIENT_PROCEEDING;
		pace_slow(&c->t);
	} else if (c->owner != NULL) {
		/* no end but the owner's (Timer C); and nothing is sent any
		 * more that could fail (17.1.1.2) */
		c->state = CLIENT_PROCEEDING;
		pace_stop(&c->t);
		if (!is_reliable(c))
			place_leave(c);
	}
}

/* Only repeats of the answer are waited for (Timer D). */
static void
complete(struct client *c)
{
	c->state = CLIENT_COMPLETED;
	c->owner = NULL;
	place_leave(c);
	if (!c->acked)
		bytes_clear(&c->sent);
	c->acked = true;
	pace_wait(&c->t, PACE_LIFE);
}

/* After the final answer. */
static enum client_verdict
late(struct client *c, int status)
{
	if (status / 100 == 2)
		return CLIENT_STRAY;
	c->t.ts->again[COUNT_ABSORBED]++;
	if (status >= 300 && c->sent.len > 0)
		repeat(c);
	return CLIENT_ABSORBED;
}

enum client_verdict
client_response(struct client *c, int status)
{
	bool accepts = is_invite(c) && status / 100 == 2;
	bool waits = c->owner != NULL;

	if (c->state == CLIENT_COMPLETED)
		return late(c, status);
	if (status < 200)
		provisional(c);
	else if (is_invite(c) && !accepts && !is_reliable(c))
		complete(c);
	else
		client_free(c);
	if (waits)
		return CLIENT_PASS;
	return accepts ? CLIENT_STRAY : CLIENT_ABSORBED;
}

void
client_ack(struct client *c, const void *p, size_t len)
{
	send_out(c, p, len);
	c->acked = true;
	if (is_reliable(c))
		bytes_clear(&c->sent);
	else
		bytes_set(&c->sent, p, len);
}

void
client_release(struct client *c)
{
	c->owner = NULL;
	if (c->state == CLIENT_COMPLETED)
		return;
	if (is_invite(c)) {
		c->state = CLIENT_ABANDONED;
		pace_wait(&c->t, PACE_LIFE);
	} else {
		client_free(c);
	}
}
