/*
 * media_told.c -- what is said of bodies: counted, logged, answered.
 */
#include "config.h"

#include "pipeline/media_told.h"

#include "base/clock.h"
#include "pipeline/media.h"
#include "pipeline/own_uri.h"

int
media_add_metrics(struct pipeline *p, struct metrics *m)
{
	static const struct metric judged = { "media_judged_total",
		"Messages whose SDP was held against media, by what was found.",
		METRIC_COUNTER, "verdict", sdp_verdict_words,
		SDP_VERDICT_COUNT };
	static const struct metric passed = { .name = "media_passed_total",
		.help = "Those that broke the policy and were passed on." };

	p->media.judged_total = metrics_add(m, &judged);
	p->media.passed_total = metrics_add(m, &passed);
	return p->media.judged_total == NULL ||
	    p->media.passed_total == NULL ? -1 : 0;
}

/* Once a second at most. */
static void
say(struct pipeline *p, const struct media_about *a)
{
	int64_t now_s = clock_mono_ms() / 1000;
	const struct sdp_judged *j = a->judged;
	const sip_t *sip = a->sip;

	if (now_s == p->media.said_s) {
		p->media.unsaid++;
		return;
	}
	log_event(EV_MEDIA_UNSAFE,
	    kv_str("verdict", sdp_verdict_words[j->verdict]),
	    kv_str("hole", sdp_hole_words[j->hole]),
	    kv_str("fault", sdp_fault_words[j->fault]),
	    kv_uint("at", j->at), kv_bool("passed", a->passed),
	    kv_str("method", sip->sip_cseq->cs_method_name),
	    kv_int("status", sip->sip_status == NULL ? 0 :
	    sip->sip_status->st_status),
	    kv_str("peer", a->from), kv_str("to", a->to),
	    kv_str("call_id", sip->sip_call_id->i_id),
	    kv_uint("unsaid", p->media.unsaid));
	p->media.said_s = now_s;
	p->media.unsaid = 0;
}

void
media_tell(struct pipeline *p, const struct media_about *a)
{
	p->media.judged_total[a->judged->verdict]++;
	if (a->judged->verdict == SDP_OK)
		return;
	if (a->passed)
		p->media.passed_total[0]++;
	say(p, a);
}

enum reason
media_reason(const struct sdp_judged *j)
{
	static const enum reason r[SDP_VERDICT_COUNT] = {
		[SDP_OK] = REASON_COUNT,
		[SDP_UNSAFE] = REASON_MEDIA_UNSAFE,
		[SDP_MALFORMED] = REASON_BAD_SDP,
		[SDP_TOO_LARGE] = REASON_SDP_TOO_LARGE,
		[SDP_TOO_MANY] = REASON_TOO_MANY_STREAMS,
		[SDP_OPAQUE] = REASON_MEDIA_OPAQUE
	};

	return r[j->verdict];
}

/* RFC 3261 20.43: what a person may read, and the code of its kind. */
static const struct warning {
	int		 code;
	const char	*text;
} of_hole[SDP_HOLE_COUNT] = {
	[SDP_SAFE] = { 399, "" },
	[SDP_CLEAR] = { 302, "SRTP is required" },
	[SDP_OPTIONAL] = { 302, "SRTP is required, and not only offered" },
	[SDP_UNKNOWN] = { 302, "this transport is not known to be safe" },
	[SDP_NO_KEYS] = { 306, "SRTP without a crypto of a known suite" },
	[SDP_BAD_CRYPTO] = { 306, "a crypto attribute is malformed" },
	[SDP_UNENCRYPTED] = { 306, "SRTP must encrypt and authenticate" },
	[SDP_NO_FINGERPRINT] = { 306, "DTLS without a fingerprint" },
	[SDP_BAD_FINGERPRINT] = { 306, "a fingerprint is malformed" },
	[SDP_WEAK_FINGERPRINT] = { 306, "a fingerprint must be SHA-256 or "
	    "better" },
	[SDP_BAD_SETUP] = { 306, "a setup attribute is malformed" },
	[SDP_KEYS_SEEN] = { 399, "SRTP keys must come and go over TLS" }
};

static struct warning
warning_of(const struct sdp_judged *j)
{
	switch (j->verdict) {
	case SDP_UNSAFE:
		return of_hole[j->hole];
	case SDP_MALFORMED:
		return (struct warning){ 399, "malformed SDP" };
	case SDP_TOO_MANY:
		return (struct warning){ 399, "too many media streams" };
	case SDP_OK: case SDP_TOO_LARGE: case SDP_OPAQUE:
	case SDP_VERDICT_COUNT:
		break;
	}
	return (struct warning){ 0, NULL };
}

static void
put_warning(const struct request *req, struct writer *w)
{
	const struct sdp_judged *j = &req->media;
	struct warning says = warning_of(j);

	if (says.code == 0)
		return;
	put_text(w, "Warning: ");
	put_uint(w, (uint64_t)says.code);
	put_text(w, " ");
	put_text(w, own_name_sender(req).host);
	put_text(w, " \"");
	if (j->at > 0) {
		put_text(w, j->verdict == SDP_UNSAFE ? "stream " : "line ");
		put_uint(w, j->at);
		put_text(w, ": ");
	}
	put_text(w, says.text);
	put_text(w, "\"\r\n");
}

void
media_put_told(const struct request *req, struct writer *w, enum reason r)
{
	if (r == REASON_MEDIA_OPAQUE)		/* RFC 3261 21.4.13 */
		put_text(w, "Accept: application/sdp, multipart/*\r\n"
		    "Accept-Encoding: identity\r\n");
	else if (req->media.refused && r == media_reason(&req->media))
		put_warning(req, w);
}
