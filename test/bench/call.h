/*
 * call.h -- callers: so many calls at once, and for each that ends another one
 * begins, at once or after a rest.
 *
 * MESSAGE    MESSAGE, 407, MESSAGE with the answer, 200
 * CALL       INVITE, 407, ACK, INVITE with the answer, 180, 200, ACK, BYE, 200
 * STRANGERS  INVITE, 407, ACK
 */
#ifndef BENCH_CALL_H
#define BENCH_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "wire.h"

struct calls;

enum scenario { SCENARIO_MESSAGE, SCENARIO_CALL, SCENARIO_STRANGERS };

struct calls_conf {
	enum scenario	 scenario;
	const char	*realm;
	unsigned	 users;		/* u0, u1, ... with pw0, pw1, ... */
	unsigned	 window;	/* calls at once */
	unsigned	 rest_ms;	/* between the calls of one place */
};

struct tally {
	uint64_t	 done, failed, sent_again;
};

/* Lends both; NULL: no memory, or no MD5. */
struct calls *calls_new(const struct calls_conf *conf, struct wire *w);
void calls_free(struct calls *cs);

void calls_begin(struct calls *cs, int64_t now_ms);
void calls_on_response(struct calls *cs, const struct message *m,
    int64_t now_ms);
/* The callee got this ACK. */
void calls_on_ack(struct calls *cs, const struct message *m);
/* Send again what has no answer; give up what never gets one.  To be called
 * several times a second. */
void calls_tick(struct calls *cs, int64_t now_ms);

struct tally calls_tally(const struct calls *cs);

#endif
