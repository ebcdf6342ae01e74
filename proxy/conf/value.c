/*
 * value.c -- one value of the file, checked by its row and stored.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "conf/inner.h"

enum { TEXT_MAX = 255 };	/* length of text where its row says nothing */

/* Texts of a list, before they are checked; in the memory of the conf. */
struct texts {
	size_t		 n;
	const char	**v;
	int		*line;
};

static const struct {
	const char	*name;
	int64_t		 ms;
} time_unit[] = {		/* largest first */
	{ "d", 24 * 3600 * 1000 },
	{ "h", 3600 * 1000 },
	{ "m", 60 * 1000 },
	{ "s", 1000 },
	{ "ms", 1 }
};

/* What is said when the file has another type there. */
static const char *
wanted(enum conf_type t)
{
	switch (t) {
	case CONF_T_BOOL:
		return "must be true or false";
	case CONF_T_INT:
		return "must be a whole number, without quotes";
	case CONF_T_TIME:
		return "must be a time with its unit (ms, s, m, h, d), "
		    "like \"2s\"";
	case CONF_T_LIST:
	case CONF_T_CHOICES:
		return "must be a list of texts: [ \"...\", \"...\" ]";
	case CONF_T_RATE:
		return "must be a rate from 1 to 1000000, like \"50/s\", "
		    "\"600/m\" or \"50/s burst 200\"";
	default:
		return "must be a text: \"...\"";
	}
}

const char *
conf_time_text(char out[32], int64_t ms)
{
	size_t i = 0;

	if (ms == 0)
		i = COUNT(time_unit) - 1;
	while (ms % time_unit[i].ms != 0)
		i++;
	snprintf(out, 32, "%" PRId64 "%s", ms / time_unit[i].ms,
	    time_unit[i].name);
	return out;
}

static bool
time_parse(const char *text, int64_t *ms)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t n;

	if (!parse_uint((struct str){ text, digits }, INT64_MAX, &n))
		return false;
	for (size_t i = 0; i < COUNT(time_unit); i++) {
		if (strcmp(text + digits, time_unit[i].name) != 0)
			continue;
		if ((int64_t)n > INT64_MAX / time_unit[i].ms)
			return false;
		*ms = (int64_t)n * time_unit[i].ms;
		return true;
	}
	return false;
}

static bool
is_off(const struct conf_opt *o, const char *text)
{
	return (o->flags & CONF_OFF) != 0 && strcmp(text, "off") == 0;
}

static const char *
or_off(const struct conf_opt *o)
{
	return (o->flags & CONF_OFF) != 0 ? ", or \"off\"" : "";
}

static int
take_time(const struct conf_spot *at, const struct conf_opt *o,
    const char *text, int64_t *out)
{
	char min[32], max[32];
	int64_t ms;

	if (!time_parse(text, &ms))
		return conf_bad(at, "%s%s", wanted(CONF_T_TIME),
		    or_off(o));
	if (ms < o->min || ms > o->max)
		return conf_bad(at, "out of range: %s to %s%s",
		    conf_time_text(min, o->min), conf_time_text(max, o->max),
		    or_off(o));
	*out = ms;
	return 0;
}

static int
check_str(const struct conf_spot *at, const struct conf_opt *o,
    const char *text)
{
	int64_t n = (int64_t)strlen(text);
	int64_t max = o->max > 0 ? o->max : TEXT_MAX;

	if (n < o->min && n == 0)
		return conf_bad(at, "may not be empty");
	if (n < o->min || n > max)
		return conf_bad(at, "out of range: %" PRId64 " to %" PRId64
		    " bytes", o->min, max);
	if (str_has_control(str_of(text)))
		return conf_bad(at, "has a control character");
	return 0;
}

static int
take_str(const struct conf_spot *at, const struct conf_opt *o,
    const char *text, const char **out)
{
	if (check_str(at, o, text) != 0)
		return -EINVAL;
	*out = conf_strdup(at->c, text);
	return *out == NULL ? -EINVAL : 0;
}

static int
take_path(const struct conf_spot *at, const char *text, const char **out)
{
	size_t size = strlen(at->c->folder) + strlen(text) + 2;
	char *whole;

	if (*text == '\0')
		return conf_bad(at, "may not be empty");
	if (str_has_control(str_of(text)))
		return conf_bad(at, "has a control character");
	whole = conf_alloc(at->c, size);
	if (whole == NULL)
		return -EINVAL;
	if (*text == '/')
		strcpy(whole, text);
	else
		snprintf(whole, size, "%s/%s", at->c->folder, text);
	*out = whole;
	return 0;
}

