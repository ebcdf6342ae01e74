/*
 * probe.c -- targets are asked by OPTIONS whether they live (RFC 3261 11).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "io/loop.h"
#include "io/target.h"
#include "pipeline/branch_id.h"
#include "pipeline/client_owner.h"
#include "pipeline/probe.h"
#include "pipeline/targets.h"
#include "pipeline/watch.h"

enum {
	PROBE_MAX = 4096,		/* of an OPTIONS */
	RANDOM_BYTES = 16,
	RANDOM_TEXT = 2 * RANDOM_BYTES
};

struct probe {
	struct client_owner owner;	/* first */
	struct probe	*next;
	struct pipeline	*p;
	const struct peer *peer;	/* of the policy in force */
	const char	*uri;		/* the same */
	struct member	*member;
	bool		 wanted;		/* by that policy */
	struct loop_timer *timer;	/* of the pause, or of the answer */
	int64_t		 begun_ms;	/* 0: pause */
	struct dns_lookup *dns;
	struct client	*client;
	struct target	 now;		/* that is asked */
	/* whose certificate TLS must see */
	char		 host[TARGET_HOST_MAX + 1];
	char		 call_id[RANDOM_TEXT + 1];
	uint32_t	 cseq;
};

/* What a question ended with. */
struct finding {
	bool		 good;
	const char	*reason;
	int		 status;	/* 0: no answer */
};

static void
say(const struct probe *q, enum event ev, const struct finding *f)
{
	char target[ADDR_TEXT_MAX];

	log_event(ev, kv_str("peer", q->peer->name), kv_str("uri", q->uri),
	    kv_str("target", q->now.addr.port == 0 ? NULL :
	    addr_text(&q->now.addr, target)),
	    kv_str("reason", f->reason), kv_int("status", f->status),
	    kv_str("state", member_word(q->member)));
}

static void
let_go(struct probe *q)
{
	if (q->client != NULL)
		client_release(q->client);
	q->client = NULL;
	if (q->dns != NULL)
		dns_cancel(q->p->env.dns, q->dns);
	q->dns = NULL;
}

/* Until it is time again: counted from the last question, and now and then a
 * bit less, so that instances which began together drift apart. */
static void
rest(struct probe *q)
{
	int64_t wait_ms = q->peer->probe.interval_ms -
	    random_upto(q->peer->probe.interval_ms / 16) -
	    (clock_mono_ms() - q->begun_ms);

	q->begun_ms = 0;
	loop_timer_start(q->timer, wait_ms > 1 ? wait_ms : 1);
}

static void
end(struct probe *q, const struct finding *f)
{
	let_go(q);
	if (member_probed(q->member, f->good, &q->peer->probe)) {
		if (f->good)		/* calls may come back at once */
			grey_clear(q->p->grey, &q->now.addr,
			    q->now.transport);
		say(q, f->good ? EV_TARGET_UP : EV_TARGET_DOWN, f);
	}
	rest(q);
}

static void
fail(struct probe *q, const char *reason)
{
	end(q, &(struct finding){ .reason = reason });
}

static void
on_failed(void *owner, enum client_failure why)
{
	struct probe *q = owner;

	q->client = NULL;
	fail(q, why == CLIENT_TIMEOUT ? "timeout" : "transport");
}

static bool
was_asked(const struct client_owner *o, const sip_t *sip)
{
	(void)o;
	return sip->sip_cseq->cs_method == sip_method_options &&
	    sip->sip_via->v_next == NULL;
}

static void
on_response(struct client_owner *o, msg_t *msg, int status)
{
	struct probe *q = (struct probe *)o;

	msg_destroy(msg);
	if (status < 200)
		return;
	q->client = NULL;
	end(q, &(struct finding){ peer_accepts(q->peer, status), "status",
	    status });
}

/* Headers of a URI do not belong into a request (RFC 3261 19.1.1). */
static void
put_uri(const struct probe *q, struct writer *w)
{
	put_mem(w, q->uri, strcspn(q->uri, "?"));
}

static void
put_contact(const struct probe *q, const struct way *way, struct writer *w)
{
	put_text(w, "Contact: <sip:");
	branch_put_place(w, way, &q->now.addr);
	if (way->transport != TRANSPORT_UDP) {
		put_text(w, ";transport=");
		put_text(w, transport_name(way->transport));
	}
	put_text(w, ">\r\n");
}

