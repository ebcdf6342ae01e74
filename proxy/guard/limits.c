/*
 * limits.c -- the group `limits` of the configuration.
 */
#include "config.h"

#include "guard/limits.h"

#include <string.h>

#define AT(member) offsetof(struct limits_conf, member)

static const char *const stun_choices[] = {
	[STUN_DROP] = "drop", [STUN_ANSWER] = "answer", NULL
};

static const char *const over_choices[] = {
	[OVER_SILENCE] = "silence", [OVER_503] = "503", NULL
};

const char *const limits_methods[LIMITS_METHODS] = {
#define M(id, name) [id] = name,
	LIMITED_METHODS(M)
#undef M
};

static const struct conf_opt methods_opts[] = {
#define M(id, name) { name, CONF_T_RATE, id * sizeof(struct conf_rate), \
	CONF_RELOAD | CONF_OFF, .dflt = "off", \
	.help = "Such requests of one source." },
	LIMITED_METHODS(M)
#undef M
	CONF_END
};

const struct conf_opt limits_opts[] = {
	CONF_LINE(struct limits_conf),
	{ "pending", CONF_T_INT, AT(pending), CONF_OFF, .dflt = "20000",
	    .min = 1, .max = 10000000,
	    .help = "Requests under way at once. Beyond it, new ones get "
	    "503." },
	{ "pending_per_target", CONF_T_INT, AT(pending_per_target), CONF_OFF,
	    .dflt = "5000", .min = 1, .max = 10000000,
	    .help = "Requests under way to one address, so that one target "
	    "that hangs does not take the place of all others." },
	{ "emergency", CONF_T_LIST, AT(emergency), 0, .dflt = "112, 911",
	    .min = 1, .max = 32,
	    .help = "Numbers (the user of a Request-URI, as it comes in) that "
	    "may take as many places again where pending, pending_per_target "
	    "or pending of a peer is reached." },
	{ "connections", CONF_T_INT, AT(connections), CONF_OFF,
	    .dflt = "10000", .min = 1, .max = 1000000,
	    .help = "Accepted connections at once. Beyond it, the oldest "
	    "of those on which nobody has proved yet who he is (by a right "
	    "answer, by a token of ours, or as a peer) is closed for a new "
	    "one; where there is none, new ones are. Leave room for as many "
	    "as come in a second or two. There may be as many to targets "
	    "besides; beyond it, the one that was not used for longest is "
	    "closed for another one." },
	{ "connections_per_source", CONF_T_INT, AT(connections_per_source),
	    CONF_OFF, .dflt = "500", .min = 1, .max = 1000000,
	    .help = "Accepted connections from one address, or from one /64 "
	    "of IPv6." },
	{ "message_size", CONF_T_INT, AT(message_size), CONF_OFF,
	    .dflt = "65535", .min = 1000, .max = 65535, .unit = "bytes",
	    .help = "Longest message, with its body." },
	{ "udp_max", CONF_T_INT, AT(udp_max), CONF_OFF | CONF_RELOAD,
	    .dflt = "1300", .min = 500, .max = 65535, .unit = "bytes",
	    .help = "A longer request leaves over TCP where its target's "
	    "URI leaves the transport open (RFC 3261 section 18.1.1); over "
	    "UDP if there is no TCP there, which is remembered for five "
	    "minutes. Never so for phones." },
	{ "headers", CONF_T_INT, AT(headers), CONF_OFF, .dflt = "200",
	    .min = 20, .max = 10000,
	    .help = "Most header lines of a message." },
	{ "handshake", CONF_T_TIME, AT(handshake_ms), CONF_OFF,
	    .dflt = "5s", .min = 100, .max = 3600 * 1000,
	    .help = "The TLS handshake of a connection must be over by then, "
	    "and the PROXY header of a balancer be there." },
	{ "first_message", CONF_T_TIME, AT(first_message_ms), CONF_OFF,
	    .dflt = "10s", .min = 100, .max = 3600 * 1000,
	    .help = "A new connection that brings no message in this time "
	    "is closed." },
	{ "whole_message", CONF_T_TIME, AT(whole_message_ms), CONF_OFF,
	    .dflt = "5s", .min = 100, .max = 3600 * 1000,
	    .help = "A message must be complete this long after its first "
	    "byte, or its connection is closed." },
	{ "idle", CONF_T_TIME, AT(idle_ms), CONF_OFF, .dflt = "1h",
	    .min = 1000, .max = INT64_C(7) * 24 * 3600 * 1000,
	    .help = "A connection over which nothing comes or goes for so "
	    "long is closed; a keep-alive is something." },
	{ "unsent_bytes", CONF_T_INT, AT(unsent_bytes), CONF_OFF,
	    .dflt = "1000000", .min = 65536, .max = 1000000000,
	    .unit = "bytes",
	    .help = "How much may wait for a connection whose other end does "
	    "not read. Beyond it, the connection is closed." },
	{ "stun", CONF_T_CHOICE, AT(stun), .dflt = "drop",
	    .choices = stun_choices,
	    .help = "STUN binding requests on the SIP port (RFC 5626 section "
	    "3.5.2), by which some phones keep their NAT open: \"drop\" or "
	    "\"answer\". Whoever forges a source address makes us answer to "
	    "it." },
	{ "requests_per_source", CONF_T_RATE, AT(requests_per_source),
	    CONF_RELOAD | CONF_OFF, .dflt = "50/s burst 500",
	    .help = "Requests of one source: an IPv6 /64, or an IPv4 "
	    "address (see ipv4_prefix). So many in a second (/s) or minute "
	    "(/m), and at most burst at once, by default as many as in one "
	    "of them. Requests that show a nonce or a dialog token that was "
	    "given to this very source are counted apart, so that nobody "
	    "silences a phone by forging its address; and so are TLS "
	    "handshakes." },
	{ "requests_per_user", CONF_T_RATE, AT(requests_per_user),
	    CONF_RELOAD | CONF_OFF, .dflt = "50/s burst 500",
	    .help = "Requests with the right password of one user, wherever "
	    "they come from. Beyond it, 503." },
	{ "methods", CONF_T_GROUP, AT(methods), CONF_RELOAD,
	    .opts = methods_opts,
	    .help = "Requests of one source by method, besides "
	    "requests_per_source: REGISTER = \"10/s\"." },
	{ "over", CONF_T_CHOICE, AT(over), CONF_RELOAD, .dflt = "silence",
	    .choices = over_choices,
	    .help = "What strangers get over UDP beyond these rates: nothing, "
	    "or 503, which goes to a forged source address, too. Whoever has "
	    "a connection, peers, and users who proved themselves always get "
	    "503 with Retry-After." },
	{ "exempt_peers", CONF_T_BOOL, AT(exempt_peers), CONF_RELOAD,
	    .dflt = "true",
	    .help = "Peers known by address or certificate have no rate but "
	    "peers.requests." },
	{ "ipv4_prefix", CONF_T_INT, AT(ipv4_prefix), CONF_RELOAD,
	    .dflt = "32", .min = 8, .max = 32, .unit = "bits",
	    .help = "How much of an IPv4 address is one source for rates: "
	    "32 is each address, 24 the 256 of a network together. Bans are "
	    "always for one address." },
	{ "ban_after", CONF_T_INT, AT(ban_after), CONF_RELOAD | CONF_OFF,
	    .dflt = "20", .min = 1, .max = 60000,
	    .help = "Failures of one source within ban_window before it is "
	    "banned. Over UDP only what answers a nonce that was given to "
	    "this very source is a failure, so nobody gets another banned." },
	{ "ban_window", CONF_T_TIME, AT(ban_window_ms), CONF_RELOAD,
	    .dflt = "10m", .min = 1000, .max = INT64_C(24) * 3600 * 1000,
	    .help = "How long failures count, from the first of them." },
	{ "ban_time", CONF_T_TIME, AT(ban_time_ms), CONF_RELOAD,
	    .dflt = "10m", .min = 1000, .max = INT64_C(365) * 24 * 3600 * 1000,
	    .help = "How long the first ban lasts. Each further one lasts "
	    "twice as long as the one before, until nothing happened for "
	    "ban_max." },
	{ "ban_max", CONF_T_TIME, AT(ban_max_ms), CONF_RELOAD,
	    .dflt = "24h", .min = 1000, .max = INT64_C(365) * 24 * 3600 * 1000,
	    .help = "No ban lasts longer." },
	{ "bans_max", CONF_T_INT, AT(bans_max), CONF_RELOAD,
	    .dflt = "100000", .min = 1, .max = 10000000,
	    .help = "Bans at once. One more takes the place of the one that "
	    "would end first." },
	{ "ban_never", CONF_T_LIST, AT(ban_never), CONF_RELOAD, .min = 1,
	    .help = "Addresses and networks that are neither banned nor "
	    "slowed as a whole, whatever is wrong there; all else counts as "
	    "before. A ban of an address that is put here ends with the "
	    "reload (SIGHUP), at all instances." },
	{ "failures_per_user", CONF_T_RATE, AT(failures_per_user),
	    CONF_RELOAD | CONF_OFF, .dflt = "30/m",
	    .help = "Wrong passwords for one user, from everywhere. Beyond "
	    "it, answers for this user are dropped unseen, but for those "
	    "from a source where the user was right within a day." },
	{ "log_lines", CONF_T_RATE, AT(log_lines), CONF_RELOAD | CONF_OFF,
	    .dflt = "50/s burst 500",
	    .help = "Lines of the log about requests of strangers that were "
	    "refused, copies of answers, and responses to nothing. Beyond "
	    "it only their number is written, once a second; the counters "
	    "have them all." },
	CONF_END
};

void
limits_check(struct conf *c, const struct limits_conf *l)
{
	for (size_t i = 0; i < l->emergency.n; i++)
		if (strpbrk(l->emergency.v[i], ":@;") != NULL)
			conf_error(c, l->emergency.line[i],
			    "limits.emergency", "\"%s\" is more than a "
			    "number", l->emergency.v[i]);
}
