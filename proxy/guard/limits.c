/*
 * limits.c -- the group `limits` of the configuration.
 */
#include "config.h"

#include "guard/limits.h"

#define AT(member) offsetof(struct limits_conf, member)

static const char *const stun_choices[] = {
	[STUN_DROP] = "drop", [STUN_ANSWER] = "answer", NULL
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
	{ "connections", CONF_T_INT, AT(connections), CONF_OFF,
	    .dflt = "10000", .min = 1, .max = 1000000,
	    .help = "Accepted connections at once. Beyond it, new ones are "
	    "closed." },
	{ "connections_per_source", CONF_T_INT, AT(connections_per_source),
	    CONF_OFF, .dflt = "200", .min = 1, .max = 1000000,
	    .help = "Accepted connections from one address, or from one /64 "
	    "of IPv6." },
	{ "message_size", CONF_T_INT, AT(message_size), CONF_OFF,
	    .dflt = "65535", .min = 1000, .max = 65535, .unit = "bytes",
	    .help = "Longest message, with its body." },
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
	{ "requests_per_source", CONF_T_STR, 0, CONF_LATER | CONF_OFF,
	    .help = "Requests of one address, as a rate (50/s)." },
	{ "ban_after", CONF_T_INT, 0, CONF_LATER | CONF_OFF,
	    .help = "Failures of one address before it is banned." },
	CONF_END
};
