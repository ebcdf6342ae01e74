/*
 * redis_url.h -- what the URL of a Redis server says.
 *
 *   redis://[user:password@]host[:port][/db]
 *   rediss://...			the same over TLS
 *   unix://[user:password@]/path[?db=n]
 *
 * User, password and path may hold %XX.
 */
#ifndef IO_REDIS_URL_H
#define IO_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	REDIS_TEXT_MAX = 255,
	REDIS_WHERE_MAX = REDIS_TEXT_MAX + 8,	/* "host:port" with NUL */
	REDIS_PORT = 6379
};

struct redis_url {
	bool		tls;
	char		path[REDIS_TEXT_MAX + 1];	/* unix; else empty */
	char		host[REDIS_TEXT_MAX + 1];	/* [v6] in brackets */
	uint16_t	port;
	uint32_t	db;
	char		user[REDIS_TEXT_MAX + 1];	/* empty: default */
	char		password[REDIS_TEXT_MAX + 1];	/* empty: no AUTH */
};

/* NULL, or a sentence on what is wrong, without anything of the text. */
const char *redis_url_parse(struct redis_url *u, const char *text);

/* "host:port", as in lists of sentinels.  false: malformed. */
bool redis_host_port(struct redis_url *u, const char *text,
    uint16_t default_port);

#endif
