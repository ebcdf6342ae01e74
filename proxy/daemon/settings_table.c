/*
 * settings_table.c -- the options of the file's root.
 */
#include "config.h"

#include "daemon/settings_inner.h"

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "error", "warning", "notice",
    "info", "debug", NULL };		/* as in enum log_level */

static const char *const client_certificates[] = {
	[CLIENT_CERT_AUTO] = "auto", [CLIENT_CERT_NONE] = "none",
	[CLIENT_CERT_OPTIONAL] = "optional",
	[CLIENT_CERT_REQUIRED] = "required", NULL
};
static const char *const crl_expired_choices[] = {
	[CRL_EXPIRED_REFUSE] = "refuse", [CRL_EXPIRED_ACCEPT] = "accept", NULL
};
static const char *const tls_versions[] = {
	[TLS_VERSION_12] = "1.2", [TLS_VERSION_13] = "1.3", NULL
};

static const struct conf_opt advertise_opts[] = {
	CONF_LINE(struct advertise_conf),
	{ "net", CONF_T_STR, offsetof(struct advertise_conf, net),
	    CONF_REQUIRED, .min = 1,
	    .help = "An address or a network." },
	{ "host", CONF_T_STR, offsetof(struct advertise_conf, host),
	    CONF_REQUIRED, .min = 1,
	    .help = "The host written into Via, Record-Route and Path for "
	    "it." },
	CONF_END
};

static const struct conf_opt listen_opts[] = {
	CONF_LINE(struct listen_conf),
	{ "uri", CONF_T_STR, offsetof(struct listen_conf, uri),
	    CONF_REQUIRED, .min = 1,
	    .help = "Where to listen: sip:ADDRESS, then :PORT unless it is "
	    "5060, then ;transport=udp or ;transport=tcp unless both are "
	    "wanted. For TLS it is sips:ADDRESS, or ;transport=tls, and the "
	    "port is 5061 by default. The address is a number (0.0.0.0 or "
	    "[::] for all), never a name." },
	{ "name", CONF_T_STR, offsetof(struct listen_conf, name), .min = 1,
	    .max = 63,
	    .help = "What peers and the log call it. By default listen1, "
	    "listen2 and so on." },
	{ "advertise", CONF_T_STR, offsetof(struct listen_conf, advertise),
	    .min = 1,
	    .help = "The host that others reach it by, where that is not "
	    "its address (behind NAT): it is written into Via, Record-Route "
	    "and Path." },
	{ "advertise_to", CONF_T_GROUPS, offsetof(struct listen_conf,
	    advertise_to), .opts = advertise_opts,
	    .size = sizeof(struct advertise_conf),
	    .help = "What those in a network reach it by, where that is "
	    "something else again (behind a cloud's NAT): the first entry "
	    "that has the address counts, and advertise for all others." },
	{ "certificate", CONF_T_LIST, offsetof(struct listen_conf,
	    certificate), CONF_RELOAD | CONF_PATHS,
	    .help = "TLS only, and needed there: a PEM file with our "
	    "certificate and the intermediate ones after it. Of several, a "
	    "client gets the one for the name that it asks for (SNI), or "
	    "else the first." },
	{ "key", CONF_T_LIST, offsetof(struct listen_conf, key),
	    CONF_RELOAD | CONF_PATHS,
	    .help = "PEM files of the private keys, as many as there are "
	    "certificates. By default each key is in the file of its "
	    "certificate." },
	{ "client_ca", CONF_T_PATH, offsetof(struct listen_conf, client_ca),
	    CONF_RELOAD,
	    .help = "PEM file of the authorities that the certificates of "
	    "clients lead to, but for peers that have a ca of their own. By "
	    "default tls.ca." },
	{ "client_certificate", CONF_T_CHOICE, offsetof(struct listen_conf,
	    client_certificate), CONF_RELOAD, .dflt = "auto",
	    .choices = client_certificates,
	    .help = "Whether clients are asked for a certificate: no "
	    "(\"none\"), yes, and one without may go on (\"optional\"), "
	    "or yes, and nobody comes in without (\"required\"). One that "
	    "is shown must be good. \"auto\" is \"optional\" if there is "
	    "a client_ca or any peer has a certificate, and else "
	    "\"none\"." },
	{ "crl", CONF_T_PATH, offsetof(struct listen_conf, crl), CONF_RELOAD,
	    .help = "What the authorities of client_ca revoked: a PEM file, "
	    "or a folder of such. With it, each authority of a chain must "
	    "have a list there." },
	{ "crl_expired", CONF_T_CHOICE, offsetof(struct listen_conf,
	    crl_expired), CONF_RELOAD, .dflt = "refuse",
	    .choices = crl_expired_choices,
	    .help = "What a list past its next update is good for: nothing, "
	    "so that its authority's certificates are refused "
	    "(\"refuse\"), or what it says (\"accept\")." },
	{ "proxy_protocol", CONF_T_LIST, offsetof(struct listen_conf,
	    proxy_protocol), .min = 1,
	    .help = "Addresses and networks of balancers that write a PROXY "
	    "header (version 1 or 2) before each connection or datagram. "
	    "With it, nobody else is let in here." },
	CONF_END
};

