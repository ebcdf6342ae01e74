/*
 * domains.c -- the hosts that we are responsible for.
 */
#include "config.h"

#include "route/domains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

struct domains {
	char	**name;		/* normalised, see normalised() */
	size_t	  n;
};

static struct str
without_dot(struct str s)
{
	if (s.len > 0 && s.p[s.len - 1] == '.')
		s.len--;
	return s;
}

/* An address in its one spelling, or the name without its dot; the address
 * is written to buf. */
static struct str
normalised(struct str host, char buf[ADDR_TEXT_MAX])
{
	struct addr a;

	if (addr_parse_host(&a, host))
		return str_of(addr_host_text(&a, buf));
	return without_dot(host);
}

static char *
copy_lower(struct str s)
{
	char *p = malloc(s.len + 1);

	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < s.len; i++)
		p[i] = ascii_lower(s.p[i]);
	p[s.len] = '\0';
	return p;
}

static int
add_all(struct domains *d, const struct conf_list *given, const char *realm)
{
	int rc = 0;

	if (given == NULL || given->n == 0)
		return domains_add(d, realm);
	for (size_t i = 0; i < given->n && rc == 0; i++)
		rc = domains_add(d, given->v[i]);
	return rc;
}

struct domains *
domains_new(const struct conf_list *given, const char *realm)
{
	struct domains *d;

	d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	if (add_all(d, given, realm) < 0) {
		domains_free(d);
		return NULL;
	}
	return d;
}

void
domains_free(struct domains *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->name[i]);
	free(d->name);
	free(d);
}

int
domains_add(struct domains *d, const char *host)
{
	char buf[ADDR_TEXT_MAX];
	char **grown;

	if (domains_has(d, str_of(host)))
		return 0;
	grown = reallocarray(d->name, d->n + 1, sizeof *grown);
	if (grown == NULL)
		return -ENOMEM;
	d->name = grown;
	d->name[d->n] = copy_lower(normalised(str_of(host), buf));
	if (d->name[d->n] == NULL)
		return -ENOMEM;
	d->n++;
	return 0;
}

bool
domains_has(const struct domains *d, struct str host)
{
	char buf[ADDR_TEXT_MAX];
	struct str wanted = normalised(host, buf);

	for (size_t i = 0; i < d->n; i++)
		if (str_caseis(wanted, d->name[i]))
			return true;
	return false;
}

const char *const *
domains_list(const struct domains *d, size_t *n)
{
	*n = d->n;
	return (const char *const *)d->name;
}
