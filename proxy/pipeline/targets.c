/*
 * targets.c -- fixing the targets of a request, in the order of trial.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "pipeline/leaving.h"
#include "pipeline/media.h"
#include "pipeline/targets.h"
#include "pipeline/watch.h"

enum { NO_TCP_S = 300 };	/* who refused it is not asked again sooner */

/* Somebody who failed just now: to be asked when no other is left.  false:
 * there are too many of them. */
static bool
put_off(struct leg *leg, const struct target *t)
{
	const struct pipeline *p = leg->req->p;

	if (t->member == NULL || leg->nlater == DNS_TARGETS_MAX ||
	    !grey_has(p->grey, &t->addr, t->transport, clock_mono_ms()))
		return false;
	if (leg->later == NULL)
		leg->later = su_alloc(msg_home(leg->req->msg),
		    DNS_TARGETS_MAX * sizeof *leg->later);
	if (leg->later == NULL)
		return false;
	leg->later[leg->nlater++] = *t;
	return true;
}

/* One of its addresses is denied: the name is not asked for another way. */
static void
stop(struct leg *leg)
{
	leg->filtered = true;
	leg->ntargets = leg->nlater = 0;
	leg->next_hop = NULL;
	leg->dns_reason = REASON_FILTERED;
}

bool
targets_may_use(const struct request *req, enum transport t)
{
	return t == TRANSPORT_TLS || !req->secure;
}

void
targets_take(struct leg *leg, const struct dns_target *t, size_t n,
    const char *host)
{
	const struct request *req = leg->req;
	struct target one;

	leg->ntargets = 0;
	leg->next_target = 0;
	for (size_t i = 0; i < n; i++) {
		/* never to ourselves: it would come back as one of us */
		if (ways_have(req->p->env.ways, &t[i].addr))
			continue;
		if (!leaving_is_allowed(leg, &t[i])) {
			stop(leg);
			return;
		}
		if (!targets_may_use(req, t[i].transport)) {
			leg->dns_reason = REASON_NO_SECURE_WAY;
			continue;
		}
		if (!media_may_leave(leg, t[i].transport)) {
			leg->dns_reason = REASON_MEDIA_UNSAFE;
			continue;
		}
		one = (struct target){ .addr = t[i].addr,
			.transport = t[i].transport, .name = host,
			.member = leg->resolving, .open = leg->next_open };
		if (one.member != NULL)
			watch_know_peer(req->p->watch, &one.addr,
			    req->start_us / 1000);
		if (!put_off(leg, &one))
			leg->target[leg->ntargets++] = one;
	}
}

static void
note_failure(struct leg *leg, enum dns_result r)
{
	if (r == DNS_NO_NAME)
		leg->dns_reason = REASON_NO_SUCH_NAME;
	else if (r == DNS_UNAVAILABLE)
		leg->dns_reason = REASON_DNS_AWAY;
}

static void
on_dns(void *arg, enum dns_result r, const struct dns_target *t, size_t n)
{
	struct leg *leg = arg;

	leg->dns = NULL;
	note_failure(leg, r);
	targets_take(leg, t, r == DNS_OK ? n : 0, leg->next_host);
	leg->routed(leg);
}

static const char *
host_in(su_home_t *home, const char *uri)
{
	const url_t *u = url_make(home, uri);
	char *host;

	if (u == NULL || u->url_host == NULL)
		return NULL;
	if (u->url_host[0] != '[')
		return u->url_host;
	host = su_strdup(home, u->url_host + 1);
	if (host != NULL)
		host[strcspn(host, "]")] = '\0';
	return host;
}

const char *
targets_host(struct leg *leg, const char *uri)
{
	return host_in(msg_home(leg->req->msg), uri);
}

bool
targets_copy_host(char *out, size_t size, const char *uri)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *host = host_in(home, uri);
	size_t len = host == NULL ? size : strlen(host);

	if (len < size)
		memcpy(out, host, len + 1);
	su_home_deinit(home);
	return len < size;
}

/* NULL: no TLS can be spoken there. */
static struct tls_context *
tls_towards(const struct pipeline *p, const struct peer *peer)
{
	return p->env.tls_towards(p->env.tls_arg,
	    peer == NULL ? NULL : peer->name);
}

/* The transports that may be chosen where a URI leaves it open: that we have
 * a socket for, and over TLS know what we are. */
