/*
 * tls_holders.c -- what each listener and peer has of TLS.
 */
#include "config.h"

#include "daemon/tls_holders.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { DAY_S = 24 * 3600 };

struct holder *
holder_find(const struct holders *hs, enum whose whose, const char *name)
{
	for (struct holder *h = hs->first; h != NULL; h = h->next)
		if (h->whose == whose && strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

struct holder *
holder_need(struct holders *hs, enum whose whose, const char *name)
{
	struct holder *h = holder_find(hs, whose, name);

	if (h != NULL)
		return h;
	h = calloc(1, sizeof *h + strlen(name) + 1);
	if (h == NULL)
		return NULL;
	h->whose = whose;
	strcpy(h->name, name);
	h->next = hs->first;
	hs->first = h;
	return h;
}

static void
commit_trust(struct holder *h)
{
	h->has_trust = h->new_trust != NULL;
	if (h->trust == NULL) {
		h->trust = h->new_trust;
	} else if (h->new_trust != NULL) {
		tls_trust_replace(h->trust, h->new_trust);
		tls_trust_free(h->new_trust);
	}
	h->new_trust = NULL;
}

static void
commit_context(struct holder *h)
{
	h->has_context = h->new_context != NULL;
	if (h->context == NULL) {
		h->context = h->new_context;
	} else if (h->new_context != NULL) {
		tls_context_replace(h->context, h->new_context);
		tls_context_free(h->new_context);
	}
	h->new_context = NULL;
}

void
holders_commit(struct holders *hs)
{
	for (struct holder *h = hs->first; h != NULL; h = h->next) {
		commit_trust(h);
		commit_context(h);
	}
}

void
holders_discard(struct holders *hs)
{
	for (struct holder *h = hs->first; h != NULL; h = h->next) {
		tls_context_free(h->new_context);
		tls_trust_free(h->new_trust);
		h->new_context = NULL;
		h->new_trust = NULL;
	}
}

void
holders_fini(struct holders *hs)
{
	struct holder *h, *next;

	holders_discard(hs);
	for (h = hs->first; h != NULL; h = next) {
		next = h->next;
		tls_context_free(h->context);
		tls_trust_free(h->trust);
		free(h);
	}
	hs->first = NULL;
}

int64_t
holder_expires_s(const struct holder *h)
{
	return h->has_context ? tls_context_expires_s(h->context) : INT64_MAX;
}

int64_t
holder_days_left(const struct holder *h)
{
	int64_t s = holder_expires_s(h);

	if (s == INT64_MAX)
		return INT64_MAX;
	s -= clock_unix_ms() / 1000;
	return (s < 0 ? s - (DAY_S - 1) : s) / DAY_S;
}
