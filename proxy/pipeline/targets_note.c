/*
 * targets_note.c -- what came of the targets that a leg turned to.
 */
#include "config.h"

#include "base/clock.h"
#include "pipeline/targets.h"

void
targets_turn_to(struct leg *leg, const struct target *t)
{
	leg->tried = t->addr;
	leg->tried_by = t->transport;
	leg->member = t->member;
	leg->heard = false;
	leg->handed = t->handed;
	leg->streaming = false;
}

/* Once a second at most. */
static void
say_grey(struct leg *leg, const char *why, unsigned for_s)
{
	struct pipeline *p = leg->req->p;
	int64_t now_s = clock_mono_ms() / 1000;
	char target[ADDR_TEXT_MAX];

	if (for_s == 0)
		return;
	if (now_s == p->grey_said_s) {
		p->grey_unsaid++;
		return;
	}
	log_event(EV_TARGET_GREY, kv_str("peer", leg->peer->name),
	    kv_str("target", addr_text(&leg->tried, target)),
	    kv_str("transport", transport_name(leg->tried_by)),
	    kv_str("reason", why), kv_uint("for_s", for_s),
	    kv_uint("unsaid", p->grey_unsaid));
	p->grey_said_s = now_s;
	p->grey_unsaid = 0;
}

/* An instance that is gone is asked after the phone itself; what of a request
 * is slow is the phone, unless a 100 should have come. */
static void
note_instance(const struct leg *leg, enum target_outcome what)
{
	struct grey *g = leg->req->p->grey;

	if (what == TARGET_SERVED)
		grey_clear(g, &leg->tried, leg->tried_by);
	else if (what == TARGET_UNREACHABLE || (what == TARGET_SILENT &&
	    leg->req->method == sip_method_invite))
		grey_failed(g, &leg->tried, leg->tried_by, clock_mono_ms());
}

void
targets_note(struct leg *leg, enum target_outcome what,
    int64_t retry_after_s)
{
	struct grey *g = leg->req->p->grey;
	unsigned s;

	if (leg->handed)
		note_instance(leg, what);
	if (leg->member == NULL || (what == TARGET_SILENT && leg->heard))
		return;
	if (what == TARGET_SERVED) {
		leg->heard = true;
		grey_clear(g, &leg->tried, leg->tried_by);
		return;
	}
	leg->member->failures++;
	if (what == TARGET_BUSY)
		s = grey_busy(g, &leg->tried, leg->tried_by, retry_after_s,
		    clock_mono_ms());
	else
		s = grey_failed(g, &leg->tried, leg->tried_by,
		    clock_mono_ms());
	say_grey(leg, what == TARGET_BUSY ? "busy" : what == TARGET_SILENT ?
	    "silence" : "transport", s);
}