unsigned
targets_transports(const struct pipeline *p, const struct peer *peer)
{
	unsigned all = ways_transports(p->env.ways);

	if (tls_towards(p, peer) == NULL)
		all &= ~TRANSPORT_BIT(TRANSPORT_TLS);
	return all;
}

static unsigned
transports(const struct leg *leg)
{
	unsigned all = targets_transports(leg->req->p, leg->peer);

	for (int t = 0; t < TRANSPORTS; t++)
		if (!targets_may_use(leg->req, (enum transport)t) ||
		    (t != TRANSPORT_TLS && leg->keys == SDP_REQUIRED))
			all &= ~TRANSPORT_BIT(t);
	return all;
}

/* Ask for one URI. */
static enum targets_more
resolve(struct leg *leg, const char *uri)
{
	struct dns_target t[DNS_TARGETS_MAX];
	const struct dns_query q = { .uri = uri,
		.transports = transports(leg),
		.timeout_ms = TARGETS_TIMEOUT_MS, .done = on_dns, .arg = leg };
	size_t n = 0;
	enum dns_result r;

	leg->next_host = targets_host(leg, uri);
	leg->next_open = strcasestr(uri, ";transport=") == NULL;
	r = dns_resolve(leg->req->p->env.dns, &q, t, &n, &leg->dns);
	if (leg->dns != NULL)
		return TARGETS_WAIT;
	note_failure(leg, r);
	targets_take(leg, t, r == DNS_OK ? n : 0, leg->next_host);
	return leg->ntargets > 0 ? TARGETS_FOUND : TARGETS_EXHAUSTED;
}

/* The user whom it is for: of a REGISTER the one whose calls shall then go
 * there, too. */
static const char *
user_meant(const struct request *req)
{
	return req->method == sip_method_register ?
	    req->sip->sip_to->a_url->url_user :
	    req->sip->sip_request->rq_url->url_user;
}

static struct str
balance_key(const struct leg *leg)
{
	const sip_t *sip = leg->req->sip;

	switch (leg->peer->balance) {
	case BALANCE_CALL_ID:
		return str_of(sip->sip_call_id->i_id);
	case BALANCE_FROM:
		return str_of(sip->sip_from->a_url->url_user);
	case BALANCE_USER:
		return str_of(user_meant(leg->req));
	default:
		return str_of("");
	}
}

/* -1: none is left. */
static int
next_member(struct leg *leg)
{
	int i = (int)leg->preferred - 1;

	leg->preferred = 0;
	if (i < 0)
		i = set_next(leg->peer->set, leg->asked, balance_key(leg));
	if (i < 0 && leg->asked == 0)
		leg->dns_reason = REASON_TARGETS_DOWN;
	if (i >= 0)
		leg->asked |= UINT64_C(1) << i;
	return i;
}

static enum targets_more
resolve_members(struct leg *leg)
{
	enum targets_more more = TARGETS_EXHAUSTED;
	int i;

	while (more == TARGETS_EXHAUSTED && !leg->filtered &&
	    (i = next_member(leg)) >= 0) {
		leg->resolving = set_member(leg->peer->set, i);
		more = resolve(leg, leg->peer->uri[i]);
	}
	return more;
}

/* Better one that failed just now than nobody. */
static enum targets_more
take_later(struct leg *leg)
{
	if (leg->nlater == 0)
		return TARGETS_EXHAUSTED;
	memcpy(leg->target, leg->later, leg->nlater * sizeof *leg->later);
	leg->ntargets = leg->nlater;
	leg->next_target = 0;
	leg->nlater = 0;
	return TARGETS_FOUND;
}

enum targets_more
targets_more(struct leg *leg, void (*done)(struct leg *leg))
{
	enum targets_more more;

	if (leg->next_target < leg->ntargets)
		return TARGETS_FOUND;
	leg->routed = done;
	if (leg->next_hop != NULL) {		/* one URI, and no other */
		const char *uri = leg->next_hop;

		leg->next_hop = NULL;
		return resolve(leg, uri);
	}
	if (leg->filtered || leg->peer == NULL || leg->peer->set == NULL)
		return TARGETS_EXHAUSTED;
	more = resolve_members(leg);
	return more == TARGETS_EXHAUSTED ? take_later(leg) : more;
}

/* Might there be another target than those that were tried? */
static bool
are_left(const struct leg *leg)
{
	return leg->next_target < leg->ntargets || leg->nlater > 0 ||
	    (!leg->filtered && leg->peer != NULL &&
	    leg->peer->set != NULL &&
	    set_has_next(leg->peer->set, leg->asked));
}

