/*
 * conf.h -- the configuration file as tables of options, on libconfig.
 *
 * A noun that can be configured has a struct and a table; one row of the
 * table gives parsing, type and range check, unit, default, reload rule,
 * the effective configuration (-T) and the manual's paragraph.  Whatever the
 * file says that no row knows is an error.
 *
 * All complaints have the form FILE:LINE: option: what is wrong.  They are
 * gathered, so that one run reports all of them.
 *
 * Every struct filled here may hold a member `int line` (row CONF_LINE): the
 * line its group starts in, for checks made later across groups.  Such a
 * number also says which included file it is a line of: give it to
 * conf_error() as it is, and show it as conf_line_number().
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"

struct conf;			/* one file, read; owns all that was filled */
struct conf_group;		/* a group in it: { ... } or the whole file */

enum conf_type {
	CONF_T_STR,		/* const char *            (NULL: not given) */
	CONF_T_PATH,		/* const char *, made absolute from the folder
				 * of the file */
	CONF_T_BOOL,		/* bool */
	CONF_T_INT,		/* int64_t, min..max */
	CONF_T_TIME,		/* int64_t ms; text "50ms" "2s" "5m" "12h"
				 * "1d"; min..max in ms */
	CONF_T_CHOICE,		/* int: index into choices */
	CONF_T_LIST,		/* struct conf_list of text; a lone text is a
				 * list of one */
	CONF_T_CHOICES,		/* struct conf_choices: ordered, no repeats */
	CONF_T_GROUP,		/* a struct inside, by its own table */
	CONF_T_GROUPS,		/* struct conf_groups: ( { }, { } ) */
	CONF_T_RAW,		/* const struct conf_group *, or NULL: to be
				 * filled later by a table that depends on
				 * what stands in it (`type`) */
	CONF_T_RATE,		/* struct conf_rate; text "50/s", or
				 * "50/s burst 200", or per m */
	CONF_T_LINE		/* int: the group's own line; no name */
};

struct conf_list   { size_t n; const char *const *v; const int *line; };
struct conf_choices { size_t n; int v[8]; int line; };
struct conf_groups { size_t n; void *v; };	/* n structs, side by side */
/* So many in a time, and at most burst at once.  count 0: off. */
struct conf_rate   { int64_t count, per_ms, burst; };

enum {				/* flags of a row */
	CONF_REQUIRED	= 1,
	CONF_RELOAD	= 2,	/* a reload may change it */
	CONF_OFF	= 4,	/* may be "off": INT and TIME give -1,
				 * RATE a count of 0, PATH the
				 * text */
	CONF_SECRET	= 8,	/* -T does not print it */
	CONF_SHORTHAND	= 16,	/* GROUP only: a lone text stands for
				 * { <first row of its table> = text; } */
	CONF_PATHS	= 32,	/* LIST only: of paths, each made absolute as
				 * CONF_T_PATH is */
	CONF_OPTIONAL	= 64	/* GROUP only, whose struct has a line: -T
				 * leaves it out where the file does */
};

struct conf_opt {
	const char		*name;
	enum conf_type		 type;
	size_t			 offset;
	unsigned		 flags;
	const char		*dflt;		/* as text in the file, lists
						 * as "a, b"; NULL: none */
	int64_t			 min, max;	/* INT, TIME, and length of
						 * STR and of the texts
						 * of LIST (max 0: 255) */
	const char		*unit;		/* for the manual */
	const char *const	*choices;	/* NULL-terminated */
	const struct conf_opt	*opts;		/* GROUP, GROUPS */
	size_t			 size;		/* GROUPS: size of a struct */
	const char		*help;		/* the manual's paragraph */
};

#define CONF_END { .name = NULL, .type = CONF_T_LINE, .size = SIZE_MAX }
#define CONF_LINE(S) { .name = NULL, .type = CONF_T_LINE, \
    .offset = offsetof(S, line) }
/* Rows are written with designated initialisers:
 *   { "nc_max", CONF_T_INT, offsetof(struct auth_conf, nc_max),
 *     .dflt = "1024", .min = 1, .max = 65535, .help = "..." },
 */

/* What is wrong, valid until the call that tells of it returns. */
struct conf_complaint {
	bool		 is_error;	/* else a warning */
	const char	*file;
	int		 line;		/* 0: of no line */
	const char	*option;	/* NULL: of none */
	const char	*what;
};
typedef void conf_say_f(void *arg, const struct conf_complaint *what);

/* "FILE:LINE: option: warning: what", without control characters. */
enum { CONF_COMPLAINT_MAX = 2048 };
const char *conf_complaint_text(char out[CONF_COMPLAINT_MAX],
    const struct conf_complaint *what);

/*
 * Read and parse a file; complaints, also later ones, go to say, or as text
 * to stderr if it is NULL.  Returns NULL after complaining (missing file,
 * syntax error with its line).  Ended by conf_free(), which also ends
 * everything that was filled from it; secrets are wiped.
 */
struct conf *conf_read(const char *path, conf_say_f *say, void *arg);
/* The same for text in memory; name stands for the file in complaints and
 * paths are relative to the working folder.  For tests. */
struct conf *conf_read_text(const char *name, const char *text);
void conf_free(struct conf *c);

const struct conf_group *conf_root(const struct conf *c);

/*
 * Fill *out from a group by a table; every member that has a row is set.
 * Unknown options, wrong types, values out of range, missing required ones
 * are complaints.  A NULL group gives the defaults and misses nothing.
 * Returns 0, or -EINVAL if it complained.
 */
int conf_fill(struct conf *c, const struct conf_group *g,
    const struct conf_opt *opts, void *out);
/* The same for a table that was chosen by the group's own `type`, which is
 * allowed to stand there and is not in the table. */
int conf_fill_typed(struct conf *c, const struct conf_group *g,
    const struct conf_opt *opts, void *out);

/* The text of one option of a group, before a table is chosen (`type`), or
 * NULL; its line goes to *line. */
const char *conf_peek(struct conf *c, const struct conf_group *g,
    const char *name, int *line);
int conf_group_line(struct conf *c, const struct conf_group *g);
int conf_line_number(int line);

/* Is it in the list, or is there nothing in it?  Then all are meant. */
bool conf_list_takes(const struct conf_list *l, struct str what);

/* Complain: FILE:LINE: option: sentence.  Line 0 leaves the line out. */
void conf_error(struct conf *c, int line, const char *option,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same, but the file stays good. */
void conf_warn(struct conf *c, int line, const char *option,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
unsigned conf_errors(const struct conf *c);
/* Where complaints go from now on; NULL: as text to stderr. */
void conf_on_complaint(struct conf *c, conf_say_f *say, void *arg);
/* The file of a line, absolute if it was included. */
const char *conf_line_file(const struct conf *c, int line,
    char out[CONF_COMPLAINT_MAX]);

/* Text that lives as long as c. */
char *conf_strdup(struct conf *c, const char *s);
void *conf_alloc(struct conf *c, size_t size);		/* zeroed */

/* Print a filled struct as configuration text (-T), which reads back to the
 * same; secrets are left out, and a comment says so. */
void conf_print(FILE *f, const struct conf_opt *opts, const void *in,
    int indent);
/* Print a table as mdoc paragraphs for the manual. */
void conf_print_manual(FILE *f, const struct conf_opt *opts,
    const char *prefix);

#endif
