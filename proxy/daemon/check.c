/*
 * check.c -- what -t, -T, -L and -V say.
 */
#include "config.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sofia-sip/su.h>
#include <sofia-sip/sofia_features.h>

#include "auth/keys.h"
#include "base/secret.h"
#include "daemon/accounts.h"
#include "daemon/daemon.h"
#include "daemon/holes.h"
#include "daemon/master_keys.h"
#include "daemon/settings.h"
#include "daemon/tls_files.h"
#include "io/nft.h"
#include "modules/registry.h"
#include "pipeline/reason.h"
#include "transport/transport.h"

/* Is there a folder to make this in? */
static bool
has_folder(const char *path)
{
	char *copy = strdup(path);
	struct stat st;
	bool is;

	is = copy != NULL && stat(dirname(copy), &st) == 0 &&
	    S_ISDIR(st.st_mode);
	free(copy);
	return is;
}

/* A folder may end in slashes. */
static bool
is_in(const char *path, const char *folder)
{
	char *copy = strdup(path);
	const char *its = copy == NULL ? "" : dirname(copy);
	size_t n = strlen(its);
	bool is;

	is = n > 0 && strncmp(folder, its, n) == 0 &&
	    folder[n + strspn(folder + n, "/")] == '\0';
	free(copy);
	return is;
}

/* Of the folders down to it the start makes state_dir, and no other. */
static bool
can_be_made(const struct settings *s)
{
	const char *key = s->auth.key_file;

	return has_folder(s->state_dir) && (has_folder(key) ||
	    is_in(key, s->state_dir));
}

/* *out: the keys; NULL: there are none yet. */
static int
check_keys(const struct settings *s, struct keys **out)
{
	uint8_t key[MASTER_KEY_BYTES];
	enum key_file_result r = key_file_read(s->auth.key_file, key);

	*out = NULL;
	secret_wipe(key, sizeof key);
	if (r == KEY_FILE_ABSENT && s->auth.second_key_file == NULL) {
		if (can_be_made(s)) {
			printf("%s: will be made at the first start\n",
			    s->auth.key_file);
			return 0;
		}
		conf_error(s->conf, s->auth.line, "auth.key_file",
		    "\"%s\" cannot be made: its folder is not there",
		    s->auth.key_file);
		return -1;
	}
	*out = master_keys_load(s, false);
	if (*out != NULL)
		return 0;
	conf_error(s->conf, s->auth.line, "auth.key_file",
	    "the keys cannot be used");
	return -1;
}

static int
check_stores(const struct settings *s, struct keys *keys)
{
	struct cred_store_env users = { .realm = s->realm };
	struct nonce_store_env nonces = { .keys = keys,
		.nc_max = s->auth.nc_max,
		.instance = (uint16_t)s->instance_id };
	uint8_t lacking = 0;
	int rc = 0;

	for (size_t i = 0; i < s->auth.algorithms.n; i++)
		users.algs |= (uint8_t)(1u << s->auth.algorithms.v[i]);
	if (s->users != NULL && s->users->check != NULL &&
	    s->users->check(s->users_conf, &users, &lacking) != 0) {
		conf_error(s->conf, s->users_line, "users",
		    "cannot be used as they are");
		rc = -1;
	}
	holes_warn_lacking(s, lacking);
	if (s->nonce_store->check != NULL &&
	    s->nonce_store->check(s->nonce_store_conf, &nonces) != 0) {
		conf_error(s->conf, s->nonce_store_line, "nonce_store",
		    "cannot be used as it is");
		rc = -1;
	}
	return rc;
}

int
daemon_check(const char *path)
{
	struct settings *s = settings_load(path, NULL, NULL);
	struct keys *keys;
	int rc;

	if (s == NULL)
		return EXIT_FAILURE;
	holes_warn(s);
	rc = check_keys(s, &keys);
	if (accounts_load(s) < 0)
		rc = -1;
	if (check_stores(s, keys) < 0)
		rc = -1;
	if (tls_files_check(s) < 0)
		rc = -1;
	keys_free(keys);
	log_flush();
	if (rc == 0)
		printf("%s: good\n", path);
	settings_free(s);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
daemon_print(const char *path)
{
	struct settings *s = settings_load(path, NULL, NULL);

	if (s == NULL)
		return EXIT_FAILURE;
	settings_print(stdout, s);
	settings_free(s);
	return EXIT_SUCCESS;
}

/* Some of them are words of requests, too, with another meaning. */
static void
print_refusal(const char *word, const char *help)
{
	printf("event=%s reason=%s\n    %s\n",
	    log_event_name(EV_TRANSPORT_REFUSE), word, help);
}

void
daemon_print_log_words(void)
{
	for (int e = 0; e < EV_COUNT; e++)
		printf("event=%s\n    %s\n", log_event_name((enum event)e),
		    log_event_help((enum event)e));
	for (int r = 0; r < REASON_COUNT; r++)
		printf("reason=%s\n    %s\n", reason_word((enum reason)r),
		    reason_help((enum reason)r));
	transport_refusals_each(print_refusal);
}

void
daemon_print_version(void)
{
	printf("sipbouncer %s\n", PACKAGE_VERSION);
	printf("nonce stores: %s\n", nonce_store_ops_names());
	printf("users: %s\n", cred_ops_names());
	printf("firewalls: %s\n", nft_is_there() ? "nftables" : "none");
	printf("sofia-sip: %s\n", SOFIA_SIP_VERSION);
}
