/*
 * users_file.c -- a users file, read.
 */
#include "config.h"

#include "modules/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"

enum { FAULTS_MAX = 20 };	/* said of one file */

void
users_stamp_look(struct users_stamp *s, const char *path)
{
	struct stat st;

	memset(s, 0, sizeof *s);
	if (stat(path, &st) != 0)
		return;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->size = st.st_size;
	s->modified = st.st_mtim;
	s->changed = st.st_ctim;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
users_stamp_same(const struct users_stamp *a, const struct users_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    same_time(&a->modified, &b->modified) &&
	    same_time(&a->changed, &b->changed);
}

/* Up to len bytes; fewer: the file ended.  -errno. */
static ssize_t
read_fully(int fd, char *p, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, p + done, len - done);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return (ssize_t)done;
}

static int
check_stat(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return -EISDIR;
	if ((st->st_mode & (S_IROTH | S_IWOTH)) != 0)
		return -EPERM;
	return st->st_size > USERS_FILE_MAX ? -EFBIG : 0;
}

static int
read_fd(struct users_text *t, int fd)
{
	ssize_t n;
	int rc;

	if (fstat(fd, &t->st) != 0)
		return -errno;
	rc = check_stat(&t->st);
	if (rc != 0)
		return rc;
	t->len = (size_t)t->st.st_size;
	t->p = malloc(t->len + 1);
	if (t->p == NULL)
		return -ENOMEM;
	n = read_fully(fd, t->p, t->len);
	if (n < 0) {
		users_text_wipe(t);
		return (int)n;
	}
	t->len = (size_t)n;
	return 0;
}

int
users_text_read(struct users_text *t, const char *path)
{
	int fd, rc;

	memset(t, 0, sizeof *t);
	/* O_NONBLOCK: a FIFO of that name must not hold up the loop. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	rc = read_fd(t, fd);
	close(fd);
	return rc;
}

void
users_text_wipe(struct users_text *t)
{
	secret_free(t->p, t->len);
	t->p = NULL;
	t->len = 0;
}

bool
users_text_line(struct str *rest, struct str *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, '\n', rest->len);
	line->p = rest->p;
	line->len = end == NULL ? rest->len : (size_t)(end - rest->p);
	rest->p += line->len + (end != NULL);
	rest->len -= line->len + (end != NULL);
	return true;
}

/* 0 or -ENOMEM; *fault: what is wrong with the line, or NULL. */
static int
add_line(struct users *us, struct str text, int line, const char **fault)
{
	struct user_line u;
	int rc = 0;

	*fault = user_line_parse(&u, text);
	if (*fault == NULL)
		rc = users_add(us, &u, line);
	secret_wipe(&u.ha1, sizeof u.ha1);
	if (rc != -EEXIST)
		return rc;
	*fault = "this user has a line already";
	return 0;
}

/* 0, -EINVAL or -ENOMEM. */
static int
add_lines(struct users *us, struct str rest, const struct users_reading *r)
{
	unsigned faults = 0;
	struct str text;
	const char *fault;
	int rc;

	for (int line = 1; users_text_line(&rest, &text); line++) {
		if (user_line_is_blank(text))
			continue;
		rc = add_line(us, text, line, &fault);
		if (rc != 0)
			return rc;
		if (fault == NULL)
			continue;
		r->say(r->arg, line, fault);
		if (++faults == FAULTS_MAX) {
			r->say(r->arg, line, "too many faults; reading ends");
			break;
		}
	}
	return faults == 0 ? 0 : -EINVAL;
}

int
users_text_parse(const struct users_text *t, const struct users_reading *r,
    struct users **out)
{
	struct users *us = users_new();
	int rc = -ENOMEM;

	if (us != NULL)
		rc = add_lines(us, (struct str){ t->p, t->len }, r);
	if (rc == 0)
		rc = users_index(us, r->algs);
	if (rc == 0) {
		*out = us;
		return 0;
	}
	if (rc == -ENOMEM)
		r->say(r->arg, 0, "no memory");
	users_free(us);
	return rc;
}

const char *
users_text_fault(int rc)
{
	switch (rc) {
	case -EISDIR:
		return "it is not a regular file";
	case -EPERM:
		return "others may read or write it (chmod o-rw)";
	case -EFBIG:
		return "it is larger than 256 MiB";
	default:
		return strerror(-rc);
	}
}

int
users_read(struct users_reading *r, struct users **out)
{
	struct users_text text;
	int rc;

	/* Looked at first: a file replaced meanwhile is then read again. */
	users_stamp_look(&r->stamp, r->path);
	rc = users_text_read(&text, r->path);
	if (rc != 0) {
		r->say(r->arg, 0, users_text_fault(rc));
		return rc;
	}
	rc = users_text_parse(&text, r, out);
	users_text_wipe(&text);
	return rc;
}
