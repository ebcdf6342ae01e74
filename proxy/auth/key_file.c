/*
 * key_file.c -- master keys on the disk.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/keys.h"
#include "base/secret.h"

/* -1: error, errno says; else the bytes there were. */
static ssize_t
read_fully(int fd, uint8_t *out, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = read(fd, out + have, len - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int
write_fully(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Of the open file, so what is judged is what is read. */
static enum key_file_result
judge_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return KEY_FILE_ERROR;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return KEY_FILE_ERROR;
	}
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return KEY_FILE_OPEN_TO_OTHERS;
	if (st.st_size != MASTER_KEY_BYTES)
		return KEY_FILE_SHORT;
	return KEY_FILE_OK;
}

static enum key_file_result
read_key(int fd, uint8_t out[MASTER_KEY_BYTES])
{
	enum key_file_result r = judge_file(fd);
	ssize_t n;

	if (r != KEY_FILE_OK)
		return r;
	n = read_fully(fd, out, MASTER_KEY_BYTES);
	if (n == MASTER_KEY_BYTES)
		return KEY_FILE_OK;
	secret_wipe(out, MASTER_KEY_BYTES);
	return n < 0 ? KEY_FILE_ERROR : KEY_FILE_SHORT;
}

/* A new name is on the disk only when its folder is. */
static int
flush_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	if (strlen(path) >= sizeof copy)
		return -ENAMETOOLONG;
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* fchmod(): whatever the umask is. */
static int
write_key(int fd)
{
	uint8_t key[MASTER_KEY_BYTES];
	int rc;

	random_bytes(key, sizeof key);
	rc = write_fully(fd, key, sizeof key);
	secret_wipe(key, sizeof key);
	if (rc == 0 && (fchmod(fd, S_IRUSR) < 0 || fsync(fd) < 0))
		rc = -errno;
	return rc;
}

/* Symbolic links are followed: what they lead to is judged.  O_NONBLOCK is
 * for a FIFO in the file's place. */
enum key_file_result
key_file_read(const char *path, uint8_t out[MASTER_KEY_BYTES])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	enum key_file_result r;
	int error;

	if (fd < 0)
		return errno == ENOENT ? KEY_FILE_ABSENT : KEY_FILE_ERROR;
	r = read_key(fd, out);
	error = errno;
	close(fd);
	errno = error;
	return r;
}

int
key_file_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write_key(fd);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = flush_folder(path);
	if (rc < 0)
		unlink(path);
	return rc;
}

const char *
key_file_text(enum key_file_result r)
{
	switch (r) {
	case KEY_FILE_OK:
		return "the key file is fit";
	case KEY_FILE_ABSENT:
		return "there is no such key file";
	case KEY_FILE_SHORT:
		return "a key file holds exactly 32 bytes";
	case KEY_FILE_OPEN_TO_OTHERS:
		return "a key file must not be open to group or others "
		    "(chmod 0400)";
	case KEY_FILE_ERROR:
		break;
	}
	return "the key file cannot be read";
}