/* `must be one of "a", "b"` */
static int
bad_choice(const struct conf_spot *at, const struct conf_opt *o,
    const char *text)
{
	char names[512] = "";
	size_t n = 0;

	for (size_t i = 0; o->choices[i] != NULL && n < sizeof names; i++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s\"%s\"",
		    i == 0 ? "" : ", ", o->choices[i]);
	return conf_bad(at, "\"%.40s\" is not one of %s", text, names);
}

static int
find_choice(const struct conf_opt *o, const char *text)
{
	for (int i = 0; o->choices[i] != NULL; i++)
		if (strcmp(o->choices[i], text) == 0)
			return i;
	return -1;
}

static int
take_choice(const struct conf_spot *at, const struct conf_opt *o,
    const char *text, int *out)
{
	int i = find_choice(o, text);

	if (i < 0)
		return bad_choice(at, o, text);
	*out = i;
	return 0;
}

static int
add_choice(const struct conf_spot *at, const struct conf_opt *o,
    const char *text, struct conf_choices *out)
{
	int i = -1;

	if (take_choice(at, o, text, &i) != 0)
		return -EINVAL;
	for (size_t k = 0; k < out->n; k++)
		if (out->v[k] == i)
			return conf_bad(at, "\"%s\" is named twice", text);
	if (out->n == COUNT(out->v))
		return conf_bad(at, "names more than %zu",
		    COUNT(out->v));
	out->v[out->n++] = i;
	return 0;
}

/* false: no memory, and it was said. */
static bool
texts_room(struct conf *c, struct texts *t, size_t room)
{
	t->n = 0;
	t->v = conf_alloc(c, room * sizeof *t->v);
	t->line = conf_alloc(c, room * sizeof *t->line);
	return t->v != NULL && t->line != NULL;
}

static bool
texts_add(struct conf *c, struct texts *t, struct str text)
{
	char *copy = conf_alloc(c, text.len + 1);

	if (copy == NULL)
		return false;
	memcpy(copy, text.p, text.len);
	t->v[t->n++] = copy;
	return true;
}

/* The default of a list: "SHA-256, MD5". */
static int
texts_of_default(struct conf *c, const char *dflt, struct texts *t)
{
	size_t n;

	if (!texts_room(c, t, strlen(dflt) + 1))
		return -EINVAL;
	for (const char *p = dflt; *p != '\0'; p += strspn(p + n, ", ") + n) {
		n = strcspn(p, ",");
		if (!texts_add(c, t, (struct str){ p, n }))
			return -EINVAL;
	}
	return 0;
}

static int
texts_of_setting(const struct conf_spot *at, const config_setting_t *s,
    struct texts *t)
{
	bool alone = config_setting_type(s) == CONFIG_TYPE_STRING;
	int n = alone ? 1 : config_setting_length(s);
	const config_setting_t *e = s;
	struct conf_spot here = *at;

	if (!texts_room(at->c, t, (size_t)n))
		return -EINVAL;
	for (int i = 0; i < n; i++) {
		if (!alone)
			e = config_setting_get_elem(s, (unsigned)i);
		here.line = conf_place(at->c, e);
		if (config_setting_type(e) != CONFIG_TYPE_STRING)
			return conf_bad(&here, "%s",
			    wanted(CONF_T_LIST));
		t->line[t->n] = here.line;
		if (!texts_add(at->c, t,
		    str_of(config_setting_get_string(e))))
			return -EINVAL;
	}
	return 0;
}

static int
take_list(const struct conf_spot *at, const struct conf_opt *o,
    const struct texts *t, struct conf_list *out)
{
	struct conf_spot here = *at;
	int rc = 0;

	for (size_t i = 0; i < t->n; i++) {
		here.line = t->line[i];
		rc |= (o->flags & CONF_PATHS) != 0 ?
		    take_path(&here, t->v[i], &t->v[i]) :
		    check_str(&here, o, t->v[i]);
	}
	*out = (struct conf_list){ .n = t->n, .v = t->v, .line = t->line };
	return rc;
}

static int
take_choices(const struct conf_spot *at, const struct conf_opt *o,
    const struct texts *t, struct conf_choices *out)
{
	int rc = 0;

	out->n = 0;
	out->line = at->line;
	if (t->n == 0)
		return conf_bad(at, "names none");
	for (size_t i = 0; i < t->n; i++)
		rc |= add_choice(at, o, t->v[i], out);
	return rc;
}

static int
take_texts(const struct conf_spot *at, const struct conf_opt *o,
    const struct texts *t, void *out)
{
	return o->type == CONF_T_LIST ? take_list(at, o, t, out) :
	    take_choices(at, o, t, out);
}

