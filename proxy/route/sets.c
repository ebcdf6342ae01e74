/*
 * sets.c -- the members of all peers, and whose turn it is.
 */
#include "config.h"

#include "route/sets.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"

struct set_member {
	struct member	*m;
	struct peer_target is;
};

struct set {
	struct sets	*all;
	enum balance	 balance;
	size_t		 n;
	struct set_member v[];
};

enum figure { FIGURE_UP, FIGURE_REQUESTS, FIGURE_FAILURES, FIGURE_UNDER_WAY,
    FIGURES };

/* Who gives the values of a family of counters. */
struct teller {
	const struct sets *all;
	enum figure	 figure;
};

struct sets {
	struct member	*first;
	struct teller	 teller[FIGURES];
};

/* FNV-1a, then mixed so that every bit counts (the finish of SplitMix64).
 * No key: several instances are to choose alike, and whoever could aim at a
 * member could as well call it many times. */
static uint64_t
hash(uint64_t seed, struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.p[i]) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

/* ---- members ---- */

static struct member *
find(const struct sets *ss, const char *peer, const char *uri)
{
	size_t len = strlen(peer);

	for (struct member *m = ss->first; m != NULL; m = m->next)
		if (m->peer_len == len && memcmp(m->label, peer, len) == 0 &&
		    strcmp(m->uri, uri) == 0)
			return m;
	return NULL;
}

static void
append(struct sets *ss, struct member *m)
{
	struct member **end = &ss->first;

	while (*end != NULL)
		end = &(*end)->next;
	*end = m;
}

static struct member *
make(struct sets *ss, const char *peer, const char *uri)
{
	size_t len = strlen(peer), size = len + 1 + strlen(uri) + 1;
	struct member *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->label = malloc(size);
	if (m->label == NULL) {
		free(m);
		return NULL;
	}
	memcpy(m->label, peer, len);
	m->label[len] = ' ';
	memcpy(m->label + len + 1, uri, size - len - 1);
	m->uri = m->label + len + 1;
	m->peer_len = len;
	m->seed = hash(0, str_of(uri));
	append(ss, m);
	return m;
}

static void
let_go(struct sets *ss, struct member *m)
{
	struct member **at = &ss->first;

	if (--m->refs > 0)
		return;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	free(m->label);
	free(m);
}

/* ---- sets ---- */

struct sets *
sets_new(void)
{
	return calloc(1, sizeof(struct sets));
}

void
sets_free(struct sets *ss)
{
	free(ss);
}

void
set_free(struct set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		let_go(s->all, s->v[i].m);
	free(s);
}

static bool
add_member(struct set *s, const struct peer *p, size_t i)
{
	struct member *m = find(s->all, p->name, p->uri[i]);

	if (m == NULL)
		m = make(s->all, p->name, p->uri[i]);
	if (m == NULL)
		return false;
	m->refs++;
	s->v[s->n++] = (struct set_member){ m, p->target[i] };
	return true;
}

static struct set *
set_new(struct sets *ss, const struct peer *p)
{
	struct set *s = calloc(1, sizeof *s + p->nuris * sizeof s->v[0]);

	if (s == NULL)
		return NULL;
	s->all = ss;
	s->balance = p->balance;
	for (size_t i = 0; i < p->nuris; i++)
		if (!add_member(s, p, i)) {
			set_free(s);
			return NULL;
		}
	return s;
}

