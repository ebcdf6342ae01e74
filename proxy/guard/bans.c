/*
 * bans.c -- addresses that get silence for a while.
 *
 * They lie side by side in one array, as a heap with the one that ends first
 * on top; chains of a hash table lead to them by their place.
 */
#include "config.h"

#include "guard/bans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROOM_FIRST = 64, V4_WHOLE = 32,
	AT_ONCE = 1000		/* go, that others than we get their turn */
};

static const uint32_t NOBODY = UINT32_MAX;

struct banned {
	struct ban	ban;
	uint32_t	chain;		/* of its hash */
	uint32_t	next;		/* in the chain: a place, or NOBODY */
};

struct bans {
	uint8_t		 key[MARK_KEY_BYTES];
	struct banned	*v;		/* the heap */
	uint32_t	*chain;		/* room places: the first of each */
	size_t		 n, room;	/* room: a power of two, or 0 */
	struct {
		bans_listener_f	*fn;
		void		*arg;
	} listener[BANS_LISTENERS];
};

const char *const ban_reason_words[BAN_REASON_COUNT] = {
#define R(id, word, help) [id] = word,
	BAN_REASONS(R)
#undef R
};

struct bans *
bans_new(const uint8_t key[MARK_KEY_BYTES])
{
	struct bans *b = calloc(1, sizeof *b);

	if (b != NULL)
		memcpy(b->key, key, sizeof b->key);
	return b;
}

void
bans_free(struct bans *b)
{
	if (b == NULL)
		return;
	free(b->v);
	free(b->chain);
	free(b);
}

bool
bans_listen(struct bans *b, bans_listener_f *fn, void *arg)
{
	for (size_t i = 0; i < BANS_LISTENERS; i++) {
		if (b->listener[i].fn != NULL)
			continue;
		b->listener[i].fn = fn;
		b->listener[i].arg = arg;
		return true;
	}
	return false;
}

static void
tell(struct bans *b, const struct ban *ban, enum ban_change change)
{
	for (size_t i = 0; i < BANS_LISTENERS; i++)
		if (b->listener[i].fn != NULL)
			b->listener[i].fn(b->listener[i].arg, ban, change);
}

void
bans_source(const struct addr *a, uint8_t out[SOURCE_BYTES])
{
	source_of(a, V4_WHOLE, out);
}

void
bans_source_net(const struct addr *a, struct net *out)
{
	bans_source(a, out->ip);
	out->bits = addr_is_v4(a) ? 128 : 64;
}

const char *
bans_source_text(const uint8_t source[SOURCE_BYTES], char *out)
{
	struct addr a = { .port = 0 };
	size_t len;

	memcpy(a.ip, source, sizeof a.ip);
	addr_host_text(&a, out);
	if (addr_is_v4(&a))
		return out;
	len = strlen(out);		/* "[2001:db8::]" */
	memmove(out, out + 1, len - 2);
	memcpy(out + len - 2, "/64", sizeof "/64");
	return out;
}

/* ---- the chains */

static uint32_t
chain_of(const struct bans *b, const uint8_t source[SOURCE_BYTES])
{
	return (uint32_t)(mark_of(b->key, MARK_SOURCE, source, SOURCE_BYTES) &
	    (b->room - 1));
}

/* What points to this place. */
static uint32_t *
link_to(struct bans *b, uint32_t place)
{
	uint32_t *link = &b->chain[b->v[place].chain];

	while (*link != place)
		link = &b->v[*link].next;
	return link;
}

static void
chain_in(struct bans *b, uint32_t place)
{
	struct banned *x = &b->v[place];

	x->chain = chain_of(b, x->ban.source);
	x->next = b->chain[x->chain];
	b->chain[x->chain] = place;
}

static void
chain_out(struct bans *b, uint32_t place)
{
	*link_to(b, place) = b->v[place].next;
}

static uint32_t
find(const struct bans *b, const uint8_t source[SOURCE_BYTES])
{
	uint32_t place = b->n == 0 ? NOBODY : b->chain[chain_of(b, source)];

	while (place != NOBODY && memcmp(b->v[place].ban.source, source,
	    SOURCE_BYTES) != 0)
		place = b->v[place].next;
	return place;
}

/* ---- the heap */

static void
swap(struct bans *b, uint32_t i, uint32_t k)
{
	struct banned x = b->v[i];

	chain_out(b, i);
	chain_out(b, k);
	b->v[i] = b->v[k];
	b->v[k] = x;
	chain_in(b, i);
	chain_in(b, k);
}

