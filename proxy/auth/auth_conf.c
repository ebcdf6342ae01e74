/*
 * auth_conf.c -- the group `auth` of the configuration.
 */
#include "config.h"

#include "auth/auth_conf.h"

/* In the order of enum digest_alg, auth_bind, ...: a choice is an index. */
static const char *const algorithms[] = { "MD5", "SHA-256", "SHA-512-256",
    NULL };
static const char *const qops[] = { "auth", "auth-int", NULL };
static const char *const binds[] = { "none", "source", NULL };
static const char *const in_dialogs[] = { "challenge", "token", NULL };
static const char *const wrong_passwords[] = { "challenge", "forbid", NULL };
static const char *const registers[] = { "proxy", "www", NULL };

#define AT(member) offsetof(struct auth_conf, member)

const struct conf_opt auth_opts[] = {
	CONF_LINE(struct auth_conf),
	{ "algorithms", CONF_T_CHOICES, AT(algorithms),
	    .dflt = "SHA-256, MD5", .choices = algorithms,
	    .help = "Hash algorithms offered, one challenge each, in this "
	    "order (RFC 8760: the strongest first). An algorithm for which "
	    "a user lacks a stored hash is not offered." },
	{ "qop", CONF_T_CHOICES, AT(qop), .dflt = "auth", .choices = qops,
	    .help = "Qualities of protection offered. With auth-int the "
	    "answer covers the body too; few phones know it." },
	{ "nonce_lifetime", CONF_T_TIME, AT(nonce_lifetime_ms),
	    .dflt = "120s", .min = 10 * 1000, .max = 12 * 3600 * 1000,
	    .help = "How long a challenge may be answered. An answer that is "
	    "right but later gets a new challenge with stale=true." },
	{ "nc_max", CONF_T_INT, AT(nc_max), .dflt = "1024", .min = 1,
	    .max = 4096,
	    .help = "How often one nonce may be used, each time with "
	    "another nonce count. It bounds what the nonce store keeps." },
	{ "bind", CONF_T_CHOICE, AT(bind), .dflt = "none", .choices = binds,
	    .help = "With source, an answer counts only from the address "
	    "that the challenge was sent to. Phones that change address "
	    "are challenged once more." },
	{ "key_file", CONF_T_PATH, AT(key_file),
	    .help = "The 32 byte key that signs nonces and tokens, mode 0400. "
	    "It is made at the first start. All instances that share "
	    "a nonce store need the same. By default the file nonce.key in "
	    "state_dir." },
	{ "second_key_file", CONF_T_PATH, AT(second_key_file),
	    .help = "A key that is accepted but never signs, for the time of "
	    "a change: add the new key here on every instance, then swap "
	    "the two, then take the old one away." },
	{ "in_dialog", CONF_T_CHOICE, AT(in_dialog), .dflt = "challenge",
	    .choices = in_dialogs,
	    .help = "Whether requests inside a dialog are challenged again, "
	    "or pass by the signed token in their Route, for phones that "
	    "cannot answer a challenge there." },
	{ "dialog_max", CONF_T_TIME, AT(dialog_max_ms), .dflt = "12h",
	    .min = 1000, .max = INT64_C(30) * 24 * 3600 * 1000,
	    .help = "How long such a token is good, from the start of "
	    "the dialog. To hang up it always is." },
	{ "wrong_password", CONF_T_CHOICE, AT(wrong_password),
	    .dflt = "challenge", .choices = wrong_passwords,
	    .help = "What a wrong answer gets: a new challenge (407), or "
	    "403." },
	{ "register_challenge", CONF_T_CHOICE, AT(register_challenge),
	    .dflt = "proxy", .choices = registers,
	    .help = "How REGISTER is challenged: as a proxy does (407), or "
	    "as a registrar does (401, www), for phones that register only "
	    "after a 401." },
	{ "legacy", CONF_T_BOOL, AT(legacy), .dflt = "false",
	    .help = "Also take answers without qop (RFC 2069). Their nonces "
	    "are good for one use." },
	{ "lookup_timeout", CONF_T_TIME, AT(lookup_timeout_ms),
	    .dflt = "2s", .min = 10, .max = 30 * 1000,
	    .help = "Longest wait for a user store. After it the request "
	    "gets 503." },
	{ "methods", CONF_T_LIST, AT(methods), .min = 1, .max = 32,
	    .help = "The methods that anybody but a peer may use; another "
	    "gets 405, before it is challenged. By default any. Who is "
	    "a peer by digest alone needs them as well." },
	CONF_END
};
