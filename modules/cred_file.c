/*
 * cred_file.c -- the credential store `file`: a users file, in memory.
 *
 * The file is looked at now and then, and read again when it is another one;
 * a file with faults does not replace users that are in force.  Reading
 * happens on the loop: a small file costs nothing worth a thread, and 100000
 * users a fraction of a second.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/loop.h"
#include "modules/kinds.h"
#include "modules/users_file.h"

struct file_conf {
	int		 line;
	const char	*path;
	int64_t		 check_every_ms;
};

struct file_store {
	struct cred_store base;
	char		*path;
	int64_t		 check_every_ms;
	uint8_t		 algs;			/* offered */
	struct users	*users;
	struct users_stamp stamp;		/* of the last one read */
	struct loop_timer *timer;
	uint64_t	*nusers, *nloads;
};

/* The first complaint; the log has room for one. */
struct first_fault {
	unsigned	 count;
	int		 line;
	const char	*what;
};

enum { LOAD_OK, LOAD_KEPT, LOAD_RESULTS };

static const char *const result_names[] = {
	[LOAD_OK] = "ok", [LOAD_KEPT] = "kept"
};

static const struct metric users_metric = {
	.name = "users_file_users", .kind = METRIC_GAUGE,
	.help = "Users of the users file that are in force."
};

static const struct metric loads_metric = {
	.name = "users_file_loads_total", .kind = METRIC_COUNTER,
	.help = "Readings of the users file; kept: it had faults and the old "
	    "users stayed.",
	.label = "result", .values = result_names, .nvalues = LOAD_RESULTS
};

static const struct conf_opt file_opts[] = {
	CONF_LINE(struct file_conf),
	{ "path", CONF_T_PATH, offsetof(struct file_conf, path),
	    .flags = CONF_REQUIRED,
	    .help = "The users file, as sipbouncer-passwd writes it.  Others "
	    "than owner and group must not have access to it." },
	{ "check_every", CONF_T_TIME,
	    offsetof(struct file_conf, check_every_ms),
	    .dflt = "1s", .min = 100, .max = 86400000,
	    .help = "How often to look whether the file has changed; it is "
	    "then read again.  A new file with faults is not used." },
	CONF_END
};

static void
note_first(void *arg, int line, const char *what)
{
	struct first_fault *first = arg;

	if (first->count++ > 0)
		return;
	first->line = line;
	first->what = what;
}

static void
log_fault(enum event ev, const char *path, const struct first_fault *first)
{
	log_event(ev, kv_str("file", path), kv_int("line", first->line),
	    kv_str("reason", first->what), kv_uint("faults", first->count));
}

static void
log_lacking(const struct file_store *s)
{
	struct users_lack lack;

	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if ((s->algs & 1u << alg) == 0)
			continue;
		lack = users_lacking(s->users, (enum digest_alg)alg);
		if (lack.count == 0)
			continue;
		log_event(EV_USERS_ALGORITHM,
		    kv_str("algorithm", digest_alg_name((enum digest_alg)alg)),
		    kv_uint("users", lack.count), kv_str("file", s->path),
		    kv_int("line", lack.line));
	}
}

/* Is this result the file's own fault, so that it stays while the file does?
 * Others (no memory, no descriptor) may pass. */
static bool
is_lasting(int rc)
{
	return rc == 0 || rc == -EINVAL || rc == -ENOENT || rc == -EPERM ||
	    rc == -EISDIR || rc == -EFBIG;
}

/* Read; the old users go only when the new ones are there. */
static int
load(struct file_store *s)
{
	struct first_fault first = { .count = 0 };
	struct users_reading r = {
		.path = s->path, .algs = s->algs,
		.say = note_first, .arg = &first
	};
	int64_t start_ms = clock_mono_ms();
	struct users *users;
	int rc = users_read(&r, &users);

	if (is_lasting(rc))
		s->stamp = r.stamp;
	if (rc != 0) {
		s->nloads[LOAD_KEPT] += s->users != NULL;
		log_fault(s->users != NULL ? EV_USERS_KEEP : EV_USERS_FAIL,
		    s->path, &first);
		return rc;
	}
	users_free(s->users);
	s->users = users;
	s->nloads[LOAD_OK]++;
	*s->nusers = users_count(users);
	log_event(EV_USERS_LOAD, kv_str("file", s->path),
	    kv_uint("users", users_count(users)),
	    kv_int("took_ms", clock_mono_ms() - start_ms));
	log_lacking(s);
	return 0;
}