bool
targets_may_move_on(const struct leg *leg)
{
	return leg->handed || are_left(leg);
}

static bool
is_too_big(const struct leg *leg, size_t len)
{
	int64_t max = leg->req->policy->limits->udp_max;

	if (leg->peer != NULL && leg->peer->udp_max != PEER_UDP_MAX_AS_ALL)
		max = leg->peer->udp_max;
	return max >= 0 && (int64_t)len > max;
}

/* By the peer's listener, if it has one. */
static const struct way *
stream_way(const struct leg *leg, const struct target *t,
    const struct way *udp)
{
	const char *listener = leg->peer == NULL ? NULL : leg->peer->listener;
	const struct way *way = ways_out(leg->req->p->env.ways, &t->addr,
	    TRANSPORT_TCP, listener, udp);

	return way != NULL && listener != NULL &&
	    strcmp(way->listener, listener) != 0 ? NULL : way;
}

const struct way *
targets_stream(struct leg *leg, const struct target *t,
    const struct way *way, size_t len)
{
	const struct pipeline *p = leg->req->p;
	const struct dns_target over_tcp = { t->addr, TRANSPORT_TCP };
	const struct way *stream;

	if (!t->open || t->transport != TRANSPORT_UDP ||
	    !is_too_big(leg, len) || grey_has(p->no_tcp, &t->addr,
	    TRANSPORT_TCP, clock_mono_ms()))
		return NULL;
	stream = stream_way(leg, t, way);
	if (stream == NULL)
		return NULL;
	leg->stream = *t;
	if (!leaving_is_allowed(leg, &over_tcp))
		return way;		/* what was written is gone */
	leg->stream.transport = TRANSPORT_TCP;
	targets_turn_to(leg, &leg->stream);
	leg->streaming = true;
	return stream;
}

bool
targets_no_stream(struct leg *leg)
{
	struct target *t = &leg->target[leg->next_target - 1];

	if (!leg->streaming)
		return false;
	grey_mark(leg->req->p->no_tcp, &t->addr, TRANSPORT_TCP, NO_TCP_S,
	    clock_mono_ms());
	t->open = false;
	targets_turn_to(leg, t);
	return true;
}

bool
targets_are_own(const struct leg *leg)
{
	return leg->member != NULL;
}

void
targets_prefer_name(struct leg *leg, struct str host, uint16_t port)
{
	leg->preferred = (unsigned)(peer_target_named(leg->peer, host,
	    port) + 1);
}

void
targets_know(struct leg *leg)
{
	for (size_t k = 0; k < leg->ntargets && leg->peer->set != NULL; k++) {
		int i = peer_target_at(leg->peer, &leg->target[k].addr);

		if (i < 0)
			continue;
		leg->target[k].member = set_member(leg->peer->set, i);
		leg->asked |= UINT64_C(1) << i;
	}
}

const struct way *
targets_own_way(struct pipeline *p, const struct peer *peer,
    const struct target *t)
{
	return ways_out(p->env.ways, &t->addr, t->transport,
	    peer == NULL ? NULL : peer->listener, NULL);
}

const struct way *
targets_way(const struct leg *leg, const struct target *t)
{
	const struct request *req = leg->req;

	if (t->handed)
		return ways_out(req->p->env.ways, &t->addr, t->transport,
		    req->p->env.ways->inside->listener, NULL);
	if (leg->flow_way != NULL)
		return leg->flow_way;
	return ways_out(req->p->env.ways, &t->addr, t->transport,
	    leg->peer == NULL ? NULL : leg->peer->listener, req->way);
}

struct hop
targets_own_hop(const struct pipeline *p, const struct peer *peer,
    const struct target *t, const struct way *way)
{
	struct hop hop = { .port = way->socket, .addr = t->addr };

	/* without a name anybody would do: then nobody does */
	if (t->transport == TRANSPORT_TLS && t->name != NULL) {
		hop.tls.context = tls_towards(p, peer);
		hop.tls.name = t->name;
	}
	return hop;
}

struct hop
targets_hop(const struct leg *leg, const struct target *t,
    const struct way *way)
{
	struct hop hop = { .port = way->socket, .addr = t->addr,
		.connection = leg->flow_connection };

	return leg->flow_connection != 0 && !t->handed ? hop :
	    targets_own_hop(leg->req->p, leg->peer, t, way);
}
