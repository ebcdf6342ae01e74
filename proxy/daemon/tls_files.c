/*
 * tls_files.c -- certificates, authorities and CRLs: who holds them, and when
 * they are read again.
 */
#include "config.h"

#include "daemon/tls_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "daemon/tls_holders.h"
#include "io/loop.h"

enum { LOOK_MS = 10 * 1000, DAY_MS = 24 * 3600 * 1000 };

struct tls_files {
	struct loop_timer	*timer;		/* NULL: -t only looks once */
	const struct settings	*s;
	struct holders		 holders;
	uint64_t		 mark;		/* of the files, when they
						 * were last read */
	const char		**labels;
};

static struct tls_files *
make(const struct settings *s)
{
	struct tls_files *f = calloc(1, sizeof *f);

	if (f != NULL)
		f->s = s;
	return f;
}

static void
show_expiry(struct holder *h)
{
	int64_t s = holder_expires_s(h);

	if (h->expires != NULL)
		*h->expires = s == INT64_MAX ? 0 : (uint64_t)s;
}

/* Once a day for each. */
static void
warn_of_end(struct holder *h)
{
	int64_t days = holder_days_left(h), now = clock_mono_ms();

	if (days >= TLS_SOON_DAYS || now < h->warn_after_ms)
		return;
	h->warn_after_ms = now + DAY_MS;
	log_event(EV_TLS_EXPIRES, kv_str("of", h->whose == OF_LISTENER ?
	    h->name : "tls.certificate"), kv_int("days_left", days));
}

static void
say_loaded(struct tls_files *f)
{
	int64_t days = INT64_MAX;
	unsigned servers = 0;

	for (struct holder *h = f->holders.first; h != NULL; h = h->next) {
		show_expiry(h);
		if (holder_days_left(h) < days)
			days = holder_days_left(h);
		servers += h->whose == OF_LISTENER && h->has_context;
	}
	if (days == INT64_MAX)
		log_event(EV_TLS_LOAD, kv_uint("listeners", servers));
	else
		log_event(EV_TLS_LOAD, kv_uint("listeners", servers),
		    kv_int("days_left", days));
}

struct saying {
	const struct settings	*s;
	enum event		 event;
};

static void
say_fault(void *arg, const struct tls_fault *why)
{
	const struct saying *of = arg;
	char file[CONF_COMPLAINT_MAX];

	log_event(of->event,
	    kv_str("file", conf_line_file(of->s->conf, why->line, file)),
	    kv_int("line", conf_line_number(why->line)),
	    kv_str("option", why->option), kv_str("of", why->of),
	    kv_str("reason", why->why));
}

/* All or nothing. */
static int
load(struct tls_files *f, const struct settings *s, enum event on_fault)
{
	struct saying saying = { s, on_fault };

	if (holders_load(&f->holders, s, say_fault, &saying) > 0) {
		holders_discard(&f->holders);
		return -1;
	}
	holders_commit(&f->holders);
	if (f->holders.first != NULL)
		say_loaded(f);
	return 0;
}

static void
say_unverified(const struct settings *s)
{
	for (size_t i = 0; i < peers_count(s->peers); i++)
		if (peers_at(s->peers, i)->verify == PEER_VERIFY_NONE)
			log_event(EV_TLS_UNVERIFIED, kv_str("peer",
			    peers_at(s->peers, i)->name));
}

void
tls_files_look(struct tls_files *f)
{
	uint64_t mark = holders_mark(f->s);

	if (mark != f->mark) {
		f->mark = mark;
		load(f, f->s, EV_TLS_KEEP);
	}
	for (struct holder *h = f->holders.first; h != NULL; h = h->next)
		warn_of_end(h);
}

static void
on_timer(void *arg)
{
	struct tls_files *f = arg;

	tls_files_look(f);
	loop_timer_start(f->timer, LOOK_MS);
}

int
tls_files_reload(struct tls_files *f, const struct settings *s)
{
	uint64_t mark = holders_mark(s);

	if (load(f, s, EV_TLS_KEEP) < 0)
		return -1;
	f->s = s;
	f->mark = mark;
	say_unverified(s);
	return 0;
}

