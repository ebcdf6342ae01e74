/*
 * resolver.h -- single questions to the name servers, on sresolv.
 *
 * sresolv has two faults that only its end cures: each alias (CNAME) that it
 * follows leaks a few records into its cache, and a circle of aliases keeps
 * it asking for ever.  So the resolver in use is replaced after so many
 * questions, and some time after somebody gave up waiting; the old one ends
 * when its last user lets go.
 */
#ifndef IO_RESOLVER_H
#define IO_RESOLVER_H

#include <stdbool.h>

#define SRES_CONTEXT_T void
#include <sofia-sip/sresolv.h>

struct loop;
struct resolvers;		/* the one in use, and the old ones */
struct resolver;

/* resolv_conf: NULL for the system's; copied.  NULL: cannot be set up. */
struct resolvers *resolvers_new(struct loop *l, const char *resolv_conf);
/* All users have let go.  NULL is allowed. */
void resolvers_free(struct resolvers *rs);

/* Take the resolver in use, for a series of questions, and let go of it. */
struct resolver *resolver_ref(struct resolvers *rs);
void resolver_unref(struct resolver *r);
/* Somebody gave up waiting: let the one in use be replaced soon. */
void resolver_distrust(struct resolver *r);

enum ask_result {
	ASK_KNOWN,		/* *answers, for resolver_free_answers() */
	ASK_SENT,		/* fn comes once, later, from the loop */
	ASK_FAILED
};

/* Put a question of a type (sres_type_...) to the cache, else to the server.
 * fn gets answers (NULL: none came) for resolver_free_answers(). */
struct question {
	int		 type;
	const char	*name;
	sres_answer_f	*fn;
	void		*arg;
};
enum ask_result resolver_ask(struct resolver *r, const struct question *q,
    sres_query_t **query, sres_record_t ***answers);
/* First in every fn: the question is no longer under way. */
void resolver_answered(struct resolver *r);
/* fn does not come any more. */
void resolver_drop(struct resolver *r, sres_query_t *query);
void resolver_free_answers(struct resolver *r, sres_record_t **answers);

#endif