static const struct conf_opt tls_opts[] = {
	CONF_LINE(struct tls_conf),
	{ "certificate", CONF_T_PATH, offsetof(struct tls_conf, certificate),
	    CONF_RELOAD,
	    .help = "PEM file with the certificate that we show as a client, "
	    "and the intermediate ones after it. By default none." },
	{ "key", CONF_T_PATH, offsetof(struct tls_conf, key), CONF_RELOAD,
	    .help = "PEM file of its private key. By default it is in the "
	    "file of the certificate." },
	{ "ca", CONF_T_PATH, offsetof(struct tls_conf, ca), CONF_RELOAD,
	    .help = "PEM file of the authorities that others' certificates "
	    "lead to, where nothing else is said. By default the "
	    "system's." },
	{ "crl", CONF_T_PATH, offsetof(struct tls_conf, crl), CONF_RELOAD,
	    .help = "What the authorities of ca revoked: a PEM file, or a "
	    "folder of such. With it, each authority of a chain must have a "
	    "list there." },
	{ "crl_expired", CONF_T_CHOICE, offsetof(struct tls_conf,
	    crl_expired), CONF_RELOAD, .dflt = "refuse",
	    .choices = crl_expired_choices,
	    .help = "The same as listen.crl_expired, for tls.crl and "
	    "peers.crl." },
	{ "min_version", CONF_T_CHOICE, offsetof(struct tls_conf,
	    min_version), CONF_RELOAD, .dflt = "1.2",
	    .choices = tls_versions,
	    .help = "The oldest version of TLS that is spoken." },
	{ "ciphers", CONF_T_STR, offsetof(struct tls_conf, ciphers),
	    CONF_RELOAD, .min = 1, .max = 2048,
	    .help = "Cipher suites of TLS 1.2, as OpenSSL names them, joined "
	    "by colons. Those of TLS 1.3 are all good and stay." },
	CONF_END
};