int
sets_join(struct sets *ss, struct peers *ps)
{
	for (size_t i = 0; i < peers_count(ps); i++) {
		struct peer *p = peers_mut(ps, i);

		if (p->nuris == 0)
			continue;
		p->set = set_new(ss, p);
		if (p->set == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct member *
set_member(const struct set *s, int i)
{
	return s->v[i].m;
}

/* ---- whose turn it is ---- */

/* Bits of those of the lowest priority that has any. */
static uint64_t
candidates(const struct set *s, uint64_t asked)
{
	uint64_t out = 0;
	unsigned lowest = UINT16_MAX + 1;

	for (size_t i = 0; i < s->n; i++) {
		uint64_t bit = UINT64_C(1) << i;

		if ((asked & bit) != 0 || s->v[i].m->failing ||
		    s->v[i].is.priority > lowest)
			continue;
		if (s->v[i].is.priority < lowest)
			out = 0;
		lowest = s->v[i].is.priority;
		out |= bit;
	}
	return out;
}

/* The next one of a mask from i on; n: none. */
static size_t
next_of(const struct set *s, uint64_t mask, size_t i)
{
	while (i < s->n && (mask >> i & 1) == 0)
		i++;
	return i;
}

#define EACH_OF(s, mask, i) (size_t i = next_of(s, mask, 0); i < (s)->n; \
    i = next_of(s, mask, i + 1))

/* Smooth weighted round robin: all gain their weight, and who has gained most
 * pays for all.  What somebody gained while he could not serve he keeps. */
static int
in_turn(const struct set *s, uint64_t mask, bool weighted)
{
	int64_t total = 0;
	int best = -1;

	for EACH_OF(s, mask, i) {
		int64_t gain = weighted ? s->v[i].is.weight : 1;

		s->v[i].m->turn += gain;
		total += gain;
		if (best < 0 || s->v[i].m->turn > s->v[best].m->turn)
			best = (int)i;
	}
	s->v[best].m->turn -= total;
	return best;
}

/* Rendezvous hashing: each member makes a number of the key, whose chance to
 * be the highest is its weight's share. */
static int
by_hash(const struct set *s, uint64_t mask, struct str key)
{
	double highest = 0;
	int best = -1;

	for EACH_OF(s, mask, i) {
		uint64_t h = hash(s->v[i].m->seed, key);
		double u = ((double)(h >> 11) + 0.5) / (double)(1ull << 53);
		double score = s->v[i].is.weight / -log(u);

		if (best >= 0 && score <= highest)
			continue;
		best = (int)i;
		highest = score;
	}
	return best;
}

/* Negative: a has less to do than b, by their weights. */
static int
compare_load(const struct set_member *a, const struct set_member *b)
{
	uint64_t x = a->m->under_way * b->is.weight;
	uint64_t y = b->m->under_way * a->is.weight;

	return x < y ? -1 : x > y;
}

static int
least(const struct set *s, uint64_t mask)
{
	const struct set_member *best = NULL;
	uint64_t tie = 0;

	for EACH_OF(s, mask, i) {
		int c = best == NULL ? -1 : compare_load(&s->v[i], best);

		if (c > 0)
			continue;
		if (c < 0) {
			best = &s->v[i];
			tie = 0;
		}
		tie |= UINT64_C(1) << i;
	}
	return in_turn(s, tie, true);
}

int
set_next(struct set *s, uint64_t asked, struct str key)
{
	uint64_t mask = candidates(s, asked);

	if (mask == 0)
		return -1;
	switch (s->balance) {
	case BALANCE_ORDER:
		break;
	case BALANCE_ROUND_ROBIN:
		return in_turn(s, mask, false);
	case BALANCE_WEIGHT:
		return in_turn(s, mask, true);
	case BALANCE_CALL_ID:
	case BALANCE_FROM:
	case BALANCE_USER:
		return by_hash(s, mask, key);
	case BALANCE_LEAST:
		return least(s, mask);
	}
	return (int)next_of(s, mask, 0);
}

bool
set_has_next(const struct set *s, uint64_t asked)
{
	return candidates(s, asked) != 0;
}

/* ---- what is known of a member ---- */

void
member_begin(struct member *m)
{
	m->under_way++;
	m->requests++;
}

void
member_end(struct member *m)
{
	m->under_way--;
}

bool
member_probed(struct member *m, bool good, const struct peer_probe *p)
{
	if (good != m->failing) {	/* as we knew */
		m->streak = 0;
		return false;
	}
	if (++m->streak < (good ? p->rise : p->fall))
		return false;
	m->streak = 0;
	m->failing = !good;
	return true;
}

void
member_unprobed(struct member *m)
{
	m->failing = false;
	m->streak = 0;
}

const char *
member_word(const struct member *m)
{
	return m->failing ? "down" : "up";
}

void
sets_each(const struct sets *ss,
    void (*visit)(void *arg, const struct member *m), void *arg)
{
	for (const struct member *m = ss->first; m != NULL; m = m->next)
		visit(arg, m);
}

/* ---- counters ---- */

static uint64_t
figure_of(const struct member *m, enum figure f)
{
	switch (f) {
	case FIGURE_UP:
		return !m->failing;
	case FIGURE_REQUESTS:
		return m->requests;
	case FIGURE_FAILURES:
		return m->failures;
	default:
		return m->under_way;
	}
}

static void
tell(void *owner, const struct metric *what, metrics_visit_f *visit, void *arg)
{
	const struct teller *t = owner;

	for (const struct member *m = t->all->first; m != NULL; m = m->next)
		visit(arg, what, m->label, figure_of(m, t->figure));
}

int
sets_add_metrics(struct sets *ss, struct metrics *m)
{
	static const struct metric what[FIGURES] = {
		[FIGURE_UP] = { .name = "target_up", .kind = METRIC_GAUGE,
		    .help = "1: the target takes new requests.",
		    .label = "target" },
		[FIGURE_REQUESTS] = { .name = "target_requests_total",
		    .help = "Requests sent to the target.",
		    .label = "target" },
		[FIGURE_FAILURES] = { .name = "target_failures_total",
		    .help = "Of these, 503, silence and what could not be "
		    "sent.", .label = "target" },
		[FIGURE_UNDER_WAY] = { .name = "target_requests_pending",
		    .help = "Requests under way to the target.",
		    .kind = METRIC_GAUGE, .label = "target" },
	};

	for (int f = 0; f < FIGURES; f++) {
		ss->teller[f] = (struct teller){ ss, (enum figure)f };
		if (metrics_add_live(m, &what[f], tell, &ss->teller[f]) < 0)
			return -ENOMEM;
	}
	return 0;
}
