/*
 * dns.c -- names to addresses (RFC 3263), without blocking, on sresolv.
 *
 * Single questions are put to sresolv and the procedure is ours: the
 * library's own (sres_sip) asks for the addresses of every SRV target, without
 * a bound and one after the other.
 *
 * A lookup goes through two rounds of questions, SRV and then A with AAAA;
 * the first is left out where the port is given.  What the cache knows is
 * answered on the spot, so a lookup may be over before it is handed out.
 */
#include "config.h"

#include "io/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/secret.h"
#include "io/hosts.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "io/srv.h"
#include "io/target.h"

enum {
	LOOKUPS_MAX = 1000,	/* under way at once */
	SRVS_MAX = 32,		/* records looked at */
	ADDRS_MAX = 8		/* of one name and family */
};

enum family { V4, V6, FAMILIES };

struct query {
	struct dns_lookup	*lookup;
	sres_query_t		*q;		/* NULL: not under way */
	int			 type;		/* enum sres_qtypes */
	size_t			 index;		/* of the candidate, or for
						 * SRV the transport */
};

/* A name that may be gone to, and what it turned out to mean. */
struct candidate {
	char		host[TARGET_HOST_MAX + 1];
	uint16_t	port;
	int		transport;
	struct addr	addr[FAMILIES][ADDRS_MAX];
	size_t		naddrs[FAMILIES];
};

enum round { ROUND_SRV, ROUND_ADDRESS, ROUND_OVER };

struct dns_lookup {
	struct dns		*dns;
	struct resolver		*resolver;
	struct loop_timer	*deadline;
	dns_done_f		*done;
	void			*arg;
	struct target		 target;
	enum round		 round;
	bool			 starting;	/* inside dns_resolve() */
	bool			 unsure;	/* some answer did not come */
	bool			 refused;	/* SRV with target "." */
	unsigned		 pending;	/* queries under way */
	struct query		 query[FAMILIES * DNS_TARGETS_MAX];
	size_t			 nqueries;
	struct srv		 srv[SRVS_MAX];
	size_t			 nsrvs;
	struct candidate	 candidate[DNS_TARGETS_MAX];
	size_t			 ncandidates;
	LIST_ENTRY(dns_lookup)	 entry;
};

struct dns {
	struct loop		*loop;
	struct hosts		*hosts;
	struct resolvers	*resolvers;
	LIST_HEAD(, dns_lookup)	 lookups;
	size_t			 nlookups;
};

static void
lookup_free(struct dns_lookup *l)
{
	struct dns *d = l->dns;

	for (size_t i = 0; i < l->nqueries; i++)
		if (l->query[i].q != NULL)
			resolver_drop(l->resolver, l->query[i].q);
	LIST_REMOVE(l, entry);
	d->nlookups--;
	resolver_unref(l->resolver);
	loop_timer_free(l->deadline);
	free(l);
}

static void
add_srv(struct dns_lookup *l, int transport, const sres_srv_record_t *rr)
{
	struct srv *s = &l->srv[l->nsrvs];

	if (l->nsrvs == SRVS_MAX)
		return;
	/* RFC 2782, Target: "." says that there is no such service. */
	if (strcmp(rr->srv_target, ".") == 0) {
		l->refused = true;
		return;
	}
	if (rr->srv_port == 0 ||
	    !target_host_copy(s->host, str_of(rr->srv_target)))
		return;
	s->priority = rr->srv_priority;
	s->weight = rr->srv_weight;
	s->port = rr->srv_port;
	s->transport = transport;
	l->nsrvs++;
}

static void
add_address(struct candidate *c, const sres_record_t *rr)
{
	enum family f = rr->sr_record->r_type == sres_type_a ? V4 : V6;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (c->naddrs[f] == ADDRS_MAX)
		return;
	in.sin_addr = rr->sr_a->a_addr;
	if (f == V6)
		memcpy(&in6.sin6_addr, &rr->sr_aaaa->aaaa_addr,
		    sizeof in6.sin6_addr);
	addr_from_sockaddr(&c->addr[f][c->naddrs[f]++], f == V4 ?
	    (struct sockaddr *)&in : (struct sockaddr *)&in6);
}

/* false: it says nothing on what was asked. */
static bool
take_record(struct query *q, const sres_record_t *rr)
{
	struct dns_lookup *l = q->lookup;

	if (rr->sr_record->r_type != q->type)
		return false;
	switch (rr->sr_record->r_status) {
	case SRES_OK:
		if (q->type == sres_type_srv)
			add_srv(l, (int)q->index, rr->sr_srv);
		else
			add_address(&l->candidate[q->index], rr);
		return true;
	case SRES_NAME_ERR:
	case SRES_RECORD_ERR:
		return true;		/* there is none, for certain */
	default:
		return false;
	}
}

