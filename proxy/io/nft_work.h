/*
 * nft_work.h -- what nft.c and its process say to each other.
 */
#ifndef IO_NFT_WORK_H
#define IO_NFT_WORK_H

#include "io/nft.h"

enum nft_kind { NFT_MAKE, NFT_CHANGE, NFT_LOOK, NFT_END };

struct nft_work {
	enum nft_kind	kind;
	uint32_t	number;		/* of this work; never 0 */
	uint32_t	n;		/* places, or changes */
	uint64_t	max;		/* NFT_MAKE: sources */
	union {
		struct nft_place  place[NFT_PLACES_MAX];
		struct nft_change change[NFT_CHANGES_MAX];
	} u;
};

struct nft_answer {
	uint32_t number;		/* 0: it ended, and begins anew */
	char	why[NFT_WHY_MAX];	/* "": it is done */
};

/* The bytes of a work that count. */
size_t nft_work_size(const struct nft_work *w);

/* The life of the process: until NFT_END, or until nobody is at the other
 * end any more, which leaves the table to its timeouts. */
_Noreturn void nft_serve(int fd, const char *table);

/* The life of who keeps the right, and has such a process: when it is killed,
 * or has no memory, there is another one a second later. */
_Noreturn void nft_keep(int fd, const char *table);

/* It is another one after each change of the kernel's tables by anybody; 0:
 * unknown. */
uint32_t nft_generation(void);

#endif
