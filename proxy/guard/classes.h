/*
 * classes.h -- the classes of service in the file: how many calls, to which
 * numbers, and when.
 */
#ifndef GUARD_CLASSES_H
#define GUARD_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "guard/number.h"

enum { CLASS_NAME_MAX = 32 };

/* One entry of `classes`, as in the file. */
struct class_conf {
	int		 line;
	const char	*name;
	int64_t		 calls;		/* at once; -1: any number */
	struct conf_rate calls_started;
	int64_t		 calls_forgotten_ms;
	struct conf_list allow, deny, hours;
};

extern const struct conf_opt class_opts[];

struct class;			/* one of them */
struct classes;			/* all */

/* Complaints go to c, whose text they keep on using; NULL when there were
 * any. */
struct classes *classes_new(struct conf *c, const struct conf_groups *conf);
void classes_free(struct classes *cs);		/* NULL is allowed */
size_t classes_count(const struct classes *cs);

/* NULL: the file says nothing of it. */
const struct class *classes_by_name(const struct classes *cs,
    const char *name);
/* Of a user: the one that he has; where it does not stand in the file (it is
 * misspelt, a word for routes alone, or none): "default", if there is one. */
const struct class *classes_of_user(const struct classes *cs,
    const char *name);
/* The longest calls_forgotten of all. */
int64_t classes_forgotten_ms(const struct classes *cs);

const struct class_conf *class_conf(const struct class *c);

/* Does it let anybody call this number?  The longest prefix that fits says
 * it; of two as long, the one that denies. */
bool class_lets(const struct class *c, const struct number *n);
/* Does it let anybody call now? */
bool class_is_open(const struct class *c, int64_t unix_s);

#endif
