/*
 * settings.c -- the whole configuration, as one snapshot.
 */
#include "config.h"

#include "daemon/settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/accounts.h"
#include "daemon/firewall.h"
#include "daemon/settings_inner.h"
#include "modules/registry.h"

/* Timer C must be longer than this (RFC 3261 section 16.6 item 11). */
enum { TIMER_C_LEAST_MS = 180 * 1000 };

/* A module was chosen by the text of `type` in its group. */
struct choice {
	const char	*option;	/* "users.type" */
	const char	*there;		/* which ones are built in */
};

static void
refuse_type(struct conf *c, const struct conf_group *g, const char *type,
    const struct choice *what)
{
	if (type == NULL)
		conf_error(c, conf_group_line(c, g), what->option,
		    "missing; there are: %s", what->there);
	else
		conf_error(c, conf_group_line(c, g), what->option,
		    "\"%.40s\" is not built in; there are: %s", type,
		    what->there);
}

static void *
fill_module(struct conf *c, const struct conf_group *g,
    const struct conf_opt *opts, size_t size)
{
	void *out = conf_alloc(c, size);

	if (out != NULL)
		conf_fill_typed(c, g, opts, out);
	return out;
}

static const char *
type_of(struct conf *c, const struct conf_group *g)
{
	int line;

	return conf_peek(c, g, "type", &line);
}

static void
fill_nonce_store(struct settings_root *r)
{
	struct conf *c = r->s.conf;
	const char *type = r->nonce_store == NULL ? "memory" :
	    type_of(c, r->nonce_store);
	const struct choice what = { "nonce_store.type",
	    nonce_store_ops_names() };
	const struct nonce_store_ops *ops = type == NULL ? NULL :
	    nonce_store_ops_by_name(type);

	if (ops == NULL) {
		refuse_type(c, r->nonce_store, type, &what);
		return;
	}
	r->s.nonce_store = ops;
	r->s.nonce_store_line = r->nonce_store == NULL ? 0 :
	    conf_group_line(c, r->nonce_store);
	r->s.nonce_store_conf = fill_module(c, r->nonce_store, ops->opts,
	    ops->conf_size);
}

static void
fill_users(struct settings_root *r)
{
	struct conf *c = r->s.conf;
	const struct choice what = { "users.type", cred_ops_names() };
	const struct cred_ops *ops;
	const char *type;

	if (r->users == NULL)
		return;
	type = type_of(c, r->users);
	ops = type == NULL ? NULL : cred_ops_by_name(type);
	if (ops == NULL) {
		refuse_type(c, r->users, type, &what);
		return;
	}
	r->s.users = ops;
	r->s.users_line = conf_group_line(c, r->users);
	r->s.users_conf = fill_module(c, r->users, ops->opts, ops->conf_size);
}

static void
fill_paths(struct settings *s)
{
	static const char name[] = "/nonce.key";
	size_t size;
	char *path;

	if (s->state_dir == NULL)
		s->state_dir = LOCALSTATEDIR "/lib/sipbouncer";
	if (s->auth.key_file != NULL)
		return;
	size = strlen(s->state_dir) + sizeof name;
	path = conf_alloc(s->conf, size);
	if (path != NULL)
		snprintf(path, size, "%s%s", s->state_dir, name);
	s->auth.key_file = path;
}

/* It stands in quotes in every challenge and under every stored hash. */
static void
check_realm(struct settings *s)
{
	int line = 0;

	if (strpbrk(s->realm, "\"\\") == NULL)
		return;
	conf_peek(s->conf, conf_root(s->conf), "realm", &line);
	conf_error(s->conf, line, "realm", "may not hold \" or \\");
}

static void
check_hosts(struct settings *s)
{
	int line = 0;

	for (size_t i = 0; i < s->domains.n; i++)
		if (settings_host(s->conf, s->domains.v[i]) == NULL)
			conf_error(s->conf, s->domains.line[i], "domains",
			    "\"%s\" is not a host: a name or an address, "
			    "without sip:, port and *", s->domains.v[i]);
	if (s->record_route == NULL)
		return;
	s->record_route = settings_host(s->conf, s->record_route);
	if (s->record_route != NULL)
		return;
	conf_peek(s->conf, conf_root(s->conf), "record_route", &line);
	conf_error(s->conf, line, "record_route",
	    "must be a host, without port");
}

