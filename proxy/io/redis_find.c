/*
 * redis_find.c -- where is the server now?
 *
 * One step at a time: resolve a name; if it is a sentinel's, ask it, and
 * resolve what it says; if it does not know, go to the next.
 */
#include "config.h"

#include "io/redis_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/dns.h"
#include "io/loop.h"
#include "io/redis.h"

enum {
	DNS_MS = 2000,
	SENTINEL_PORT = 26379
};

struct redis_find {
	const struct redis_find_conf *conf;
	unsigned	 attempt;
	redis_found_f	*done;
	void		*arg;
	struct loop_timer *step;	/* every step begins from the loop */
	struct dns_lookup *lookup;
	struct redis	*sentinel;
	size_t		 asked;		/* sentinels so far */
	bool		 asking;	/* the name is a sentinel's */
	bool		 knows;		/* a sentinel told url */
	struct redis_url url;		/* whose name is being resolved */
	struct redis_place place;
	const char	*reason;
};

static void
finish(struct redis_find *f, const struct redis_place *place)
{
	redis_found_f *done = f->done;
	void *arg = f->arg;
	struct redis_place copy;
	const char *reason = f->reason;

	if (place != NULL)
		copy = *place;
	redis_find_cancel(f);
	done(arg, place != NULL ? &copy : NULL, reason);
}

static void
next_step(struct redis_find *f)
{
	loop_timer_start(f->step, 0);
}

/* The last sentinel's answer decides what is said, in the end. */
static void
sentinel_fails(struct redis_find *f, const char *reason)
{
	f->reason = reason;
	f->asking = f->knows = false;
	next_step(f);
}

static void
sentinel_told(void *arg, const struct redisReply *r)
{
	struct redis_find *f = arg;
	struct str host = redis_text(redis_item(r, 0));
	struct str port = redis_text(redis_item(r, 1));
	char text[REDIS_WHERE_MAX];
	const char *form = "%.*s:%.*s";

	if (redis_kind(r) == REDIS_NOTHING) {
		sentinel_fails(f, "a sentinel does not answer");
		return;
	}
	if (redis_kind(r) == REDIS_NIL) {
		sentinel_fails(f, "the sentinels do not know this master");
		return;
	}
	if (memchr(host.p, ':', host.len) != NULL)
		form = "[%.*s]:%.*s";
	if (redis_count(r) != 2 || host.len > REDIS_TEXT_MAX - 2 ||
	    port.len > 5) {
		sentinel_fails(f, "a sentinel's answer has no address");
		return;
	}
	snprintf(text, sizeof text, form, (int)host.len, host.p,
	    (int)port.len, port.p);
	f->knows = redis_host_port(&f->url, text, REDIS_PORT);
	f->reason = "a sentinel's answer has no address";
	f->asking = false;
	next_step(f);
}

static void
sentinel_up(void *arg)
{
	struct redis_find *f = arg;
	struct str v[] = { str_of("SENTINEL"),
		str_of("get-master-addr-by-name"), str_of(f->conf->master) };
	struct redis_args args = { 3, v };

	if (!redis_send(f->sentinel, &args, sentinel_told, f))
		sentinel_fails(f, "no memory");
}

static void
sentinel_down(void *arg, const char *reason)
{
	struct redis_find *f = arg;

	if (f->asking)
		sentinel_fails(f, reason);
}

static void
ask_sentinel(struct redis_find *f, const struct addr *a)
{
	struct redis_conf conf = { .loop = f->conf->loop,
		.timeout_ms = f->conf->timeout_ms, .in_flight = 1 };
	struct redis_hooks hooks = { sentinel_up, sentinel_down, f };
	struct redis_place place = { .addr = *a };

	f->sentinel = redis_new(&place, &conf, &hooks);
	if (f->sentinel == NULL)
		sentinel_fails(f, "no memory");
}

static void
found(struct redis_find *f, const struct addr *a)
{
	f->place.addr = *a;
	f->place.tls = f->conf->tls;
	f->place.host = f->conf->url->host;
	finish(f, &f->place);
}

static void
resolved(void *arg, enum dns_result r, const struct dns_target *t, size_t n)
{
	struct redis_find *f = arg;

	f->lookup = NULL;
	if (r == DNS_OK && n > 0) {
		const struct addr *a = &t[f->attempt % n].addr;

		if (f->asking)
			ask_sentinel(f, a);
		else
			found(f, a);
		return;
	}
	f->reason = r == DNS_NO_NAME ? "the name does not exist" :
	    "the name cannot be resolved";
	if (f->conf->sentinels->n > 0)
		sentinel_fails(f, f->reason);
	else
		finish(f, NULL);
}

static void
resolve(struct redis_find *f)
{
	char uri[REDIS_TEXT_MAX + 32];
	struct dns_target t[DNS_TARGETS_MAX];
	const struct dns_query q = { .uri = uri, .timeout_ms = DNS_MS,
		.done = resolved, .arg = f };
	enum dns_result r;
	size_t n;

	/* With a port: addresses are asked for, and no SRV. */
	snprintf(uri, sizeof uri, "sip:%s:%u;transport=tcp", f->url.host,
	    f->url.port);
	r = dns_resolve(f->conf->dns, &q, t, &n, &f->lookup);
	if (f->lookup == NULL)
		resolved(f, r, t, n);
}

static void
next_sentinel(struct redis_find *f)
{
	const struct conf_list *all = f->conf->sentinels;
	size_t i = (f->attempt + f->asked++) % all->n;

	if (f->asked > all->n) {
		finish(f, NULL);
		return;
	}
	if (!redis_host_port(&f->url, all->v[i], SENTINEL_PORT)) {
		sentinel_fails(f, "a sentinel's address is malformed");
		return;
	}
	f->asking = true;
	resolve(f);
}

static void
step(void *arg)
{
	struct redis_find *f = arg;

	redis_free(f->sentinel);
	f->sentinel = NULL;
	if (f->conf->url->path[0] != '\0') {
		f->place.path = f->conf->url->path;
		finish(f, &f->place);
	} else if (f->conf->sentinels->n > 0 && !f->knows) {
		next_sentinel(f);
	} else {
		if (!f->knows)
			f->url = *f->conf->url;
		resolve(f);
	}
}

struct redis_find *
redis_find_start(const struct redis_find_conf *conf, unsigned attempt,
    redis_found_f *done, void *arg)
{
	struct redis_find *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->step = loop_timer_new(conf->loop, step, f);
	if (f->step == NULL) {
		free(f);
		return NULL;
	}
	f->conf = conf;
	f->attempt = attempt;
	f->done = done;
	f->arg = arg;
	next_step(f);
	return f;
}

void
redis_find_cancel(struct redis_find *f)
{
	if (f == NULL)
		return;
	redis_free(f->sentinel);
	dns_cancel(f->conf->dns, f->lookup);
	loop_timer_free(f->step);
	free(f);
}
