/*
 * users_edit.c -- change a users file: comments and order stay.
 */
#include "config.h"

#include "modules/users_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/secret.h"

struct edit_line {
	struct str	 text;		/* p == NULL: removed */
	char		*own;		/* the text, where it is new */
};

struct users_edit {
	char		*path;		/* without symbolic links */
	int		 folder_fd;	/* locked */
	bool		 is_new;
	struct users_text text;		/* what the old lines are lent from */
	struct users	*users;		/* who stands in which line */
	struct edit_line *line;
	size_t		 nlines, room;
};

/* The folder is locked, not the file: that is replaced. */
static int
lock_folder(struct users_edit *e)
{
	const char *slash = strrchr(e->path, '/');
	char *folder;
	int rc = 0;

	folder = slash == NULL ? strdup(".") :
	    strndup(e->path, slash == e->path ? 1 : (size_t)(slash - e->path));
	if (folder == NULL)
		return -ENOMEM;
	e->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (e->folder_fd < 0)
		return -errno;
	while (flock(e->folder_fd, LOCK_EX) != 0 && rc == 0)
		rc = errno == EINTR ? 0 : -errno;
	return rc;
}

static int
add_edit_line(struct users_edit *e, struct edit_line line)
{
	size_t room = e->room == 0 ? 64 : 2 * e->room;
	struct edit_line *more;

	if (e->nlines == e->room) {
		more = realloc(e->line, room * sizeof *more);
		if (more == NULL)
			return -ENOMEM;
		e->line = more;
		e->room = room;
	}
	e->line[e->nlines++] = line;
	return 0;
}

static int
split_lines(struct users_edit *e)
{
	struct str rest = { e->text.p, e->text.len };
	struct edit_line line = { .own = NULL };
	int rc = 0;

	while (rc == 0 && users_text_line(&rest, &line.text))
		rc = add_edit_line(e, line);
	return rc;
}

static int
read_old(struct users_edit *e)
{
	int rc = users_text_read(&e->text, e->path);

	if (rc == -ENOENT) {
		e->is_new = true;
		return 0;
	}
	return rc == 0 ? split_lines(e) : rc;
}

int
users_edit_open(struct users_edit **out, const struct users_reading *r)
{
	struct users_edit *e = calloc(1, sizeof *e);
	int rc = -ENOMEM;

	if (e == NULL)
		goto fail;
	e->folder_fd = -1;
	e->path = realpath(r->path, NULL);
	if (e->path == NULL && errno == ENOENT)
		e->path = strdup(r->path);
	if (e->path == NULL) {
		rc = -errno;
		goto fail;
	}
	if ((rc = lock_folder(e)) != 0 || (rc = read_old(e)) != 0)
		goto fail;
	rc = users_text_parse(&e->text, r, &e->users);
	if (rc != 0) {
		users_edit_close(e);
		return rc;
	}
	*out = e;
	return 0;
fail:
	r->say(r->arg, 0, users_text_fault(rc));
	users_edit_close(e);
	return rc;
}

static void
line_drop(struct edit_line *line)
{
	secret_free(line->own, line->text.len);
	line->own = NULL;
	line->text = (struct str){ NULL, 0 };
}

void
users_edit_close(struct users_edit *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->nlines; i++)
		line_drop(&e->line[i]);
	free(e->line);
	users_free(e->users);
	users_text_wipe(&e->text);
	if (e->folder_fd >= 0)
		close(e->folder_fd);
	free(e->path);
	free(e);
}

/* The user's line, also where it was removed; NULL: he never had one. */
static struct edit_line *
line_of(const struct users_edit *e, struct str realm, struct str name)
{
	const struct user *u = users_find(e->users, realm, name);

	return u == NULL ? NULL : &e->line[u->line - 1];
}

const struct user *
users_edit_find(const struct users_edit *e, struct str realm,
    struct str name)
{
	return users_find(e->users, realm, name);
}

static int
append_user(struct users_edit *e, const struct user_line *u,
    struct edit_line line)
{
	int rc = add_edit_line(e, line);

	if (rc != 0)
		return rc;
	rc = users_add(e->users, u, (int)e->nlines);
	if (rc != 0)
		e->nlines--;
	return rc;
}

int
users_edit_put(struct users_edit *e, const struct user_line *u)
{
	struct edit_line *old = line_of(e, u->realm, u->name), line;
	char text[USER_LINE_MAX + 1];
	size_t len = user_line_format(text, u);
	int rc = 0;

	if (len == 0)
		return -E2BIG;
	line.own = malloc(len);
	line.text = (struct str){ line.own, len };
	if (line.own != NULL)
		memcpy(line.own, text, len);
	secret_wipe(text, sizeof text);
	if (line.own == NULL)
		return -ENOMEM;
	if (old != NULL) {
		line_drop(old);
		*old = line;
	} else if ((rc = append_user(e, u, line)) != 0) {
		line_drop(&line);
	}
	return rc;
}

bool
users_edit_remove(struct users_edit *e, struct str realm, struct str name)
{
	struct edit_line *line = line_of(e, realm, name);

	if (line == NULL || line->text.p == NULL)
		return false;
	line_drop(line);
	return true;
}

static int
write_lines(const struct users_edit *e, FILE *f)
{
	for (size_t i = 0; i < e->nlines; i++) {
		const struct str *text = &e->line[i].text;

		if (text->p == NULL)
			continue;
		if (fwrite(text->p, 1, text->len, f) != text->len ||
		    putc('\n', f) == EOF)
			return -errno;
	}
	return fflush(f) == 0 ? 0 : -errno;
}

/* An old file's owner and mode, lest the daemon be locked out of its own
 * file; the temporary file came with mode 0600. */
static int
keep_access(const struct users_edit *e, int fd)
{
	const struct stat *old = &e->text.st;
	struct stat st;

	if (e->is_new)
		return 0;
	if (fstat(fd, &st) != 0)
		return -errno;
	if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
	    fchown(fd, old->st_uid, old->st_gid) != 0)
		return -errno;
	return fchmod(fd, old->st_mode & 0770) == 0 ? 0 : -errno;
}

/* Through a buffer of our own: stdio's would not be wiped. */
static int
write_new(const struct users_edit *e, int fd)
{
	char buffer[8192];
	FILE *f = fdopen(fd, "w");
	int rc;

	if (f == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	setvbuf(f, buffer, _IOFBF, sizeof buffer);
	rc = write_lines(e, f);
	if (rc == 0)
		rc = keep_access(e, fd);
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (fclose(f) != 0 && rc == 0)
		rc = -errno;
	secret_wipe(buffer, sizeof buffer);
	return rc;
}

int
users_edit_save(struct users_edit *e)
{
	char *path;
	int fd, rc;

	if (asprintf(&path, "%s.XXXXXX", e->path) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		free(path);
		return rc;
	}
	rc = write_new(e, fd);
	if (rc == 0 && rename(path, e->path) != 0)
		rc = -errno;
	if (rc != 0)
		unlink(path);
	else if (fsync(e->folder_fd) != 0)
		rc = -errno;
	free(path);
	return rc;
}
