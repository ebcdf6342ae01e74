/* A configuration as text, with the complaints about it. */
#ifndef TEST_FILE_TEXT_H
#define TEST_FILE_TEXT_H

#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"

struct file_text {
	struct conf	*conf;
	char		 said[4096];	/* complaints, one a line */
};

static inline void
file_text_say(void *arg, const struct conf_complaint *what)
{
	char line[CONF_COMPLAINT_MAX];
	struct file_text *f = arg;

	conf_complaint_text(line, what);
	strncat(f->said, line, sizeof f->said - strlen(f->said) - 1);
	strncat(f->said, "\n", sizeof f->said - strlen(f->said) - 1);
}

/* Read and fill; a syntax error gives conf NULL. */
static inline int
file_text_open(struct file_text *f, const char *text,
    const struct conf_opt *opts, void *out)
{
	f->said[0] = '\0';
	f->conf = conf_read_text("test", text);
	if (f->conf == NULL)
		return -1;
	conf_on_complaint(f->conf, file_text_say, f);
	return conf_fill(f->conf, conf_root(f->conf), opts, out);
}

#endif
