/*
 * dns_rounds.c -- the questions that lead from a name to its targets.
 */
#include "config.h"

#include "io/dns_rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"

static void advance(struct dns_rounds *r);

static void
add_service(struct dns_rounds *r, enum transport transport, const char *name)
{
	struct rounds_service *s = &r->service[r->nservices];

	if (r->nservices == ROUNDS_SERVICES_MAX)
		return;
	s->transport = transport;
	strcpy(s->name, name);
	r->nservices++;
}

static int
compare_naptr(const void *va, const void *vb)
{
	const struct dns_naptr *a = va, *b = vb;

	return a->order != b->order ? a->order - b->order :
	    a->preference - b->preference;
}

/*
 * RFC 3403 section 4.1: once one of an order can be used, those of a higher
 * order are not looked at; among those of the same order, preference is a
 * wish.  So who offers TLS by a lower order is never reached by less.
 */
static void
take_naptr(struct dns_rounds *r, const struct dns_answer *a)
{
	struct dns_naptr v[DNS_RECORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (r->transports & TRANSPORT_BIT(a->v[i].naptr.transport))
			v[n++] = a->v[i].naptr;
	qsort(v, n, sizeof *v, compare_naptr);
	for (size_t i = 0; i < n && v[i].order == v[0].order; i++)
		add_service(r, v[i].transport, v[i].name);
}

/* Where there are too many, those to be tried last are left out. */
static struct srv *
place_for(struct dns_rounds *r, const struct srv *s)
{
	struct srv *last = r->row;

	if (r->nrows < DNS_TARGETS_MAX)
		return &r->row[r->nrows++];
	for (size_t i = 1; i < r->nrows; i++)
		if (srv_before(last, &r->row[i]))
			last = &r->row[i];
	return srv_before(s, last) ? last : NULL;
}

static void
add_row(struct dns_rounds *r, const struct srv *s, const char *name)
{
	struct srv *row = place_for(r, s);
	struct rounds_host *host;

	if (row == NULL)
		return;
	*row = *s;
	row->host = (unsigned)(row - r->row);
	host = &r->host[row->host];
	host->naddrs[V4] = host->naddrs[V6] = 0;
	strcpy(host->name, name);
}

static void
take_srv(struct dns_rounds *r, size_t service, const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct dns_srv *srv = &a->v[i].srv;
		const struct srv row = {
			.rank = (uint16_t)service, .priority = srv->priority,
			.weight = srv->weight, .port = srv->port,
			.transport = r->service[service].transport
		};

		/* RFC 2782, Target: there is no such service. */
		if (srv->host[0] == '\0')
			r->refused = true;
		else
			add_row(r, &row, srv->host);
	}
}

static void
take_addresses(struct rounds_host *host, const struct dns_answer *a)
{
	int f = a->type == DNS_A ? V4 : V6;

	for (size_t i = 0; i < a->n && i < ROUNDS_ADDRS_MAX; i++)
		host->addr[f][host->naddrs[f]++] = a->v[i].addr;
}

static void
take_answer(struct rounds_ask *ask, const struct dns_answer *a)
{
	struct dns_rounds *r = ask->rounds;

	if (a == NULL)
		r->doubt = r->unsure = true;
	else if (ask->type == DNS_NAPTR)
		take_naptr(r, a);
	else if (ask->type == DNS_SRV)
		take_srv(r, ask->index, a);
	else
		take_addresses(&r->host[ask->index], a);
}

static void
answer_came(struct asker *asker, const struct dns_answer *a)
{
	struct rounds_ask *ask = (struct rounds_ask *)asker;

	ask->rounds->pending--;
	take_answer(ask, a);
	advance(ask->rounds);
}

static void
ask(struct dns_rounds *r, enum dns_type type, const char *name, size_t index)
{
	struct rounds_ask *a = &r->ask[r->nasks++];
	const struct dns_answer *answer;

	*a = (struct rounds_ask){ .asker = { .fn = answer_came },
		.rounds = r, .type = type, .index = index };
	switch (resolver_ask(r->resolver, type, name, &a->asker, &answer)) {
	case ASK_KNOWN:
		take_answer(a, answer);
		break;
	case ASK_SENT:
		r->pending++;
		break;
	case ASK_FAILED:
		take_answer(a, NULL);
	}
}

static enum transport
own_transport(const struct dns_rounds *r)
{
	if (r->nservices > 0)
		return r->service[0].transport;
	return target_default_transport(&r->target, r->transports);
}

static void
add_own_name(struct dns_rounds *r)
{
	enum transport transport = own_transport(r);
	const struct srv row = {
		.port = r->target.port != 0 ? r->target.port :
		    target_default_port(transport),
		.transport = transport
	};

	add_row(r, &row, r->target.host);
}

static void
begin(struct dns_rounds *r, enum dns_round round)
{
	r->round = round;
	r->nasks = 0;
	r->doubt = false;
}

static void
ask_naptr(struct dns_rounds *r)
{
	begin(r, ROUND_NAPTR);
	ask(r, DNS_NAPTR, r->target.host, 0);
}

/*
 * RFC 3263 section 4.1: without NAPTR, those names that are usual; over TLS
 * that of SIPS URIs (section 4.1) and of a URI with transport=tls.  That a
 * server cannot tell of NAPTR is the fault of some old ones, and no reason to
 * give up.
 */