static const struct listen_conf *
listener_by_name(const struct settings *s, const char *name)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n; i++)
		if (strcmp(l[i].name, name) == 0)
			return &l[i];
	return NULL;
}

/* Without a listener of TLS no keys may come or go. */
static void
check_media(const struct settings *s, const struct media_conf *m)
{
	const struct listen_conf *l = s->listen.v;

	if (m->security != MEDIA_REQUIRE)
		return;
	for (size_t i = 0; i < s->listen.n; i++)
		if (l[i].tls)
			return;
	conf_warn(s->conf, m->line, "media.security", "no listener is TLS, "
	    "so that DTLS is the only protection that passes");
}

static void
check_peers(const struct settings_root *r)
{
	const struct peer_conf *p = r->peers.v;

	for (size_t i = 0; i < r->peers.n; i++) {
		if (p[i].listener != NULL &&
		    listener_by_name(&r->s, p[i].listener) == NULL)
			conf_error(r->s.conf, p[i].line, "peers.listener",
			    "no entry of listen is named \"%s\"",
			    p[i].listener);
		if (peer_conf_asks_digest(&p[i]) && r->users == NULL)
			conf_warn(r->s.conf, p[i].line, "peers.auth",
			    "peer \"%s\" needs digest, but there are no users",
			    p[i].name);
		check_media(&r->s, &p[i].media);
	}
}

static void
check_classes(const struct settings_root *r)
{
	const struct peer_conf *p = r->peers.v;

	for (size_t i = 0; i < r->peers.n && r->s.classes != NULL; i++)
		if (p[i].class != NULL &&
		    classes_by_name(r->s.classes, p[i].class) == NULL)
			conf_error(r->s.conf, p[i].line, "peers.class",
			    "no entry of classes is named \"%s\"",
			    p[i].class);
}

static void
check_route(const struct settings_root *r, const struct route_conf *route)
{
	for (size_t i = 0; i < route->listener.n; i++)
		if (listener_by_name(&r->s, route->listener.v[i]) == NULL)
			conf_error(r->s.conf, route->listener.line[i],
			    "routes.listener", "no entry of listen is named "
			    "\"%s\"", route->listener.v[i]);
	if (r->users != NULL)
		return;
	if (route->class.n > 0)
		conf_error(r->s.conf, route->line, "routes.class",
		    "there are no users, and so no classes");
	else if (route->from.n == 0 && route->to.n > 0)
		conf_warn(r->s.conf, route->line, "routes",
		    "there are no users, so only peers can take "
		    "the route to \"%s\"", route->to.v[0]);
}

static void
check_routes(const struct settings_root *r)
{
	const struct route_conf *route = r->routes.v;

	for (size_t i = 0; i < r->routes.n; i++)
		check_route(r, &route[i]);
}

static void
check_timers(const struct settings *s)
{
	if (s->timers.c_ms <= TIMER_C_LEAST_MS)
		conf_warn(s->conf, s->timers.line, "timers.c",
		    "RFC 3261 wants more than 3m");
}

/* RFC 7616 section 5.9: without cnonce, whoever is on the way may choose what
 * is hashed. */
static void
check_legacy(const struct settings *s)
{
	const struct listen_conf *l = s->listen.v;

	for (size_t i = 0; i < s->listen.n && s->auth.legacy; i++)
		if (!l[i].tls) {
			conf_warn(s->conf, s->auth.line, "auth.legacy",
			    "answers without qop come in over listener "
			    "\"%s\", which is not TLS", l[i].name);
			return;
		}
}

static void
check_bans(const struct settings *s)
{
	if (s->limits.ban_after > 0 &&
	    s->limits.ban_time_ms > s->limits.ban_max_ms)
		conf_warn(s->conf, s->limits.line, "limits.ban_time",
		    "is longer than ban_max, which counts");
}

/* By the first address of each of its networks. */
static void
check_deny(const struct settings *s, const struct peer *p)
{
	struct addr a = { .port = 0 };
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < p->nnets; i++) {
		memcpy(a.ip, p->net[i].ip, sizeof a.ip);
		if (deny_has(s->deny, &a))
			conf_warn(s->conf, s->deny_nets.line[0], "deny",
			    "%s of peer \"%s\" is among them: it gets "
			    "silence, too", addr_host_text(&a, text),
			    p->name);
	}
}

