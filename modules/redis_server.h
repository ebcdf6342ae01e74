/*
 * redis_server.h -- what a server says about itself, and whether it is fit.
 */
#ifndef MODULES_REDIS_SERVER_H
#define MODULES_REDIS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/redis.h"

enum {
	SERVER_ID_TEXT = 33,		/* "run id.replication id", cut */
	SERVER_WORD_MAX = 32,
	SERVER_CLOCK_MAX_MS = 5000	/* further off: as good as cut off */
};

struct redis_server {
	/* Whose data it is: the run, and the history that it replicates.
	 * Another one may lack what was written. */
	char		id[SERVER_ID_TEXT + 1];
	char		kind[SERVER_WORD_MAX];		/* Redis or Valkey */
	char		version[SERVER_WORD_MAX];
	char		policy[SERVER_WORD_MAX];	/* of eviction */
	bool		master, cluster, loading;
	int64_t		offset_ms;	/* its clock ahead of ours */
};

/* From the answer to INFO; false: it is none. */
bool redis_server_info(struct redis_server *s, const struct redisReply *r);
/* From the answer to TIME, that came between two times of ours. */
bool redis_server_time(struct redis_server *s, const struct redisReply *r,
    int64_t sent_ms, int64_t now_ms);

/* NULL: fit, as far as INFO tells; else why not. */
const char *redis_server_unfit(const struct redis_server *s);
bool redis_server_clock_fits(const struct redis_server *s);

#endif
