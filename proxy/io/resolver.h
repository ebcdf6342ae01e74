/*
 * resolver.h -- single questions to the name servers, and what is known.
 *
 * c-ares puts a question to one server after another; what they answer is
 * read and kept here, and an alias is followed.  Who asks what somebody else
 * is asking already waits for the same answer.
 *
 * Of the processes and files, only resolv.conf is looked at, and again when
 * it has changed.
 *
 * Sources: RFC 1035, RFC 2308, RFC 5452 (forged answers).
 */
#ifndef IO_RESOLVER_H
#define IO_RESOLVER_H

#include <sys/queue.h>

#include "io/dns_answer.h"

struct loop;
struct question;
struct resolver;

/* resolv_conf: NULL for the system's; copied.  NULL: no memory. */
struct resolver *resolver_new(struct loop *l, const char *resolv_conf);
/* Nobody waits any more.  NULL is allowed. */
void resolver_free(struct resolver *r);

/* Embedded in who asks; zeroed at first. */
struct asker {
	/* The answer is lent for the time of the call; NULL: nobody told. */
	void	(*fn)(struct asker *a, const struct dns_answer *answer);
	struct question *question;	/* NULL: not waiting */
	LIST_ENTRY(asker) entry;
};

enum ask_result {
	ASK_KNOWN,		/* *answer, lent until back in the loop */
	ASK_SENT,		/* fn comes once, later, from the loop */
	ASK_FAILED		/* nobody told just now, or too many open */
};

/* A name by target_host_copy(). */
enum ask_result resolver_ask(struct resolver *r, enum dns_type type,
    const char *name, struct asker *a, const struct dns_answer **answer);
/* fn does not come any more.  No harm where it has come. */
void resolver_leave(struct asker *a);

#endif
