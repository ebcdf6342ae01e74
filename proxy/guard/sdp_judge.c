/*
 * sdp_judge.c -- what was found in session descriptions, and what is asked for.
 */
#include "config.h"

#include "guard/sdp.h"

#define WORD(id, word) [id] = word,
const char *const sdp_fault_words[SDP_FAULT_COUNT] = { SDP_FAULTS(WORD) };
const char *const sdp_hole_words[SDP_HOLE_COUNT] = { SDP_HOLES(WORD) };
const char *const sdp_verdict_words[SDP_VERDICT_COUNT] = {
	SDP_VERDICTS(WORD)
};
#undef WORD

static struct sdp_judged
failed(enum sdp_verdict v, bool refused)
{
	return (struct sdp_judged){ .verdict = v, .refused = refused };
}

static struct sdp_judged
malformed(const struct sdp_facts *f, bool refused)
{
	struct sdp_judged j = failed(SDP_MALFORMED, refused);

	j.fault = f->fault;
	j.at = f->line;
	return j;
}

static struct sdp_judged
unsafe(enum sdp_hole hole, unsigned stream, bool refused)
{
	struct sdp_judged j = failed(SDP_UNSAFE, refused);

	j.hole = hole;
	j.at = stream;
	return j;
}

/* What was not read is not safe; bounds and grammar are no mere wish. */
struct sdp_judged
sdp_judge(const struct sdp_terms *t, const struct sdp_facts *f, bool secret)
{
	bool is_strict = t->grammar || t->bytes >= 0 || t->streams >= 0;
	bool must = t->need == SDP_REQUIRED;

	if (t->bytes >= 0 && f->bytes > (size_t)t->bytes)
		return failed(SDP_TOO_LARGE, true);
	if (f->opaque)
		return failed(SDP_OPAQUE, must || is_strict);
	if (t->grammar && f->fault != SDP_SOUND)
		return malformed(f, true);
	if (t->streams >= 0 && f->streams > (uint64_t)t->streams)
		return failed(SDP_TOO_MANY, true);
	if (t->need == SDP_ANY)
		return failed(SDP_OK, false);
	if (f->torn)
		return malformed(f, must);
	if (f->hole != SDP_SAFE)
		return unsafe(f->hole, f->stream, must);
	if (f->keys && !secret)
		return unsafe(SDP_KEYS_SEEN, 0, must);
	return failed(SDP_OK, false);
}