static size_t
label_listeners(struct tls_files *f)
{
	size_t n = 0;

	for (struct holder *h = f->holders.first; h != NULL; h = h->next)
		if (h->whose == OF_LISTENER)
			f->labels[n++] = h->name;
	return n;
}

static int
add_listener_metric(struct tls_files *f, struct metrics *m)
{
	struct metric what = { "tls_certificate_expires_seconds",
		"Unix time at which the first certificate of the listener "
		"ends.", METRIC_GAUGE, "listener", NULL, 0 };
	uint64_t *cell;

	if (f->s->listen.n == 0)
		return 0;
	f->labels = calloc(f->s->listen.n, sizeof *f->labels);
	if (f->labels == NULL)
		return -1;
	what.values = f->labels;
	what.nvalues = label_listeners(f);
	if (what.nvalues == 0)
		return 0;
	cell = metrics_add(m, &what);
	for (size_t i = 0; cell != NULL && i < what.nvalues; i++)
		holder_find(&f->holders, OF_LISTENER, f->labels[i])->expires =
		    &cell[i];
	return cell == NULL ? -1 : 0;
}

static int
add_client_metric(struct tls_files *f, struct metrics *m)
{
	static const struct metric what = {
		"tls_client_certificate_expires_seconds",
		"Unix time at which our certificate as a client ends; 0: there "
		"is none.", METRIC_GAUGE, NULL, NULL, 0 };
	struct holder *h = holder_find(&f->holders, OF_ALL, "");

	if (h == NULL)
		return 0;
	h->expires = metrics_add(m, &what);
	return h->expires == NULL ? -1 : 0;
}

static int
open_rest(struct tls_files *f, struct loop *l, struct metrics *m)
{
	f->timer = loop_timer_new(l, on_timer, f);
	if (f->timer == NULL || add_listener_metric(f, m) < 0 ||
	    add_client_metric(f, m) < 0) {
		log_event(EV_TLS_FAIL, kv_str("reason", "no memory"));
		return -1;
	}
	for (struct holder *h = f->holders.first; h != NULL; h = h->next) {
		show_expiry(h);
		warn_of_end(h);
	}
	say_unverified(f->s);
	loop_timer_start(f->timer, LOOK_MS);
	return 0;
}

struct tls_files *
tls_files_new(struct loop *l, struct metrics *metrics,
    const struct settings *s)
{
	struct tls_files *f = make(s);

	if (f == NULL) {
		log_event(EV_TLS_FAIL, kv_str("reason", "no memory"));
		return NULL;
	}
	f->mark = holders_mark(s);
	if (load(f, s, EV_TLS_FAIL) == 0 && open_rest(f, l, metrics) == 0)
		return f;
	tls_files_free(f);
	return NULL;
}

void
tls_files_free(struct tls_files *f)
{
	if (f == NULL)
		return;
	loop_timer_free(f->timer);
	holders_fini(&f->holders);
	free(f->labels);
	free(f);
}

struct tls_context *
tls_files_server(const struct tls_files *f, const char *listener)
{
	const struct holder *h = holder_find(&f->holders, OF_LISTENER,
	    listener);

	return h == NULL ? NULL : h->context;
}

/* A peer that wants its own gets that or nothing: never what is for all. */
struct tls_context *
tls_files_client(const struct tls_files *f, const char *peer)
{
	const struct peer *p = peer == NULL ? NULL :
	    peers_by_name(f->s->peers, peer);
	const struct holder *h;

	if (p != NULL && p->verify == PEER_VERIFY_NONE)
		h = holder_find(&f->holders, OF_UNVERIFIED, "");
	else if (p != NULL && p->ca != NULL)
		h = holder_find(&f->holders, OF_PEER, p->name);
	else
		h = holder_find(&f->holders, OF_ALL, "");
	return h == NULL ? NULL : h->context;
}

struct tls_trust *
tls_files_trust(const struct tls_files *f, const char *listener,
    const struct peer *p)
{
	const struct holder *h = holder_find(&f->holders,
	    p->ca != NULL ? OF_PEER : OF_LISTENER,
	    p->ca != NULL ? p->name : listener);

	if (p->ca == NULL && (h == NULL || !h->has_trust))
		h = holder_find(&f->holders, OF_ALL, "");
	return h == NULL ? NULL : h->trust;
}
