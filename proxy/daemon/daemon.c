/*
 * daemon.c -- the process: everything built in order, run, taken down in
 * reverse.
 */
#include "config.h"

#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/metrics.h"
#include "daemon/accounts.h"
#include "daemon/complaints.h"
#include "daemon/descriptors.h"
#include "daemon/firewall.h"
#include "daemon/inner.h"
#include "daemon/master_keys.h"
#include "daemon/plan.h"
#include "io/dns.h"
#include "io/sofia_fixups.h"
#include "io/tls.h"
#include "modules/registry.h"
#include "route/sets.h"

enum { DRAIN_MS = 5000, DRAIN_LOOK_MS = 50 };

#ifdef HAVE_SYSTEMD
static void
tell_supervisor(const char *state)
{
	sd_notify(0, state);
}
#else
static void
tell_supervisor(const char *state)
{
	(void)state;
}
#endif

struct transport_conf
daemon_transport_conf(const struct settings *s)
{
	return (struct transport_conf){
		.message_size = s->limits.message_size,
		.headers = s->limits.headers,
		.connections = descriptors_allow(s->limits.connections),
		.connections_per_source = s->limits.connections_per_source,
		.handshake_ms = s->limits.handshake_ms,
		.first_message_ms = s->limits.first_message_ms,
		.whole_message_ms = s->limits.whole_message_ms,
		.idle_ms = s->limits.idle_ms,
		.connect_ms = s->timers.connect_ms,
		.unsent_bytes = s->limits.unsent_bytes,
		.stun = s->limits.stun == STUN_ANSWER,
	};
}

static void
print_metric(void *arg, const struct metric *what, const char *value,
    uint64_t count)
{
	(void)arg;
	if (what->label == NULL)
		log_event(EV_METRIC, kv_str("name", what->name),
		    kv_uint("value", count));
	else
		log_event(EV_METRIC, kv_str("name", what->name),
		    kv_str("label", what->label), kv_str("of", value),
		    kv_uint("value", count));
}

static void
print_state(void *arg, const struct member *m)
{
	(void)arg;
	log_event(EV_TARGET_STATE,
	    kv_mem("peer", m->label, m->peer_len), kv_str("uri", m->uri),
	    kv_str("state", member_word(m)),
	    kv_uint("pending", m->under_way));
}

/* Every so often while draining: is all done, or is time up? */
static void
look_whether_done(void *arg)
{
	struct daemon *d = arg;

	if (pipeline_is_idle(d->pipeline) ||
	    clock_mono_ms() >= d->drain_until_ms)
		loop_stop(d->loop);
	else
		loop_timer_start(d->drain, DRAIN_LOOK_MS);
}

static void
drain(struct daemon *d)
{
	if (d->drain_until_ms != 0) {		/* asked a second time */
		loop_stop(d->loop);
		return;
	}
	log_event(EV_DRAIN, kv_uint("pending",
	    pipeline_pending(d->pipeline)), kv_int("deadline_ms", DRAIN_MS));
	tell_supervisor("STOPPING=1");
	pipeline_drain(d->pipeline);
	d->drain_until_ms = clock_mono_ms() + DRAIN_MS;
	look_whether_done(d);
}

static void
on_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	switch (signo) {
	case SIGHUP:
		daemon_reload(d);
		break;
	case SIGUSR1:
		metrics_each(d->metrics, print_metric, NULL);
		sets_each(d->sets, print_state, NULL);
		break;
	default:
		drain(d);
		break;
	}
}

static int
fail(const char *what)
{
	log_event(EV_DAEMON_FAIL, kv_str("reason", what));
	return -1;
}

static int
open_base(struct daemon *d)
{
	const struct settings *s = d->settings;

	if (sofia_fixups_check() < 0)
		return -1;
	d->loop = loop_new();
	d->metrics = metrics_new();
	if (d->loop == NULL || d->metrics == NULL)
		return fail("no memory for the loop");
	/* before there are secrets: it makes a process */
	if (firewall_new(&d->firewall, d->loop, d->metrics, s) < 0)
		return fail("the process for guard.firewall cannot be made");
	if (accounts_load(d->settings) < 0)
		return -1;
	d->keys = master_keys_load(s, true);
	if (d->keys == NULL)
		return -1;
	d->sets = sets_new();
	if (d->sets == NULL || sets_add_metrics(d->sets, d->metrics) < 0)
		return fail("no memory for the targets");
	d->dns = dns_new(d->loop, s->resolv_conf);
	if (d->dns == NULL)
		return fail("no resolver");
	d->tls = tls_files_new(d->loop, d->metrics, s);
	return d->tls == NULL ? fail("TLS cannot be set up") : 0;
}

static int
open_stores(struct daemon *d)
{
	const struct settings *s = d->settings;
	struct nonce_store_env env = {
		.loop = d->loop, .dns = d->dns, .metrics = d->metrics,
		.keys = d->keys, .nc_max = s->auth.nc_max,
		.lifetime_s = s->auth.nonce_lifetime_ms / 1000,
		.instance = (uint16_t)s->instance_id,
	};
	struct shared_env shared = { .loop = d->loop, .dns = d->dns,
		.metrics = d->metrics };

	if (s->nonce_store->open(&d->nonces, s->nonce_store_conf, &env) < 0)
		return fail("the nonce store cannot be opened");
	if (registry_open_shared(&d->shared, s->nonce_store,
	    s->nonce_store_conf, &shared) < 0)
		return fail("what instances share cannot be opened");
	d->users_env = (struct cred_store_env){ .loop = d->loop,
		.metrics = d->metrics };
	for (size_t i = 0; i < s->auth.algorithms.n; i++)
		d->users_env.algs |= (uint8_t)(1u << s->auth.algorithms.v[i]);
	if (s->users != NULL && s->users->open(&d->users, s->users_conf,
	    &d->users_env) < 0)
		return fail("the users cannot be opened");
	return 0;
}

