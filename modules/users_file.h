/*
 * users_file.h -- a users file: lines of user_line.h, blank lines, and
 * comments that begin with #.
 *
 * The file holds what is as good as passwords, so one that others may read
 * or write is refused; the group may (root's file, the daemon's group).
 */
#ifndef MODULES_USERS_FILE_H
#define MODULES_USERS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "modules/users.h"

enum { USERS_FILE_MAX = 256 << 20 };	/* bytes we read */

/* What tells one state of a file from the next.  All zero: no file. */
struct users_stamp {
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	struct timespec	 modified, changed;
};

void users_stamp_look(struct users_stamp *s, const char *path);
bool users_stamp_same(const struct users_stamp *a,
    const struct users_stamp *b);

/* A complaint about a line; 0: about the file. */
typedef void users_say_f(void *arg, int line, const char *what);

struct users_reading {
	/* in */
	const char	*path;
	uint8_t		 algs;		/* make their tables by userhash */
	users_say_f	*say;
	void		*arg;
	/* out */
	struct users_stamp stamp;	/* also of a file with faults */
};

/*
 * Read a file.  0; or -errno (-EINVAL: faults in lines) after saying why;
 * *out is then untouched.
 */
int users_read(struct users_reading *r, struct users **out);

/* The bytes of a file, as one block to be wiped and freed by the caller. */
struct users_text {
	char		*p;
	size_t		 len;
	struct stat	 st;
};

/* Steps of users_read(), for those who also change the file.  0 or -errno;
 * the first says nothing, the second says why. */
int users_text_read(struct users_text *t, const char *path);
const char *users_text_fault(int rc);
int users_text_parse(const struct users_text *t,
    const struct users_reading *r, struct users **out);
/* Cut the next line off; false: there is none. */
bool users_text_line(struct str *rest, struct str *line);
void users_text_wipe(struct users_text *t);

#endif
