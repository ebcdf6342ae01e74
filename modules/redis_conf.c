/*
 * redis_conf.c -- the options of the nonce store `redis`.
 */
#include "config.h"

#include "modules/redis_conf.h"

#include <stdio.h>
#include <string.h>

#include "auth/keys.h"
#include "base/secret.h"

#define AT(m) offsetof(struct redis_store_conf, m)

static const char *const on_failure_names[] = { "local", "deny", NULL };

const struct conf_opt redis_store_opts[] = {
	CONF_LINE(struct redis_store_conf),
	{ "url", CONF_T_STR, AT(url), .flags = CONF_SECRET,
	    .dflt = "redis://127.0.0.1:6379/0", .min = 1, .max = 1023,
	    .help = "Where the server is: "
	    "redis://[user:password@]host[:port][/db], the same with "
	    "rediss:// for TLS, or unix:///path[?db=number].  User, password "
	    "and path may hold %XX.  With sentinel, the host is only the "
	    "name that a TLS certificate must bear." },
	{ "password_file", CONF_T_PATH, AT(password_file),
	    .help = "A file whose first line is the password, so that it "
	    "need not stand in the url." },
	{ "sentinel", CONF_T_LIST, AT(sentinels),
	    .help = "Sentinels, as \"host:port\".  They are asked for the "
	    "master at each connect, so that a fail-over is followed." },
	{ "master", CONF_T_STR, AT(master),
	    .help = "The name under which the sentinels know the master." },
	{ "ca", CONF_T_PATH, AT(ca),
	    .help = "PEM file of the authorities that may have signed the "
	    "server's certificate.  Default: those of the system.  Chain and "
	    "name are always verified." },
	{ "prefix", CONF_T_STR, AT(prefix), .dflt = "sipbouncer", .min = 1,
	    .max = SPACE_PREFIX_MAX,
	    .help = "What all keys begin with.  Instances that share nonces "
	    "have the same; others that use the same server have another." },
	{ "on_failure", CONF_T_CHOICE, AT(on_failure), .dflt = "local",
	    .choices = on_failure_names,
	    .help = "What happens while the server is away, too slow or not "
	    "fit.  local: each instance counts the nonces that it issues "
	    "meanwhile by itself, and takes no others; clients that stay "
	    "with an instance for two requests are served.  deny: what needs "
	    "an answer to a challenge gets 503.  Nothing is accepted twice "
	    "in either case." },
	{ "timeout", CONF_T_TIME, AT(timeout_ms), .dflt = "50ms",
	    .min = 10, .max = 5000,
	    .help = "Longest wait for one answer of the server." },
	{ "in_flight", CONF_T_INT, AT(in_flight), .dflt = "10000",
	    .min = 200, .max = 1000000, .unit = "commands",
	    .help = "How many commands may wait for their answers.  Beyond "
	    "it, requests get 503 at once." },
	CONF_END
};

static const char *
read_password(const char *path, char out[REDIS_TEXT_MAX + 1])
{
	FILE *f = fopen(path, "re");
	char line[REDIS_TEXT_MAX + 3];
	size_t len;
	bool ok;

	if (f == NULL)
		return "password_file cannot be read";
	setvbuf(f, NULL, _IONBF, 0);	/* no copy of it stays behind */
	ok = fgets(line, sizeof line, f) != NULL;
	fclose(f);
	len = ok ? strcspn(line, "\r\n") : 0;
	ok = len > 0 && len <= REDIS_TEXT_MAX;
	if (ok) {
		memcpy(out, line, len);
		out[len] = '\0';
	}
	secret_wipe(line, sizeof line);
	return ok ? NULL : "password_file has no password of at most 255 "
	    "bytes in its first line";
}

static const char *
check_sentinels(const struct redis_store_conf *c)
{
	struct redis_url u;

	if ((c->sentinels.n > 0) != (c->master != NULL))
		return "sentinel and master go together";
	for (size_t i = 0; i < c->sentinels.n; i++)
		if (!redis_host_port(&u, c->sentinels.v[i], 1))
			return "a sentinel is not host:port";
	return NULL;
}

/* Whole, with the password that stands elsewhere. */
static const char *
read_url(const struct redis_store_conf *c, struct redis_url *out)
{
	const char *why = redis_url_parse(out, c->url);

	if (why == NULL && c->password_file != NULL)
		why = read_password(c->password_file, out->password);
	if (why == NULL && out->user[0] != '\0' && out->password[0] == '\0')
		why = "a user without password";
	if (why == NULL)
		why = check_sentinels(c);
	if (why == NULL && c->sentinels.n > 0 && out->path[0] != '\0')
		why = "sentinels do not lead to a unix socket";
	if (why == NULL && strpbrk(c->prefix, "{}") != NULL)
		why = "prefix holds a brace";
	return why;
}

const char *
redis_conf_open(const struct redis_store_conf *c, struct loop *l,
    struct dns *dns, const struct redis_link_hooks *hooks,
    struct redis_link **out)
{
	struct redis_link_conf conf = {
		.loop = l, .dns = dns,
		.sentinels = &c->sentinels, .master = c->master,
		.ca = c->ca, .timeout_ms = c->timeout_ms,
		.in_flight = (size_t)c->in_flight,
	};
	const char *why = read_url(c, &conf.url);

	*out = why == NULL ? redis_link_new(&conf, hooks, &why) : NULL;
	secret_wipe(&conf.url, sizeof conf.url);
	return *out == NULL ? why : NULL;
}

void
redis_conf_fingerprints(const struct nonce_store_env *env, struct beat *b)
{
	b->nfingerprints = keys_count(env->keys);
	for (size_t i = 0; i < b->nfingerprints; i++)
		keys_fingerprint(env->keys, i, b->fingerprint[i]);
}
