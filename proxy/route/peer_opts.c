/*
 * peer_opts.c -- the options of a peer.
 */
#include "config.h"

#include "io/target.h"
#include "route/peer_inner.h"

#define AT(member) offsetof(struct peer_conf, member)

static const char *const path_choices[] = {
	[PATH_RFC] = "rfc", [PATH_ALWAYS] = "always",
	[PATH_CONTACT] = "contact", NULL
};

static const char *const verify_choices[] = {
	[PEER_VERIFY_FULL] = "full", [PEER_VERIFY_NONE] = "none", NULL
};

const struct conf_opt peer_opts[] = {
	CONF_LINE(struct peer_conf),
	{ "name", CONF_T_STR, AT(name), CONF_REQUIRED, .min = 1, .max = 64,
	    .help = "By which routes and the log call it: letters, digits, "
	    "'-', '_' and '.'." },
	{ "uri", CONF_T_LIST, AT(uri), CONF_RELOAD,
	    .help = "Where it is reached: a SIP URI or a list of them, tried "
	    "in this order. Names are looked up by RFC 3263." },
	{ "targets", CONF_T_GROUPS, AT(targets), CONF_RELOAD,
	    .opts = peer_target_opts, .size = sizeof(struct target_conf),
	    .help = "The same, instead of uri, where they share the load: "
	    "each with a priority and a weight." },
	{ "balance", CONF_T_CHOICE, AT(balance), CONF_RELOAD, .dflt = "order",
	    .choices = peer_balance_choices,
	    .help = "Which target of one priority is asked first: as they "
	    "are listed (\"order\"), in turn (\"round-robin\"), in turn by "
	    "weight (\"weight\"), the same for a Call-ID (\"call-id\"), for "
	    "the user of From (\"from\") or for whom it is meant "
	    "(\"user\"), or the one with the fewest requests under way "
	    "(\"least\"). The others follow if it fails." },
	{ "probe", CONF_T_GROUP, AT(probe), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = peer_probe_opts,
	    .help = "Whether its targets are asked by OPTIONS if they "
	    "live." },
	{ "from", CONF_T_LIST, AT(from), CONF_RELOAD,
	    .help = "Addresses and networks that it sends from. With neither "
	    "from nor certificate it is only a target." },
	{ "listener", CONF_T_STR, AT(listener), CONF_RELOAD, .min = 1,
	    .max = 64,
	    .help = "The listener that its UDP packets come in on; elsewhere "
	    "they are a stranger's. Without it, the interface by which the "
	    "kernel routes to its network." },
	{ "auth", CONF_T_GROUP, AT(auth), CONF_RELOAD | CONF_SHORTHAND,
	    .opts = peer_auth_opts,
	    .help = "What proves that a request is its own: \"ip\", "
	    "\"certificate\", \"digest\", or a list of proofs." },
	{ "users", CONF_T_LIST, AT(users), CONF_RELOAD, .min = 1, .max = 128,
	    .help = "The names whose digest is the peer's. By default any, "
	    "if from or certificate is there as well." },
	{ "domains", CONF_T_LIST, AT(domains), CONF_RELOAD, .min = 1,
	    .max = TARGET_HOST_MAX,
	    .help = "The hosts of the Request-URIs that it asks for; with "
	    "another it is not this peer. So peers at one address are told "
	    "apart." },
	{ "realm", CONF_T_STR, AT(realm), CONF_RELOAD, .min = 1, .max = 255,
	    .help = "The realm of challenges to it. By default the one for "
	    "all." },
	{ "trusted", CONF_T_CHOICE, AT(trusted), CONF_RELOAD,
	    .dflt = "auto", .choices = peer_trusted_choices,
	    .help = "Whether what is private among those who trust each other "
	    "(RFC 3325) passes to and from it: true, false, or \"auto\", "
	    "which is true unless digest is one of its proofs." },
	{ "pass", CONF_T_CHOICES, AT(pass), CONF_RELOAD,
	    .choices = peer_pass_choices,
	    .help = "Which of these headers pass towards it: Identity "
	    "(\"identity\", RFC 8224), Session-ID (\"session-id\", RFC "
	    "7989), History-Info (\"history-info\", RFC 7044), Diversion "
	    "(\"diversion\", RFC 5806). By default all if it is trusted, "
	    "else the first two." },
	{ "strip", CONF_T_LIST, AT(strip), CONF_RELOAD, .min = 1, .max = 32,
	    .help = "What is taken off the front of the number called before "
	    "it goes there: of several the first that fits." },
	{ "prefix", CONF_T_STR, AT(prefix), CONF_RELOAD, .min = 1,
	    .max = 32,
	    .help = "What is put in front of it then, unless a + is "
	    "there." },
	{ "domain", CONF_T_STR, AT(domain), CONF_RELOAD, .min = 1,
	    .max = TARGET_HOST_MAX,
	    .help = "The host of Request-URI and To of what goes there." },
	{ "caller", CONF_T_GROUP, AT(caller), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = caller_opts,
	    .help = "What it sees of the caller, where that is another than "
	    "he says." },
	{ "pending", CONF_T_INT, AT(pending), CONF_RELOAD | CONF_OFF,
	    .dflt = "off", .min = 1, .max = 10000000,
	    .help = "Requests under way at once that came from it. Beyond "
	    "it, new ones get 503, but not those of a dialog, nor emergency "
	    "calls." },
	{ "certificate", CONF_T_LIST, AT(certificate), CONF_RELOAD,
	    .min = 1, .max = TARGET_HOST_MAX,
	    .help = "Names, one of which its TLS certificate bears: it is "
	    "known by it, from any address unless from is given too, and "
	    "then by both. Over UDP and TCP it is a stranger." },
	{ "ca", CONF_T_PATH, AT(ca), CONF_RELOAD,
	    .help = "PEM file of the authorities that its certificate must "
	    "lead to, when it connects to us and when we connect to it. They "
	    "vouch for nobody else. By default listen.client_ca when it "
	    "connects, and tls.ca." },
	{ "crl", CONF_T_PATH, AT(crl), CONF_RELOAD,
	    .help = "What the authorities of its ca revoked: a PEM file, or "
	    "a folder of such." },
	{ "verify", CONF_T_CHOICE, AT(verify), CONF_RELOAD, .dflt = "full",
	    .choices = verify_choices,
	    .help = "What the certificate of its targets must be: good and "
	    "for the name in the uri (\"full\"), or anything (\"none\"), "
	    "so that whoever is on the way can stand in for it." },
	{ "path", CONF_T_CHOICE, AT(path), CONF_RELOAD, .dflt = "always",
	    .choices = path_choices,
	    .help = "How a REGISTER to it tells the way back to the phone: "
	    "Path where the phone supports it (\"rfc\", RFC 3327), always "
	    "(\"always\"), or by an own Contact for registrars without "
	    "Path (\"contact\")." },
	{ "udp_max", CONF_T_INT, AT(udp_max), CONF_RELOAD | CONF_OFF,
	    .dflt = "0", .min = 0, .max = 65535, .unit = "bytes",
	    .help = "The same as limits.udp_max, for its targets; 0 means "
	    "that one." },
	{ "credentials", CONF_T_GROUP, AT(credentials),
	    CONF_RELOAD | CONF_OPTIONAL, .opts = account_opts,
	    .help = "Who we are there: challenges of its targets for this "
	    "realm are answered by us, and not passed on." },
	{ "register", CONF_T_GROUP, AT(registration),
	    CONF_RELOAD | CONF_OPTIONAL, .opts = register_opts,
	    .help = "An address that we register there, so that its calls "
	    "come to us." },
	{ "methods", CONF_T_LIST, AT(methods), CONF_RELOAD, .min = 1,
	    .max = 32,
	    .help = "The methods that it may use; another gets 405. By "
	    "default any." },
	{ "requests", CONF_T_RATE, AT(requests), CONF_RELOAD | CONF_OFF,
	    .dflt = "off",
	    .help = "How many requests it may send, like "
	    "limits.requests_per_source. Beyond it, 503." },
	{ "media", CONF_T_GROUP, AT(media), CONF_RELOAD | CONF_OPTIONAL,
	    .opts = media_opts,
	    .help = "What is asked of the SDP that it sends, and that is "
	    "sent to it. By default nothing." },
	{ "class", CONF_T_STR, AT(class), CONF_RELOAD, .min = 1, .max = 32,
	    .help = "The class of service, an entry of classes, for the "
	    "calls that it sends. By default none: no limit." },
	CONF_END
};
