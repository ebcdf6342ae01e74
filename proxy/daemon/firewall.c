/*
 * firewall.c -- hand bans over to the kernel.
 *
 * What changes in one turn of the loop, or while the kernel is at work, is
 * gathered and handed over together.  Where that is too much, or a work
 * failed, the table is made anew, and all bans follow in portions.
 */
#include "config.h"

#include "daemon/firewall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/loop.h"
#include "io/nft.h"

enum {
	AGAIN_MS = 10000,		/* between two tables */
	LOOK_MS = 10000,		/* between two looks at ours */
	BANS_AT_MOST = 1000000		/* that are handed over */
};

enum state {
	STATE_DOWN,			/* the kernel has no table of ours */
	STATE_FILLING,			/* it has, but not all bans yet */
	STATE_UP
};

_Static_assert((int)NFT_PLACES_MAX == (int)WAYS_MAX &&
    sizeof ((struct nft_change *)0)->source == SOURCE_BYTES, "copied");

struct firewall {
	struct nft	*nft;
	struct loop_hook *hook;		/* hands over */
	struct loop_timer *again;	/* if there is something lost */
	struct loop_timer *look;	/* is it there, and does it answer? */
	struct bans	*bans;
	const char	*table;		/* settings outlive us */
	int64_t		 bans_max;
	struct nft_place place[NFT_PLACES_MAX];
	size_t		 nplaces;
	enum state	 state;
	bool		 busy;		/* a work is under way */
	int64_t		 begun_ms;	/* since then */
	bool		 said;		/* that it is down */
	int64_t		 made_ms;	/* when it was last tried; 0: never */
	struct nft_change change[NFT_CHANGES_MAX];	/* that wait */
	size_t		 nchanges;
	bool		 lost;		/* the kernel lacks some of them */
	struct nft_change *all;		/* STATE_FILLING: the bans then */
	size_t		 nall, at;
	size_t		 nhanded;	/* bans when the last work began */
	uint64_t	*elements, *failures_total, *lost_total;
};

static int
add_metrics(struct firewall *fw, struct metrics *m)
{
	static const struct metric elements = { .name = "firewall_elements",
		.help = "Bans that the kernel has.", .kind = METRIC_GAUGE };
	static const struct metric failures = {
		.name = "firewall_failures_total",
		.help = "Works that the kernel refused." };
	static const struct metric lost = { .name = "firewall_lost_total",
		.help = "Bans that had no place in the queue to the kernel, "
		"which got all anew." };

	fw->elements = metrics_add(m, &elements);
	fw->failures_total = metrics_add(m, &failures);
	fw->lost_total = metrics_add(m, &lost);
	return fw->elements == NULL || fw->failures_total == NULL ||
	    fw->lost_total == NULL ? -1 : 0;
}

/* Those that ended meanwhile are gone there, too. */
static void
show_elements(struct firewall *fw, size_t n)
{
	size_t bans = bans_count(fw->bans);

	fw->elements[0] = n < bans ? n : bans;
}

/* ---- what waits */

static struct nft_change *
find_change(struct firewall *fw, const uint8_t source[SOURCE_BYTES])
{
	for (size_t i = 0; i < fw->nchanges; i++)
		if (memcmp(fw->change[i].source, source, SOURCE_BYTES) == 0)
			return &fw->change[i];
	return NULL;
}

static void
add_change(struct firewall *fw, const struct ban *ban, int64_t until_ms)
{
	struct nft_change *c;

	if (fw->state == STATE_DOWN)	/* the next table will have it */
		return;
	c = find_change(fw, ban->source);
	if (c == NULL && fw->nchanges == NFT_CHANGES_MAX) {
		fw->lost = true;
		fw->lost_total[0]++;
		return;
	}
	if (c == NULL)
		c = &fw->change[fw->nchanges++];
	memcpy(c->source, ban->source, SOURCE_BYTES);
	c->until_ms = until_ms;
}

static void
on_change(void *arg, const struct ban *ban, enum ban_change change)
{
	struct firewall *fw = arg;

	switch (change) {
	case BAN_BEGINS:
		add_change(fw, ban, ban->until_ms);
		loop_hook_start(fw->hook);
		break;
	case BAN_MAKES_ROOM:
	case BAN_TAKEN_BACK:
		add_change(fw, ban, 0);
		loop_hook_start(fw->hook);
		break;
	case BAN_ENDS:			/* there, too */
		break;
	}
	show_elements(fw, fw->elements[0]);
}