static void
check_denied_peers(const struct settings *s)
{
	for (size_t i = 0; s->deny != NULL && s->peers != NULL &&
	    i < peers_count(s->peers); i++)
		check_deny(s, peers_at(s->peers, i));
}

static void
check_resolv_conf(const struct settings *s)
{
	int line = 0;

	if (s->resolv_conf == NULL || access(s->resolv_conf, R_OK) == 0)
		return;
	conf_peek(s->conf, conf_root(s->conf), "resolv_conf", &line);
	conf_warn(s->conf, line, "resolv_conf", "\"%s\": %s", s->resolv_conf,
	    strerror(errno));
}

/* What can only be judged when each part is sound by itself. */
static void
check_together(struct settings_root *r)
{
	struct settings *s = &r->s;

	s->deny = deny_new(s->conf, &s->deny_nets);
	s->scanners = scanners_new(s->conf, &s->guard);
	s->spared = spared_new(s->conf, &s->limits.ban_never);
	s->classes = classes_new(s->conf, &r->classes);
	s->peers = peers_new(s->conf, &r->peers);
	s->egress = egress_new(s->conf, &r->egress);
	if (s->peers != NULL && s->egress != NULL)
		s->routes = routes_new(s->conf, &r->routes,
		    &(struct routes_world){ s->peers, s->egress });
	check_peers(r);
	check_classes(r);
	settings_check_tls(r);
	settings_check_methods(r);
	check_routes(r);
	check_denied_peers(s);
	check_resolv_conf(s);
	check_timers(s);
	check_legacy(s);
	check_media(s, &s->media);
	check_bans(s);
	firewall_check(s);
}

static struct settings_root *
root_new(const char *path, conf_say_f *say, void *arg)
{
	struct conf *c = conf_read(path, say, arg);
	struct settings_root *r;

	if (c == NULL)
		return NULL;
	r = conf_alloc(c, sizeof *r);
	if (r == NULL) {
		conf_free(c);
		return NULL;
	}
	r->s.conf = c;
	return r;
}

struct settings *
settings_load(const char *path, conf_say_f *say, void *arg)
{
	struct settings_root *r = root_new(path, say, arg);
	struct conf *c;

	if (r == NULL)
		return NULL;
	c = r->s.conf;
	conf_fill(c, conf_root(c), settings_opts, r);
	fill_nonce_store(r);
	fill_users(r);
	fill_paths(&r->s);
	if (conf_errors(c) == 0) {
		check_realm(&r->s);
		check_hosts(&r->s);
		limits_check(c, &r->s.limits);
	}
	if (conf_errors(c) == 0)
		settings_check_listen(&r->s);
	if (conf_errors(c) == 0)
		check_together(r);
	if (conf_errors(c) > 0) {
		settings_free(&r->s);
		return NULL;
	}
	return &r->s;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	accounts_free(s->accounts, s->naccounts);
	routes_free(s->routes);
	classes_free(s->classes);
	egress_free(s->egress);
	peers_free(s->peers);
	deny_free(s->deny);
	scanners_free(s->scanners);
	spared_free(s->spared);
	/* The settings lie in its memory. */
	conf_free(s->conf);
}

static void
print_module(FILE *f, const char *group, const char *type,
    const struct conf_opt *opts, const void *conf)
{
	fprintf(f, "%s = {\n\ttype = \"%s\";\n", group, type);
	conf_print(f, opts, conf, 1);
	fputs("};\n", f);
}

void
settings_print(FILE *f, const struct settings *s)
{
	conf_print(f, settings_opts, s, 0);
	print_module(f, "nonce_store", s->nonce_store->name,
	    s->nonce_store->opts, s->nonce_store_conf);
	if (s->users != NULL)
		print_module(f, "users", s->users->name, s->users->opts,
		    s->users_conf);
}

void
settings_print_manual(FILE *f)
{
	const struct nonce_store_ops *ns;
	const struct cred_ops *cs;

	conf_print_manual(f, settings_opts, "");
	for (size_t i = 0; (ns = nonce_store_ops_at(i)) != NULL; i++) {
		fprintf(f, ".It Ic nonce_store.type No = Qq %s\n", ns->name);
		conf_print_manual(f, ns->opts, "nonce_store.");
	}
	for (size_t i = 0; (cs = cred_ops_at(i)) != NULL; i++) {
		fprintf(f, ".It Ic users.type No = Qq %s\n", cs->name);
		conf_print_manual(f, cs->opts, "users.");
	}
}
