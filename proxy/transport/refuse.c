/*
 * refuse.c -- what is turned away is counted, and said.
 */
#include "config.h"

#include "transport/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

static const char *const refusals[REFUSAL_COUNT] = {
#define V(id, name, help) [id] = name,
	HEAD_VERDICTS(V)
#undef V
#define R(id, name, help) [id] = name,
	REFUSALS(R)
#undef R
#define F(id, name, help) [REFUSE_TLS + id - 1] = name,
	TLS_FAILURES(F)
#undef F
};

static const char *const helps[REFUSAL_COUNT] = {
#define V(id, name, help) [id] = help,
	HEAD_VERDICTS(V)
#undef V
#define R(id, name, help) [id] = help,
	REFUSALS(R)
#undef R
#define F(id, name, help) [REFUSE_TLS + id - 1] = help,
	TLS_FAILURES(F)
#undef F
};

static const struct metric m_refused = {
	.name = "transport_refused_total",
	.help = "Bytes and connections turned away before they became a"
	    " message.",
	.kind = METRIC_COUNTER, .label = "reason",
	.values = refusals + HEAD_MORE, .nvalues = REFUSAL_COUNT - HEAD_MORE
};

void
transport_refusals_each(void (*visit)(const char *word, const char *help))
{
	for (int r = HEAD_MORE; r < REFUSAL_COUNT; r++)
		visit(refusals[r], helps[r]);
}

uint64_t *
refuse_metric(struct metrics *m)
{
	return metrics_add(m, &m_refused);
}

void
transport_refuse(struct transports *t, enum refusal why,
    const struct addr *from)
{
	transport_refuse_for(t, why, from, NULL);
}

/* One line a second for each reason is enough to tell what goes on. */
void
transport_refuse_for(struct transports *t, enum refusal why,
    const struct addr *from, const char *detail)
{
	char text[ADDR_TEXT_MAX];
	int64_t now_ms = clock_mono_ms();
	struct kv detail_pair = { .type = KV_END };

	t->refused[why - HEAD_MORE]++;
	if (t->quiet[why].said_ms != 0 &&
	    now_ms - t->quiet[why].said_ms < 1000) {
		t->quiet[why].unsaid++;
		return;
	}
	if (detail != NULL)
		detail_pair = kv_str("detail", detail);
	log_event(EV_TRANSPORT_REFUSE, kv_str("reason", refusals[why]),
	    kv_str("from", from == NULL ? NULL : addr_text(from, text)),
	    kv_uint("unsaid", t->quiet[why].unsaid), detail_pair);
	t->quiet[why].said_ms = now_ms;
	t->quiet[why].unsaid = 0;
}
