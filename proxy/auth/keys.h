/*
 * keys.h -- master keys, and the keys that are derived from them.
 *
 * K = HKDF-SHA-256(master key, label, epoch): one label a purpose, so a
 * token of one kind is never one of another.  Any epoch may be derived: age
 * is a check of its own.  Two masters may be loaded while one is being
 * replaced: the first signs, both are accepted.
 *
 * Sources: RFC 5869 (HKDF), RFC 2104 (HMAC), Aumasson and Bernstein (SipHash).
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/hmac.h"

enum {
	MASTER_KEY_BYTES = 32,
	KEYS_MAX = 2,			/* masters at once */
	EPOCH_S = 3600			/* length of an epoch, seconds */
};

enum key_label {
	KEY_NONCE,			/* nonces, by epoch */
	KEY_SOURCE,			/* src field of the nonce, by epoch */
	KEY_OPAQUE,			/* opaque of a challenge */
	KEY_TO_TAG,			/* To tags of stateless answers */
	KEY_DIALOG,			/* tokens in Record-Route */
	KEY_PATH,			/* tokens in Path and Contact */
	KEY_BRANCH,			/* our Via branches, their loop hash */
	KEY_DATAGRAM,			/* fingerprints of datagrams */
	KEY_LINE,			/* tokens in our own Contacts */
	KEY_CALLS,			/* names of accounts */
	KEY_LABELS
};

struct keys;

/* Masters are copied; n is 1 or 2.  NULL: no memory, or no SHA-256. */
struct keys *keys_new(const uint8_t master[][MASTER_KEY_BYTES], size_t n);
void keys_free(struct keys *k);			/* wipes; NULL is allowed */
size_t keys_count(const struct keys *k);

/*
 * HMAC of parts laid side by side, under the key of (master `which`, label,
 * epoch).  Labels without epochs use epoch 0.  Derived keys are kept in a
 * small table, so the usual cost is one HMAC, and never more than two.
 */
void keys_mac(struct keys *k, size_t which, enum key_label label,
    uint32_t epoch, const struct mac_part *part, size_t n,
    uint8_t out[MAC_BYTES]);

/*
 * The same by SipHash-2-4 with 128 bits, at a tenth of the cost: for marks of
 * which no more than 8 bytes or so are shown, and which only one of us reads
 * again (To tags, opaque, branches).
 */
enum { MARK_BYTES = 16 };
void keys_mark(struct keys *k, size_t which, enum key_label label,
    uint32_t epoch, const struct mac_part *part, size_t n,
    uint8_t out[MARK_BYTES]);

/* First 8 bytes of SHA-256 over a derived value of a master, to compare keys
 * of instances without showing them; hex, 17 bytes with NUL. */
void keys_fingerprint(const struct keys *k, size_t which, char out[17]);

/*
 * Key files: 32 bytes exactly, a regular file, not readable or writable by
 * group or others.
 */
enum key_file_result {
	KEY_FILE_OK,
	KEY_FILE_ABSENT,
	KEY_FILE_SHORT,		/* not exactly 32 bytes */
	KEY_FILE_OPEN_TO_OTHERS,
	KEY_FILE_ERROR		/* errno says */
};
enum key_file_result key_file_read(const char *path,
    uint8_t out[MASTER_KEY_BYTES]);
/* Make a new one, mode 0400, never over an existing file (-EEXIST), flushed
 * to the disk.  0 or -errno. */
int key_file_make(const char *path);
/* A sentence for a result, without the path. */
const char *key_file_text(enum key_file_result r);

#endif
