/*
 * nft_absent.c -- nft.h in a build without libnftables.
 */
#include "config.h"

#include "io/nft.h"

#include <errno.h>

bool
nft_is_there(void)
{
	return false;
}

bool
nft_is_allowed(void)
{
	return false;
}

int
nft_give_up_right(void)
{
	return 0;
}

struct nft *
nft_new(struct loop *l, const char *table, nft_done_f *done, void *arg)
{
	(void)l;
	(void)table;
	(void)done;
	(void)arg;
	errno = ENOTSUP;
	return NULL;
}

void
nft_free(struct nft *n)
{
	(void)n;
}

int
nft_make(struct nft *n, const struct nft_place *place, size_t nplaces,
    size_t max)
{
	(void)n;
	(void)place;
	(void)nplaces;
	(void)max;
	return -ENOTSUP;
}

int
nft_change(struct nft *n, const struct nft_change *change, size_t nchanges)
{
	(void)n;
	(void)change;
	(void)nchanges;
	return -ENOTSUP;
}

int
nft_look(struct nft *n)
{
	(void)n;
	return -ENOTSUP;
}
