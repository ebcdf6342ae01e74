/*
 * redis_link.c -- a lasting link to a Redis master.
 */
#include "config.h"

#include "io/redis_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "io/loop.h"
#include "io/redis_find.h"

enum {
	PAUSE_LEAST_MS = 100,
	PAUSE_MOST_MS = 2000,
	GOOD_AFTER_MS = 10000,	/* of being up: the next pause is short */
	FIND_TIMEOUT_MS = 500	/* a sentinel is no part of a request */
};

struct redis_link {
	struct redis_link_conf conf;
	struct redis_link_hooks hooks;
	struct redis_find_conf find_conf;
	struct tls_context *tls;
	struct redis_find *find;
	struct redis	*redis;
	struct loop_timer *timer;	/* the pause; or a drop */
	const char	*dropped;	/* why; NULL: not being dropped */
	unsigned	 attempt;
	int64_t		 pause_ms, up_ms;
	char		 where[REDIS_WHERE_MAX];
};

/* From half to the whole, so that many do not come back in step. */
static int64_t
with_jitter(int64_t ms)
{
	return ms / 2 + random_upto(ms / 2);
}

static void
pause_now(struct redis_link *l)
{
	bool was_good = l->up_ms != 0 &&
	    clock_mono_ms() - l->up_ms > GOOD_AFTER_MS;

	l->up_ms = 0;
	if (was_good || l->pause_ms == 0)
		l->pause_ms = PAUSE_LEAST_MS;
	else if (l->pause_ms < PAUSE_MOST_MS)
		l->pause_ms *= 2;
	if (l->pause_ms > PAUSE_MOST_MS)
		l->pause_ms = PAUSE_MOST_MS;
	l->attempt++;
	loop_timer_start(l->timer, with_jitter(l->pause_ms));
}

static void
fail(struct redis_link *l, const char *reason)
{
	redis_free(l->redis);
	l->redis = NULL;
	l->dropped = NULL;
	pause_now(l);
	l->hooks.down(l->hooks.arg, reason);
}

void
redis_link_drop(struct redis_link *l, const char *reason)
{
	if (l->redis == NULL || l->dropped != NULL)
		return;
	l->dropped = reason;
	loop_timer_start(l->timer, 0);
}

/* The text of an error may quote what was sent, so it is not shown. */
static void
logged_in(void *arg, const struct redisReply *r)
{
	struct redis_link *l = arg;

	if (redis_kind(r) != REDIS_ERROR)
		return;
	redis_link_drop(l, redis_is_error(r, "LOADING") ?
	    "the server is loading its data" :
	    redis_is_error(r, "WRONGPASS") || redis_is_error(r, "ERR") ?
	    "the server refuses user and password" :
	    "the server refuses AUTH");
}

static void
selected(void *arg, const struct redisReply *r)
{
	if (redis_kind(r) == REDIS_ERROR &&
	    !redis_is_error(r, "NOAUTH"))
		redis_link_drop(arg, "the server refuses this database");
}

static void
send_auth(struct redis_link *l)
{
	const struct redis_url *u = &l->conf.url;
	struct str v[3] = { str_of("AUTH") };
	struct redis_args args = { 1, v };

	if (u->password[0] == '\0')
		return;
	if (u->user[0] != '\0')
		v[args.n++] = str_of(u->user);
	v[args.n++] = str_of(u->password);
	if (!redis_send(l->redis, &args, logged_in, l))
		redis_link_drop(l, "no memory");
}

static void
send_select(struct redis_link *l)
{
	char number[12];
	struct str v[2] = { str_of("SELECT") };
	struct redis_args args = { 2, v };

	if (l->conf.url.db == 0)
		return;
	snprintf(number, sizeof number, "%u", l->conf.url.db);
	v[1] = str_of(number);
	if (!redis_send(l->redis, &args, selected, l))
		redis_link_drop(l, "no memory");
}