static int
take_rate(const struct conf_spot *at, const struct conf_opt *o,
    const char *text, struct conf_rate *out)
{
	*out = (struct conf_rate){ .count = 0 };
	if (is_off(o, text) || conf_rate_parse(out, text))
		return 0;
	return conf_bad(at, "%s%s", wanted(CONF_T_RATE), or_off(o));
}

static int
take_text(const struct conf_spot *at, const struct conf_opt *o,
    const char *text, void *out)
{
	if (o->type == CONF_T_RATE)
		return take_rate(at, o, text, out);
	if (is_off(o, text) && o->type != CONF_T_PATH) {
		*(int64_t *)out = -1;
		return 0;
	}
	switch (o->type) {
	case CONF_T_STR:
		return take_str(at, o, text, out);
	case CONF_T_PATH:
		return is_off(o, text) ? take_str(at, o, text, out) :
		    take_path(at, text, out);
	case CONF_T_TIME:
		return take_time(at, o, text, out);
	case CONF_T_CHOICE:
		return take_choice(at, o, text, out);
	default:
		return conf_bad(at, "%s%s", wanted(o->type), or_off(o));
	}
}

static int
take_int(const struct conf_spot *at, const struct conf_opt *o, int64_t v,
    int64_t *out)
{
	if (v < o->min || v > o->max)
		return conf_bad(at, "out of range: %" PRId64 " to %" PRId64
		    "%s", o->min, o->max, or_off(o));
	*out = v;
	return 0;
}

int
conf_take(const struct conf_spot *at, const struct conf_opt *o,
    const config_setting_t *s, void *out)
{
	int type = config_setting_type(s);
	struct texts t;

	if (o->type == CONF_T_LIST || o->type == CONF_T_CHOICES) {
		if (type != CONFIG_TYPE_STRING && type != CONFIG_TYPE_ARRAY &&
		    type != CONFIG_TYPE_LIST)
			return conf_bad(at, "%s", wanted(o->type));
		return texts_of_setting(at, s, &t) != 0 ? -EINVAL :
		    take_texts(at, o, &t, out);
	}
	if (type == CONFIG_TYPE_STRING)
		return take_text(at, o, config_setting_get_string(s), out);
	if (o->type == CONF_T_BOOL && type == CONFIG_TYPE_BOOL) {
		*(bool *)out = config_setting_get_bool(s) != 0;
		return 0;
	}
	/* where it is a word of its own: true beside "auto" */
	if (o->type == CONF_T_CHOICE && type == CONFIG_TYPE_BOOL &&
	    find_choice(o, "true") >= 0)
		return take_choice(at, o, config_setting_get_bool(s) != 0 ?
		    "true" : "false", out);
	if (o->type == CONF_T_INT &&
	    (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
		return take_int(at, o, config_setting_get_int64(s), out);
	return conf_bad(at, "%s%s", wanted(o->type), or_off(o));
}

/* Without a default a value is none: NULL, 0, false, empty. */
static void
take_none(const struct conf_opt *o, void *out)
{
	switch (o->type) {
	case CONF_T_STR:
	case CONF_T_PATH:
		*(const char **)out = NULL;
		return;
	case CONF_T_BOOL:
		*(bool *)out = false;
		return;
	case CONF_T_CHOICE:
		*(int *)out = 0;
		return;
	case CONF_T_LIST:
		*(struct conf_list *)out = (struct conf_list){ 0 };
		return;
	case CONF_T_CHOICES:
		*(struct conf_choices *)out = (struct conf_choices){ 0 };
		return;
	case CONF_T_RATE:
		*(struct conf_rate *)out = (struct conf_rate){ 0 };
		return;
	default:
		*(int64_t *)out = 0;
	}
}

int
conf_take_default(const struct conf_spot *at, const struct conf_opt *o,
    void *out)
{
	struct texts t;
	int64_t v;

	take_none(o, out);
	if (o->dflt == NULL)
		return 0;
	switch (o->type) {
	case CONF_T_LIST:
	case CONF_T_CHOICES:
		return texts_of_default(at->c, o->dflt, &t) != 0 ? -EINVAL :
		    take_texts(at, o, &t, out);
	case CONF_T_BOOL:
		*(bool *)out = strcmp(o->dflt, "true") == 0;
		return 0;
	case CONF_T_INT:
		if (is_off(o, o->dflt))
			return take_text(at, o, o->dflt, out);
		v = strtoll(o->dflt, NULL, 10);
		return take_int(at, o, v, out);
	default:
		return take_text(at, o, o->dflt, out);
	}
}
