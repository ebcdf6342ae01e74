/*
 * spared.c -- addresses that the operator wants never to be banned.
 *
 * Asked when somebody fails or is banned, never for a mere packet: so they are
 * looked through.
 */
#include "config.h"

#include "guard/spared.h"

#include <stdlib.h>

struct spared {
	size_t		n;
	struct net	net[];
};

struct spared *
spared_new(struct conf *c, const struct conf_list *nets)
{
	struct spared *s = calloc(1, sizeof *s + nets->n * sizeof s->net[0]);
	unsigned errors = conf_errors(c);

	if (s == NULL) {
		conf_error(c, 0, "limits.ban_never", "no memory");
		return NULL;
	}
	for (size_t i = 0; i < nets->n; i++)
		if (!net_parse(&s->net[s->n++], str_of(nets->v[i])))
			conf_error(c, nets->line[i], "limits.ban_never",
			    "\"%s\" is not an address, and not a network "
			    "without host bits", nets->v[i]);
	if (conf_errors(c) == errors)
		return s;
	spared_free(s);
	return NULL;
}

void
spared_free(struct spared *s)
{
	free(s);
}

bool
spared_meets(const struct spared *s, const struct net *banned)
{
	for (size_t i = 0; i < s->n; i++)
		if (net_meets(&s->net[i], banned))
			return true;
	return false;
}
