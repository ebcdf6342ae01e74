/*
 * transaction_rig.h -- a loop, transactions, and a transport that records.
 */
#ifndef TRANSACTION_RIG_H
#define TRANSACTION_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/metrics.h"
#include "io/loop.h"
#include "transaction/transaction.h"

enum {
	T1_MS = 20,
	GIVE_UP_MS = 15000
};

struct rig {
	struct loop		*loop;
	struct loop_timer	*give_up;
	struct metrics		*metrics;
	struct transactions	*ts;
	bool			 late;		/* it gave up */
	/* the transport */
	int			 send_rc;	/* what send() says */
	int			 gone_rc;	/* ... of connection 7 */
	uint32_t		 opens;		/* a new hop's connection */
	unsigned		 calls, sends;	/* the latter went well */
	struct hop		 last;
	void			(*on_send)(struct rig *rig, const struct hop *h,
				    const char *text, size_t len);
	/* rig_ask(): who failed */
	unsigned		 failed, failed_within, stop_at;
	enum client_failure	 why;
	bool			 within;	/* a call of ours */
	struct client		*release;	/* by the next that fails */
	void			*test;
};

/* For cmocka. */
int rig_set_up(void **state);
int rig_tear_down(void **state);

/* NULL: no memory. */
struct transactions *rig_open(struct rig *rig);

/* Runs the loop; is it stopped by something else than the time?  0: until
 * GIVE_UP_MS. */
bool rig_run(struct rig *rig, int64_t for_ms);

/* One cell of a metric; value NULL: it has no label. */
uint64_t rig_count(const struct rig *rig, const char *name,
    const char *value);
uint64_t rig_open_now(const struct rig *rig);	/* transactions */

/* 10.0.0.0:n */
struct addr rig_addr(unsigned n);

/* Send a request that waits in the rig's name; NULL: no memory. */
struct client *rig_ask(struct rig *rig, uint64_t key, enum client_kind kind,
    struct hop hop);

/* What rig_ask() gives it. */
extern const struct client_hooks rig_hooks;

#endif