static const struct conf_opt cluster_opts[] = {
	CONF_LINE(struct cluster_conf),
	{ "inside", CONF_T_STR, offsetof(struct cluster_conf, inside),
	    CONF_REQUIRED, .min = 1,
	    .help = "Where the other instances reach this one: the name of a "
	    "listener, or its URI. Of several transports, TCP is taken." },
	{ "members", CONF_T_LIST, offsetof(struct cluster_conf, members),
	    CONF_REQUIRED, .min = 1,
	    .help = "Addresses and networks of the instances. What comes from "
	    "there with a token of ours is let through to the phone that the "
	    "token names; all else is a stranger's." },
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
	    .help = "Longest wait for a connection to a target, with its TLS "
	    "handshake." },
	{ "target_timeout", CONF_T_TIME, offsetof(struct timers_conf, target_ms),
	    .dflt = "2s", .min = 100, .max = 60 * 1000,
	    .help = "How long a target may be silent before the next one is "
	    "tried, when there is another." },
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
	{ "cluster", CONF_T_GROUP, AT(s.cluster), CONF_OPTIONAL,
	    .opts = cluster_opts,
	    .help = "Several instances with the same key: a request for a "
	    "phone whose connection another one has is handed to that one. "
	    "Each needs another instance_id, and record_route a name that "
	    "stands for all." },
	{ "outbound", CONF_T_BOOL, AT(s.outbound), CONF_RELOAD,
	    .dflt = "true",
	    .help = "Whether phones that ask for it may register several "
	    "connections (RFC 5626). Over UDP they can only where "
	    "limits.stun is \"answer\", since they take a connection that "
	    "does not answer STUN for dead." },
	{ "resolv_conf", CONF_T_PATH, AT(s.resolv_conf),
	    .help = "Another file than the system's resolv.conf. It is read "
	    "again when it changes. Of its options timeout, attempts and "
	    "rotate count. A name server whose address needs an interface "
	    "(fe80::1%eth0) is not asked." },
	{ "listen", CONF_T_GROUPS, AT(s.listen), CONF_REQUIRED,
	    .opts = listen_opts, .size = sizeof(struct listen_conf),
	    .help = "Where requests come in." },
	{ "tls", CONF_T_GROUP, AT(s.tls), .opts = tls_opts,
	    .help = "What we are as a TLS client, and rules for all TLS." },
	{ "deny", CONF_T_LIST, AT(s.deny_nets), CONF_RELOAD, .min = 1,
	    .help = "Addresses and networks that get silence: their packets "
	    "are dropped and their connections closed before anything is "
	    "done for them." },
	{ "auth", CONF_T_GROUP, AT(s.auth), .opts = auth_opts,
	    .help = "How callers prove who they are." },
	{ "nonce_store", CONF_T_RAW, AT(nonce_store),
	    .help = "Where the uses of nonces are counted. Its type says "
	    "which options it has; by default it is memory." },
	{ "users", CONF_T_RAW, AT(users),
	    .help = "Where the secrets of the users are. Its type says "
	    "which options it has. Without users only peers are let in." },
	{ "media", CONF_T_GROUP, AT(s.media), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = media_opts,
	    .help = "What is asked of the SDP of phones and of everybody else "
	    "who is no peer, whether they send it or get it. By default "
	    "nothing. Peers have a group of their own." },
	{ "peers", CONF_T_GROUPS, AT(peers), .opts = peer_opts,
	    .size = sizeof(struct peer_conf),
	    .help = "Who is known by address or certificate, and where it is "
	    "reached. "
	    "Everyone else is a stranger, and challenged." },
	{ "routes", CONF_T_GROUPS, AT(routes), .opts = route_opts,
	    .size = sizeof(struct route_conf),
	    .help = "What becomes of requests: the first route that fits. "
	    "None that fits is 404." },
	{ "egress", CONF_T_GROUPS, AT(egress), CONF_RELOAD,
	    .opts = egress_opts, .size = sizeof(struct egress_conf),
	    .help = "Lists of addresses that requests may not go to; routes "
	    "name them." },
	{ "classes", CONF_T_GROUPS, AT(classes), CONF_RELOAD,
	    .opts = class_opts, .size = sizeof(struct class_conf),
	    .help = "Classes of service: how many calls a user or peer may "
	    "have, where to, and when. A class of the users file that "
	    "is not here is only a word for routes. By default nothing is "
	    "limited." },
	{ "limits", CONF_T_GROUP, AT(s.limits), .opts = limits_opts,
	    .help = "Bounds. Beyond each something is refused, and counted "
	    "in the metrics." },
	{ "guard", CONF_T_GROUP, AT(s.guard), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = guard_opts,
	    .help = "Who is not worth an answer." },
	{ "log", CONF_T_GROUP, AT(s.log), .opts = log_opts,
	    .help = "The log, on standard error." },
	{ "timers", CONF_T_GROUP, AT(s.timers), .opts = timers_opts,
	    .help = "Timers of the protocol. Rarely changed." },
	CONF_END
};
