/*
 * file_mark.c -- a number that changes when a file does.
 */
#include "config.h"

#include "daemon/file_mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

/* FNV-1a: nobody makes collisions here. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(1099511628211);
	return hash;
}

/* The time of the inode's change counts too: a file whose mode was wrong may
 * be readable now. */
static uint64_t
mark_at(uint64_t hash, int folder, const char *name)
{
	struct stat st;
	int64_t v[7] = { -1, 0 };

	if (fstatat(folder, name, &st, 0) == 0) {
		v[0] = (int64_t)st.st_dev;
		v[1] = (int64_t)st.st_ino;
		v[2] = (int64_t)st.st_size;
		v[3] = (int64_t)st.st_mtim.tv_sec;
		v[4] = (int64_t)st.st_mtim.tv_nsec;
		v[5] = (int64_t)st.st_ctim.tv_sec;
		v[6] = (int64_t)st.st_ctim.tv_nsec;
	} else {
		v[1] = errno;
	}
	return mix(hash, v, sizeof v);
}

/* In whatever order the folder tells them. */
static uint64_t
mark_files(DIR *folder)
{
	uint64_t sum = 0;

	for (struct dirent *e = readdir(folder); e != NULL;
	    e = readdir(folder))
		if (e->d_name[0] != '.')
			sum += mark_at(0, dirfd(folder), e->d_name);
	return sum;
}

uint64_t
file_mark(uint64_t so_far, const char *path)
{
	uint64_t hash = mark_at(so_far, AT_FDCWD, path), sum;
	DIR *folder = opendir(path);

	if (folder == NULL)
		return hash;
	sum = mark_files(folder);
	closedir(folder);
	return mix(hash, &sum, sizeof sum);
}
