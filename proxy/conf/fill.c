/*
 * fill.c -- a group of the file, walked by a table of options.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "conf/inner.h"

enum { NAME_MAX_BYTES = 64 };	/* libconfig's names may be any length */

static int fill(struct conf *c, const config_setting_t *g,
    const struct conf_opt *opts, void *out);

bool
conf_is_end(const struct conf_opt *o)
{
	return o->type == CONF_T_LINE && o->size == SIZE_MAX;
}

static const struct conf_opt *
find_row(const struct conf_opt *opts, const char *name)
{
	for (; !conf_is_end(opts); opts++)
		if (opts->name != NULL && strcmp(opts->name, name) == 0)
			return opts;
	return NULL;
}

/* "auth.nc_max", "peers.name": the names from the root to a setting, and one
 * below it. */
static void
spot_name(char *out, const config_setting_t *s, const char *below)
{
	const char *name[16] = { below };
	size_t n = 1, len = 0;

	for (; s != NULL && n < 16; s = config_setting_parent(s))
		if (config_setting_name(s) != NULL)
			name[n++] = config_setting_name(s);
	out[0] = '\0';
	while (n-- > 0 && len < CONF_PATH_TEXT)
		len += (size_t)snprintf(out + len, CONF_PATH_TEXT - len,
		    "%s%s", name[n], n > 0 ? "." : "");
}

/* The spot of an option in a group; s is NULL where the group lacks it. */
static void
spot_set(struct conf_spot *at, struct conf *c, const config_setting_t *group,
    const config_setting_t *s)
{
	at->c = c;
	at->line = s != NULL ? conf_place(c, s) :
	    group != NULL ? conf_place(c, group) : 0;
	if (s != NULL)
		spot_name(at->name, group, config_setting_name(s));
}

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, whatever the case; both are shorter than
 * NAME_MAX_BYTES. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES], n = strlen(b), diagonal, above;

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = smallest(above + 1, row[j - 1] + 1,
			    diagonal + (ascii_lower(a[i - 1]) !=
			    ascii_lower(b[j - 1])));
			diagonal = above;
		}
	}
	return row[n];
}

/* The option that was probably meant, or NULL. */
static const char *
nearest(const struct conf_opt *opts, const char *name)
{
	const char *best = NULL;
	size_t least = 3, d;

	if (strlen(name) >= NAME_MAX_BYTES)
		return NULL;
	for (; !conf_is_end(opts); opts++) {
		if (opts->name == NULL)
			continue;
		assert(strlen(opts->name) < NAME_MAX_BYTES);
		d = distance(name, opts->name);
		/* Of a short name nothing would be left. */
		if (d < least && d < strlen(name)) {
			least = d;
			best = opts->name;
		}
	}
	return best;
}

/* The group that has such an option, or NULL. */
static const char *
home_of(const struct conf_opt *opts, const char *name)
{
	for (; opts != NULL && !conf_is_end(opts); opts++)
		if (opts->name != NULL && opts->opts != NULL &&
		    find_row(opts->opts, name) != NULL)
			return opts->name;
	return NULL;
}

static int
complain_of_unknown(const struct conf_spot *at, const struct conf_opt *opts,
    const char *name)
{
	const char *meant = nearest(opts, name);

	if (meant != NULL)
		return conf_bad(at, "unknown option; did you mean %s?", meant);
	meant = home_of(at->c->opts, name);
	if (meant != NULL)
		return conf_bad(at, "unknown option here; %s has one of that "
		    "name", meant);
	return conf_bad(at, "unknown option");
}

static int
refuse_unknown(struct conf *c, const config_setting_t *g,
    const struct conf_opt *opts, const char *allowed)
{
	const config_setting_t *s;
	const char *name;
	struct conf_spot at;
	int rc = 0, n = g == NULL ? 0 : config_setting_length(g);

	for (int i = 0; i < n; i++) {
		s = config_setting_get_elem(g, (unsigned)i);
		name = config_setting_name(s);
		if (find_row(opts, name) != NULL ||
		    (allowed != NULL && strcmp(name, allowed) == 0))
			continue;
		spot_set(&at, c, g, s);
		rc = complain_of_unknown(&at, opts, name);
	}
	return rc;
}

static int
fill_group(const struct conf_spot *at, const struct conf_opt *o,
    const config_setting_t *s, void *out)
{
	const struct conf_opt *first = o->opts;

	if (config_setting_is_group(s))
		return fill(at->c, s, o->opts, out);
	if ((o->flags & CONF_SHORTHAND) == 0 ||
	    config_setting_type(s) != CONFIG_TYPE_STRING)
		return conf_bad(at, "must be a group: { ... }");
	while (first->name == NULL)
		first++;
	if (fill(at->c, NULL, o->opts, out) != 0)
		return -EINVAL;
	return conf_take(at, first, s, (char *)out + first->offset);
}

