/*
 * conf.c -- one configuration file: reading, complaints, memory.
 */
#include "config.h"

#include "conf/conf.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "conf/inner.h"

#define LAST "*end-of-file*"	/* a setting behind all others */

enum {
	LINE_BITS = 20,			/* see conf_line_number() */
	WHAT_MAX = 1024
};

struct conf_block {
	struct conf_block	*next;
	size_t			 size;
	max_align_t		 bytes[];
};

/* What is quoted from the file may hold anything; the terminal gets none of
 * it. */
const char *
conf_complaint_text(char out[CONF_COMPLAINT_MAX],
    const struct conf_complaint *what)
{
	char number[16] = "";

	if (what->line > 0)
		snprintf(number, sizeof number, ":%d", what->line);
	snprintf(out, CONF_COMPLAINT_MAX, "%s%s: %s%s%s%s", what->file, number,
	    what->option == NULL ? "" : what->option,
	    what->option == NULL ? "" : ": ",
	    what->is_error ? "" : "warning: ", what->what);
	for (char *p = out; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return out;
}

static void
say_stderr(void *arg, const struct conf_complaint *what)
{
	char text[CONF_COMPLAINT_MAX];

	(void)arg;
	fprintf(stderr, "%s\n", conf_complaint_text(text, what));
}

static const char *
file_of(const struct conf *c, int line)
{
	unsigned i = (unsigned)line >> LINE_BITS;

	return i == 0 ? c->path : c->included[i - 1];
}

/* What stands before the name of a file: libconfig 1.5 keeps the names of
 * included files as they were written. */
static const char *
whole_name(const struct conf *c, const char *file,
    char out[CONF_COMPLAINT_MAX])
{
	const char *folder = *file == '/' || strcmp(file, c->path) == 0 ? "" :
	    c->folder;

	snprintf(out, CONF_COMPLAINT_MAX, "%s%s%s", folder,
	    *folder == '\0' ? "" : "/", file);
	return out;
}

const char *
conf_line_file(const struct conf *c, int line, char out[CONF_COMPLAINT_MAX])
{
	return whole_name(c, file_of(c, line), out);
}

static void __attribute__((format(printf, 5, 0)))
complain(const struct conf *c, bool is_error, int line, const char *option,
    const char *fmt, va_list ap)
{
	char file[CONF_COMPLAINT_MAX], what[WHAT_MAX];

	vsnprintf(what, sizeof what, fmt, ap);
	c->say(c->say_arg, &(const struct conf_complaint){ is_error,
	    conf_line_file(c, line, file), conf_line_number(line), option,
	    what });
}

static void
wipe_strings(config_setting_t *s)
{
	const char *text;
	int n = config_setting_length(s);

	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		text = config_setting_get_string(s);
		if (text != NULL)
			secret_wipe((char *)(uintptr_t)text, strlen(text));
	}
	if (!config_setting_is_aggregate(s))
		return;
	for (int i = 0; i < n; i++)
		wipe_strings(config_setting_get_elem(s, (unsigned)i));
}

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir, *whole;

	if (slash == NULL)
		return realpath(".", NULL);
	dir = strndup(path, (size_t)(slash - path) + 1);
	if (dir == NULL)
		return NULL;
	whole = realpath(dir, NULL);
	free(dir);
	return whole;
}

static struct conf *
make(const char *name)
{
	struct conf *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	config_init(&c->tree);
	c->say = say_stderr;
	c->path = strdup(name);
	if (c->path == NULL) {
		conf_free(c);
		return NULL;
	}
	return c;
}

static void
say_unreadable(conf_say_f *say, void *arg, const char *path, const char *why)
{
	char what[WHAT_MAX];

	snprintf(what, sizeof what, "cannot read: %s", why);
	say(arg, &(const struct conf_complaint){ true, path, 0, NULL, what });
}

static struct conf *
make_for_file(const char *path, conf_say_f *say, void *arg)
{
	struct conf *c = make(path);
	struct stat st;

	if (c == NULL)
		goto failed;
	conf_on_complaint(c, say, arg);
	/* libconfig ends the process when it is given a folder. */
	if (stat(path, &st) != 0)
		goto failed;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto failed;
	}
	c->folder = folder_of(path);
	if (c->folder == NULL)
		goto failed;
	config_set_include_dir(&c->tree, c->folder);
	return c;
failed:
	say_unreadable(say, arg, path,
	    c == NULL ? "no memory" : strerror(errno));
	conf_free(c);
	return NULL;
}

static void
say_unread(const struct conf *c)
{
	const char *file = config_error_file(&c->tree);
	char name[CONF_COMPLAINT_MAX], what[WHAT_MAX];

	snprintf(what, sizeof what, "%s%s", config_error_text(&c->tree),
	    strcmp(config_error_text(&c->tree), "syntax error") == 0 ?
	    ": here or before it a quote, comma, semicolon or bracket "
	    "is missing or too many" : "");
	c->say(c->say_arg, &(const struct conf_complaint){ true,
	    whole_name(c, file == NULL ? c->path : file, name),
	    config_error_line(&c->tree), NULL, what });
}

/* The text of a file, and LAST on a line of its own behind it, since libconfig
 * wants a line's end behind a comment.  NULL: errno says why not. */
