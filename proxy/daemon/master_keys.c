/*
 * master_keys.c -- the key files that the settings name.
 */
#include "config.h"

#include "daemon/master_keys.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"

static void
complain(const char *path, const char *why)
{
	log_event(EV_KEY_FAIL, kv_str("file", path), kv_str("reason", why));
}

static int
make_key(const struct settings *s)
{
	int rc;

	if (mkdir(s->state_dir, 0700) < 0 && errno != EEXIST) {
		complain(s->state_dir, strerror(errno));
		return -1;
	}
	rc = key_file_make(s->auth.key_file);
	if (rc < 0) {
		complain(s->auth.key_file, strerror(-rc));
		return -1;
	}
	log_event(EV_KEY_MADE, kv_str("file", s->auth.key_file));
	return 0;
}

static int
read_key(const char *path, uint8_t out[MASTER_KEY_BYTES])
{
	enum key_file_result r = key_file_read(path, out);

	if (r == KEY_FILE_OK)
		return 0;
	complain(path, r == KEY_FILE_ERROR ? strerror(errno) :
	    key_file_text(r));
	return -1;
}

static bool
is_absent(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 && errno == ENOENT;
}

struct keys *
master_keys_load(const struct settings *s, bool make)
{
	uint8_t master[KEYS_MAX][MASTER_KEY_BYTES];
	struct keys *k = NULL;
	size_t n = 1;

	if (make && is_absent(s->auth.key_file) && make_key(s) < 0)
		return NULL;
	if (read_key(s->auth.key_file, master[0]) < 0)
		goto out;
	if (s->auth.second_key_file != NULL) {
		if (read_key(s->auth.second_key_file, master[1]) < 0)
			goto out;
		n = 2;
	}
	k = keys_new(master, n);
	if (k == NULL)
		complain(s->auth.key_file, "no memory");
out:
	secret_wipe(master, sizeof master);
	return k;
}
