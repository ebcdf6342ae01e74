/*
 * manual.c -- tables of options as paragraphs of mdoc(7).
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "conf/inner.h"

enum { LINE_WIDTH = 78 };

static const char *
type_word(const struct conf_opt *o)
{
	switch (o->type) {
	case CONF_T_PATH:
		return "path";
	case CONF_T_BOOL:
		return "true or false";
	case CONF_T_INT:
		return "number";
	case CONF_T_TIME:
		return "time";
	case CONF_T_RATE:
		return "rate";
	case CONF_T_CHOICE:
		return "one of";
	case CONF_T_LIST:
		return (o->flags & CONF_PATHS) != 0 ? "list of paths" :
		    "list of texts";
	case CONF_T_CHOICES:
		return "list of";
	case CONF_T_GROUP:
	case CONF_T_RAW:
		return "group";
	case CONF_T_GROUPS:
		return "list of groups";
	default:
		return "text";
	}
}

/* One word of free text in mdoc: a line must not look like a macro. */
static size_t
put_word(FILE *f, const char *s, size_t column)
{
	size_t n = strcspn(s, " ");

	if (column > 0 && column + 1 + n > LINE_WIDTH) {
		putc('\n', f);
		column = 0;
	} else if (column > 0) {
		putc(' ', f);
		column++;
	}
	if (column == 0 && (*s == '.' || *s == '\''))
		fputs("\\&", f);
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\\')
			fputs("\\e", f);
		else
			putc(s[i], f);
	return column + n;
}

/* Each sentence starts a line, as mdoc(7) wants it. */
static void
put_mdoc(FILE *f, const char *s)
{
	size_t column = 0, n;

	for (s += strspn(s, " "); *s != '\0'; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		column = put_word(f, s, column);
		if (s[n - 1] == '.' && s[n] == ' ') {
			putc('\n', f);
			column = 0;
		}
	}
}

static void
put_range(FILE *f, const struct conf_opt *o)
{
	char min[32], max[32];

	if (o->type == CONF_T_INT)
		fprintf(f, ", %" PRId64 " to %" PRId64, o->min, o->max);
	else if (o->type == CONF_T_TIME)
		fprintf(f, ", %s to %s", conf_time_text(min, o->min),
		    conf_time_text(max, o->max));
	if (o->unit != NULL)
		fprintf(f, " %s", o->unit);
	if ((o->flags & CONF_OFF) != 0)
		fputs(" or off", f);
}

static void
put_kind(FILE *f, const struct conf_opt *o)
{
	fprintf(f, "(%s", type_word(o));
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		fprintf(f, "%s %s", i == 0 ? "" : ",", o->choices[i]);
	put_range(f, o);
	if ((o->flags & CONF_REQUIRED) != 0)
		fputs("; required", f);
	if (o->dflt != NULL)
		fprintf(f, "; default: %s", o->dflt);
	fputs(")\n.br\n", f);
}

static void
manual_row(FILE *f, const struct conf_opt *o, const char *prefix)
{
	char below[CONF_PATH_TEXT];

	fprintf(f, ".It Ic %s%s\n", prefix, o->name);
	put_kind(f, o);
	put_mdoc(f, o->help == NULL ? "" : o->help);
	putc('\n', f);
	if (o->opts == NULL)
		return;
	snprintf(below, sizeof below, "%s%s.", prefix, o->name);
	conf_print_manual(f, o->opts, below);
}

void
conf_print_manual(FILE *f, const struct conf_opt *opts, const char *prefix)
{
	for (; !conf_is_end(opts); opts++)
		if (opts->name != NULL)
			manual_row(f, opts, prefix);
}
