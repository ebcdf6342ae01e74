/*
 * explain.c -- -r: which route would this request take?
 */
#include "config.h"

#include "daemon/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "daemon/plan.h"
#include "daemon/policy.h"
#include "io/loop.h"
#include "pipeline/explain.h"

enum { REQUEST_MAX = 65536 };

static int
complain(const char *subject, const char *what)
{
	fprintf(stderr, "%s: %s\n", subject, what);
	return EXIT_FAILURE;
}

/* "/udp" at the end. */
static bool
take_transport(struct str *rest, enum transport *out)
{
	const char *slash = memchr(rest->p, '/', rest->len);
	struct str name;

	*out = TRANSPORT_UDP;
	if (slash == NULL)
		return true;
	name = (struct str){ slash + 1,
		(size_t)(rest->p + rest->len - slash - 1) };
	rest->len = (size_t)(slash - rest->p);
	*out = (enum transport)transport_named(name);
	return *out != TRANSPORTS;
}

/* An IPv6 address with a port stands in brackets. */
static bool
parse_source(const char *text, struct addr *a, enum transport *transport)
{
	struct str rest = str_of(text);
	const char *colon;
	uint64_t port;

	if (!take_transport(&rest, transport))
		return false;
	if (addr_parse_host(a, rest)) {
		a->port = SIP_PORT;
		return true;
	}
	colon = memrchr(rest.p, ':', rest.len);
	if (colon == NULL || !addr_parse_host(a,
	    (struct str){ rest.p, (size_t)(colon - rest.p) }) ||
	    !parse_uint((struct str){ colon + 1,
	    (size_t)(rest.p + rest.len - colon - 1) }, UINT16_MAX, &port))
		return false;
	a->port = (uint16_t)port;
	return true;
}

/* The user's class, in out; false: it cannot be told. */
static bool
class_in(struct cred_store *users, const struct settings *s,
    const char *user, char out[CLASS_MAX + 1])
{
	struct cred_query q = { .user = str_of(user),
		.realm = str_of(s->realm),
		.digest.alg = (enum digest_alg)s->auth.algorithms.v[0] };
	struct cred_answer a = { .result = CRED_ASK };

	users->ops->look(users, &q, &a);
	if (a.result == CRED_SECRET && a.class != NULL)
		snprintf(out, CLASS_MAX + 1, "%s", a.class);
	secret_wipe(&a.ha1, sizeof a.ha1);
	return a.result == CRED_SECRET;
}

static void
find_class(const struct settings *s, const char *user,
    char out[CLASS_MAX + 1])
{
	struct cred_store_env env = { .loop = loop_new(),
		.metrics = metrics_new(), .algs = 0 };
	struct cred_store *users = NULL;

	if (s->users == NULL || env.loop == NULL || env.metrics == NULL ||
	    s->users->open(&users, s->users_conf, &env) < 0)
		complain(user, "the users cannot be looked at");
	else if (!class_in(users, s, user, out))
		complain(user, "not in memory, so of no class here");
	if (users != NULL)
		users->ops->close(users);
	metrics_free(env.metrics);
	loop_free(env.loop);
}

static int
exit_status(enum explain_verdict v)
{
	switch (v) {
	case EXPLAIN_FITS:
		return EXIT_SUCCESS;
	case EXPLAIN_NONE:
		return EXPLAIN_EXIT_NONE;
	case EXPLAIN_UNREADABLE:
		break;
	}
	return EXIT_FAILURE;
}

static int
explain(const struct settings *s, const struct explain_args *args,
    struct str request)
{
	static struct ways ways;
	char class[CLASS_MAX + 1] = "";
	struct addr source;
	struct domains *domains;
	struct explain e = { .peers = s->peers, .routes = s->routes,
		.classes = s->classes, .now_s = clock_unix_ms() / 1000,
		.ways = &ways, .listener = args->listener,
		.user = args->user, .class = class, .out = stdout };
	int status;

	if (args->source != NULL) {
		if (!parse_source(args->source, &source, &e.transport))
			return complain(args->source,
			    "not ADDRESS[:PORT][/TRANSPORT]");
		e.source = &source;
	}
	if (plan_ways(s, &ways) < 0)
		return EXIT_FAILURE;
	domains = policy_domains(s, &ways);
	if (domains == NULL)
		return complain("sipbouncer", "no memory");
	if (args->user != NULL)
		find_class(s, args->user, class);
	e.domains = domains;
	status = exit_status(explain_request(&e, request.p, request.len));
	domains_free(domains);
	return status;
}

static bool
read_request(const char *path, char *out, struct str *request)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	bool ok;

	if (f == NULL)
		return false;
	*request = (struct str){ out, fread(out, 1, REQUEST_MAX, f) };
	ok = !ferror(f);
	if (!is_stdin)
		fclose(f);
	return ok;
}

int
daemon_explain(const char *path, const struct explain_args *args)
{
	struct settings *s = settings_load(path, NULL, NULL);
	char *bytes = malloc(REQUEST_MAX);
	struct str request;
	int status = EXIT_FAILURE;

	log_open(2, LOG_TEXT, LEVEL_WARNING);
	if (s != NULL && bytes != NULL) {
		status = read_request(args->file, bytes, &request) ?
		    explain(s, args, request) :
		    complain(args->file, strerror(errno));
	}
	free(bytes);
	settings_free(s);
	log_flush();
	return status;
}
