/*
 * hours.c -- hours of the week.
 */
#include "config.h"

#include "guard/hours.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"

enum { DAYS = 7, EVERY_DAY = 0x7f, HOUR = 60, DAY = 24 * HOUR };

static const char day_names[DAYS][4] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
};

/* 0..6, or -1. */
static int
take_day(const char **p)
{
	for (int i = 0; i < DAYS; i++)
		if (strncasecmp(*p, day_names[i], 3) == 0) {
			*p += 3;
			return i;
		}
	return -1;
}

/* "Fri" or "Sat-Mon" */
static bool
take_range(const char **p, uint8_t *days)
{
	int first = take_day(p), last = first;

	if (first >= 0 && **p == '-') {
		++*p;
		last = take_day(p);
	}
	if (first < 0 || last < 0)
		return false;
	for (int i = first; i != last; i = (i + 1) % DAYS)
		*days |= (uint8_t)(1u << i);
	*days |= (uint8_t)(1u << last);
	return true;
}

static bool
take_days(const char **p, uint8_t *days)
{
	*days = 0;
	if (**p >= '0' && **p <= '9') {
		*days = EVERY_DAY;
		return true;
	}
	while (take_range(p, days)) {
		if (**p == ' ') {
			++*p;
			return true;
		}
		if (*(*p)++ != ',')
			return false;
	}
	return false;
}

/* "HH:MM" */
static bool
take_minute(const char **p, uint16_t *out)
{
	uint64_t hour, minute;

	if (strnlen(*p, 5) < 5 || (*p)[2] != ':' ||
	    !parse_uint((struct str){ *p, 2 }, 24, &hour) ||
	    !parse_uint((struct str){ *p + 3, 2 }, 59, &minute))
		return false;
	*p += 5;
	*out = (uint16_t)(hour * HOUR + minute);
	return *out <= DAY;
}

const char *
hours_parse(struct hours *out, const char *text)
{
	const char *p = text;

	if (!take_days(&p, &out->days))
		return "does not begin with days (\"Mon-Fri \", \"Sat,Sun \") "
		    "or a time";
	if (!take_minute(&p, &out->from) || *p++ != '-' ||
	    !take_minute(&p, &out->to) || *p != '\0')
		return "has no time like 07:00-20:00";
	if (out->from == DAY || out->from == out->to)
		return "is no time at all; a whole day is 00:00-24:00";
	return NULL;
}

void
hours_zone(void)
{
	tzset();
}

struct hours_moment
hours_local(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)	/* a year that is no int */
		return (struct hours_moment){ 0, 0 };
	return (struct hours_moment){ (unsigned)tm.tm_wday,
		(unsigned)(tm.tm_hour * HOUR + tm.tm_min) };
}

bool
hours_have(const struct hours *h, struct hours_moment now)
{
	bool today = h->days & 1u << now.day;
	bool yesterday = h->days & 1u << (now.day + DAYS - 1) % DAYS;

	if (h->from < h->to)
		return today && now.minute >= h->from && now.minute < h->to;
	return (today && now.minute >= h->from) ||
	    (yesterday && now.minute < h->to);
}
