/*
 * settings_table.c -- the options of the file's root.
 */
#include "config.h"

#include "daemon/settings_inner.h"

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "error", "warning", "notice",
    "info", "debug", NULL };		/* as in enum log_level */

static const struct conf_opt listen_opts[] = {
	CONF_LINE(struct listen_conf),
	{ "uri", CONF_T_STR, offsetof(struct listen_conf, uri),
	    CONF_REQUIRED, .min = 1,
	    .help = "Where to listen: sip:ADDRESS, then :PORT unless it is "
	    "5060, then ;transport=udp or ;transport=tcp unless both are "
	    "wanted. The address is a number (0.0.0.0 or [::] for all), "
	    "never a name." },
	{ "name", CONF_T_STR, offsetof(struct listen_conf, name), .min = 1,
	    .max = 63,
	    .help = "What peers and the log call it. By default listen1, "
	    "listen2 and so on." },
	{ "advertise", CONF_T_STR, offsetof(struct listen_conf, advertise),
	    .min = 1,
	    .help = "The host that others reach it by, where that is not "
	    "its address (behind NAT): it is written into Via, Record-Route "
	    "and Path." },
	{ "certificate", CONF_T_PATH, .flags = CONF_LATER },
	{ "key", CONF_T_PATH, .flags = CONF_LATER },
	{ "client_ca", CONF_T_PATH, .flags = CONF_LATER },
	{ "client_certificate", CONF_T_STR, .flags = CONF_LATER },
	{ "crl", CONF_T_PATH, .flags = CONF_LATER },
	CONF_END
};

static const struct conf_opt log_opts[] = {
	CONF_LINE(struct log_conf),
	{ "format", CONF_T_CHOICE, offsetof(struct log_conf, format),
	    .dflt = "text", .choices = log_formats,
	    .help = "One event a line: key=value pairs, or one JSON "
	    "object." },
	{ "level", CONF_T_CHOICE, offsetof(struct log_conf, level),
	    .dflt = "info", .choices = log_levels,
	    .help = "The least important events that are written." },
	CONF_END
};

static const struct conf_opt timers_opts[] = {
	CONF_LINE(struct timers_conf),
	{ "t1", CONF_T_TIME, offsetof(struct timers_conf, t1_ms),
	    .dflt = "500ms", .min = 10, .max = 10 * 1000,
	    .help = "T1 of RFC 3261 section 17.1.1.1, the estimated round "
	    "trip: retransmissions start with it, and a transaction lasts "
	    "64 times as long." },
	{ "c", CONF_T_TIME, offsetof(struct timers_conf, c_ms),
	    .dflt = "185s", .min = 1000, .max = 3600 * 1000,
	    .help = "Timer C of RFC 3261 section 16.6: how long an INVITE "
	    "may ring. The RFC wants more than three minutes." },
	{ "connect", CONF_T_TIME, offsetof(struct timers_conf, connect_ms),
	    .dflt = "5s", .min = 100, .max = 60 * 1000,
	    .help = "Longest wait for a TCP connection to a target." },
	CONF_END
};

#define AT(member) offsetof(struct settings_root, member)

const struct conf_opt settings_opts[] = {
	{ "realm", CONF_T_STR, AT(s.realm), CONF_REQUIRED, .min = 1,
	    .help = "The realm of the challenges. The stored hashes of the "
	    "users are made for it." },
	{ "domains", CONF_T_LIST, AT(s.domains), .min = 1,
	    .help = "The domains that are ours. By default the realm and "
	    "the names and addresses of the listeners." },
	{ "instance_id", CONF_T_INT, AT(s.instance_id), .dflt = "0",
	    .min = 0, .max = 65535,
	    .help = "Must be another one on each instance that shares "
	    "a nonce store." },
	{ "state_dir", CONF_T_PATH, AT(s.state_dir),
	    .help = "The folder of what the daemon keeps: the key that it "
	    "made. By default lib/sipbouncer in the system's state folder "
	    "(/var)." },
	{ "record_route", CONF_T_STR, AT(s.record_route), .min = 1,
	    .help = "The host written into Record-Route. Where it names all "
	    "instances, a dialog outlives the one that let it in. By "
	    "default each listener's own." },
	{ "resolv_conf", CONF_T_PATH, AT(s.resolv_conf),
	    .help = "Another file than the system's resolv.conf." },
	{ "listen", CONF_T_GROUPS, AT(s.listen), CONF_REQUIRED,
	    .opts = listen_opts, .size = sizeof(struct listen_conf),
	    .help = "Where requests come in." },
	{ "auth", CONF_T_GROUP, AT(s.auth), .opts = auth_opts,
	    .help = "How callers prove who they are." },
	{ "nonce_store", CONF_T_RAW, AT(nonce_store),
	    .help = "Where the uses of nonces are counted. Its type says "
	    "which options it has; by default it is memory." },
	{ "users", CONF_T_RAW, AT(users),
	    .help = "Where the secrets of the users are. Its type says "
	    "which options it has. Without users only peers are let in." },
	{ "peers", CONF_T_GROUPS, AT(peers), .opts = peer_opts,
	    .size = sizeof(struct peer_conf),
	    .help = "Who is known by address, and where it is reached. "
	    "Everyone else is a stranger, and challenged." },
	{ "routes", CONF_T_GROUPS, AT(routes), .opts = route_opts,
	    .size = sizeof(struct route_conf),
	    .help = "Where requests go: the first route that fits. None "
	    "that fits is 404." },
	{ "limits", CONF_T_GROUP, AT(s.limits), .opts = limits_opts,
	    .help = "Bounds. Beyond each something is refused, and counted "
	    "in the metrics." },
	{ "log", CONF_T_GROUP, AT(s.log), .opts = log_opts,
	    .help = "The log, on standard error." },
	{ "timers", CONF_T_GROUP, AT(s.timers), .opts = timers_opts,
	    .help = "Timers of the protocol. Rarely changed." },
	{ "egress", CONF_T_GROUPS, .flags = CONF_LATER },
	CONF_END
};
