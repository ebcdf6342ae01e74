/*
 * settings_methods.c -- the lists of methods that senders may use.
 */
#include "config.h"

#include <string.h>

#include "base/count.h"
#include "base/grammar.h"
#include "daemon/settings_inner.h"

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

/* RFC 3261 section 7.1: "invite" is not INVITE. */
static void
warn_of_case(struct conf *c, const struct conf_list *l, const char *option)
{
	for (size_t i = 0; i < l->n; i++)
		if (strpbrk(l->v[i], "abcdefghijklmnopqrstuvwxyz") != NULL)
			conf_warn(c, l->line[i], option, "\"%s\" is not in "
			    "capitals, as the methods of SIP are, and case "
			    "counts", l->v[i]);
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
	warn_of_case(c, m->list, m->option);
	if (!has(m, "INVITE"))
		return;
	for (size_t i = 0; i < COUNT(needed); i++)
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
	const struct route_conf *route = r->routes.v;
	const struct methods others = { &r->s.auth.methods, "auth.methods",
	    r->s.auth.line };

	check(r->s.conf, &others);
	for (size_t i = 0; i < r->peers.n; i++)
		check(r->s.conf, &(struct methods){ &p[i].methods,
		    "peers.methods", p[i].line });
	for (size_t i = 0; i < r->routes.n; i++)
		warn_of_case(r->s.conf, &route[i].method, "routes.method");
}
