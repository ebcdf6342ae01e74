/*
 * media.h -- the group `media`: what is asked of session descriptions.
 */
#ifndef ROUTE_MEDIA_H
#define ROUTE_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

enum media_security { MEDIA_NONE, MEDIA_PREFER, MEDIA_REQUIRE };

/* As in the file; -1: off. */
struct media_conf {
	int	line;			/* 0: there is no such group */
	int	security;		/* enum media_security */
	bool	grammar;
	int64_t	size;			/* bytes of a description */
	int64_t	streams;		/* of one */
};

extern const struct conf_opt media_opts[];

/* conf, or NULL if it asks for nothing. */
const struct media_conf *media_if_any(const struct media_conf *conf);

#endif
