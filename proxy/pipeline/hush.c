/*
 * hush.c -- lines of the log that strangers cause.
 */
#include "config.h"

#include "pipeline/hush.h"

#include <stdlib.h>

#include "base/log.h"
#include "guard/rates.h"

enum {
	BUCKETS = 8,			/* the least that there can be */
	SAY_US = 1000000
};

struct hush {
	struct rates	*rates;
	int64_t		 said_us;	/* 0: never */
	uint64_t	 unsaid;
	uint64_t	*withheld_total;
};

struct hush *
hush_new(struct metrics *m)
{
	static const struct metric withheld = {
		.name = "log_withheld_total",
		.help = "Lines about strangers that were not written."
	};
	struct hush *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->rates = rates_new(BUCKETS);
	h->withheld_total = metrics_add(m, &withheld);
	if (h->rates != NULL && h->withheld_total != NULL)
		return h;
	hush_free(h);
	return NULL;
}

void
hush_free(struct hush *h)
{
	if (h == NULL)
		return;
	rates_free(h->rates);
	free(h);
}

bool
hush_allows(struct hush *h, enum hush_kind kind,
    const struct conf_rate *lines, int64_t now_us)
{
	if (rates_take(h->rates, (uint64_t)kind, lines, now_us))
		return true;
	h->withheld_total[0]++;
	h->unsaid++;
	if (h->said_us != 0 && now_us - h->said_us < SAY_US)
		return false;
	log_event(EV_LOG_WITHHELD, kv_uint("lines", h->unsaid));
	h->said_us = now_us;
	h->unsaid = 0;
	return false;
}
