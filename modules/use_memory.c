/*
 * use_memory.c -- uses of nonces, counted in this process.
 *
 * A table by nonce id finds the counts that were used; a heap by time of
 * issue finds the oldest nonce, which is the one that goes: at its end, or
 * earlier when the memory is full.
 *
 * What is forgotten must not be accepted again.  So with each nonce that goes,
 * the fence moves up to its time of issue, and everything issued until then is
 * stale.  That also holds when the clock is set back; when it is set back
 * further than requests can straggle, a new generation begins, lest a fence
 * or nonces from the future be in the way of the present.
 */
#include "config.h"

#include "modules/use_memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1	/* no memory is an answer, not an exit */
#include <uthash.h>

#include "base/count.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"

enum {
	KEEP_MS = 60000,	/* beyond a nonce's life, for stragglers */
	SAY_AGAIN_MS = 60000,	/* between two complaints */
	ENDED_AT_ONCE = 32,	/* most that one use clears away */
	WORD_BITS = 64
};

/* A nonce that was used.  Count n is bit n - 1; the first word stands inside,
 * which serves nearly every nonce. */
struct held {
	UT_hash_handle	 hh;
	int64_t		 issued_ms;
	uint64_t	 first;
	uint64_t	*more;
	uint32_t	 nmore;		/* words */
	uint16_t	 lifetime_s;
	uint8_t		 id[NONCE_ID_BYTES];
};

struct use_memory {
	size_t		 size;		/* most nonces held */
	uint32_t	 nc_max;
	uint32_t	 generation;
	uint64_t	 hash_key;
	int64_t		 fence_ms;	/* issued until then: forgotten */
	int64_t		 latest_ms;	/* latest time seen */
	int64_t		 said_ms;
	struct held	*table;		/* uthash, by id */
	struct held	**heap;		/* by issued_ms, the oldest first */
	size_t		 nheap, heap_room;
	uint64_t	*nheld, *nuses, *nforgotten;
};

static const char *const verdict_names[] = {
	[USE_ACCEPT] = "accept", [USE_ABSORB] = "absorb",
	[USE_FENCED] = "fenced", [USE_REPLAY] = "replay",
	[USE_UNAVAILABLE] = "unavailable"
};

static const struct metric held_metric = {
	.name = "nonce_memory_nonces", .kind = METRIC_GAUGE,
	.help = "Nonces whose uses are held in memory."
};

static const struct metric uses_metric = {
	.name = "nonce_memory_uses_total", .kind = METRIC_COUNTER,
	.help = "Uses of nonces that the memory judged, by verdict.",
	.label = "verdict", .values = verdict_names,
	.nvalues = COUNT(verdict_names)
};

static const struct metric forgotten_metric = {
	.name = "nonce_memory_forgotten_total", .kind = METRIC_COUNTER,
	.help = "Nonces forgotten before their end because memory was full."
};

static bool
heap_make_room(struct use_memory *m)
{
	size_t room = m->heap_room == 0 ? 64 : 2 * m->heap_room;
	struct held **heap;

	if (m->nheap < m->heap_room)
		return true;
	heap = realloc(m->heap, room * sizeof *heap);
	if (heap == NULL)
		return false;
	m->heap = heap;
	m->heap_room = room;
	return true;
}

/* Room was made before. */
static void
heap_push(struct use_memory *m, struct held *h)
{
	size_t i = m->nheap++, up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (m->heap[up]->issued_ms <= h->issued_ms)
			break;
		m->heap[i] = m->heap[up];
	}
	m->heap[i] = h;
}

static struct held *
heap_pop(struct use_memory *m)
{
	struct held *oldest = m->heap[0], *last = m->heap[--m->nheap];
	size_t i = 0, down;

	for (; (down = 2 * i + 1) < m->nheap; i = down) {
		if (down + 1 < m->nheap &&
		    m->heap[down + 1]->issued_ms < m->heap[down]->issued_ms)
			down++;
		if (last->issued_ms <= m->heap[down]->issued_ms)
			break;
		m->heap[i] = m->heap[down];
	}
	m->heap[i] = last;
	return oldest;
}

/*
 * Ids are cut from SHA-256 over nonces that we signed, so nobody chooses
 * them; the key spoils the plan to collect many and use those that collide.
 */
static unsigned
id_hash(const struct use_memory *m, const uint8_t *id)
{
	uint64_t x = (uint64_t)get_u32(id) << 32 | get_u32(id + 4);

	return (unsigned)((x * m->hash_key) >> 32);
}

static struct held *
held_find(const struct use_memory *m, const uint8_t *id)
{
	struct held *h;

	HASH_FIND_BYHASHVALUE(hh, m->table, id, NONCE_ID_BYTES,
	    id_hash(m, id), h);
	return h;
}

static int64_t
end_ms(int64_t issued_ms, uint16_t lifetime_s)
{
	return issued_ms + lifetime_s * INT64_C(1000) + KEEP_MS;
}

static void
held_free(struct held *h)
{
	free(h->more);
	free(h);
}

static void
forget_oldest(struct use_memory *m)
{
	struct held *h = heap_pop(m);

	HASH_DELETE(hh, m->table, h);
	if (h->issued_ms > m->fence_ms)
		m->fence_ms = h->issued_ms;
	held_free(h);
	*m->nheld = m->nheap;
}

