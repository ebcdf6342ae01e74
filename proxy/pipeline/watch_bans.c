/*
 * watch_bans.c -- bans begin and end.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "io/loop.h"
#include "pipeline/hush.h"
#include "pipeline/watch.h"
#include "pipeline/watch_shared.h"

static void
plan_next_end(struct watch *w)
{
	int64_t next_ms = bans_next_end_ms(w->bans);
	int64_t wait_ms = next_ms - clock_mono_ms();

	if (next_ms < 0) {
		loop_timer_stop(w->ends);
		return;
	}
	loop_timer_start(w->ends, wait_ms < 1 ? 1 : wait_ms);
}

static void
on_end(void *arg)
{
	struct watch *w = arg;

	bans_end(w->bans, clock_mono_ms());
	plan_next_end(w);
}

static const char *
why_it_ended(enum ban_change change)
{
	switch (change) {
	case BAN_ENDS:
		return "over";
	case BAN_MAKES_ROOM:
		return "bans_max";
	case BAN_BEGINS:
	case BAN_TAKEN_BACK:
		break;
	}
	return "taken back";
}

/* Others may tell of thousands at once, which all end at once, too. */
static bool
may_say(const struct watch *w)
{
	const struct pipeline *p = w->shared->p;

	return hush_allows(p->hush, HUSH_BANS,
	    &p->policy->limits->log_lines, clock_mono_us());
}

static void
say_ban(const struct watch *w, const struct ban *ban)
{
	char source[ADDR_TEXT_MAX];

	log_event(EV_GUARD_BAN,
	    kv_str("source", bans_source_text(ban->source, source)),
	    kv_str("reason", ban_reason_words[ban->reason]),
	    kv_int("seconds", (ban->until_ms - clock_mono_ms() + 500)
	    / 1000), kv_str("from", w->shared->telling ? "others" : "own"));
}

static void
say_end(const struct watch *w, const struct ban *ban, enum ban_change change)
{
	char source[ADDR_TEXT_MAX];

	if (may_say(w))
		log_event(EV_GUARD_UNBAN, kv_str("source",
		    bans_source_text(ban->source, source)),
		    kv_str("reason", why_it_ended(change)),
		    kv_str("from", w->shared->telling ? "others" : "own"));
}

static void
ban_begins(struct watch *w, const struct ban *ban)
{
	if (w->shared->telling) {
		w->told_total[0]++;
		if (may_say(w))
			say_ban(w, ban);
		return;
	}
	w->bans_total[ban->reason]++;
	say_ban(w, ban);
	watch_shared_tell(w->shared, ban);
}

static void
on_change(void *arg, const struct ban *ban, enum ban_change change)
{
	struct watch *w = arg;

	w->bans_gauge[0] = bans_count(w->bans);
	if (change == BAN_BEGINS)
		ban_begins(w, ban);
	else
		say_end(w, ban, change);
	plan_next_end(w);
}

static bool
add_metrics(struct watch *w, struct metrics *m)
{
	static const struct metric bans = { "guard_bans_total",
		"Bans that were found out here, by their reason.",
		METRIC_COUNTER, "reason", ban_reason_words,
		BAN_REASON_COUNT };
	static const struct metric told = {
		.name = "guard_bans_told_total",
		.help = "Bans that other instances told of." };
	static const struct metric banned = { .name = "guard_banned",
		.help = "Sources that are banned.", .kind = METRIC_GAUGE };

	w->bans_total = metrics_add(m, &bans);
	w->told_total = metrics_add(m, &told);
	w->bans_gauge = metrics_add(m, &banned);
	return w->bans_total != NULL && w->told_total != NULL &&
	    w->bans_gauge != NULL;
}

int
watch_bans_open(struct watch *w, struct pipeline *p)
{
	w->bans = bans_new(w->key);
	w->ends = loop_timer_new(p->env.loop, on_end, w);
	if (w->bans == NULL || w->ends == NULL)
		return -ENOMEM;
	w->shared = watch_shared_new(p, w->bans);
	return w->shared != NULL && add_metrics(w, p->env.metrics) &&
	    bans_listen(w->bans, on_change, w) ? 0 : -ENOMEM;
}

struct found {
	const struct pipeline *p;
	struct ban	*ban;
	size_t		 n, room;
};

static struct addr
addr_of(const struct ban *ban)
{
	struct addr a = { .port = 0 };

	memcpy(a.ip, ban->source, sizeof a.ip);
	return a;
}

static void
find_spared(void *arg, const struct ban *ban)
{
	struct found *f = arg;
	struct addr a = addr_of(ban);

	if (f->n < f->room && watch_is_spared(f->p, f->p->policy, &a))
		f->ban[f->n++] = *ban;
}

/* A peer may be one here only; what must never be banned is so anywhere. */
static void
take_back(const struct pipeline *p, const struct ban *ban)
{
	struct addr a = addr_of(ban);
	struct net banned;

	bans_remove(p->watch->bans, &a);
	bans_source_net(&a, &banned);
	if (spared_meets(p->policy->spared, &banned))
		watch_shared_lift(p->watch->shared, ban);
}

static void
take_all_back(struct found *f)
{
	do {
		f->n = 0;
		bans_each(f->p->watch->bans, find_spared, f);
		for (size_t i = 0; i < f->n; i++)
			take_back(f->p, &f->ban[i]);
	} while (f->n == f->room);
}

/* It may be all of thousands: they are looked through once, and not once for
 * each few, if there is memory. */
void
watch_bans_spare(struct pipeline *p)
{
	struct ban few[64];
	struct found f = { .p = p, .ban = few, .room = COUNT(few) };
	size_t n = bans_count(p->watch->bans);
	struct ban *all = n < f.room ? NULL : calloc(n + 1, sizeof *all);

	if (all != NULL) {
		f.ban = all;
		f.room = n + 1;
	}
	take_all_back(&f);
	free(all);
}

void
watch_bans_close(struct watch *w)
{
	watch_shared_free(w->shared);
	loop_timer_free(w->ends);
	bans_free(w->bans);
}
