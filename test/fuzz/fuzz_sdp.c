/*
 * fuzz_sdp.c -- libFuzzer target: session descriptions, alone and in bodies.
 *
 * The first line is the Content-Type.  What is found lies within the text, and
 * facts and verdicts agree with each other.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guard/body.h"
#include "guard/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read, and where it must lie. */
struct all {
	struct sdp_facts facts;
	struct str	 text;
};

static void
must(bool kept)
{
	if (!kept)
		abort();
}

static void
check_facts(const struct sdp_facts *f, size_t len)
{
	must(f->bytes <= len && f->streams <= len / 2 && f->line <= len);
	must((unsigned)f->fault < SDP_FAULT_COUNT);
	must((unsigned)f->hole < SDP_HOLE_COUNT);
	must(!f->torn || f->fault != SDP_SOUND);
	must((f->hole == SDP_SAFE) == (f->stream == 0));
	must(f->stream <= f->streams);
}

static void
check_verdicts(const struct sdp_facts *f)
{
	const struct sdp_terms nothing = { -1, -1, false, SDP_ANY };
	const struct sdp_terms wish = { -1, -1, false, SDP_PREFERRED };
	const struct sdp_terms must_be = { -1, -1, false, SDP_REQUIRED };
	struct sdp_judged a, b;

	a = sdp_judge(&nothing, f, false);
	must(!a.refused);
	a = sdp_judge(&wish, f, false);
	b = sdp_judge(&must_be, f, false);
	must(!a.refused && a.verdict == b.verdict && a.hole == b.hole);
	must(b.refused == (b.verdict != SDP_OK));
	must(b.verdict != SDP_OK || (!f->keys && !f->torn));
}

static void
take(void *arg, struct str sdp)
{
	struct all *all = arg;
	struct sdp_facts own = { 0 };

	must(sdp.len == 0 || (sdp.p >= all->text.p && sdp.p + sdp.len <=
	    all->text.p + all->text.len));
	sdp_read(&own, sdp);
	check_facts(&own, sdp.len);
	sdp_read(&all->facts, sdp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
	struct all all = { .text = { NULL, 0 } };
	struct body b = { .text = { NULL, 0 } };

	if (end == NULL)
		return 0;
	b.type = (struct str){ (const char *)data, (size_t)(end - data) };
	b.text = (struct str){ (const char *)end + 1,
		size - b.type.len - 1 };
	all.text = b.text;
	all.facts.opaque = !body_each_sdp(&b, take, &all);
	must(all.facts.descriptions <= BODY_PARTS_MAX);
	check_facts(&all.facts, b.text.len);
	check_verdicts(&all.facts);
	return 0;
}