/* A refusal by the server comes as an empty list. */
static void
take_answers(struct query *q, sres_record_t **answers)
{
	bool told = false;

	for (size_t i = 0; answers != NULL && answers[i] != NULL; i++)
		if (take_record(q, answers[i]))
			told = true;
	if (!told)
		q->lookup->unsure = true;
	resolver_free_answers(q->lookup->resolver, answers);
}

static void advance(struct dns_lookup *l);

static void
answer_came(void *arg, sres_query_t *sq, sres_record_t **answers)
{
	struct query *q = arg;
	struct dns_lookup *l = q->lookup;

	(void)sq;
	q->q = NULL;
	resolver_answered(l->resolver);
	l->pending--;
	take_answers(q, answers);
	advance(l);
}

static void
ask(struct dns_lookup *l, int type, const char *name, size_t index)
{
	struct query *q = &l->query[l->nqueries++];
	struct question question = {
		.type = type, .name = name, .fn = answer_came, .arg = q
	};
	sres_record_t **answers;

	*q = (struct query){ .lookup = l, .type = type, .index = index };
	switch (resolver_ask(l->resolver, &question, &q->q, &answers)) {
	case ASK_KNOWN:
		take_answers(q, answers);
		break;
	case ASK_SENT:
		l->pending++;
		break;
	case ASK_FAILED:
		l->unsure = true;
	}
}

static void
add_candidate(struct dns_lookup *l, const char *host, uint16_t port,
    int transport)
{
	struct candidate *c = &l->candidate[l->ncandidates];

	if (l->ncandidates == DNS_TARGETS_MAX)
		return;
	memset(c, 0, sizeof *c);
	memcpy(c->host, host, strlen(host) + 1);
	c->port = port;
	c->transport = transport;
	l->ncandidates++;
}

/* RFC 3263 4.1: without a word on it, a lone host is reached by UDP, and
 * sips: by TLS (target_parse() saw to that). */
static void
add_own_name(struct dns_lookup *l)
{
	const struct target *t = &l->target;
	int transport = t->transport == TARGET_OPEN ? TARGET_UDP :
	    t->transport;
	uint16_t port = t->port != 0 ? t->port :
	    target_default_port(transport);

	add_candidate(l, t->host, port, transport);
}

/* RFC 3263 4.1: SRV for each transport that may be used. */
static void
ask_srv(struct dns_lookup *l)
{
	static const char *const prefix[] = {
		[TARGET_UDP] = "_sip._udp.", [TARGET_TCP] = "_sip._tcp.",
		[TARGET_TLS] = "_sips._tcp."
	};
	char name[sizeof "_sips._tcp." + TARGET_HOST_MAX];

	for (int i = TARGET_UDP; i < TARGET_OPEN; i++) {
		if (l->target.transport == TARGET_OPEN ? i == TARGET_TLS :
		    i != l->target.transport)
			continue;
		snprintf(name, sizeof name, "%s%s", prefix[i],
		    l->target.host);
		ask(l, sres_type_srv, name, (size_t)i);
	}
}

static uint32_t
pick_random(void *arg, uint32_t most)
{
	uint64_t r;

	(void)arg;
	random_bytes(&r, sizeof r);
	return (uint32_t)(r % ((uint64_t)most + 1));
}

/* What the first round left: records, a refusal, doubt, or nothing. */
static void
choose_candidates(struct dns_lookup *l)
{
	srv_order(l->srv, l->nsrvs, pick_random, NULL);
	for (size_t i = 0; i < l->nsrvs; i++)
		add_candidate(l, l->srv[i].host, l->srv[i].port,
		    l->srv[i].transport);
	if (l->nsrvs == 0 && !l->refused && !l->unsure)
		add_own_name(l);
}

static bool
is_in_hosts(struct dns_lookup *l, struct candidate *c)
{
	c->naddrs[V4] = hosts_find(l->dns->hosts, str_of(c->host),
	    c->addr[V4], ADDRS_MAX);
	return c->naddrs[V4] > 0;
}

static void
ask_addresses(struct dns_lookup *l)
{
	l->nqueries = 0;
	for (size_t i = 0; i < l->ncandidates; i++) {
		if (is_in_hosts(l, &l->candidate[i]))
			continue;
		ask(l, sres_type_a, l->candidate[i].host, i);
		ask(l, sres_type_aaaa, l->candidate[i].host, i);
	}
}

static bool
is_known(const struct dns_target *t, size_t n, const struct dns_target *one)
{
	for (size_t i = 0; i < n; i++)
		if (addr_same(&t[i].addr, &one->addr) &&
		    t[i].transport == one->transport)
			return true;
	return false;
}

