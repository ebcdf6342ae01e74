/*
 * peer_targets.c -- where a peer is reached, and how it is asked if it lives.
 */
#include "config.h"

#include <string.h>

#include "io/target.h"
#include "route/peer_inner.h"

#define TARGET_AT(member) offsetof(struct target_conf, member)
#define PROBE_AT(member) offsetof(struct probe_conf, member)

enum { STATUS_LEAST = 200, STATUS_MOST = 699 };

const char *const peer_balance_choices[] = {
	[BALANCE_ORDER] = "order", [BALANCE_ROUND_ROBIN] = "round-robin",
	[BALANCE_WEIGHT] = "weight", [BALANCE_CALL_ID] = "call-id",
	[BALANCE_FROM] = "from", [BALANCE_USER] = "user",
	[BALANCE_LEAST] = "least", NULL
};

const struct conf_opt peer_target_opts[] = {
	CONF_LINE(struct target_conf),
	{ "uri", CONF_T_STR, TARGET_AT(uri), CONF_REQUIRED | CONF_RELOAD,
	    .min = 1, .max = 255,
	    .help = "A SIP URI, as in peers.uri." },
	{ "priority", CONF_T_INT, TARGET_AT(priority), CONF_RELOAD,
	    .dflt = "1", .min = 0, .max = 65535,
	    .help = "Only when all of a lower number are down or failed is "
	    "this one asked." },
	{ "weight", CONF_T_INT, TARGET_AT(weight), CONF_RELOAD,
	    .dflt = "1", .min = 1, .max = 10000,
	    .help = "Its share among those of its priority; of no meaning "
	    "to \"order\" and \"round-robin\"." },
	CONF_END
};

const struct conf_opt peer_probe_opts[] = {
	CONF_LINE(struct probe_conf),
	{ "interval", CONF_T_TIME, PROBE_AT(interval_ms),
	    CONF_RELOAD | CONF_OFF, .dflt = "off", .min = 100,
	    .max = 3600000, .help = "How often each target is asked." },
	{ "timeout", CONF_T_TIME, PROBE_AT(timeout_ms), CONF_RELOAD,
	    .dflt = "2s", .min = 50, .max = 30000,
	    .help = "How long its answer may take." },
	{ "rise", CONF_T_INT, PROBE_AT(rise), CONF_RELOAD, .dflt = "2",
	    .min = 1, .max = 100,
	    .help = "So many good answers in a row bring a target back." },
	{ "fall", CONF_T_INT, PROBE_AT(fall), CONF_RELOAD, .dflt = "3",
	    .min = 1, .max = 100,
	    .help = "So many failures in a row take a target out." },
	{ "accept", CONF_T_LIST, PROBE_AT(accept), CONF_RELOAD,
	    .dflt = "2xx, 3xx, 4xx, 501", .min = 1, .max = 3,
	    .help = "Answers that are good: a status (\"404\"), a class "
	    "(\"4xx\"), or \"any\"." },
	CONF_END
};

/* One target while it is looked at. */
struct spot {
	struct conf	*c;
	const char	*option;
	int		 line;
};

static bool
is_listed(const char *const *uri, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(uri[i], what) == 0)
			return true;
	return false;
}

static void
check_uri(const struct spot *at, const char *const *uri, size_t i)
{
	struct target_uri t;

	if (!target_parse(&t, str_of(uri[i])))
		conf_error(at->c, at->line, at->option, "\"%s\" is not a SIP "
		    "URI with a host", uri[i]);
	else if (is_listed(uri, i, uri[i]))
		conf_error(at->c, at->line, at->option, "\"%s\" stands there "
		    "twice", uri[i]);
}

/* false: no memory. */
static bool
fill_places(struct conf *c, struct peer *p)
{
	struct peer_place *place = conf_alloc(c, p->nuris * sizeof *place);
	struct target_uri t;

	p->place = place;
	for (size_t i = 0; i < p->nuris && place != NULL; i++) {
		(void)target_parse(&t, str_of(p->uri[i]));
		place[i].addr = t.addr;
		place[i].addr.port = t.port != 0 ? t.port :
		    target_default_port(t.transport);
		place[i].transport = t.transport;
		if (t.numeric)
			continue;
		place[i].host = conf_strdup(c, t.host);
		if (place[i].host == NULL)
			return false;
	}
	return place != NULL;
}

/* Each of `uri` is a priority of its own. */
static bool
fill_uris(struct conf *c, const struct peer_conf *conf, struct peer *p)
{
	struct peer_target *t = conf_alloc(c, conf->uri.n * sizeof *t);

	if (t == NULL)
		return false;
	for (size_t i = 0; i < conf->uri.n; i++) {
		const struct spot at = { c, "peers.uri", conf->uri.line[i] };

		check_uri(&at, conf->uri.v, i);
		t[i] = (struct peer_target){ (uint16_t)(i + 1), 1 };
	}
	p->uri = conf->uri.v;
	p->target = t;
	p->nuris = conf->uri.n;
	return fill_places(c, p);
}

