/*
 * bans.h -- addresses that get silence for a while.
 *
 * A ban is for an IPv4 address or for an IPv6 /64, and has a reason and an
 * end.  Their number is bounded; where one more has no place, the one that
 * ends first goes.  Whether somebody is banned is asked for each packet, and
 * costs a comparison while nobody is.
 */
#ifndef GUARD_BANS_H
#define GUARD_BANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "guard/mark.h"

/* One row: identifier, word, a sentence for the operator. */
#define BAN_REASONS(R)							\
R(BAN_FAILURES, "failures", "Wrong passwords, or copies of right "	\
    "answers.")								\
R(BAN_SCANNER, "scanner", "The last failure was a request by a tool of "       \
    "guard.scanners.")							\
R(BAN_GIVEN, "given", "Not found out here, but told by another.")

enum ban_reason {
#define R(id, word, help) id,
	BAN_REASONS(R)
#undef R
	BAN_REASON_COUNT
};

extern const char *const ban_reason_words[BAN_REASON_COUNT];

struct ban {
	uint8_t		source[SOURCE_BYTES];	/* the IPv4 address, mapped,
						 * or the /64 */
	int64_t		until_ms;		/* on the clock of now_ms */
	enum ban_reason	reason;
};

enum ban_change {
	BAN_BEGINS,			/* also: lasts longer than before */
	BAN_ENDS,			/* its time is over */
	BAN_MAKES_ROOM,			/* for one that ends later */
	BAN_TAKEN_BACK			/* bans_remove() */
};

struct bans;

/* NULL: no memory. */
struct bans *bans_new(const uint8_t key[MARK_KEY_BYTES]);
void bans_free(struct bans *b);			/* NULL is allowed */

/* fn is told of each change, after it was made, and may make others.  Up to
 * BANS_LISTENERS; false: there are so many. */
enum { BANS_LISTENERS = 4 };
typedef void bans_listener_f(void *arg, const struct ban *ban,
    enum ban_change change);
bool bans_listen(struct bans *b, bans_listener_f *fn, void *arg);

/* The source of an address, as bans have it. */
void bans_source(const struct addr *a, uint8_t out[SOURCE_BYTES]);
/* All that a ban of it silences. */
void bans_source_net(const struct addr *a, struct net *out);
/* "192.0.2.7" or "2001:db8::/64"; out takes ADDR_TEXT_MAX. */
const char *bans_source_text(const uint8_t source[SOURCE_BYTES], char *out);

bool bans_has(const struct bans *b, const struct addr *a);
/* When the ban of this source ends; -1: there is none. */
int64_t bans_until_ms(const struct bans *b,
    const uint8_t source[SOURCE_BYTES]);
size_t bans_count(const struct bans *b);

/* Also from outside.  An older ban that ends later stays as it is.  max: how
 * many there may be; where there were thousands more, not all go at once.
 * 0, or -ENOMEM: it is not banned. */
int bans_add(struct bans *b, const struct ban *ban, size_t max);
/* false: it was not banned. */
bool bans_remove(struct bans *b, const struct addr *a);

/* In no order; visit may not change them. */
void bans_each(const struct bans *b,
    void (*visit)(void *arg, const struct ban *ban), void *arg);

/* End those whose time is over; some of them, if they are thousands. */
void bans_end(struct bans *b, int64_t now_ms);
/* When the next one ends; -1: there is none. */
int64_t bans_next_end_ms(const struct bans *b);

#endif
