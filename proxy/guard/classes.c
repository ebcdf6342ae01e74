/*
 * classes.c -- the classes of service.
 */
#include "config.h"

#include "guard/classes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "guard/hours.h"

#define AT(member) offsetof(struct class_conf, member)

const struct conf_opt class_opts[] = {
	CONF_LINE(struct class_conf),
	{ "name", CONF_T_STR, AT(name), CONF_REQUIRED | CONF_RELOAD,
	    .min = 1, .max = CLASS_NAME_MAX,
	    .help = "By which the users file and peers call it. A user whose "
	    "line there has no class, or one that does not stand here, is "
	    "of the class \"default\", if there is one." },
	{ "calls", CONF_T_INT, AT(calls), CONF_RELOAD | CONF_OFF,
	    .dflt = "off", .min = 1, .max = 100000,
	    .help = "Calls of one user (or peer) under way at once, from the "
	    "INVITE to the answer to the BYE. Beyond it: 480." },
	{ "calls_started", CONF_T_RATE, AT(calls_started),
	    CONF_RELOAD | CONF_OFF, .dflt = "off",
	    .help = "Calls that one user (or peer) may begin, like \"10/m\" "
	    "or \"10/m burst 3\". Beyond it: 480." },
	{ "calls_forgotten", CONF_T_TIME, AT(calls_forgotten_ms),
	    CONF_RELOAD, .dflt = "2h", .min = 1000,
	    .max = INT64_C(7) * 24 * 3600 * 1000,
	    .help = "A call of which nothing more is heard is not counted any "
	    "more after this time; each re-INVITE and UPDATE that is "
	    "accepted begins it anew. Where both ends agreed on a session "
	    "timer (RFC 4028) that is shorter, a minute after that." },
	{ "allow", CONF_T_LIST, AT(allow), CONF_RELOAD, .min = 1,
	    .max = NUMBER_READ_MAX - 1,
	    .help = "What a number called may begin with. With it, all that "
	    "begins with nothing listed here is refused. The longest "
	    "prefix that fits counts, of allow and deny; where both have "
	    "it, deny." },
	{ "deny", CONF_T_LIST, AT(deny), CONF_RELOAD, .min = 1,
	    .max = NUMBER_READ_MAX - 1,
	    .help = "What it may not begin with." },
	{ "hours", CONF_T_LIST, AT(hours), CONF_RELOAD, .min = 1,
	    .help = "When calls may begin: \"Mon-Fri 07:00-20:00\", "
	    "\"Sat,Sun 09:00-13:00\", \"08:00-18:00\" (each day), \"Fri "
	    "22:00-06:00\" (to Saturday morning), by this machine's zone. "
	    "By default always." },
	CONF_END
};

struct rule {
	struct number	 prefix;
	bool		 allow;
};

struct class {
	const struct class_conf *conf;
	struct rule	*rule;
	size_t		 nrules;
	struct hours	*hours;
	size_t		 nhours;
};

struct classes {
	size_t		 n;
	struct class	 v[];
};

/* A class being made. */
struct making {
	struct conf	*c;
	struct class	*class;
};

/* Of a class in the users file. */
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "0123456789-_."
enum { NAME_MAX_LEN = 32 };

/* Elsewhere "49*" and "9XXX" are patterns. */
static bool
is_like_pattern(const char *prefix)
{
	const char *digits = prefix + (*prefix == '+');

	return isdigit((unsigned char)*digits) &&
	    digits[strspn(digits, "0123456789-.()")] != '\0';
}

static void
add_rule(const struct making *m, const struct conf_list *l, size_t i)
{
	bool allow = l == &m->class->conf->allow;
	const char *option = allow ? "classes.allow" : "classes.deny";
	struct rule *r = &m->class->rule[m->class->nrules++];

	r->allow = allow;
	number_read(&r->prefix, str_of(l->v[i]));
	if (!r->prefix.plain || strchr(l->v[i], ';') != NULL)
		conf_error(m->c, l->line[i], option, "\"%s\" is nothing "
		    "that a number could begin with", l->v[i]);
	else if (is_like_pattern(l->v[i]))
		conf_warn(m->c, l->line[i], option, "\"%s\" fits only what "
		    "is dialled so: it is no pattern, letters and * stand "
		    "for themselves", l->v[i]);
}

/* false: no memory. */
static bool
add_rules(const struct making *m)
{
	const struct class_conf *conf = m->class->conf;
	size_t n = conf->allow.n + conf->deny.n;

	if (n == 0)
		return true;
	m->class->rule = calloc(n, sizeof *m->class->rule);
	if (m->class->rule == NULL)
		return false;
	for (size_t i = 0; i < conf->allow.n; i++)
		add_rule(m, &conf->allow, i);
	for (size_t i = 0; i < conf->deny.n; i++)
		add_rule(m, &conf->deny, i);
	return true;
}

