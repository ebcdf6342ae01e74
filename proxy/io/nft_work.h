/*
 * nft_work.h -- what nft.c and its process say to each other.
 */
#ifndef IO_NFT_WORK_H
#define IO_NFT_WORK_H

#include "io/nft.h"

enum nft_kind { NFT_MAKE, NFT_CHANGE, NFT_END };

struct nft_work {
	enum nft_kind	kind;
	uint32_t	n;		/* places, or changes */
	uint64_t	max;		/* NFT_MAKE: sources */
	union {
		struct nft_place  place[NFT_PLACES_MAX];
		struct nft_change change[NFT_CHANGES_MAX];
	} u;
};

struct nft_answer {
	char	why[NFT_WHY_MAX];	/* "": it is done */
};

/* The bytes of a work that count. */
size_t nft_work_size(const struct nft_work *w);

/* The life of the process: until NFT_END, or until nobody is at the other
 * end any more, which leaves the table to its timeouts. */
_Noreturn void nft_serve(int fd, const char *table);

#endif
