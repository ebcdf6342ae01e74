#include "config.h"

#include "daemon/policy.h"

#include <stdlib.h>

static void
release(struct policy *p)
{
	domains_free(p->domains);
	settings_free(p->owner);
	free(p);
}

/* Unless the file lists them: the realm and our own names. */
static int
fill_domains(struct policy *p, const struct settings *s,
    const struct ways *ways)
{
	int rc = 0;

	p->domains = domains_new(&s->domains, s->realm);
	if (p->domains == NULL)
		return -1;
	for (size_t i = 0; i < ways->n && s->domains.n == 0 && rc == 0; i++)
		rc = domains_add(p->domains, ways->way[i].host);
	return rc;
}

struct policy *
policy_new(struct settings *s, const struct ways *ways)
{
	struct policy *p = calloc(1, sizeof *p);

	if (p == NULL) {
		settings_free(s);
		return NULL;
	}
	p->refs = 1;
	p->owner = s;
	p->release = release;
	p->realm = s->realm;
	p->auth = &s->auth;
	p->limits = &s->limits;
	p->peers = s->peers;
	p->routes = s->routes;
	p->deny = s->deny;
	if (fill_domains(p, s, ways) < 0) {
		policy_unref(p);
		return NULL;
	}
	return p;
}