/* In order of trial: name by name, IPv4 before IPv6, nobody twice. */
static size_t
gather(const struct dns_lookup *l, struct dns_target *t)
{
	size_t n = 0;

	for (size_t i = 0; i < l->ncandidates; i++) {
		const struct candidate *c = &l->candidate[i];

		for (size_t k = 0; k < c->naddrs[V4] + c->naddrs[V6]; k++) {
			struct dns_target one = { .transport = c->transport };

			if (n == DNS_TARGETS_MAX)
				return n;
			one.addr = k < c->naddrs[V4] ? c->addr[V4][k] :
			    c->addr[V6][k - c->naddrs[V4]];
			one.addr.port = c->port;
			if (!is_known(t, n, &one))
				t[n++] = one;
		}
	}
	return n;
}

static enum dns_result
result_of(const struct dns_lookup *l, size_t n)
{
	if (n > 0)
		return DNS_OK;
	return l->unsure ? DNS_UNAVAILABLE : DNS_NO_NAME;
}

static void
finish(struct dns_lookup *l)
{
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = gather(l, t);
	enum dns_result r = result_of(l, n);
	dns_done_f *done = l->done;
	void *arg = l->arg;

	lookup_free(l);
	done(arg, r, t, n);
}

/* Takes up the next round when the last one is answered. */
static void
advance(struct dns_lookup *l)
{
	while (l->pending == 0 && l->round != ROUND_OVER) {
		if (l->round == ROUND_SRV) {
			choose_candidates(l);
			l->round = ROUND_ADDRESS;
			ask_addresses(l);
		} else {
			l->round = ROUND_OVER;
		}
	}
	if (l->round == ROUND_OVER && !l->starting)
		finish(l);
}

/* What has come by now is better than nothing. */
static void
deadline_passed(void *arg)
{
	struct dns_lookup *l = arg;

	l->unsure = true;
	finish(l);
}

static struct dns_lookup *
lookup_new(struct dns *d, const struct target *target)
{
	struct dns_lookup *l;

	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->deadline = loop_timer_new(d->loop, deadline_passed, l);
	if (l->deadline == NULL) {
		free(l);
		return NULL;
	}
	l->dns = d;
	l->target = *target;
	l->resolver = resolver_ref(d->resolvers);
	LIST_INSERT_HEAD(&d->lookups, l, entry);
	d->nlookups++;
	return l;
}

static void
start(struct dns_lookup *l)
{
	l->starting = true;
	add_own_name(l);
	/* Who stands in the hosts file is meant by it, and has no SRV. */
	if (l->target.port != 0 || is_in_hosts(l, &l->candidate[0])) {
		l->round = ROUND_ADDRESS;
		ask_addresses(l);
	} else {
		l->ncandidates = 0;
		ask_srv(l);
	}
	advance(l);
	l->starting = false;
}

static void
set_numeric(struct dns_target *t, const struct target *target)
{
	t->transport = target->transport == TARGET_OPEN ? TARGET_UDP :
	    target->transport;
	t->addr = target->addr;
	t->addr.port = target->port != 0 ? target->port :
	    target_default_port(t->transport);
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
	d->resolvers = resolvers_new(l, resolv_conf);
	if (d->hosts == NULL || d->resolvers == NULL) {
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
		lookup_free(LIST_FIRST(&d->lookups));
	resolvers_free(d->resolvers);
	hosts_free(d->hosts);
	free(d);
}

enum dns_result
dns_resolve(struct dns *d, const char *uri, int timeout_ms,
    struct dns_target t[DNS_TARGETS_MAX], size_t *n, dns_done_f *done,
    void *arg, struct dns_lookup **out)
{
	struct target target;
	struct dns_lookup *l;
	enum dns_result r;

	*out = NULL;
	*n = 0;
	if (!target_parse(&target, str_of(uri)))
		return DNS_NO_NAME;
	if (target.numeric) {
		set_numeric(&t[(*n)++], &target);
		return DNS_OK;
	}
	if (d->nlookups == LOOKUPS_MAX)
		return DNS_UNAVAILABLE;
	l = lookup_new(d, &target);
	if (l == NULL)
		return DNS_UNAVAILABLE;
	start(l);
	if (l->round == ROUND_OVER) {
		*n = gather(l, t);
		r = result_of(l, *n);
		lookup_free(l);
		return r;
	}
	l->done = done;
	l->arg = arg;
	loop_timer_start(l->deadline, timeout_ms);
	*out = l;
	return DNS_OK;
}

void
dns_cancel(struct dns *d, struct dns_lookup *l)
{
	(void)d;
	if (l != NULL)
		lookup_free(l);
}
