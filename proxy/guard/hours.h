/*
 * hours.h -- hours of the week: "Mon-Fri 07:00-20:00", "Fri 22:00-06:00".
 *
 * They are hours on the wall, of the zone that this machine is in.
 */
#ifndef GUARD_HOURS_H
#define GUARD_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From and to are minutes of the day; to is not part of it.  One that does
 * not lie behind from is the next day's. */
struct hours {
	uint8_t		days;		/* it begins on: bits, from Sunday */
	uint16_t	from, to;
};

/* A moment of the week. */
struct hours_moment { unsigned day, minute; };	/* 0: Sunday */

/* "[DAYS ]HH:MM-HH:MM"; without days it is every day.  NULL, or what is
 * wrong. */
const char *hours_parse(struct hours *out, const char *text);

/* What the clock on the wall says; the zone is read by hours_zone(), when a
 * configuration is. */
void hours_zone(void);
struct hours_moment hours_local(int64_t unix_s);

bool hours_have(const struct hours *h, struct hours_moment now);

#endif
