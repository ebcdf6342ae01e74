/*
 * nft.h -- addresses that the kernel drops for us (nftables).
 *
 * One table of our own, inet TABLE, with two sets of sources, which end by
 * themselves, and one rule each: what comes from there to one of our sockets
 * is dropped, and counted.  To no other port, so nobody is locked out of a
 * machine.
 *
 * libnftables waits for the kernel, and ends the process when it has no
 * memory.  So it runs in a process of its own, which does one work after the
 * other and gets copies, and has another one that starts it again; and only
 * these need CAP_NET_ADMIN.
 */
#ifndef IO_NFT_H
#define IO_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct loop;
struct nft;

enum {
	NFT_TABLE_MAX = 31,		/* bytes of a table's name */
	NFT_PLACES_MAX = 64,
	NFT_CHANGES_MAX = 1024,
	NFT_WHY_MAX = 160
};

/* A socket of ours. */
struct nft_place {
	struct addr	addr;
	bool		stream;		/* TCP, or else UDP */
};

/* From now on this source is dropped until then, or not. */
struct nft_change {
	uint8_t		source[16];	/* an IPv4 address, mapped; or a /64 */
	int64_t		until_ms;	/* clock_mono_ms(); 0: not at all */
};

/* Called from the loop when a work is done, or failed: why, else NULL.  Also
 * without a work, when the process has ended, and begins anew: why. */
typedef void nft_done_f(void *arg, const char *why);

/* Is it built in? */
bool nft_is_there(void);
/* May this process change the kernel's tables? */
bool nft_is_allowed(void);
/* Give up CAP_NET_ADMIN.  0 or -errno. */
int nft_give_up_right(void);

/* Start the process; it keeps the rights that we have now.  NULL with
 * errno. */
struct nft *nft_new(struct loop *l, const char *table, nft_done_f *done,
    void *arg);
/* Ends the process; it deletes the table, if it made one. */
void nft_free(struct nft *n);			/* NULL is allowed */

/*
 * One work at a time: the next one may be started in done().  0, and then
 * done() is called once; or -errno: -EPIPE, the process has ended.
 */

/* Make the table anew, empty, for so many sources.  One of this name that
 * somebody else made is left alone: that fails. */
int nft_make(struct nft *n, const struct nft_place *place, size_t nplaces,
    size_t max);
/* Of each source one.  All are made at once, or none. */
int nft_change(struct nft *n, const struct nft_change *change,
    size_t nchanges);

/* Is it as it was made, but for the sources?  If not, that fails. */
int nft_look(struct nft *n);

#endif