/* The same. */
static bool
add_hours(const struct making *m)
{
	const struct conf_list *l = &m->class->conf->hours;
	const char *why;

	if (l->n == 0)
		return true;
	m->class->hours = calloc(l->n, sizeof *m->class->hours);
	if (m->class->hours == NULL)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		why = hours_parse(&m->class->hours[m->class->nhours++],
		    l->v[i]);
		if (why != NULL)
			conf_error(m->c, l->line[i], "classes.hours",
			    "\"%s\" %s", l->v[i], why);
	}
	return true;
}

/* Given, and with nothing in it: nothing, or everything? */
static void
check_list(const struct making *m, const char *option,
    const struct conf_list *l)
{
	if (l->n == 0 && l->v != NULL)
		conf_error(m->c, m->class->conf->line, option, "is empty");
}

static void
check_name(const struct making *m, const struct classes *cs)
{
	const struct class_conf *conf = m->class->conf;

	if (conf->name[strspn(conf->name, NAME_CHARS)] != '\0' ||
	    strlen(conf->name) > NAME_MAX_LEN)
		conf_error(m->c, conf->line, "classes.name", "\"%s\" cannot "
		    "be the class of a user: letters, digits, '-', '_' and "
		    "'.', at most %d", conf->name, NAME_MAX_LEN);
	for (const struct class *c = cs->v; c < m->class; c++)
		if (strcmp(c->conf->name, conf->name) == 0)
			conf_error(m->c, conf->line, "classes.name",
			    "\"%s\" is the name of another class",
			    conf->name);
}

static bool
add_class(struct conf *c, struct classes *cs, const struct class_conf *conf)
{
	struct making m = { c, &cs->v[cs->n++] };

	m.class->conf = conf;
	check_name(&m, cs);
	check_list(&m, "classes.allow", &conf->allow);
	check_list(&m, "classes.deny", &conf->deny);
	check_list(&m, "classes.hours", &conf->hours);
	return add_rules(&m) && add_hours(&m);
}

static bool
add_classes(struct conf *c, struct classes *cs,
    const struct conf_groups *conf)
{
	const struct class_conf *given = conf->v;

	for (size_t i = 0; i < conf->n; i++)
		if (!add_class(c, cs, &given[i]))
			return false;
	return true;
}

struct classes *
classes_new(struct conf *c, const struct conf_groups *conf)
{
	unsigned errors = conf_errors(c);
	struct classes *cs = calloc(1, sizeof *cs +
	    conf->n * sizeof cs->v[0]);

	hours_zone();
	if (cs == NULL || !add_classes(c, cs, conf))
		conf_error(c, 0, "classes", "no memory");
	if (conf_errors(c) == errors)
		return cs;
	classes_free(cs);
	return NULL;
}

void
classes_free(struct classes *cs)
{
	if (cs == NULL)
		return;
	for (size_t i = 0; i < cs->n; i++) {
		free(cs->v[i].rule);
		free(cs->v[i].hours);
	}
	free(cs);
}

size_t
classes_count(const struct classes *cs)
{
	return cs->n;
}

const struct class *
classes_by_name(const struct classes *cs, const char *name)
{
	for (size_t i = 0; i < cs->n; i++)
		if (strcmp(cs->v[i].conf->name, name) == 0)
			return &cs->v[i];
	return NULL;
}

const struct class *
classes_of_user(const struct classes *cs, const char *name)
{
	const struct class *c = classes_by_name(cs, name);

	return c != NULL ? c : classes_by_name(cs, "default");
}

int64_t
classes_forgotten_ms(const struct classes *cs)
{
	int64_t longest = 0;

	for (size_t i = 0; i < cs->n; i++)
		if (cs->v[i].conf->calls_forgotten_ms > longest)
			longest = cs->v[i].conf->calls_forgotten_ms;
	return longest;
}

const struct class_conf *
class_conf(const struct class *c)
{
	return c->conf;
}

/* Of what is not plain nobody can tell that it is allowed. */
static bool
fits(const struct rule *r, const struct number *n)
{
	return (n->plain || !r->allow) && number_begins(n,
	    (struct str){ r->prefix.text, r->prefix.len });
}

bool
class_lets(const struct class *c, const struct number *n)
{
	bool lets = c->conf->allow.n == 0;
	size_t longest = 0;

	for (size_t i = 0; i < c->nrules; i++) {
		const struct rule *r = &c->rule[i];

		if (r->prefix.len < longest || !fits(r, n))
			continue;
		/* deny stands behind allow */
		lets = r->allow;
		longest = r->prefix.len;
	}
	return lets;
}

bool
class_is_open(const struct class *c, int64_t unix_s)
{
	struct hours_moment now;

	if (c->nhours == 0)
		return true;
	now = hours_local(unix_s);
	for (size_t i = 0; i < c->nhours; i++)
		if (hours_have(&c->hours[i], now))
			return true;
	return false;
}