static void
add_usual_services(struct dns_rounds *r)
{
	static const char *const prefix[TRANSPORTS] = {
		[TRANSPORT_UDP] = "_sip._udp.",
		[TRANSPORT_TCP] = "_sip._tcp.",
		[TRANSPORT_TLS] = "_sips._tcp."
	};
	char name[sizeof "_sips._tcp." + TARGET_HOST_MAX];

	for (int t = 0; t < TRANSPORTS; t++) {
		if (r->target.transport == TARGET_OPEN ?
		    t == TRANSPORT_TLS || !(r->transports & TRANSPORT_BIT(t)) :
		    t != r->target.transport)
			continue;
		snprintf(name, sizeof name, "%s%s", prefix[t],
		    r->target.host);
		if (strlen(name) <= TARGET_HOST_MAX)
			add_service(r, (enum transport)t, name);
	}
}

static void
ask_srv(struct dns_rounds *r)
{
	begin(r, ROUND_SRV);
	if (r->nservices == 0)
		add_usual_services(r);
	for (size_t i = 0; i < r->nservices; i++)
		ask(r, DNS_SRV, r->service[i].name, i);
}

/* The same name is asked for once: later rows share the host of the first. */
static bool
is_repeated(struct dns_rounds *r, struct srv *row)
{
	const char *name = r->host[row->host].name;

	for (struct srv *earlier = r->row; earlier < row; earlier++) {
		if (strcasecmp(r->host[earlier->host].name, name) != 0)
			continue;
		row->host = earlier->host;
		return true;
	}
	return false;
}

static bool
is_in_hosts(const struct dns_rounds *r, struct rounds_host *host)
{
	host->naddrs[V4] = hosts_find(r->hosts, str_of(host->name),
	    host->addr[V4], ROUNDS_ADDRS_MAX);
	return host->naddrs[V4] > 0;
}

static void
ask_addresses(struct dns_rounds *r)
{
	begin(r, ROUND_ADDRESS);
	for (size_t i = 0; i < r->nrows; i++) {
		struct srv *row = &r->row[i];
		struct rounds_host *host = &r->host[row->host];

		if (is_repeated(r, row) || is_in_hosts(r, host))
			continue;
		ask(r, DNS_A, host->name, row->host);
		ask(r, DNS_AAAA, host->name, row->host);
	}
}

/* RFC 3263 section 4.2: without SRV, the addresses of the name itself; but
 * "there is no such service" and "cannot tell" are not "without". */
static void
end_srv(struct dns_rounds *r)
{
	if (r->nrows == 0 && !r->refused && !r->doubt)
		add_own_name(r);
	ask_addresses(r);
}

/* Takes up the next round when all of the last one is answered. */
static void
advance(struct dns_rounds *r)
{
	while (r->pending == 0 && r->round != ROUND_OVER) {
		switch (r->round) {
		case ROUND_NAPTR:
			ask_srv(r);
			break;
		case ROUND_SRV:
			end_srv(r);
			break;
		default:
			r->round = ROUND_OVER;
		}
	}
	if (r->round == ROUND_OVER && !r->starting)
		r->over(r);
}

/* RFC 3263: a port leaves only the address to ask for (4.2), a transport
 * makes NAPTR needless (4.1).  Who stands in the hosts file is meant by it. */
static void
ask_first(struct dns_rounds *r)
{
	const struct target_uri *t = &r->target;
	struct addr a;

	if (t->port != 0 ||
	    hosts_find(r->hosts, str_of(t->host), &a, 1) > 0) {
		add_own_name(r);
		ask_addresses(r);
	} else if (t->transport_given) {
		ask_srv(r);
	} else {
		ask_naptr(r);
	}
}

bool
dns_rounds_start(struct dns_rounds *r, const struct dns_rounds_conf *conf)
{
	r->resolver = conf->resolver;
	r->hosts = conf->hosts;
	r->target = *conf->target;
	r->transports = conf->target->sips ? TRANSPORT_BIT(TRANSPORT_TLS) :
	    conf->transports;
	r->over = conf->over;
	r->unsure = r->refused = false;
	r->pending = 0;
	r->nservices = r->nrows = 0;
	r->starting = true;
	ask_first(r);
	advance(r);
	r->starting = false;
	return r->round == ROUND_OVER;
}

void
dns_rounds_stop(struct dns_rounds *r)
{
	for (size_t i = 0; i < r->nasks; i++)
		resolver_leave(&r->ask[i].asker);
}

static uint32_t
pick_random(void *arg, uint32_t most)
{
	(void)arg;
	return (uint32_t)random_upto(most);
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

/* IPv4 before IPv6, nobody twice. */
static size_t
add_targets(const struct rounds_host *host, const struct srv *row,
    struct dns_target *t, size_t n)
{
	size_t nv4 = host->naddrs[V4];

	for (size_t i = 0; i < nv4 + host->naddrs[V6] &&
	    n < DNS_TARGETS_MAX; i++) {
		struct dns_target one = {
			.addr = i < nv4 ? host->addr[V4][i] :
			    host->addr[V6][i - nv4],
			.transport = row->transport
		};

		one.addr.port = row->port;
		if (!is_known(t, n, &one))
			t[n++] = one;
	}
	return n;
}

enum dns_result
dns_rounds_targets(const struct dns_rounds *r,
    struct dns_target t[DNS_TARGETS_MAX], size_t *n)
{
	struct srv row[DNS_TARGETS_MAX];

	*n = 0;
	memcpy(row, r->row, r->nrows * sizeof *row);
	srv_order(row, r->nrows, pick_random, NULL);
	for (size_t i = 0; i < r->nrows; i++)
		*n = add_targets(&r->host[row[i].host], &row[i], t, *n);
	if (*n > 0)
		return DNS_OK;
	return r->unsure || r->round != ROUND_OVER ? DNS_UNAVAILABLE :
	    DNS_NO_NAME;
}
