/*
 * watch_shared.c -- bans that other instances know, too.
 */
#include "config.h"

#include "pipeline/watch_shared.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "guard/shared.h"
#include "io/loop.h"
#include "pipeline/request.h"
#include "pipeline/watch.h"

enum {
	PORTION = 256,
	PORTION_MS = 10,
	AGAIN_MS = 10000,	/* when there was no memory for a copy */
	SAME_MS = 2000		/* ends so close are one: our own comes back
				 * a little later than it left */
};

/* ---- what was taken back */

/* One that ends so is known, or in force again. */
static void
forget_lifted(struct watch_shared *s, const uint8_t source[SOURCE_BYTES],
    int64_t until_ms)
{
	struct ban *v = s->lifted;

	for (size_t i = s->nlifted; i-- > 0; )
		if (memcmp(v[i].source, source, SOURCE_BYTES) == 0 &&
		    v[i].until_ms <= until_ms)
			v[i] = v[--s->nlifted];
}

static void
forget_ended(struct watch_shared *s)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = s->nlifted; i-- > 0; )
		if (s->lifted[i].until_ms <= now_ms)
			s->lifted[i] = s->lifted[--s->nlifted];
}

/* ---- what others tell */

/* No ban lasts longer than ours do: the clock of who keeps it may have been
 * set back. */
static int64_t
rest_of(const struct shared_ban *told, const struct limits_conf *limits)
{
	return told->rest_ms < limits->ban_max_ms ? told->rest_ms :
	    limits->ban_max_ms;
}

static void
banned(void *arg, const struct shared_ban *told)
{
	struct watch_shared *s = arg;
	const struct policy *policy = s->p->policy;
	struct ban ban = { .reason = told->reason,
		.until_ms = clock_mono_ms() + rest_of(told, policy->limits) };
	struct addr a = { .port = 0 };
	char source[ADDR_TEXT_MAX];

	memcpy(ban.source, told->source, sizeof ban.source);
	memcpy(a.ip, told->source, sizeof a.ip);
	forget_lifted(s, ban.source, ban.until_ms - SAME_MS);
	if (bans_until_ms(s->bans, ban.source) + SAME_MS >= ban.until_ms ||
	    watch_is_spared(s->p, policy, &a) ||
	    watch_is_proved(s->p->watch, ban.source))
		return;
	s->telling = true;
	if (bans_add(s->bans, &ban, (size_t)policy->limits->bans_max) < 0)
		log_event(EV_GUARD_NO_BAN, kv_str("source",
		    bans_source_text(ban.source, source)));
	s->telling = false;
	watch_told(s->p->watch, policy->limits, ban.source);
}

static void
lifted(void *arg, const struct shared_ban *told)
{
	struct watch_shared *s = arg;
	int64_t until_ms = clock_mono_ms() + told->rest_ms + SAME_MS;
	struct addr a = { .port = 0 };

	forget_lifted(s, told->source, until_ms);
	if (bans_until_ms(s->bans, told->source) > until_ms)
		return;			/* found out here since */
	memcpy(a.ip, told->source, sizeof a.ip);
	s->telling = true;
	bans_remove(s->bans, &a);
	s->telling = false;
}

/* ---- what we tell */

static struct shared_ban
told_of(const struct ban *ban)
{
	struct shared_ban told = { .reason = ban->reason,
		.rest_ms = ban->until_ms - clock_mono_ms() };

	memcpy(told.source, ban->source, sizeof told.source);
	return told;
}

void
watch_shared_tell(struct watch_shared *s, const struct ban *ban)
{
	struct shared *shared = s->p->env.shared;
	struct shared_ban told = told_of(ban);

	forget_lifted(s, ban->source, INT64_MAX);
	if (shared != NULL)
		shared->ops->ban(shared, &told,
		    (size_t)s->p->policy->limits->bans_max);
}

static void
tell_lifted(const struct watch_shared *s, const struct ban *ban)
{
	struct shared *shared = s->p->env.shared;
	struct shared_ban told = told_of(ban);

	shared->ops->lift(shared, &told,
	    (size_t)s->p->policy->limits->bans_max);
}

void
watch_shared_lift(struct watch_shared *s, const struct ban *ban)
{
	if (s->p->env.shared == NULL)
		return;
	forget_ended(s);
	if (s->nlifted < WATCH_LIFTS_MAX)
		s->lifted[s->nlifted++] = *ban;
	tell_lifted(s, ban);
}

static void
forget_copy(struct watch_shared *s)
{
	free(s->tell);
	s->tell = NULL;
	s->ntell = s->room = 0;
}

static void
copy_one(void *arg, const struct ban *ban)
{
	struct watch_shared *s = arg;

	if (s->ntell < s->room)
		s->tell[s->ntell++] = *ban;
}

/* It knows nothing of what we have, which may be more than it takes at once. */
static void
tell_all(void *arg)
{
	struct watch_shared *s = arg;
	size_t n = bans_count(s->bans);

	forget_ended(s);
	for (size_t i = 0; i < s->nlifted; i++)
		tell_lifted(s, &s->lifted[i]);
	forget_copy(s);
	if (n == 0)
		return;
	s->tell = calloc(n, sizeof *s->tell);
	if (s->tell != NULL) {
		s->room = n;
		bans_each(s->bans, copy_one, s);
	}
	loop_timer_start(s->next, s->tell != NULL ? 0 : AGAIN_MS);
}

/* It may have been taken back since it was copied. */
static void
tell_if_still(struct watch_shared *s, const struct ban *ban)
{
	if (bans_until_ms(s->bans, ban->source) >= ban->until_ms)
		watch_shared_tell(s, ban);
}

static void
tell_some(void *arg)
{
	struct watch_shared *s = arg;

	if (s->tell == NULL) {
		tell_all(s);
		return;
	}
	for (size_t i = 0; i < PORTION && s->ntell > 0; i++)
		tell_if_still(s, &s->tell[--s->ntell]);
	if (s->ntell > 0)
		loop_timer_start(s->next, PORTION_MS);
	else
		forget_copy(s);
}

/* ---- life */

static void
listen_to(struct shared *shared, const struct shared_hooks *hooks)
{
	if (shared != NULL)
		shared->ops->listen(shared, hooks);
}

struct watch_shared *
watch_shared_new(struct pipeline *p, struct bans *bans)
{
	struct watch_shared *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->p = p;
	s->bans = bans;
	s->next = loop_timer_new(p->env.loop, tell_some, s);
	if (s->next == NULL) {
		free(s);
		return NULL;
	}
	listen_to(p->env.shared, &(const struct shared_hooks){ banned, lifted,
	    tell_all, s });
	return s;
}

void
watch_shared_free(struct watch_shared *s)
{
	if (s == NULL)
		return;
	listen_to(s->p->env.shared, &(const struct shared_hooks){ 0 });
	loop_timer_free(s->next);
	forget_copy(s);
	free(s);
}