static bool
ends_before(const struct bans *b, uint32_t i, uint32_t k)
{
	return b->v[i].ban.until_ms < b->v[k].ban.until_ms;
}

static void
rise(struct bans *b, uint32_t i)
{
	while (i > 0 && ends_before(b, i, (i - 1) / 2)) {
		swap(b, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void
sink(struct bans *b, uint32_t i)
{
	uint32_t k;

	while ((k = 2 * i + 1) < b->n) {
		if (k + 1 < b->n && ends_before(b, k + 1, k))
			k++;
		if (!ends_before(b, k, i))
			return;
		swap(b, i, k);
		i = k;
	}
}

/* ---- room */

static void
chain_anew(struct bans *b)
{
	memset(b->chain, 0xff, b->room * sizeof b->chain[0]);
	for (uint32_t i = 0; i < b->n; i++)
		chain_in(b, i);
}

static int
grow(struct bans *b)
{
	size_t room = b->room == 0 ? ROOM_FIRST : 2 * b->room;
	struct banned *v = reallocarray(b->v, room, sizeof *v);
	uint32_t *chain;

	if (v == NULL)
		return -ENOMEM;
	b->v = v;
	chain = reallocarray(b->chain, room, sizeof *chain);
	if (chain == NULL)
		return -ENOMEM;
	b->chain = chain;
	b->room = room;
	chain_anew(b);
	return 0;
}

static struct ban
take_out(struct bans *b, uint32_t place)
{
	struct ban ban = b->v[place].ban;
	uint32_t last = (uint32_t)(b->n - 1);

	if (place != last)
		swap(b, place, last);
	chain_out(b, last);
	b->n--;
	if (place < b->n) {
		rise(b, place);
		sink(b, place);
	}
	return ban;
}

static int
put_in(struct bans *b, const struct ban *ban)
{
	uint32_t place = (uint32_t)b->n;

	if (b->n == b->room && grow(b) < 0)
		return -ENOMEM;
	b->v[place].ban = *ban;
	b->n++;
	chain_in(b, place);
	rise(b, place);
	return 0;
}

static void
make_room(struct bans *b, size_t max)
{
	struct ban gone;

	for (size_t i = 0; i < AT_ONCE && b->n > 0 && b->n >= max; i++) {
		gone = take_out(b, 0);
		tell(b, &gone, BAN_MAKES_ROOM);
	}
}

bool
bans_has(const struct bans *b, const struct addr *a)
{
	uint8_t source[SOURCE_BYTES];

	if (b->n == 0)
		return false;
	bans_source(a, source);
	return find(b, source) != NOBODY;
}

int64_t
bans_until_ms(const struct bans *b, const uint8_t source[SOURCE_BYTES])
{
	uint32_t place = find(b, source);

	return place == NOBODY ? -1 : b->v[place].ban.until_ms;
}

size_t
bans_count(const struct bans *b)
{
	return b->n;
}

int
bans_add(struct bans *b, const struct ban *ban, size_t max)
{
	uint32_t place = find(b, ban->source);

	if (place != NOBODY) {
		if (b->v[place].ban.until_ms >= ban->until_ms)
			return 0;
		b->v[place].ban = *ban;
		sink(b, place);
	} else {
		make_room(b, max);
		if (put_in(b, ban) < 0)
			return -ENOMEM;
	}
	tell(b, ban, BAN_BEGINS);
	return 0;
}

bool
bans_remove(struct bans *b, const struct addr *a)
{
	uint8_t source[SOURCE_BYTES];
	uint32_t place;
	struct ban gone;

	bans_source(a, source);
	place = find(b, source);
	if (place == NOBODY)
		return false;
	gone = take_out(b, place);
	tell(b, &gone, BAN_TAKEN_BACK);
	return true;
}

void
bans_each(const struct bans *b,
    void (*visit)(void *arg, const struct ban *ban), void *arg)
{
	for (size_t i = 0; i < b->n; i++)
		visit(arg, &b->v[i].ban);
}

void
bans_end(struct bans *b, int64_t now_ms)
{
	struct ban gone;

	for (size_t i = 0; i < AT_ONCE && b->n > 0 &&
	    b->v[0].ban.until_ms <= now_ms; i++) {
		gone = take_out(b, 0);
		tell(b, &gone, BAN_ENDS);
	}
}

int64_t
bans_next_end_ms(const struct bans *b)
{
	return b->n == 0 ? -1 : b->v[0].ban.until_ms;
}
