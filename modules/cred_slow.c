/*
 * cred_slow.c -- the credential store `slow`: a users file that pretends to be
 * far away.  For the tests alone (configure --enable-test-modules).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred.h"
#include "base/log.h"
#include "io/loop.h"
#include "modules/kinds.h"
#include "modules/users_file.h"

enum slow_answer { SLOW_LATE, SLOW_NEVER, SLOW_UNAVAILABLE, SLOW_FULL };

static const char *const answer_names[] = {
	[SLOW_LATE] = "late", [SLOW_NEVER] = "never",
	[SLOW_UNAVAILABLE] = "unavailable", [SLOW_FULL] = "full", NULL
};

struct slow_conf {
	int		 line;
	const char	*path;
	int64_t		 delay_ms;
	int		 answer;	/* enum slow_answer */
};

struct slow_store {
	struct cred_store base;
	struct loop	*loop;
	struct users	*users;
	int64_t		 delay_ms;
	enum slow_answer answer;
	struct cred_lookup *lookups;	/* under way */
};

struct cred_lookup {
	struct slow_store *store;
	struct cred_lookup *next, **link;
	struct loop_timer *timer;
	struct cred_query query;	/* user and realm stand in text[] */
	bool		 unavailable;
	cred_done_f	*done;
	void		*arg;
	char		 text[];
};

static const struct conf_opt slow_opts[] = {
	CONF_LINE(struct slow_conf),
	{ "path", CONF_T_PATH, offsetof(struct slow_conf, path),
	    .flags = CONF_REQUIRED, .help = "The users file." },
	{ "delay", CONF_T_TIME, offsetof(struct slow_conf, delay_ms),
	    .dflt = "100ms", .min = 0, .max = 3600000,
	    .help = "How long an answer takes." },
	{ "answer", CONF_T_CHOICE, offsetof(struct slow_conf, answer),
	    .dflt = "late", .choices = answer_names,
	    .help = "late: the right one; never: none, until the time is "
	    "out; unavailable: that one; full: the queue is always full." },
	CONF_END
};

static void
log_fault(void *arg, int line, const char *what)
{
	log_event(EV_USERS_FAIL, kv_str("file", arg), kv_int("line", line),
	    kv_str("reason", what));
}

static int
slow_open(struct cred_store **out, const void *conf,
    const struct cred_store_env *env)
{
	const struct slow_conf *c = conf;
	struct users_reading r = {
		.path = c->path, .algs = env->algs,
		.say = log_fault, .arg = (void *)c->path
	};
	struct slow_store *s = calloc(1, sizeof *s);
	int rc;

	if (s == NULL) {
		log_fault((void *)c->path, 0, "no memory");
		return -ENOMEM;
	}
	rc = users_read(&r, &s->users);
	if (rc != 0) {
		free(s);
		return rc;
	}
	s->base.ops = &cred_slow_ops;
	s->loop = env->loop;
	s->delay_ms = c->delay_ms;
	s->answer = (enum slow_answer)c->answer;
	*out = &s->base;
	return 0;
}

static void
lookup_end(struct cred_lookup *l)
{
	*l->link = l->next;
	if (l->next != NULL)
		l->next->link = l->link;
	loop_timer_free(l->timer);
	free(l);
}

static void
slow_close(struct cred_store *base)
{
	struct slow_store *s = (struct slow_store *)base;

	while (s->lookups != NULL)
		lookup_end(s->lookups);
	users_free(s->users);
	free(s);
}

static uint8_t
slow_algs(struct cred_store *base, struct str realm)
{
	return users_algs(((struct slow_store *)base)->users, realm);
}

static void
slow_look(struct cred_store *base, const struct cred_query *q,
    struct cred_answer *out)
{
	(void)base;
	(void)q;
	memset(out, 0, sizeof *out);
	out->result = CRED_ASK;
}

static void
answer(void *arg)
{
	struct cred_lookup *l = arg;
	struct cred_answer a = { .result = CRED_UNAVAILABLE };
	cred_done_f *done = l->done;
	void *done_arg = l->arg;

	if (!l->unavailable)
		users_answer(l->store->users, &l->query, &a);
	lookup_end(l);
	done(done_arg, &a);
}

static struct cred_lookup *
lookup_new(struct slow_store *s, const struct cred_query *q)
{
	struct cred_lookup *l;

	l = calloc(1, sizeof *l + q->user.len + q->realm.len);
	if (l == NULL)
		return NULL;
	l->timer = loop_timer_new(s->loop, answer, l);
	if (l->timer == NULL) {
		free(l);
		return NULL;
	}
	memcpy(l->text, q->user.p, q->user.len);
	memcpy(l->text + q->user.len, q->realm.p, q->realm.len);
	l->query = (struct cred_query){
		.user = { l->text, q->user.len }, .userhash = q->userhash,
		.realm = { l->text + q->user.len, q->realm.len },
		.digest = { .alg = q->digest.alg }
	};
	return l;
}

static int
slow_start(struct cred_store *base, const struct cred_query *q,
    cred_done_f *done, void *arg, struct cred_lookup **out)
{
	struct slow_store *s = (struct slow_store *)base;
	int64_t wait_ms = s->delay_ms;
	struct cred_lookup *l;

	if (s->answer == SLOW_FULL || (l = lookup_new(s, q)) == NULL)
		return -ENOBUFS;
	l->unavailable = s->answer == SLOW_UNAVAILABLE;
	if (s->answer == SLOW_NEVER || wait_ms > q->timeout_ms) {
		wait_ms = q->timeout_ms;
		l->unavailable = true;
	}
	l->store = s;
	l->done = done;
	l->arg = arg;
	l->next = s->lookups;
	l->link = &s->lookups;
	if (l->next != NULL)
		l->next->link = &l->next;
	s->lookups = l;
	loop_timer_start(l->timer, wait_ms);
	*out = l;
	return 0;
}

static void
slow_cancel(struct cred_store *base, struct cred_lookup *l)
{
	(void)base;
	lookup_end(l);
}

const struct cred_ops cred_slow_ops = {
	.name = "slow",
	.opts = slow_opts,
	.conf_size = sizeof(struct slow_conf),
	.open = slow_open,
	.close = slow_close,
	.algs = slow_algs,
	.look = slow_look,
	.start = slow_start,
	.cancel = slow_cancel
};
