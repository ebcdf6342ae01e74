/*
 * print.c -- filled options as text that the file could hold.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "conf/inner.h"

static void
put_indent(FILE *f, int indent)
{
	while (indent-- > 0)
		putc('\t', f);
}

/* Control characters never got in: see value.c. */
static void
put_text(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

static void
put_int(FILE *f, int64_t v)
{
	/* libconfig 1.5 wants the L where 32 bits are too few. */
	fprintf(f, "%" PRId64 "%s", v, v > INT32_MAX || v < INT32_MIN ?
	    "L" : "");
}

static void
put_list(FILE *f, const struct conf_list *l)
{
	fputs("[ ", f);
	for (size_t i = 0; i < l->n; i++) {
		fputs(i == 0 ? "" : ", ", f);
		put_text(f, l->v[i]);
	}
	fputs(" ]", f);
}

static void
put_choices(FILE *f, const struct conf_opt *o, const struct conf_choices *c)
{
	fputs("[ ", f);
	for (size_t i = 0; i < c->n; i++) {
		fputs(i == 0 ? "" : ", ", f);
		put_text(f, o->choices[c->v[i]]);
	}
	fputs(" ]", f);
}

static void
put_value(FILE *f, const struct conf_opt *o, const void *in)
{
	int64_t v;
	char time[32], rate[CONF_RATE_TEXT];

	switch (o->type) {
	case CONF_T_STR:
	case CONF_T_PATH:
		put_text(f, *(const char *const *)in);
		return;
	case CONF_T_BOOL:
		fputs(*(const bool *)in ? "true" : "false", f);
		return;
	case CONF_T_INT:
	case CONF_T_TIME:
		v = *(const int64_t *)in;
		if ((o->flags & CONF_OFF) != 0 && v == -1)
			fputs("\"off\"", f);
		else if (o->type == CONF_T_INT)
			put_int(f, v);
		else
			put_text(f, conf_time_text(time, v));
		return;
	case CONF_T_CHOICE:
		put_text(f, o->choices[*(const int *)in]);
		return;
	case CONF_T_LIST:
		put_list(f, in);
		return;
	case CONF_T_CHOICES:
		put_choices(f, o, in);
		return;
	case CONF_T_RATE:
		put_text(f, conf_rate_text(rate, in));
		return;
	default:
		return;
	}
}

static bool
is_left_out(const struct conf_opt *group, const void *in)
{
	const struct conf_opt *o = group->opts;

	if ((group->flags & CONF_OPTIONAL) == 0)
		return false;
	while (o->type != CONF_T_LINE)
		o++;
	return *(const int *)((const char *)in + o->offset) == 0;
}

/* Nothing was given and there is no default: left out, as in the file.  A
 * number without a default is 0, and only then may be out of its range. */
static bool
is_none(const struct conf_opt *o, const void *in)
{
	switch (o->type) {
	case CONF_T_STR:
	case CONF_T_PATH:
		return *(const char *const *)in == NULL;
	case CONF_T_LIST:
		return ((const struct conf_list *)in)->n == 0;
	case CONF_T_CHOICES:
		return ((const struct conf_choices *)in)->n == 0;
	case CONF_T_GROUPS:
		return ((const struct conf_groups *)in)->n == 0;
	case CONF_T_GROUP:
		return is_left_out(o, in);
	case CONF_T_INT:
	case CONF_T_TIME:
		return o->dflt == NULL && *(const int64_t *)in == 0;
	default:
		return false;
	}
}

static void
print_groups(FILE *f, const struct conf_opt *o, const struct conf_groups *g,
    int indent)
{
	fprintf(f, "%s = (\n", o->name);
	for (size_t i = 0; i < g->n; i++) {
		put_indent(f, indent + 1);
		fputs("{\n", f);
		conf_print(f, o->opts, (const char *)g->v + i * o->size,
		    indent + 2);
		put_indent(f, indent + 1);
		fputs(i + 1 < g->n ? "},\n" : "}\n", f);
	}
	put_indent(f, indent);
	fputs(");\n", f);
}

static void
print_group(FILE *f, const struct conf_opt *o, const void *in, int indent)
{
	fprintf(f, "%s = {\n", o->name);
	conf_print(f, o->opts, in, indent + 1);
	put_indent(f, indent);
	fputs("};\n", f);
}

static void
print_row(FILE *f, const struct conf_opt *o, const void *in, int indent)
{
	put_indent(f, indent);
	if ((o->flags & CONF_SECRET) != 0) {
		fprintf(f, "# %s is set, and secret\n", o->name);
	} else if (o->type == CONF_T_GROUP) {
		print_group(f, o, in, indent);
	} else if (o->type == CONF_T_GROUPS) {
		print_groups(f, o, in, indent);
	} else {
		fprintf(f, "%s = ", o->name);
		put_value(f, o, in);
		fputs(";\n", f);
	}
}

void
conf_print(FILE *f, const struct conf_opt *opts, const void *in, int indent)
{
	const void *member;

	for (; !conf_is_end(opts); opts++) {
		member = (const char *)in + opts->offset;
		if (opts->name != NULL && opts->type != CONF_T_RAW &&
		    !is_none(opts, member))
			print_row(f, opts, member, indent);
	}
}
