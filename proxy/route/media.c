/*
 * media.c -- the group `media`: what is asked of session descriptions.
 */
#include "config.h"

#include "route/media.h"

#define AT(member) offsetof(struct media_conf, member)

static const char *const security_choices[] = {
	[MEDIA_NONE] = "none", [MEDIA_PREFER] = "prefer",
	[MEDIA_REQUIRE] = "require", NULL
};

const struct conf_opt media_opts[] = {
	CONF_LINE(struct media_conf),
	{ "security", CONF_T_CHOICE, AT(security), CONF_RELOAD,
	    .dflt = "none", .choices = security_choices,
	    .help = "Whether media must be protected: by DTLS, or by keys in "
	    "the SDP that come and go over TLS. Other requests get 488 "
	    "(\"require\"), or are counted and told in the log "
	    "(\"prefer\")." },
	{ "grammar", CONF_T_BOOL, AT(grammar), CONF_RELOAD, .dflt = "false",
	    .help = "Refuse SDP that RFC 8866 does not allow, with 400." },
	{ "size", CONF_T_INT, AT(size), CONF_RELOAD | CONF_OFF,
	    .dflt = "off", .min = 100, .max = 65535, .unit = "bytes",
	    .help = "Longest SDP. Beyond it, 413." },
	{ "streams", CONF_T_INT, AT(streams), CONF_RELOAD | CONF_OFF,
	    .dflt = "off", .min = 1, .max = 1000,
	    .help = "Most media (lines m=) of an SDP. Beyond it, 488." },
	CONF_END
};

const struct media_conf *
media_if_any(const struct media_conf *conf)
{
	return conf->security != MEDIA_NONE || conf->grammar ||
	    conf->size >= 0 || conf->streams >= 0 ? conf : NULL;
}
