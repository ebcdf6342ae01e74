/*
 * scanners.h -- tools that look for open proxies and weak passwords, by the
 * User-Agent that they do not care to hide.
 */
#ifndef GUARD_SCANNERS_H
#define GUARD_SCANNERS_H

#include <stdbool.h>

#include "base/text.h"
#include "conf/conf.h"

enum guard_firewall { FIREWALL_OFF, FIREWALL_NFTABLES };

struct guard_conf {
	int		line;
	const char	*scanners;	/* a file; "off"; NULL: built in */
	int		firewall;	/* enum guard_firewall */
	const char	*firewall_table;
};

extern const struct conf_opt guard_opts[];

/* The list that is built in: etc/scanners.list without its comments. */
extern const char scanners_built_in[];

struct scanners;

/* By guard.scanners; complaints go to c.  NULL when there were any. */
struct scanners *scanners_new(struct conf *c, const struct guard_conf *conf);
void scanners_free(struct scanners *s);		/* NULL is allowed */

/* In any case of letters. */
bool scanners_have(const struct scanners *s, struct str user_agent);

#endif