/* Only so many, lest the first use after a lull pay for all. */
static void
forget_ended(struct use_memory *m, int64_t now_ms)
{
	for (int i = 0; i < ENDED_AT_ONCE && m->nheap > 0; i++) {
		if (end_ms(m->heap[0]->issued_ms,
		    m->heap[0]->lifetime_s) > now_ms)
			break;
		forget_oldest(m);
	}
}

static void
forget_all(struct use_memory *m)
{
	HASH_CLEAR(hh, m->table);
	while (m->nheap > 0)
		held_free(m->heap[--m->nheap]);
	*m->nheld = 0;
}

/* NULL: no memory. */
static struct held *
held_new(struct use_memory *m, const struct nonce_use *use)
{
	struct held *h;

	if (!heap_make_room(m))
		return NULL;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->issued_ms = use->issued_ms;
	h->lifetime_s = use->lifetime_s;
	memcpy(h->id, use->id, sizeof h->id);
	HASH_ADD_BYHASHVALUE(hh, m->table, id, NONCE_ID_BYTES,
	    id_hash(m, h->id), h);
	if (h->hh.tbl == NULL) {
		free(h);
		return NULL;
	}
	heap_push(m, h);
	*m->nheld = m->nheap;
	return h;
}

/* The word of counts that bit belongs to; NULL: no memory. */
static uint64_t *
held_word(const struct use_memory *m, struct held *h, uint32_t bit)
{
	uint32_t want = bit / WORD_BITS, most = (m->nc_max - 1) / WORD_BITS;
	uint32_t n = 2 * h->nmore;
	uint64_t *more;

	if (want == 0)
		return &h->first;
	if (want <= h->nmore)
		return &h->more[want - 1];
	if (n < want)
		n = want;
	if (n > most)
		n = most;
	more = realloc(h->more, n * sizeof *more);
	if (more == NULL)
		return NULL;
	memset(more + h->nmore, 0, (n - h->nmore) * sizeof *more);
	h->more = more;
	h->nmore = n;
	return &h->more[want - 1];
}

static void
begin_anew(struct use_memory *m)
{
	forget_all(m);
	random_bytes(&m->generation, sizeof m->generation);
	m->fence_ms = m->latest_ms = m->said_ms = INT64_MIN;
}

static void
see_time(struct use_memory *m, int64_t now_ms)
{
	if (m->latest_ms != INT64_MIN && now_ms < m->latest_ms - KEEP_MS) {
		log_event(EV_NONCE_RENEW,
		    kv_int("back_ms", m->latest_ms - now_ms));
		begin_anew(m);
	}
	if (now_ms > m->latest_ms)
		m->latest_ms = now_ms;
	forget_ended(m, now_ms);
}

static void
say_full(struct use_memory *m, int64_t now_ms)
{
	if (now_ms < m->said_ms + SAY_AGAIN_MS)
		return;
	m->said_ms = now_ms;
	log_event(EV_NONCE_FULL, kv_uint("held", m->nheap),
	    kv_uint("forgotten", *m->nforgotten));
}

/* Make room for this nonce; false: it is itself the oldest, and goes. */
static bool
give_way(struct use_memory *m, const struct nonce_use *use)
{
	if (m->nheap < m->size)
		return true;
	++*m->nforgotten;
	say_full(m, use->now_ms);
	if (use->issued_ms <= m->heap[0]->issued_ms) {
		m->fence_ms = use->issued_ms;
		return false;
	}
	forget_oldest(m);
	return true;
}

static enum use_verdict
judge(struct use_memory *m, const struct nonce_use *use)
{
	struct held *h;
	uint64_t *word, bit;

	see_time(m, use->now_ms);
	if (use->nc == 0 || use->nc > m->nc_max)
		return USE_REPLAY;
	if (use->generation != m->generation ||
	    use->issued_ms <= m->fence_ms ||
	    end_ms(use->issued_ms, use->lifetime_s) <= use->now_ms)
		return USE_FENCED;
	h = held_find(m, use->id);
	if (h == NULL && !give_way(m, use))
		return USE_FENCED;
	if (h == NULL && (h = held_new(m, use)) == NULL)
		return USE_UNAVAILABLE;
	word = held_word(m, h, use->nc - 1);
	if (word == NULL)
		return USE_UNAVAILABLE;
	bit = UINT64_C(1) << (use->nc - 1) % WORD_BITS;
	if ((*word & bit) != 0)
		return USE_REPLAY;
	*word |= bit;
	return USE_ACCEPT;
}

struct use_memory *
use_memory_new(size_t size, uint32_t nc_max, struct metrics *metrics)
{
	struct use_memory *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->size = size;
	m->nc_max = nc_max;
	m->nheld = metrics_add(metrics, &held_metric);
	m->nuses = metrics_add(metrics, &uses_metric);
	m->nforgotten = metrics_add(metrics, &forgotten_metric);
	if (m->nheld == NULL || m->nuses == NULL || m->nforgotten == NULL) {
		free(m);
		return NULL;
	}
	random_bytes(&m->hash_key, sizeof m->hash_key);
	m->hash_key |= 1;
	begin_anew(m);
	return m;
}

void
use_memory_free(struct use_memory *m)
{
	if (m == NULL)
		return;
	forget_all(m);
	free(m->heap);
	free(m);
}

enum use_verdict
use_memory_judge(struct use_memory *m, const struct nonce_use *use)
{
	enum use_verdict v = judge(m, use);

	m->nuses[v]++;
	return v;
}

uint32_t
use_memory_generation(const struct use_memory *m)
{
	return m->generation;
}