static void
connected(void *arg)
{
	struct redis_link *l = arg;

	l->up_ms = clock_mono_ms();
	send_auth(l);
	send_select(l);
	if (l->dropped == NULL)
		l->hooks.up(l->hooks.arg);
}

static void
ended(void *arg, const char *reason)
{
	struct redis_link *l = arg;

	fail(l, l->dropped != NULL ? l->dropped : reason);
}

static void
set_where(struct redis_link *l, const struct redis_place *place)
{
	char text[ADDR_TEXT_MAX];

	snprintf(l->where, sizeof l->where, "%s", place->path != NULL ?
	    place->path : addr_text(&place->addr, text));
}

static void
found(void *arg, const struct redis_place *place, const char *reason)
{
	struct redis_link *l = arg;
	struct redis_conf conf = { .loop = l->conf.loop,
		.timeout_ms = l->conf.timeout_ms,
		.in_flight = l->conf.in_flight };
	struct redis_hooks hooks = { connected, ended, l };

	l->find = NULL;
	if (place == NULL) {
		fail(l, reason);
		return;
	}
	set_where(l, place);
	l->redis = redis_new(place, &conf, &hooks);
	if (l->redis == NULL)
		fail(l, "no memory");
}

static void
timer_comes(void *arg)
{
	struct redis_link *l = arg;

	if (l->dropped != NULL) {
		redis_end(l->redis, l->dropped);
		return;
	}
	l->find = redis_find_start(&l->find_conf, l->attempt, found, l);
	if (l->find == NULL)
		fail(l, "no memory");
}

static void
set_find_conf(struct redis_link *l)
{
	const struct redis_link_conf *c = &l->conf;

	l->find_conf = (struct redis_find_conf){
		.loop = c->loop, .dns = c->dns, .url = &c->url,
		.tls = l->tls, .sentinels = c->sentinels,
		.master = c->master,
		.timeout_ms = c->timeout_ms > FIND_TIMEOUT_MS ?
		    c->timeout_ms : FIND_TIMEOUT_MS,
	};
}

static struct tls_context *
new_tls(const char *ca, const char **why)
{
	struct tls_trust_conf believe = { .ca = ca };
	struct tls_client_conf conf = { .min_version = 12,
		.wildcards = true };
	struct tls_context *c = NULL;
	char text[TLS_WHY_MAX];

	conf.trust = tls_trust_new(&believe, text);
	if (conf.trust == NULL)
		*why = "the file of authorities (ca) cannot be used";
	else
		c = tls_client_context_new(&conf, text);
	tls_trust_free(conf.trust);
	return c;
}

struct redis_link *
redis_link_new(const struct redis_link_conf *conf,
    const struct redis_link_hooks *hooks, const char **why)
{
	struct redis_link *l = calloc(1, sizeof *l);

	*why = "no memory";
	if (l == NULL)
		return NULL;
	l->conf = *conf;
	l->hooks = *hooks;
	snprintf(l->where, sizeof l->where, "-");
	l->timer = loop_timer_new(conf->loop, timer_comes, l);
	if (l->timer == NULL)
		goto fail;
	if (conf->url.tls &&
	    (l->tls = new_tls(conf->ca, why)) == NULL)
		goto fail;
	set_find_conf(l);
	loop_timer_start(l->timer, 0);
	return l;
fail:
	redis_link_free(l);
	return NULL;
}

void
redis_link_free(struct redis_link *l)
{
	if (l == NULL)
		return;
	redis_find_cancel(l->find);
	redis_free(l->redis);
	tls_context_free(l->tls);
	loop_timer_free(l->timer);
	secret_wipe(&l->conf.url, sizeof l->conf.url);
	free(l);
}

bool
redis_link_send(struct redis_link *l, const struct redis_args *args,
    redis_done_f *done, void *arg)
{
	return l->redis != NULL && l->dropped == NULL &&
	    redis_send(l->redis, args, done, arg);
}

const char *
redis_link_dropped(const struct redis_link *l)
{
	return l->dropped;
}

const char *
redis_link_where(const struct redis_link *l)
{
	return l->where;
}