static char *
read_whole(const char *path, size_t *size)
{
	static const char last[] = "\n" LAST " = 1;";
	FILE *f = fopen(path, "re");
	char *text = NULL;
	struct stat st;
	size_t n;

	if (f == NULL)
		return NULL;
	setvbuf(f, NULL, _IONBF, 0);	/* no copy of secrets stays behind */
	if (fstat(fileno(f), &st) != 0)
		goto out;
	*size = (size_t)st.st_size + sizeof last;
	text = malloc(*size);
	if (text == NULL)
		goto out;
	n = fread(text, 1, (size_t)st.st_size, f);
	strcpy(text + n, last + (n > 0 && text[n - 1] == '\n'));
	if (ferror(f)) {
		secret_free(text, *size);
		text = NULL;
	}
out:
	fclose(f);
	return text;
}

/*
 * libconfig takes the end of a file for the end of a comment, too, so a
 * forgotten one swallows settings without a word: but then LAST as well.
 */
static bool
take_text(struct conf *c, const char *text)
{
	config_setting_t *root;

	if (config_read_string(&c->tree, text) != CONFIG_TRUE) {
		say_unread(c);
		return false;
	}
	root = config_root_setting(&c->tree);
	if (config_setting_remove(root, LAST) == CONFIG_TRUE)
		return true;
	conf_error(c, 0, NULL, "is not read to its end: a comment that begins "
	    "with /* does not end, or there is a NUL");
	return false;
}

struct conf *
conf_read(const char *path, conf_say_f *say, void *arg)
{
	struct conf *c;
	size_t size = 0;
	char *text;
	bool taken;

	if (say == NULL)
		say = say_stderr;
	c = make_for_file(path, say, arg);
	if (c == NULL)
		return NULL;
	text = read_whole(path, &size);
	if (text == NULL)
		say_unreadable(say, arg, path, strerror(errno));
	taken = text != NULL && take_text(c, text);
	secret_free(text, size);
	if (taken)
		return c;
	conf_free(c);
	return NULL;
}

struct conf *
conf_read_text(const char *name, const char *text)
{
	struct conf *c = make(name);

	if (c == NULL)
		return NULL;
	c->folder = realpath(".", NULL);
	if (c->folder == NULL) {
		conf_free(c);
		return NULL;
	}
	if (config_read_string(&c->tree, text) != CONFIG_TRUE) {
		say_unread(c);
		conf_free(c);
		return NULL;
	}
	return c;
}

void
conf_free(struct conf *c)
{
	struct conf_block *b, *next;

	if (c == NULL)
		return;
	for (b = c->blocks; b != NULL; b = next) {
		next = b->next;
		secret_free(b, sizeof *b + b->size);
	}
	wipe_strings(config_root_setting(&c->tree));
	config_destroy(&c->tree);
	free(c->folder);
	free(c->path);
	free(c);
}

const config_setting_t *
conf_setting(const struct conf_group *g)
{
	return (const config_setting_t *)g;
}

const struct conf_group *
conf_group(const config_setting_t *s)
{
	return (const struct conf_group *)s;
}

const struct conf_group *
conf_root(const struct conf *c)
{
	return conf_group(config_root_setting(&c->tree));
}

/* Index of a file for a place; 0 is the file itself. */
static unsigned
file_index(struct conf *c, const char *file)
{
	unsigned i;

	if (file == NULL || strcmp(file, c->path) == 0)
		return 0;
	for (i = 0; i < c->nincluded; i++)
		if (strcmp(c->included[i], file) == 0)
			return i + 1;
	if (i == CONF_FILES_MAX) {
		conf_error(c, 0, NULL, "more than %d included files",
		    CONF_FILES_MAX);
		return 0;
	}
	c->included[c->nincluded++] = file;
	return i + 1;
}

int
conf_place(struct conf *c, const config_setting_t *s)
{
	unsigned line = config_setting_source_line(s);
	unsigned last = (1u << LINE_BITS) - 1;

	return (int)(file_index(c, config_setting_source_file(s)) << LINE_BITS |
	    (line < last ? line : last));
}

int
conf_line_number(int line)
{
	return line & ((1 << LINE_BITS) - 1);
}

int
conf_bad(const struct conf_spot *at, const char *fmt, ...)
{
	va_list ap;

	at->c->errors++;
	va_start(ap, fmt);
	complain(at->c, true, at->line, at->name, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void
conf_error(struct conf *c, int line, const char *option, const char *fmt, ...)
{
	va_list ap;

	c->errors++;
	va_start(ap, fmt);
	complain(c, true, line, option, fmt, ap);
	va_end(ap);
}

void
conf_warn(struct conf *c, int line, const char *option, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(c, false, line, option, fmt, ap);
	va_end(ap);
}

unsigned
conf_errors(const struct conf *c)
{
	return c->errors;
}

void
conf_on_complaint(struct conf *c, conf_say_f *say, void *arg)
{
	c->say = say == NULL ? say_stderr : say;
	c->say_arg = arg;
}

bool
conf_list_takes(const struct conf_list *l, struct str what)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_is(what, l->v[i]))
			return true;
	return l->n == 0;
}

void *
conf_alloc(struct conf *c, size_t size)
{
	struct conf_block *b;

	if (size > SIZE_MAX / 2 || (b = calloc(1, sizeof *b + size)) == NULL) {
		conf_error(c, 0, NULL, "no memory");
		return NULL;
	}
	b->size = size;
	b->next = c->blocks;
	c->blocks = b;
	return b->bytes;
}

char *
conf_strdup(struct conf *c, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = conf_alloc(c, size);

	if (copy != NULL)
		memcpy(copy, s, size);
	return copy;
}