static int
open_listener(struct daemon *d)
{
	struct listener_env env = {
		.loop = d->loop, .metrics = d->metrics,
		.conf = daemon_transport_conf(d->settings),
		.settings = d->settings, .tls = d->tls,
		.pipeline = d->pipeline,
	};

	d->listener = listener_open(&env, &d->ways);
	return d->listener == NULL ? -1 : 0;
}

static struct tls_context *
tls_towards(void *arg, const char *peer)
{
	const struct daemon *d = arg;

	return tls_files_client(d->tls, peer);
}

static bool
vouched(void *arg, const struct tls_peer *who, const char *listener,
    const struct peer *peer)
{
	const struct daemon *d = arg;

	return tls_peer_vouched(who, tls_files_trust(d->tls, listener, peer));
}

static int
open_pipeline(struct daemon *d)
{
	const struct settings *s = d->settings;
	struct pipeline_env env = {
		.loop = d->loop, .metrics = d->metrics, .keys = d->keys,
		.dns = d->dns, .users = d->users, .nonces = d->nonces,
		.shared = d->shared,
		.ways = &d->ways, .instance = (uint16_t)s->instance_id,
		.tls_towards = tls_towards, .vouched = vouched, .tls_arg = d,
		.t1_ms = s->timers.t1_ms, .timer_c_ms = s->timers.c_ms,
		.target_timeout_ms = s->timers.target_ms,
	};

	if (plan_ways(s, &d->ways) < 0)
		return -1;
	d->policy = policy_new(d->settings, &d->ways, d->sets);
	if (d->policy == NULL) {
		d->settings = NULL;
		return fail("no memory for the policy");
	}
	d->first = policy_ref(d->policy);
	d->pipeline = pipeline_new(&env, d->policy);
	return d->pipeline == NULL ? fail("no memory for the pipeline") : 0;
}

static int
open_signals(struct daemon *d)
{
	static const int signo[] = { SIGHUP, SIGTERM, SIGINT, SIGUSR1 };

	d->drain = loop_timer_new(d->loop, look_whether_done, d);
	if (d->drain == NULL || loop_signals(d->loop, signo,
	    COUNT(signo), on_signal, d) < 0)
		return fail("signals cannot be watched");
	return 0;
}

static void
close_all(struct daemon *d)
{
	pipeline_free(d->pipeline);
	firewall_free(d->firewall);
	listener_close(d->listener);
	tls_files_free(d->tls);
	if (d->users != NULL)
		d->users->ops->close(d->users);
	if (d->nonces != NULL)
		d->nonces->ops->close(d->nonces);
	if (d->shared != NULL)
		d->shared->ops->close(d->shared);
	dns_free(d->dns);
	loop_timer_free(d->drain);
	if (d->policy != NULL)
		policy_unref(d->policy);	/* and the settings in it */
	else
		settings_free(d->settings);
	policy_unref(d->first);
	sets_free(d->sets);
	keys_free(d->keys);
	metrics_free(d->metrics);
	loop_free(d->loop);
}

static int
serve(struct daemon *d)
{
	if (open_base(d) < 0 || open_signals(d) < 0 || open_stores(d) < 0 ||
	    open_pipeline(d) < 0 || open_listener(d) < 0)
		return EXIT_FAILURE;
	firewall_start(d->firewall, pipeline_bans(d->pipeline), &d->ways);
	log_event(EV_DAEMON_START, kv_str("version", PACKAGE_VERSION),
	    kv_str("file", d->path), kv_uint("sockets", d->ways.n));
	tell_supervisor("READY=1");
	loop_run(d->loop);
	log_event(EV_DAEMON_STOP, kv_uint("pending",
	    pipeline_pending(d->pipeline)));
	return EXIT_SUCCESS;
}

/* Where there are no settings, nobody knows how the log is to look. */
static struct settings *
load(const char *path)
{
	struct complaints said = { .n = 0 };
	struct settings *s = settings_load(path, complaints_keep, &said);

	if (s == NULL) {
		complaints_tell(&said, complaint_print, NULL);
		return NULL;
	}
	log_open(2, (enum log_format)s->log.format,
	    (enum log_level)s->log.level);
	complaints_tell(&said, complaint_log, NULL);
	conf_on_complaint(s->conf, complaint_log, NULL);
	return s;
}

int
daemon_run(const char *path)
{
	struct daemon d = { .path = path };
	int status;

	d.settings = load(path);
	if (d.settings == NULL)
		return EXIT_FAILURE;
	descriptors_raise(d.settings);
	signal(SIGPIPE, SIG_IGN);	/* the reader of our log may go */
	su_init();
	su_log_set_level(su_log_default, 0);
	su_log_set_level(NULL, 0);
	status = serve(&d);
	close_all(&d);
	su_deinit();
	log_flush();
	return status;
}
