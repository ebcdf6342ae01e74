/*
 * tls_holders.h -- what each listener and peer has of TLS: read beside what is
 * in force, and then put in its place.
 */
#ifndef DAEMON_TLS_HOLDERS_H
#define DAEMON_TLS_HOLDERS_H

#include "daemon/settings.h"
#include "io/tls.h"

enum { TLS_SOON_DAYS = 14 };		/* from when on an end is warned of */

enum whose {
	OF_ALL,			/* the group `tls`; name "" */
	OF_UNVERIFIED,		/* towards peers with verify "none"; name "" */
	OF_LISTENER,
	OF_PEER
};

/*
 * One lives until the end, and so do the trust and the context in it: who got
 * a pointer may keep it.
 */
struct holder {
	struct holder		*next;
	enum whose		 whose;
	struct tls_trust	*trust, *new_trust;	/* NULL: that of all */
	struct tls_context	*context, *new_context;
	bool			 has_trust, has_context;	/* in force */
	uint64_t		*expires;	/* cell of a metric, or NULL */
	int64_t			 warn_after_ms;
	char			 name[];
};

struct holders {
	struct holder	*first;
};

struct tls_fault {
	int		 line;
	const char	*option;	/* "listen.certificate" */
	const char	*of;		/* name of the listener or peer */
	const char	*why;		/* names the file */
};

typedef void tls_fault_f(void *arg, const struct tls_fault *f);

/* Read all that s names; `say` hears of each fault.  Returns their number:
 * after 0 comes holders_commit(), else holders_discard(). */
unsigned holders_load(struct holders *hs, const struct settings *s,
    tls_fault_f *say, void *arg);
void holders_commit(struct holders *hs);
void holders_discard(struct holders *hs);
void holders_fini(struct holders *hs);

struct holder *holder_find(const struct holders *hs, enum whose whose,
    const char *name);
/* The same, made if there is none.  NULL: no memory. */
struct holder *holder_need(struct holders *hs, enum whose whose,
    const char *name);

/* When its first certificate ends, unix seconds; INT64_MAX: it has none. */
int64_t holder_expires_s(const struct holder *h);
/* Days from now, below 0 when it is over; INT64_MAX: it has none. */
int64_t holder_days_left(const struct holder *h);

/* A number that changes when one of the files that s names does. */
uint64_t holders_mark(const struct settings *s);

#endif