static void
look_for_change(void *arg)
{
	struct file_store *s = arg;
	struct users_stamp now;

	users_stamp_look(&now, s->path);
	if (!users_stamp_same(&now, &s->stamp))
		load(s);
	loop_timer_start(s->timer, s->check_every_ms);
}

static void
file_close(struct cred_store *base)
{
	struct file_store *s = (struct file_store *)base;

	loop_timer_free(s->timer);
	users_free(s->users);
	free(s->path);
	free(s);
}

static struct file_store *
store_new(const struct file_conf *c, const struct cred_store_env *env)
{
	struct file_store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->base.ops = &cred_file_ops;
	s->check_every_ms = c->check_every_ms;
	s->algs = env->algs;
	s->path = strdup(c->path);
	s->timer = loop_timer_new(env->loop, look_for_change, s);
	s->nusers = metrics_add(env->metrics, &users_metric);
	s->nloads = metrics_add(env->metrics, &loads_metric);
	if (s->path == NULL || s->timer == NULL || s->nusers == NULL ||
	    s->nloads == NULL) {
		file_close(&s->base);
		return NULL;
	}
	return s;
}

static int
file_open(struct cred_store **out, const void *conf,
    const struct cred_store_env *env)
{
	const struct file_conf *c = conf;
	struct file_store *s = store_new(c, env);
	int rc;

	if (s == NULL) {
		log_event(EV_USERS_FAIL, kv_str("file", c->path),
		    kv_str("reason", "no memory"));
		return -ENOMEM;
	}
	rc = load(s);
	if (rc != 0) {
		file_close(&s->base);
		return rc;
	}
	loop_timer_start(s->timer, s->check_every_ms);
	*out = &s->base;
	return 0;
}

static uint8_t
file_algs(struct cred_store *base, struct str realm)
{
	return users_algs(((struct file_store *)base)->users, realm);
}

static void
file_look(struct cred_store *base, const struct cred_query *q,
    struct cred_answer *out)
{
	users_answer(((struct file_store *)base)->users, q, out);
}

static void
file_reload(struct cred_store *base)
{
	load((struct file_store *)base);
}

static void
print_fault(void *arg, int line, const char *what)
{
	const char *path = arg;

	if (line > 0)
		fprintf(stderr, "%s:%d: %s\n", path, line, what);
	else
		fprintf(stderr, "%s: %s\n", path, what);
}

static int
file_check(const void *conf, const struct cred_store_env *env,
    uint8_t *lacking)
{
	const struct file_conf *c = conf;
	struct users_reading r = {
		.path = c->path, .say = print_fault, .arg = (void *)c->path
	};
	struct users_lack lack;
	struct users *users;
	int rc = users_read(&r, &users);

	if (rc != 0)
		return rc;
	printf("%s: %zu users\n", c->path, users_count(users));
	if (users_count(users) > 0 &&
	    !users_have_realm(users, str_of(env->realm)))
		fprintf(stderr, "%s: warning: none of its users is of the "
		    "realm \"%s\"\n", c->path, env->realm);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		lack = users_lacking(users, (enum digest_alg)alg);
		if ((env->algs & 1u << alg) == 0 || lack.count == 0)
			continue;
		*lacking |= (uint8_t)(1u << alg);
		printf("%s:%d: %zu users have no %s, so it is not offered in "
		    "their realm\n", c->path, lack.line, lack.count,
		    digest_alg_name((enum digest_alg)alg));
	}
	users_free(users);
	return 0;
}

const struct cred_ops cred_file_ops = {
	.name = "file",
	.opts = file_opts,
	.conf_size = sizeof(struct file_conf),
	.open = file_open,
	.close = file_close,
	.algs = file_algs,
	.look = file_look,
	.reload = file_reload,
	.check = file_check
};