static int
fill_groups(const struct conf_spot *at, const struct conf_opt *o,
    const config_setting_t *s, struct conf_groups *out)
{
	int n = config_setting_length(s), rc = 0;
	const config_setting_t *e;
	struct conf_spot here = *at;

	if (!config_setting_is_list(s))
		return conf_bad(at, "must be a list of groups: "
		    "( { ... }, { ... } )");
	out->v = conf_alloc(at->c, (size_t)n * o->size);
	if (out->v == NULL)
		return -EINVAL;
	for (int i = 0; i < n; i++) {
		e = config_setting_get_elem(s, (unsigned)i);
		here.line = conf_place(at->c, e);
		if (!config_setting_is_group(e))
			rc |= conf_bad(&here, "must be a group: { ... }");
		else
			rc |= fill(at->c, e, o->opts,
			    (char *)out->v + (size_t)i * o->size);
	}
	out->n = (size_t)n;
	return rc == 0 ? 0 : -EINVAL;
}

static int
fill_given(const struct conf_spot *at, const struct conf_opt *o,
    const config_setting_t *s, void *out)
{
	switch (o->type) {
	case CONF_T_GROUP:
		return fill_group(at, o, s, out);
	case CONF_T_GROUPS:
		return fill_groups(at, o, s, out);
	case CONF_T_RAW:
		if (!config_setting_is_group(s))
			return conf_bad(at, "must be a group: { ... }");
		*(const struct conf_group **)out = conf_group(s);
		return 0;
	default:
		return conf_take(at, o, s, out);
	}
}

static int
fill_default(const struct conf_spot *at, const struct conf_opt *o, void *out)
{
	switch (o->type) {
	case CONF_T_GROUP:
		return fill(at->c, NULL, o->opts, out);
	case CONF_T_GROUPS:
		*(struct conf_groups *)out = (struct conf_groups){ 0 };
		return 0;
	case CONF_T_RAW:
		*(const struct conf_group **)out = NULL;
		return 0;
	default:
		return conf_take_default(at, o, out);
	}
}

static int
fill_row(struct conf *c, const config_setting_t *g, const struct conf_opt *o,
    void *out)
{
	const config_setting_t *s = g == NULL ? NULL :
	    config_setting_get_member(g, o->name);
	struct conf_spot at;
	int rc = 0;

	spot_set(&at, c, g, s);
	if (s == NULL)
		spot_name(at.name, g, o->name);
	/* Set also where it is wrong, so that nobody reads what is not set. */
	rc = fill_default(&at, o, out);
	if (s != NULL)
		return fill_given(&at, o, s, out) | rc;
	if (g != NULL && (o->flags & CONF_REQUIRED) != 0)
		return conf_bad(&at, "missing");
	return rc;
}

static int
fill_rows(struct conf *c, const config_setting_t *g,
    const struct conf_opt *opts, void *out)
{
	int rc = 0;

	for (; !conf_is_end(opts); opts++) {
		void *member = (char *)out + opts->offset;

		if (opts->name == NULL)
			*(int *)member = g == NULL ? 0 : conf_place(c, g);
		else if (fill_row(c, g, opts, member) != 0)
			rc = -EINVAL;
	}
	return rc;
}

static int
fill(struct conf *c, const config_setting_t *g, const struct conf_opt *opts,
    void *out)
{
	int rc = refuse_unknown(c, g, opts, NULL);

	return fill_rows(c, g, opts, out) != 0 ? -EINVAL : rc;
}

int
conf_fill(struct conf *c, const struct conf_group *g,
    const struct conf_opt *opts, void *out)
{
	if (g == conf_root(c))
		c->opts = opts;
	return fill(c, conf_setting(g), opts, out);
}

int
conf_fill_typed(struct conf *c, const struct conf_group *g,
    const struct conf_opt *opts, void *out)
{
	int rc = refuse_unknown(c, conf_setting(g), opts, "type");

	return fill_rows(c, conf_setting(g), opts, out) != 0 ? -EINVAL : rc;
}

const char *
conf_peek(struct conf *c, const struct conf_group *g, const char *name,
    int *line)
{
	const config_setting_t *s = config_setting_get_member(conf_setting(g),
	    name);

	if (s == NULL || config_setting_type(s) != CONFIG_TYPE_STRING)
		return NULL;
	*line = conf_place(c, s);
	return config_setting_get_string(s);
}

int
conf_group_line(struct conf *c, const struct conf_group *g)
{
	return conf_place(c, conf_setting(g));
}