/* ---- works */

/* It is tried again without another ban: there may be none for hours. */
static void
go_down(struct firewall *fw, const char *why)
{
	fw->lost = true;
	loop_timer_start(fw->again, AGAIN_MS);
	fw->state = STATE_DOWN;
	fw->elements[0] = 0;
	fw->failures_total[0]++;
	free(fw->all);
	fw->all = NULL;
	fw->nchanges = 0;
	if (!fw->said)
		log_event(EV_FIREWALL_FAIL, kv_str("table", fw->table),
		    kv_str("reason", why));
	fw->said = true;
}

static void
begin(struct firewall *fw, int rc)
{
	fw->busy = rc == 0;
	fw->begun_ms = clock_mono_ms();
	if (rc < 0)
		go_down(fw, strerror(-rc));
}

static void
take_ban(void *arg, const struct ban *ban)
{
	struct firewall *fw = arg;
	struct nft_change *c = &fw->all[fw->nall++];

	memcpy(c->source, ban->source, SOURCE_BYTES);
	c->until_ms = ban->until_ms;
}

/* The bans as they are now, so that what waits is in it. */
static void
make_table(struct firewall *fw)
{
	size_t n = bans_count(fw->bans), max = (size_t)fw->bans_max;

	fw->made_ms = clock_mono_ms();
	free(fw->all);
	fw->all = calloc(n + 1, sizeof fw->all[0]);
	if (fw->all == NULL) {
		go_down(fw, "no memory");
		return;
	}
	fw->nall = fw->at = 0;
	bans_each(fw->bans, take_ban, fw);
	fw->nchanges = 0;
	fw->lost = false;
	fw->state = STATE_FILLING;
	/* there may be more, from before a reload */
	begin(fw, nft_make(fw->nft, fw->place, fw->nplaces,
	    n > max ? n : max));
}

static void
fill(struct firewall *fw)
{
	size_t n = fw->nall - fw->at;

	if (n > NFT_CHANGES_MAX)
		n = NFT_CHANGES_MAX;
	fw->at += n;
	begin(fw, nft_change(fw->nft, fw->all + fw->at - n, n));
}

static void
be_up(struct firewall *fw)
{
	free(fw->all);
	fw->all = NULL;
	fw->state = STATE_UP;
	fw->said = false;
	show_elements(fw, fw->nall);
	log_event(EV_FIREWALL_UP, kv_str("table", fw->table),
	    kv_uint("bans", fw->nall));
}

static void
hand_changes(struct firewall *fw)
{
	size_t n = fw->nchanges;

	if (n == 0)
		return;
	fw->nchanges = 0;
	fw->nhanded = bans_count(fw->bans);
	begin(fw, nft_change(fw->nft, fw->change, n));
}

/* For how long there may be no other table; 0: there may. */
static int64_t
rest_ms(const struct firewall *fw)
{
	int64_t since_ms = clock_mono_ms() - fw->made_ms;

	return fw->made_ms == 0 || since_ms >= AGAIN_MS ? 0 :
	    AGAIN_MS - since_ms;
}

/* At the end of a turn in which something was banned, and after a work. */
static void
go_on(void *arg)
{
	struct firewall *fw = arg;
	int64_t wait_ms = rest_ms(fw);

	if (fw->busy)
		return;
	if (fw->state == STATE_FILLING && fw->at < fw->nall) {
		fill(fw);
		return;
	}
	if (fw->state == STATE_FILLING)
		be_up(fw);
	if (fw->lost && wait_ms > 0)
		loop_timer_start(fw->again, wait_ms);
	if ((fw->state == STATE_DOWN || fw->lost) && wait_ms == 0)
		make_table(fw);
	else if (fw->state == STATE_UP)
		hand_changes(fw);
}

static void
on_done(void *arg, const char *why)
{
	struct firewall *fw = arg;

	fw->busy = false;
	if (why != NULL)
		go_down(fw, why);
	else if (fw->state == STATE_UP)
		show_elements(fw, fw->nhanded);
	go_on(fw);
}

/* Somebody may have flushed all tables, or the rules of ours, and there may be
 * no change for hours that shows it.  What does not answer is said; all is
 * handed over anew when it does. */
