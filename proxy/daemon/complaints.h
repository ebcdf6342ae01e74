/*
 * complaints.h -- what is wrong with a configuration, as events.
 *
 * Where the log goes, the file itself says: so what is said of it at the start
 * is kept until it was read.
 */
#ifndef DAEMON_COMPLAINTS_H
#define DAEMON_COMPLAINTS_H

#include "conf/conf.h"

enum { COMPLAINTS_MAX = 1000 };		/* of one reading; more are dropped */

struct complaint;

struct complaints {			/* zeroed: none yet */
	struct complaint *first, **last;
	unsigned	 n;
};

/* A conf_say_f: an event. */
void complaint_log(void *arg, const struct conf_complaint *what);
/* A conf_say_f whose arg is a struct complaints: keep it.  One for which there
 * is no memory is written to stderr at once. */
void complaints_keep(void *arg, const struct conf_complaint *what);

/* Tell say of all, and forget them. */
void complaints_tell(struct complaints *cs, conf_say_f *say, void *arg);
/* A conf_say_f: text on stderr, as -t has it. */
void complaint_print(void *arg, const struct conf_complaint *what);

#endif
