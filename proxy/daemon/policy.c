/*
 * policy.c -- a snapshot for the pipeline, made of the settings.
 */
#include "config.h"

#include "daemon/policy.h"

#include <stdlib.h>

#include "route/sets.h"

static void
release(struct policy *p)
{
	domains_free(p->domains);
	settings_free(p->owner);
	free(p);
}

static bool
add_names(struct domains *d, const struct way *w)
{
	for (size_t i = 0; i < w->nnames; i++)
		if (domains_add(d, w->name[i].host) < 0)
			return false;
	return domains_add(d, w->host) == 0;
}

/* Unless the file lists them: the realm and our own names. */
struct domains *
policy_domains(const struct settings *s, const struct ways *ways)
{
	struct domains *d = domains_new(&s->domains, s->realm);

	for (size_t i = 0; d != NULL && i < ways->n && s->domains.n == 0; i++)
		if (!add_names(d, &ways->way[i])) {
			domains_free(d);
			return NULL;
		}
	return d;
}

struct policy *
policy_new(struct settings *s, const struct ways *ways, struct sets *sets)
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
	p->media = media_if_any(&s->media);
	p->peers = s->peers;
	p->accounts = s->accounts;
	p->naccounts = s->naccounts;
	p->routes = s->routes;
	p->classes = s->classes;
	p->deny = s->deny;
	p->outbound = s->outbound;
	p->scanners = s->scanners;
	p->spared = s->spared;
	p->domains = policy_domains(s, ways);
	if (p->domains == NULL || sets_join(sets, s->peers) < 0) {
		policy_unref(p);
		return NULL;
	}
	return p;
}
