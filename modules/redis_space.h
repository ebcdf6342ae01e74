/*
 * redis_space.h -- what is ours in Redis.
 *
 * All keys of ours carry a hash tag, so that what one command touches lies
 * together on a cluster too.  Uses of nonces have the shard (0 to 15):
 *
 *   PREFIX:{S}:g		canary: whose data this is, and its generation
 *   PREFIX:{S}:n:ID		bitmap of the counts used of a nonce
 *   PREFIX:{S}:r:ID:NC		fingerprint and owner of a datagram
 *   PREFIX:{S}:o:OWNER		there while that process is alive
 *   PREFIX:{0}:i:INSTANCE	owner that has this instance id
 *   PREFIX:{0}:k		fingerprint of the master key
 *
 * The low 4 bits of a generation are its shard, so a nonce says itself where
 * its uses are counted.
 *
 * Bans have b, and calls have c (shared_scripts.h):
 *
 *   PREFIX:{b}:m		ledger: epoch, and number of the last change
 *   PREFIX:{b}:n		banned sources, by number of change
 *   PREFIX:{b}:u		the same, by end
 *   PREFIX:{b}:r		reason of each
 *   PREFIX:{c}:c:CALL		accounts that count a call
 *   PREFIX:{c}:a:ACCOUNT	calls under way, by end
 *   PREFIX:{c}:s:ACCOUNT	bucket of calls that begin
 *
 * What a test at connect leaves for seconds has t, tm, tn ... instead.
 */
#ifndef MODULES_REDIS_SPACE_H
#define MODULES_REDIS_SPACE_H

#include <stdint.h>

#include "auth/nonce.h"
#include "io/redis_link.h"

enum {
	SHARDS = 16,
	SPACE_PREFIX_MAX = 64,
	SPACE_KEY_MAX = SPACE_PREFIX_MAX + 64,
	OWNER_TEXT = 16,		/* hex digits */
	ID_TEXT = BASE64URL_LEN(NONCE_ID_BYTES),
	FINGERPRINT_TEXT = BASE64URL_LEN(16)
};

struct redis_space {
	struct redis_link *link;
	const char	*prefix;
	char		 owner[OWNER_TEXT + 1];	/* random, of the process */
};

/* One key; lent text in out. */
struct space_key { char text[SPACE_KEY_MAX]; };
struct str space_key(const struct redis_space *s, struct space_key *out,
    unsigned shard, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a letter instead of a shard. */
struct str space_key_in(const struct redis_space *s, struct space_key *out,
    char tag, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A text that stands in the source, and many texts. */
#define LITERAL(s) ((struct str){ s, sizeof s - 1 })
#define SPACE_ARGS(...) { sizeof (const struct str[]){ __VA_ARGS__ } / \
	sizeof(struct str), (const struct str[]){ __VA_ARGS__ } }

/* Send a command of so many texts: SEND(space, done, arg, a, b, c).  false:
 * it did not leave. */
bool space_send(const struct redis_space *s, const struct redis_args *args,
    redis_done_f *done, void *arg);
#define SPACE_SEND(s, done, arg, ...) \
	space_send((s), &(const struct redis_args)SPACE_ARGS(__VA_ARGS__), \
	    (done), (arg))

/* Why a command did not leave; static text. */
const char *space_unsent(const struct redis_space *s);

/* Why an answer, or its absence, makes the server of no use; static text,
 * without anything that came from the network. */
const char *space_reason(const struct redisReply *r);

#endif