static void
look(void *arg)
{
	struct firewall *fw = arg;

	loop_timer_start(fw->look, LOOK_MS);
	if (fw->busy && fw->state != STATE_DOWN &&
	    clock_mono_ms() - fw->begun_ms >= LOOK_MS)
		go_down(fw, "the kernel does not answer");
	if (fw->busy || fw->state != STATE_UP)
		return;
	fw->nhanded = (size_t)fw->elements[0];
	begin(fw, nft_look(fw->nft));
}

/* ---- life */

/* As nftables reads it; it goes into what that is told. */
static bool
is_table_name(struct str s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", more[] = "0123456789_";

	if (s.len == 0 || s.len > NFT_TABLE_MAX ||
	    strchr(first, s.p[0]) == NULL)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (strchr(first, s.p[i]) == NULL &&
		    strchr(more, s.p[i]) == NULL)
			return false;
	return true;
}

void
firewall_check(const struct settings *s)
{
	const struct guard_conf *g = &s->guard;
	struct str table = str_of(g->firewall_table == NULL ? "" :
	    g->firewall_table);

	if (g->firewall == FIREWALL_OFF)
		return;
	if (!nft_is_there())
		conf_error(s->conf, g->line, "guard.firewall", "this program "
		    "was built without nftables (configure "
		    "--with-nftables)");
	if (!is_table_name(table))
		conf_error(s->conf, g->line, "guard.firewall_table",
		    "\"%s\" is not a letter followed by letters, digits and "
		    "\"_\"", g->firewall_table);
	if (s->limits.bans_max > BANS_AT_MOST)
		conf_error(s->conf, s->limits.line, "limits.bans_max",
		    "more than %d cannot be handed over to guard.firewall",
		    BANS_AT_MOST);
}

void
firewall_warn(const struct settings *s)
{
	if (s->guard.firewall != FIREWALL_OFF && !nft_is_allowed())
		conf_warn(s->conf, s->guard.line, "guard.firewall",
		    "whoever runs this has no CAP_NET_ADMIN; without it the "
		    "daemon cannot hand over bans");
}

int
firewall_new(struct firewall **out, struct loop *l, struct metrics *m,
    const struct settings *s)
{
	struct firewall *fw;

	*out = NULL;
	if (s->guard.firewall == FIREWALL_OFF)
		return 0;
	fw = calloc(1, sizeof *fw);
	if (fw == NULL)
		return -1;
	fw->table = s->guard.firewall_table;
	fw->bans_max = s->limits.bans_max;
	fw->hook = loop_hook_new(l, go_on, fw);
	fw->again = loop_timer_new(l, go_on, fw);
	fw->look = loop_timer_new(l, look, fw);
	if (fw->hook != NULL && fw->again != NULL && fw->look != NULL &&
	    add_metrics(fw, m) == 0)
		fw->nft = nft_new(l, fw->table, on_done, fw);
	if (fw->nft == NULL) {
		firewall_free(fw);
		return -1;
	}
	*out = fw;
	return 0;
}

void
firewall_free(struct firewall *fw)
{
	if (fw == NULL)
		return;
	nft_free(fw->nft);
	loop_hook_free(fw->hook);
	loop_timer_free(fw->again);
	loop_timer_free(fw->look);
	free(fw->all);
	free(fw);
}

static struct nft_place
place_of(const struct way *w)
{
	return (struct nft_place){ .addr = w->addr,
		.stream = w->transport != TRANSPORT_UDP };
}

/* Behind a balancer its address, which the kernel sees, is not the one that
 * was banned. */
void
firewall_start(struct firewall *fw, struct bans *bans,
    const struct ways *ways)
{
	int rc;

	if (fw == NULL)
		return;
	rc = nft_give_up_right();
	if (rc < 0)
		log_event(EV_FIREWALL_RIGHT, kv_str("reason", strerror(-rc)));
	fw->bans = bans;
	for (size_t i = 0; i < ways->n; i++)
		if (!ways->way[i].balanced)
			fw->place[fw->nplaces++] = place_of(&ways->way[i]);
	if (!bans_listen(bans, on_change, fw)) {
		go_down(fw, "too many want to know of bans");
		loop_timer_stop(fw->again);
		return;
	}
	make_table(fw);
	loop_timer_start(fw->look, LOOK_MS);
}

void
firewall_set_max(struct firewall *fw, int64_t bans_max)
{
	if (fw == NULL)
		return;
	if (bans_max > fw->bans_max) {	/* the table was made for fewer */
		fw->lost = true;
		loop_hook_start(fw->hook);
	}
	fw->bans_max = bans_max;
}
