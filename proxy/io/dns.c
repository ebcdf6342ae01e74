/*
 * dns.c -- names to addresses (RFC 3263), without blocking.
 */
#include "config.h"

#include "io/dns.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "io/dns_rounds.h"
#include "io/hosts.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "io/target.h"

enum { LOOKUPS_MAX = 1000 };	/* under way at once */

struct dns_lookup {
	struct dns_rounds	 rounds;	/* first: see rounds_over() */
	struct dns		*dns;
	struct loop_timer	*deadline;
	dns_done_f		*done;
	void			*arg;
	LIST_ENTRY(dns_lookup)	 entry;
};

struct dns {
	struct loop		*loop;
	struct hosts		*hosts;
	struct resolver		*resolver;
	struct dns_lookup	*spare;		/* for what is known at once */
	LIST_HEAD(, dns_lookup)	 lookups;	/* under way */
	size_t			 nlookups;
};

/* One is kept, so that what is in the cache takes no memory anew. */
static void
put_back(struct dns_lookup *l)
{
	struct dns *d = l->dns;

	if (d->spare == NULL)
		d->spare = l;
	else
		free(l);
}

static struct dns_lookup *
take_spare(struct dns *d)
{
	struct dns_lookup *l = d->spare;

	if (l == NULL)
		l = calloc(1, sizeof *l);
	if (l != NULL)
		l->dns = d;
	d->spare = NULL;
	return l;
}

static void
end(struct dns_lookup *l)
{
	dns_rounds_stop(&l->rounds);
	loop_timer_free(l->deadline);
	l->deadline = NULL;
	LIST_REMOVE(l, entry);
	l->dns->nlookups--;
	put_back(l);
}

static void
finish(struct dns_lookup *l)
{
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n;
	enum dns_result r = dns_rounds_targets(&l->rounds, t, &n);
	dns_done_f *done = l->done;
	void *arg = l->arg;

	end(l);
	done(arg, r, t, n);
}

static void
rounds_over(struct dns_rounds *r)
{
	finish((struct dns_lookup *)r);
}

/* What has come by now is better than nothing. */
static void
deadline_passed(void *arg)
{
	finish(arg);
}

/* false: no memory. */
static bool
begin_wait(struct dns_lookup *l, const struct dns_query *q)
{
	struct dns *d = l->dns;

	l->deadline = loop_timer_new(d->loop, deadline_passed, l);
	if (l->deadline == NULL)
		return false;
	loop_timer_start(l->deadline, q->timeout_ms);
	l->done = q->done;
	l->arg = q->arg;
	LIST_INSERT_HEAD(&d->lookups, l, entry);
	d->nlookups++;
	return true;
}

static void
set_numeric(struct dns_target *t, const struct target_uri *target,
    unsigned transports)
{
	t->transport = target_default_transport(target, transports);
	t->addr = target->addr;
	t->addr.port = target->port != 0 ? target->port :
	    target_default_port(t->transport);
}

/* Of a name: from what is known, or else *out waits. */
static enum dns_result
look_up(struct dns_lookup *l, const struct dns_query *q,
    const struct target_uri *target, struct dns_lookup **out)
{
	const struct dns_rounds_conf conf = { l->dns->resolver, l->dns->hosts,
		target, q->transports, rounds_over };

	if (dns_rounds_start(&l->rounds, &conf))
		return DNS_OK;
	if (l->dns->nlookups < LOOKUPS_MAX && begin_wait(l, q)) {
		*out = l;
		return DNS_OK;
	}
	dns_rounds_stop(&l->rounds);
	return DNS_UNAVAILABLE;
}

struct dns *
dns_new(struct loop *l, const char *resolv_conf)
{
	struct dns *d;

	d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	LIST_INIT(&d->lookups);
	d->loop = l;
	d->hosts = hosts_new("/etc/hosts");
	d->resolver = resolver_new(l, resolv_conf);
	if (d->hosts == NULL || d->resolver == NULL) {
		dns_free(d);
		return NULL;
	}
	return d;
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	while (!LIST_EMPTY(&d->lookups))
		end(LIST_FIRST(&d->lookups));
	free(d->spare);
	resolver_free(d->resolver);
	hosts_free(d->hosts);
	free(d);
}

enum dns_result
dns_resolve(struct dns *d, const struct dns_query *q,
    struct dns_target t[DNS_TARGETS_MAX], size_t *n, struct dns_lookup **out)
{
	struct target_uri target;
	struct dns_lookup *l;
	enum dns_result r;

	*out = NULL;
	*n = 0;
	if (!target_parse(&target, str_of(q->uri)))
		return DNS_NO_NAME;
	if (target.numeric) {
		set_numeric(&t[(*n)++], &target, q->transports);
		return DNS_OK;
	}
	l = take_spare(d);
	if (l == NULL)
		return DNS_UNAVAILABLE;
	r = look_up(l, q, &target, out);
	if (*out != NULL)
		return DNS_OK;
	if (r == DNS_OK)
		r = dns_rounds_targets(&l->rounds, t, n);
	put_back(l);
	return r;
}

void
dns_cancel(struct dns *d, struct dns_lookup *l)
{
	(void)d;
	if (l != NULL)
		end(l);
}