static bool
fill_targets(struct conf *c, const struct peer_conf *conf, struct peer *p)
{
	const struct target_conf *from = conf->targets.v;
	size_t n = conf->targets.n;
	struct peer_target *t = conf_alloc(c, n * sizeof *t);
	const char **uri = conf_alloc(c, n * sizeof *uri);

	if (t == NULL || uri == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct spot at = { c, "peers.targets.uri",
			from[i].line };

		uri[i] = from[i].uri;
		check_uri(&at, uri, i);
		t[i] = (struct peer_target){ (uint16_t)from[i].priority,
			(uint16_t)from[i].weight };
	}
	p->uri = uri;
	p->target = t;
	p->nuris = n;
	return fill_places(c, p);
}

static void
accept_range(struct peer_probe *p, int from, int to)
{
	for (int status = from; status <= to; status++) {
		int bit = status - STATUS_LEAST;

		p->accept[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

/* "any", "4xx" or "404". */
static bool
accept_text(struct peer_probe *p, const char *text)
{
	int class = text[0] - '0';
	uint64_t status;

	if (strcmp(text, "any") == 0) {
		accept_range(p, STATUS_LEAST, STATUS_MOST);
		return true;
	}
	if (class < 2 || class > 6 || strlen(text) != 3)
		return false;
	if (strcmp(text + 1, "xx") == 0) {
		accept_range(p, class * 100, class * 100 + 99);
		return true;
	}
	if (!parse_uint(str_of(text), STATUS_MOST, &status))
		return false;
	accept_range(p, (int)status, (int)status);
	return true;
}

static void
fill_probe(struct conf *c, const struct peer_conf *conf, struct peer *p)
{
	const struct probe_conf *from = &conf->probe;

	p->probe.interval_ms = from->interval_ms;
	p->probe.timeout_ms = from->timeout_ms;
	p->probe.rise = (unsigned)from->rise;
	p->probe.fall = (unsigned)from->fall;
	for (size_t i = 0; i < from->accept.n; i++)
		if (!accept_text(&p->probe, from->accept.v[i]))
			conf_error(c, from->accept.line[i],
			    "peers.probe.accept", "\"%s\" is neither "
			    "a final status nor a class of them nor \"any\"",
			    from->accept.v[i]);
	if (from->interval_ms >= 0 && from->timeout_ms >= from->interval_ms)
		conf_error(c, from->line, "peers.probe.timeout",
		    "must be shorter than the interval");
	if (from->interval_ms >= 0 && p->nuris == 0)
		conf_error(c, from->line, "peers.probe",
		    "\"%s\" has no targets that could be asked", conf->name);
}

bool
peer_targets_fill(struct conf *c, const struct peer_conf *conf,
    struct peer *p)
{
	bool ok = true;

	p->balance = (enum balance)conf->balance;
	if (conf->uri.n > 0 && conf->targets.n > 0)
		conf_error(c, conf->line, "peers.targets",
		    "stands instead of uri, not beside it");
	else if (conf->uri.n > PEER_TARGETS_MAX ||
	    conf->targets.n > PEER_TARGETS_MAX)
		conf_error(c, conf->line, "peers.targets", "more than %d",
		    PEER_TARGETS_MAX);
	else if (conf->targets.n > 0)
		ok = fill_targets(c, conf, p);
	else if (conf->uri.n > 0)
		ok = fill_uris(c, conf, p);
	fill_probe(c, conf, p);
	return ok;
}

bool
peer_accepts(const struct peer *p, int status)
{
	int bit = status - STATUS_LEAST;

	return status >= STATUS_LEAST && status <= STATUS_MOST &&
	    (p->probe.accept[bit / 64] >> bit % 64 & 1) != 0;
}

int
peer_target_of_port(const struct peer *p, uint16_t port)
{
	for (size_t i = 0; i < p->nuris; i++)
		if (p->place[i].addr.port == port)
			return (int)i;
	return -1;
}

int
peer_target_at(const struct peer *p, const struct addr *a)
{
	for (size_t i = 0; i < p->nuris; i++)
		if (p->place[i].host == NULL &&
		    addr_same(&p->place[i].addr, a))
			return (int)i;
	return -1;
}

int
peer_target_named(const struct peer *p, struct str host, uint16_t port)
{
	for (size_t i = 0; i < p->nuris; i++)
		if (p->place[i].host != NULL && str_caseis(host,
		    p->place[i].host) && p->place[i].addr.port == port)
			return (int)i;
	return -1;
}

bool
peer_meets_net(const struct peer *p, const struct net *n)
{
	for (size_t i = 0; i < p->nnets; i++)
		if (!net_is_everybody(&p->net[i]) &&
		    net_meets(&p->net[i], n))
			return true;
	for (size_t i = 0; i < p->nuris; i++)
		if (p->place[i].host == NULL &&
		    net_has(n, &p->place[i].addr))
			return true;
	return false;
}