static bool
write_options(struct probe *q, const struct way *way,
    const struct branch_asks *asks, struct writer *w)
{
	*w = writer_on(q->p->scratch, PROBE_MAX);
	put_text(w, "OPTIONS ");
	put_uri(q, w);
	put_text(w, " SIP/2.0\r\n");
	branch_put_via(w, way, asks);
	put_text(w, "Max-Forwards: 70\r\nFrom: <sip:sipbouncer@");
	branch_put_place(w, way, &q->now.addr);
	put_text(w, ">;tag=");
	put_mem(w, q->call_id, 8);
	put_text(w, "\r\nTo: <");
	put_uri(q, w);
	put_text(w, ">\r\nCall-ID: ");
	put_text(w, q->call_id);
	put_text(w, "\r\nCSeq: ");
	put_uint(w, q->cseq);
	put_text(w, " OPTIONS\r\n");
	put_contact(q, way, w);
	put_text(w, "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
	return !w->full;
}

static bool
send_options(struct probe *q, const struct way *way)
{
	static const struct client_hooks hooks = { on_failed };
	char id[BRANCH_DRAWN_TEXT + 1];
	struct client_conf conf = { .kind = CLIENT_OTHER,
		.hop = targets_own_hop(q->p, q->peer, &q->now, way),
		.hooks = &hooks, .owner = &q->owner };
	struct branch_asks asks = { id, q->call_id, ++q->cseq,
		&q->now.addr };
	struct writer w;
	int error;

	branch_draw(id);
	if (!write_options(q, way, &asks, &w))
		return false;
	conf.key = branch_key(q->p, way, &asks);
	q->client = client_new(q->p->transactions, &conf, w.p, w.len, &error);
	return q->client != NULL;
}

/* The first address that is not ours. */
static void
ask_first(struct probe *q, const struct dns_target *t, size_t n)
{
	const struct way *way;
	size_t i = 0;

	while (i < n && ways_have(q->p->env.ways, &t[i].addr))
		i++;
	if (i == n) {
		fail(q, "dns");
		return;
	}
	q->now = (struct target){ .addr = t[i].addr,
		.transport = t[i].transport, .name = q->host };
	watch_know_peer(q->p->watch, &q->now.addr, q->begun_ms);
	way = targets_own_way(q->p, q->peer, &q->now);
	if (way == NULL)
		fail(q, "no-way-out");
	else if (!send_options(q, way))
		fail(q, "transport");
}

static void
on_dns(void *arg, enum dns_result r, const struct dns_target *t, size_t n)
{
	struct probe *q = arg;

	q->dns = NULL;
	ask_first(q, t, r == DNS_OK ? n : 0);
}

/* The timer of the answer runs meanwhile. */
static void
begin(struct probe *q)
{
	const struct dns_query query = { .uri = q->uri,
		.transports = targets_transports(q->p, q->peer),
		.timeout_ms = TARGETS_TIMEOUT_MS, .done = on_dns, .arg = q };
	struct dns_target t[DNS_TARGETS_MAX];
	size_t n = 0;
	enum dns_result r;

	q->begun_ms = clock_mono_ms();
	loop_timer_start(q->timer, q->peer->probe.timeout_ms);
	r = dns_resolve(q->p->env.dns, &query, t, &n, &q->dns);
	if (q->dns == NULL)
		ask_first(q, t, r == DNS_OK ? n : 0);
}

static void
on_timer(void *arg)
{
	struct probe *q = arg;

	if (q->begun_ms == 0)
		begin(q);
	else
		fail(q, "timeout");
}

/* ---- which of them there are ---- */

static void
free_probe(struct probe *q)
{
	let_go(q);
	loop_timer_free(q->timer);
	free(q);
}

/* Of the policy in force. */
static bool
assign(struct probe *q, const struct peer *peer, size_t i)
{
	q->peer = peer;
	q->uri = peer->uri[i];
	q->wanted = true;
	return targets_copy_host(q->host, sizeof q->host, q->uri);
}

static bool
add_probe(struct pipeline *p, const struct peer *peer, size_t i)
{
	struct probe *q = calloc(1, sizeof *q);

	if (q == NULL)
		return false;
	q->owner = (struct client_owner){ was_asked, on_response };
	q->p = p;
	q->member = set_member(peer->set, (int)i);
	q->timer = loop_timer_new(p->env.loop, on_timer, q);
	if (q->timer == NULL || !assign(q, peer, i)) {
		free_probe(q);
		return false;
	}
	random_hex(q->call_id, RANDOM_BYTES);
	q->next = p->probes;
	p->probes = q;
	loop_timer_start(q->timer, random_upto(peer->probe.interval_ms));
	return true;
}

static struct probe *
find(const struct pipeline *p, const struct member *m)
{
	struct probe *q = p->probes;

	while (q != NULL && q->member != m)
		q = q->next;
	return q;
}

static bool
update_peer(struct pipeline *p, const struct peer *peer)
{
	bool ok = true;

	for (size_t i = 0; i < peer->nuris; i++) {
		struct probe *q = find(p, set_member(peer->set, (int)i));

		ok &= q == NULL ? add_probe(p, peer, i) : assign(q, peer, i);
	}
	return ok;
}

/* Those that the policy does not want. */
static void
drop_others(struct pipeline *p)
{
	struct probe **at = &p->probes, *q;

	while ((q = *at) != NULL) {
		if (q->wanted) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		member_unprobed(q->member);
		free_probe(q);
	}
}

bool
probes_update(struct pipeline *p)
{
	const struct peers *peers = p->policy->peers;
	bool ok = true;

	for (struct probe *q = p->probes; q != NULL; q = q->next)
		q->wanted = false;
	for (size_t i = 0; i < peers_count(peers); i++)
		if (peers_at(peers, i)->probe.interval_ms >= 0)
			ok &= update_peer(p, peers_at(peers, i));
	drop_others(p);
	return ok;
}

void
probes_free(struct pipeline *p)
{
	struct probe *q;

	while ((q = p->probes) != NULL) {
		p->probes = q->next;
		free_probe(q);
	}
}
