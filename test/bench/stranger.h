/*
 * stranger.h -- what those send who are nobody's customers.
 *
 * A METHOD    such a request without credentials
 * GUESS       an OPTIONS, and for its 407 one with a wrong answer
 * MALFORMED   what no parser should see, in several shapes
 * HUGE        an OPTIONS of 60 kB
 * RESPONSE    a 200 that nobody asked for
 */
#ifndef BENCH_STRANGER_H
#define BENCH_STRANGER_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "sources.h"

struct stranger;

struct stranger_conf {
	const char	*kind;
	const char	*realm;
	const char	*header;	/* one more line, or NULL */
	unsigned	 users;		/* u0, u1, ... */
};

/* NULL: no memory, or no MD5. */
struct stranger *stranger_new(const struct stranger_conf *conf);
void stranger_free(struct stranger *st);

/* Request number n, from there. */
void stranger_ask(struct stranger *st, struct text *out, uint64_t n,
    const struct addr *from);
/* What he says to that answer; false: nothing. */
bool stranger_goes_on(struct stranger *st, struct text *out,
    const struct message *answer, const struct addr *from);

#endif
