/*
 * resolver.h -- single questions to the name servers, on sresolv.
 *
 * sresolv loses some 200 bytes for each answer that was an alias (CNAME), and
 * keeps a question that nobody answers for a minute, whether or not anybody
 * still waits.  Only its end cures either, so the resolver in use is replaced
 * after so many questions, or when too many are open; the old one ends when
 * its last user lets go.
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
