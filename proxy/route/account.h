/*
 * account.h -- what we are to a peer: a name and a password there, and an
 * address that we register.
 */
#ifndef ROUTE_ACCOUNT_H
#define ROUTE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

/* `credentials` of a peer.  What is in the file is read by the daemon. */
struct account_conf {
	int		 line;		/* 0: none */
	const char	*user, *password_file, *realm;
	bool		 legacy;
};

/* `register` of a peer. */
struct register_conf {
	int		 line;		/* 0: none */
	const char	*aor;
	const char	*contact;	/* NULL: by the way that we go */
	int64_t		 expires_ms;
	int64_t		 retry_ms, retry_max_ms;
};

extern const struct conf_opt account_opts[];
extern const struct conf_opt register_opts[];

/* Complaints go to c; nothing is said of what the file lacks. */
void account_check(struct conf *c, const struct account_conf *a);
void register_check(struct conf *c, const struct register_conf *r);

#endif
