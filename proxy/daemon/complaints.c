/*
 * complaints.c -- what is wrong with a configuration, as events.
 */
#include "config.h"

#include "daemon/complaints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct complaint {
	struct complaint	*next;
	struct conf_complaint	 said;
	char			 text[];	/* of all that it names */
};

void
complaint_log(void *arg, const struct conf_complaint *what)
{
	(void)arg;
	log_event(what->is_error ? EV_CONFIG_FAULT : EV_CONFIG_WARNING,
	    kv_str("file", what->file), kv_int("line", what->line),
	    kv_str("option", what->option), kv_str("reason", what->what));
}

void
complaint_print(void *arg, const struct conf_complaint *what)
{
	char text[CONF_COMPLAINT_MAX];

	(void)arg;
	fprintf(stderr, "%s\n", conf_complaint_text(text, what));
}

static char *
put(char **to, const char *text)
{
	size_t size = strlen(text) + 1;
	char *at = *to;

	memcpy(at, text, size);
	*to += size;
	return at;
}

static struct complaint *
copy(const struct conf_complaint *what)
{
	const char *option = what->option == NULL ? "" : what->option;
	struct complaint *c = malloc(sizeof *c + strlen(what->file) +
	    strlen(option) + strlen(what->what) + 3);
	char *to;

	if (c == NULL)
		return NULL;
	to = c->text;
	c->next = NULL;
	c->said = *what;
	c->said.file = put(&to, what->file);
	c->said.what = put(&to, what->what);
	if (what->option != NULL)
		c->said.option = put(&to, option);
	return c;
}

void
complaints_keep(void *arg, const struct conf_complaint *what)
{
	struct complaints *cs = arg;
	struct complaint *c;

	if (cs->n == COMPLAINTS_MAX)
		return;
	c = copy(what);
	if (c == NULL) {
		complaint_print(NULL, what);
		return;
	}
	if (cs->first == NULL)
		cs->last = &cs->first;
	*cs->last = c;
	cs->last = &c->next;
	cs->n++;
}

void
complaints_tell(struct complaints *cs, conf_say_f *say, void *arg)
{
	struct complaint *c, *next;

	for (c = cs->first; c != NULL; c = next) {
		next = c->next;
		say(arg, &c->said);
		free(c);
	}
	*cs = (struct complaints){ .n = 0 };
}
