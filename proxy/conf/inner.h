/*
 * inner.h -- what the files of conf/ share; nobody else includes it.
 */
#ifndef CONF_INNER_H
#define CONF_INNER_H

#include <libconfig.h>

#include "conf/conf.h"

enum { CONF_FILES_MAX = 64, CONF_PATH_TEXT = 128 };

struct conf_block;		/* memory that was handed out */

struct conf {
	config_t		 tree;
	const struct conf_opt	*opts;		/* of its root, or NULL */
	char			*path;		/* as it stands in complaints */
	char			*folder;	/* absolute, without last / */
	const char		*included[CONF_FILES_MAX];	/* of tree */
	unsigned		 nincluded;
	unsigned		 errors;
	struct conf_block	*blocks;
	conf_say_f		*say;
	void			*say_arg;
};

/* Where a value stands, for complaints about it. */
struct conf_spot {
	struct conf	*c;
	int		 line;
	char		 name[CONF_PATH_TEXT];	/* "auth.nc_max" */
};

/* A group is a setting of libconfig under another name. */
const config_setting_t *conf_setting(const struct conf_group *g);
const struct conf_group *conf_group(const config_setting_t *s);
/* Line and file of a setting in one number: see conf.h. */
int conf_place(struct conf *c, const config_setting_t *s);
bool conf_is_end(const struct conf_opt *o);

/* Complain at a spot; always -EINVAL. */
int conf_bad(const struct conf_spot *at, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Check one value as it stands in the file and store it; 0 or -EINVAL. */
int conf_take(const struct conf_spot *at, const struct conf_opt *o,
    const config_setting_t *s, void *out);
/* The same with the default of the row, or with nothing. */
int conf_take_default(const struct conf_spot *at, const struct conf_opt *o,
    void *out);

/* "50/s burst 200"; false: it is not like that.  And back. */
enum { CONF_RATE_TEXT = 64 };
bool conf_rate_parse(struct conf_rate *r, const char *text);
const char *conf_rate_text(char out[CONF_RATE_TEXT],
    const struct conf_rate *r);

/* "2s" from 2000: the largest unit that fits; out takes 32 bytes. */
const char *conf_time_text(char out[32], int64_t ms);

#endif
