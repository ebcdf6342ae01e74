/*
 * reload.c -- SIGHUP: read, check, swap; or keep the old and say why.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/accounts.h"
#include "daemon/complaints.h"
#include "daemon/firewall.h"
#include "daemon/inner.h"
#include "daemon/plan.h"

static bool
same_list(const struct conf_list *a, const struct conf_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!text_same(a->v[i], b->v[i]))
			return false;
	return true;
}

static bool
same_names(const struct listen_conf *a, const struct listen_conf *b)
{
	const struct advertise_conf *x = a->advertise_to.v;
	const struct advertise_conf *y = b->advertise_to.v;

	if (a->advertise_to.n != b->advertise_to.n)
		return false;
	for (size_t i = 0; i < a->advertise_to.n; i++)
		if (!text_same(x[i].net, y[i].net) ||
		    !text_same(x[i].host, y[i].host))
			return false;
	return true;
}

static bool
same_listeners(const struct settings *a, const struct settings *b)
{
	const struct listen_conf *x = a->listen.v, *y = b->listen.v;

	if (a->listen.n != b->listen.n)
		return false;
	for (size_t i = 0; i < a->listen.n; i++)
		if (!text_same(x[i].name, y[i].name) ||
		    !text_same(x[i].uri, y[i].uri) ||
		    !text_same(x[i].advertise, y[i].advertise) ||
		    !same_names(&x[i], &y[i]) ||
		    !same_list(&x[i].proxy_protocol, &y[i].proxy_protocol))
			return false;
	return true;
}

/* As it would be printed; the caller frees it. */
static char *
printed(const struct conf_opt *opts, const void *conf)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	conf_print(f, opts, conf, 0);
	return fclose(f) == 0 ? text : NULL;
}

static bool
same_module(const struct conf_opt *opts, const void *a, const void *b)
{
	char *x = printed(opts, a), *y = printed(opts, b);
	bool equal = text_same(x, y);

	free(x);
	free(y);
	return equal;
}

static bool
same_users(const struct settings *a, const struct settings *b)
{
	return a->users == b->users && (a->users == NULL ||
	    same_module(a->users->opts, a->users_conf, b->users_conf));
}

static void
say_restart(bool unchanged, const char *option)
{
	if (!unchanged)
		log_event(EV_RELOAD_LATER, kv_str("option", option));
}

/* What is built into open sockets, keys and stores stays as it is. */
static void
compare(const struct settings *a, const struct settings *b)
{
	say_restart(same_listeners(a, b), "listen");
	say_restart(text_same(a->auth.key_file, b->auth.key_file) &&
	    text_same(a->auth.second_key_file, b->auth.second_key_file),
	    "auth.key_file");
	say_restart(a->auth.nc_max == b->auth.nc_max, "auth.nc_max");
	say_restart(a->instance_id == b->instance_id, "instance_id");
	say_restart(a->nonce_store == b->nonce_store &&
	    same_module(a->nonce_store->opts, a->nonce_store_conf,
	    b->nonce_store_conf), "nonce_store");
	say_restart(same_users(a, b), "users");
	say_restart(a->guard.firewall == b->guard.firewall &&
	    text_same(a->guard.firewall_table, b->guard.firewall_table),
	    "guard.firewall");
	say_restart(text_same(a->resolv_conf, b->resolv_conf), "resolv_conf");
	say_restart(text_same(a->state_dir, b->state_dir), "state_dir");
	say_restart(text_same(a->record_route, b->record_route),
	    "record_route");
	say_restart(text_same(a->cluster.inside, b->cluster.inside) &&
	    same_list(&a->cluster.members, &b->cluster.members), "cluster");
	say_restart(a->timers.t1_ms == b->timers.t1_ms &&
	    a->timers.c_ms == b->timers.c_ms &&
	    a->timers.target_ms == b->timers.target_ms, "timers");
}

void
daemon_reload(struct daemon *d)
{
	struct settings *s = settings_load(d->path, complaint_log, NULL);
	struct transport_conf limits;
	struct policy *policy;

	if (s != NULL && accounts_load(s) < 0) {
		settings_free(s);
		s = NULL;
	}
	if (s == NULL) {
		log_event(EV_RELOAD_KEEP, kv_str("file", d->path),
		    kv_str("reason", "see config.fault before"));
		return;
	}
	policy = policy_new(s, &d->ways, d->sets);
	if (policy == NULL) {
		log_event(EV_RELOAD_KEEP, kv_str("file", d->path),
		    kv_str("reason", "no memory"));
		return;
	}
	if (tls_files_reload(d->tls, s) < 0) {
		log_event(EV_RELOAD_KEEP, kv_str("file", d->path),
		    kv_str("reason", "see tls.keep before"));
		policy_unref(policy);
		return;
	}
	compare(d->settings, s);
	pipeline_set_policy(d->pipeline, policy);
	policy_unref(d->policy);
	d->policy = policy;
	d->settings = s;
	limits = daemon_transport_conf(s);
	listener_set_conf(d->listener, &limits);
	firewall_set_max(d->firewall, s->limits.bans_max);
	log_open(2, (enum log_format)s->log.format,
	    (enum log_level)s->log.level);
	if (d->users != NULL && d->users->ops->reload != NULL)
		d->users->ops->reload(d->users);
	log_event(EV_RELOAD, kv_str("file", d->path));
}
