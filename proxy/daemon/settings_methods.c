/*
 * settings_methods.c -- the lists of methods that senders may use.
 */
#include "config.h"

#include <string.h>

#include "daemon/settings_inner.h"
#include "guard/grammar.h"

/* One of these lists. */
struct methods {
	const struct conf_list	*list;
	const char		*option;
	int			 line;	/* of its group */
};

static bool
has(const struct methods *m, const char *name)
{
	for (size_t i = 0; i < m->list->n; i++)
		if (strcmp(m->list->v[i], name) == 0)
			return true;
	return false;
}

/* A call that begins must be acknowledged, and may be given up (RFC 3261
 * 13.2.2.4, 9.1). */
static void
check(struct conf *c, const struct methods *m)
{
	static const char *const needed[] = { "ACK", "CANCEL" };

	for (size_t i = 0; i < m->list->n; i++)
		if (!grammar_all(str_of(m->list->v[i]), IN_TOKEN))
			conf_error(c, m->list->line[i], m->option,
			    "\"%s\" cannot be a method", m->list->v[i]);
	if (!has(m, "INVITE"))
		return;
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (!has(m, needed[i]))
			conf_error(c, m->line, m->option,
			    "INVITE needs %s as well", needed[i]);
	if (!has(m, "BYE"))
		conf_warn(c, m->line, m->option,
		    "without BYE calls can begin, but not end");
}

void
settings_check_methods(const struct settings_root *r)
{
	const struct peer_conf *p = r->peers.v;
	const struct methods others = { &r->s.auth.methods, "auth.methods",
	    r->s.auth.line };

	check(r->s.conf, &others);
	for (size_t i = 0; i < r->peers.n; i++)
		check(r->s.conf, &(struct methods){ &p[i].methods,
		    "peers.methods", p[i].line });
}
