/*
 * rate.c -- so many in a time, and how many at once: "50/s burst 200".
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "conf/inner.h"

enum { RATE_MAX = 1000000 };

static const char burst_word[] = " burst ";

static bool
take_number(const char **p, int64_t *out)
{
	size_t digits = strspn(*p, "0123456789");
	uint64_t n;

	if (!parse_uint((struct str){ *p, digits }, RATE_MAX, &n) || n == 0)
		return false;
	*p += digits;
	*out = (int64_t)n;
	return true;
}

static int64_t
unit_ms(const char *p)
{
	if (p[0] != '/')
		return 0;
	return p[1] == 's' ? 1000 : p[1] == 'm' ? 60 * 1000 : 0;
}

bool
conf_rate_parse(struct conf_rate *r, const char *text)
{
	const char *p = text;

	if (!take_number(&p, &r->count))
		return false;
	r->per_ms = unit_ms(p);
	if (r->per_ms == 0)
		return false;
	p += 2;
	r->burst = r->count;
	if (*p == '\0')
		return true;
	if (strncmp(p, burst_word, sizeof burst_word - 1) != 0)
		return false;
	p += sizeof burst_word - 1;
	return take_number(&p, &r->burst) && *p == '\0';
}

const char *
conf_rate_text(char out[CONF_RATE_TEXT], const struct conf_rate *r)
{
	if (r->count == 0)
		return "off";
	snprintf(out, CONF_RATE_TEXT, "%" PRId64 "/%s%s%" PRId64, r->count,
	    r->per_ms == 1000 ? "s" : "m", burst_word, r->burst);
	if (r->burst == r->count)
		*strchr(out, ' ') = '\0';
	return out;
}
